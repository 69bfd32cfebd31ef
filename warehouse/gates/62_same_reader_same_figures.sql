-- message: a document was read again by the same version of the reader, and a figure of it reads differently
-- compares: published
-- A reader that changes without a new version (transform/parser_changes.yml) is a fault. Reports that have another name now, because the
-- registry gives another year, are judged by rows_fall.
WITH again AS (
    SELECT publisher_id, document_sha256 FROM previous.parse AS b JOIN parse AS p USING (publisher_id, document_sha256)
    SEMI JOIN temp.touched USING (publisher_id, document_sha256)
    WHERE b.parser_version = p.parser_version AND b.outcome = 'loaded' AND p.outcome = 'loaded'
),
same AS (SELECT report_id FROM previous.report SEMI JOIN again USING (publisher_id, document_sha256) SEMI JOIN report USING (report_id)),
old AS (
    SELECT report_id, indicator, applicant::VARCHAR AS applicant, value, value_status::VARCHAR AS status
    FROM previous.observation SEMI JOIN same USING (report_id)
),
new AS (
    SELECT report_id, indicator, applicant::VARCHAR AS applicant, value, value_status::VARCHAR AS status
    FROM observation SEMI JOIN same USING (report_id)
)
SELECT old.report_id, old.indicator, old.applicant, old.value AS value_before, new.value AS value_now, old.status, new.status AS status_now
FROM old LEFT JOIN new
    ON new.report_id = old.report_id AND new.indicator = old.indicator AND new.applicant IS NOT DISTINCT FROM old.applicant
WHERE new.report_id IS NULL OR (old.value, old.status) IS DISTINCT FROM (new.value, new.status)
