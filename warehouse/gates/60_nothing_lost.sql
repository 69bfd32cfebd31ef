-- message: the figures of a report whose document was not read again are not what they were
-- compares: published
WITH untouched AS (
    SELECT report_id FROM previous.report
    WHERE (publisher_id, document_sha256) NOT IN (SELECT (publisher_id, document_sha256) FROM temp.replaced)
),
old AS (
    SELECT report_id, count(*) AS n, sum(value) AS total, bit_xor(hash(indicator, applicant::VARCHAR, value, value_status::VARCHAR)) AS mix
    FROM previous.observation GROUP BY report_id
),
new AS (
    SELECT report_id, count(*) AS n, sum(value) AS total, bit_xor(hash(indicator, applicant::VARCHAR, value, value_status::VARCHAR)) AS mix
    FROM observation GROUP BY report_id
)
SELECT report_id, old.n AS rows_before, new.n AS rows_now, old.total AS sum_before, new.total AS sum_now
FROM old SEMI JOIN untouched USING (report_id) LEFT JOIN new USING (report_id)
WHERE (old.n, old.total, old.mix) IS DISTINCT FROM (new.n, new.total, new.mix)
