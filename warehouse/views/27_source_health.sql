CREATE OR REPLACE VIEW source_health AS
WITH good AS (
    SELECT publisher_id, max(checked_at) AS last_success FROM visit WHERE ((index_read AND listed > 0) OR (NOT index_read AND listed = 0 AND reports_found > 0))
    GROUP BY publisher_id
),
last AS (
    SELECT publisher_id, max(checked_at) AS last_visit, arg_max(listed, checked_at) AS listed FROM visit GROUP BY publisher_id
),
before AS (
    SELECT v.publisher_id, arg_max(v.listed, v.checked_at) AS listed_before
    FROM visit AS v JOIN last ON last.publisher_id = v.publisher_id AND v.checked_at < last.last_visit
    WHERE v.index_read AND v.listed > 0
    GROUP BY v.publisher_id
),
failing AS (
    SELECT v.publisher_id, count(*) AS failing_visits
    FROM visit AS v LEFT JOIN good USING (publisher_id)
    WHERE good.last_success IS NULL OR v.checked_at > good.last_success
    GROUP BY v.publisher_id
),
fault AS (
    SELECT
        publisher_id,
        count(*) FILTER (WHERE severity = 'failure') AS open_failures,
        count(*) FILTER (WHERE severity = 'warning') AS open_warnings
    FROM problem WHERE is_open GROUP BY publisher_id
)
SELECT
    p.publisher_id,
    p.district_code,
    last.last_visit,
    good.last_success,
    coalesce(failing.failing_visits, 0) AS failing_visits,
    last.listed,
    before.listed_before,
    coalesce(fault.open_failures, 0) AS open_failures,
    coalesce(fault.open_warnings, 0) AS open_warnings
FROM publisher AS p
LEFT JOIN last USING (publisher_id)
LEFT JOIN good USING (publisher_id)
LEFT JOIN before USING (publisher_id)
LEFT JOIN failing USING (publisher_id)
LEFT JOIN fault USING (publisher_id);
