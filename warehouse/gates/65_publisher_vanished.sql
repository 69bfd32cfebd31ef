-- message: a publisher that had figures has none any more, was not withdrawn and did not leave the registry
-- compares: published
WITH loaded AS (
    SELECT publisher_id, year FROM previous.report WHERE figures > 0
),
gone AS (
    SELECT publisher_id, year FROM loaded ANTI JOIN (SELECT publisher_id FROM report WHERE figures > 0) AS now USING (publisher_id)
    WHERE NOT getvariable('registry_known') OR publisher_id IN (SELECT publisher_id FROM temp.registered)
)
SELECT publisher_id, any_value(p.name) AS name, count(*) AS reports_before, 0 AS reports_now
FROM gone
LEFT JOIN coverage_cell AS c USING (publisher_id, year)
LEFT JOIN previous.publisher AS p USING (publisher_id)
WHERE c.state IS DISTINCT FROM 'withdrawn'
GROUP BY publisher_id
