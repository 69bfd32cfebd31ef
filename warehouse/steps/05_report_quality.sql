-- Counts for reports that were brought; those of other reports stand.
DELETE FROM report_quality
WHERE report_id NOT IN (SELECT report_id FROM report)
    OR report_id IN (SELECT report_id FROM report SEMI JOIN temp.replaced USING (publisher_id, document_sha256));

-- content_hash is made of MD5, not of DuckDB's hash(): it must mean the same in the next version of DuckDB.
INSERT INTO report_quality BY NAME
WITH fresh AS (SELECT report_id, title FROM report ANTI JOIN report_quality USING (report_id)),
figure AS (
    SELECT
        report_id,
        count(*) AS cells,
        count(*) FILTER (WHERE value_status = 'reported') AS reported,
        count(*) FILTER (WHERE value_status = 'blank') AS blank,
        count(*) FILTER (WHERE value_status = 'not_applicable') AS not_applicable,
        count(*) FILTER (WHERE value_status = 'unreadable') AS unreadable,
        count(*) FILTER (WHERE value_status = 'reported' AND unit = 'unknown') AS unit_unknown,
        bit_xor(md5_number(concat_ws('|', section, indicator, coalesce(applicant::VARCHAR, ''), coalesce(value::VARCHAR, ''), value_status, unit)))
            AS mix
    FROM observation SEMI JOIN fresh USING (report_id)
    GROUP BY report_id
),
extra AS (SELECT report_id, count(*) AS unmapped_cells FROM unmapped_cell SEMI JOIN fresh USING (report_id) GROUP BY report_id),
judged AS (
    SELECT
        report_id,
        count(*) FILTER (WHERE passed AND NOT soft) AS checks_passed,
        count(*) FILTER (WHERE NOT passed AND NOT soft) AS checks_failed,
        count(*) FILTER (WHERE passed IS NULL AND NOT soft) AS checks_not_assessable,
        count(*) FILTER (WHERE NOT passed AND soft) AS soft_failed
    FROM check_result SEMI JOIN fresh USING (report_id)
    GROUP BY report_id
),
prose AS (
    SELECT report_id, md5(string_agg(concat_ws('|', heading, text), '|' ORDER BY section_no)) AS mix
    FROM narrative SEMI JOIN fresh USING (report_id) ANTI JOIN figure USING (report_id)
    GROUP BY report_id
)
SELECT
    report_id,
    coalesce(cells, 0) AS cells,
    coalesce(reported, 0) AS reported,
    coalesce(blank, 0) AS blank,
    coalesce(not_applicable, 0) AS not_applicable,
    coalesce(unreadable, 0) AS unreadable,
    coalesce(unit_unknown, 0) AS unit_unknown,
    coalesce(unmapped_cells, 0) AS unmapped_cells,
    coalesce(checks_passed, 0) AS checks_passed,
    coalesce(checks_failed, 0) AS checks_failed,
    coalesce(checks_not_assessable, 0) AS checks_not_assessable,
    coalesce(soft_failed, 0) AS soft_failed,
    md5(concat_ws('|', regexp_replace(coalesce(title, ''), '\s', '', 'g'), figure.mix::VARCHAR, prose.mix)) AS content_hash
FROM fresh
LEFT JOIN figure USING (report_id)
LEFT JOIN extra USING (report_id)
LEFT JOIN judged USING (report_id)
LEFT JOIN prose USING (report_id);
