-- Cells of documents that were read before and again in this build, and that read differently now. What was read before stands in
-- temp.reading_before and temp.parse_before (warehouse/rereading.py).
INSERT INTO reading_change BY NAME
WITH side AS (
    SELECT *, true AS is_old FROM temp.reading_before
    UNION ALL BY NAME
    SELECT o.report_id, r.publisher_id, r.document_sha256, section, indicator, applicant, value, raw_text, value_status, unit, false AS is_old
    FROM observation AS o JOIN report AS r USING (report_id) SEMI JOIN temp.parse_before USING (publisher_id, document_sha256)
),
cell AS (
    SELECT
        report_id, publisher_id, document_sha256, section, indicator, applicant,
        any_value(value) FILTER (WHERE is_old) AS value_from,
        any_value(value) FILTER (WHERE NOT is_old) AS value_to,
        any_value(raw_text) FILTER (WHERE is_old) AS raw_from,
        any_value(raw_text) FILTER (WHERE NOT is_old) AS raw_to,
        any_value(value_status) FILTER (WHERE is_old) AS status_from,
        any_value(value_status) FILTER (WHERE NOT is_old) AS status_to,
        any_value(unit) FILTER (WHERE is_old) AS unit_from,
        any_value(unit) FILTER (WHERE NOT is_old) AS unit_to
    FROM side GROUP BY ALL
)
SELECT p.run_id, cell.*, b.parser_version AS parser_from, p.parser_version AS parser_to
FROM cell
JOIN parse AS p USING (publisher_id, document_sha256)
JOIN temp.parse_before AS b USING (publisher_id, document_sha256)
WHERE (value_from, raw_from, status_from, unit_from) IS DISTINCT FROM (value_to, raw_to, status_to, unit_to);
