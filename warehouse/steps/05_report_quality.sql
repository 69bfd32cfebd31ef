-- Counts for reports that were brought; those of other reports stand.
DELETE FROM report_quality
WHERE report_id NOT IN (SELECT report_id FROM report)
    OR report_id IN (SELECT report_id FROM report SEMI JOIN temp.replaced USING (publisher_id, document_sha256));

-- What was brought has higher numbers than what was there. A comparison of numbers leaves columns in the compressed form in which DuckDB groups
-- and joins them fast, as long as a query does one thing at a time; a semi join does not (25 million figures: 18 s of CPU, so 2 s).
CREATE OR REPLACE TEMP TABLE fresh AS SELECT report_id, report_no, title FROM report ANTI JOIN report_quality USING (report_id);
SET VARIABLE first_fresh = (SELECT min(report_no) FROM temp.fresh);

-- content_hash is made of MD5, not of DuckDB's hash(): it must mean the same in the next version of DuckDB. The same figure stands in many
-- reports (most are small numbers): `printed` makes its MD5 once.
CREATE OR REPLACE TEMP TABLE fresh_mix AS
WITH printed AS MATERIALIZED (
    SELECT
        section, indicator, applicant, value, value_status, unit,
        md5_number(concat_ws('|', section, indicator, coalesce(applicant::VARCHAR, ''), coalesce(value::VARCHAR, ''), value_status, unit)) AS mix
    FROM (
        SELECT DISTINCT section, indicator, applicant, value, value_status, unit FROM observation
        WHERE report_no >= getvariable('first_fresh')
    )
)
SELECT o.report_id, bit_xor(p.mix) AS mix
FROM observation AS o
JOIN printed AS p
    ON p.section = o.section AND p.indicator = o.indicator AND p.applicant IS NOT DISTINCT FROM o.applicant
    AND p.value IS NOT DISTINCT FROM o.value AND p.value_status = o.value_status AND p.unit = o.unit
WHERE o.report_no >= getvariable('first_fresh')
GROUP BY o.report_id;

CREATE OR REPLACE TEMP TABLE fresh_count AS
SELECT
    report_id,
    count(*) AS cells,
    count(*) FILTER (WHERE value_status = 'reported') AS reported,
    count(*) FILTER (WHERE value_status = 'blank') AS blank,
    count(*) FILTER (WHERE value_status = 'not_applicable') AS not_applicable,
    count(*) FILTER (WHERE value_status = 'unreadable') AS unreadable,
    count(*) FILTER (WHERE value_status = 'reported' AND unit = 'unknown') AS unit_unknown
FROM observation
WHERE report_no >= getvariable('first_fresh')
GROUP BY report_id;

-- Reports of text only, in a table of their own: all texts would be read before it is known that none is wanted.
CREATE OR REPLACE TEMP TABLE bare AS SELECT report_id FROM temp.fresh ANTI JOIN temp.fresh_mix USING (report_id);

CREATE OR REPLACE TEMP TABLE fresh_prose AS
SELECT report_id, md5(string_agg(concat_ws('|', heading, text), '|' ORDER BY section_no)) AS mix
FROM narrative SEMI JOIN temp.bare USING (report_id)
GROUP BY report_id;

CREATE OR REPLACE TEMP TABLE fresh_check AS
SELECT
    report_id,
    count(*) FILTER (WHERE passed AND NOT soft) AS checks_passed,
    count(*) FILTER (WHERE NOT passed AND NOT soft) AS checks_failed,
    count(*) FILTER (WHERE passed IS NULL AND NOT soft) AS checks_not_assessable,
    count(*) FILTER (WHERE NOT passed AND soft) AS soft_failed
FROM check_result SEMI JOIN temp.fresh USING (report_id)
GROUP BY report_id;

INSERT INTO report_quality BY NAME
WITH extra AS (SELECT report_id, count(*) AS unmapped_cells FROM unmapped_cell SEMI JOIN temp.fresh USING (report_id) GROUP BY report_id)
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
    md5(concat_ws('|', regexp_replace(coalesce(title, ''), '\s', '', 'g'), decimal_text(m.mix), prose.mix)) AS content_hash
FROM temp.fresh
LEFT JOIN temp.fresh_mix AS m USING (report_id)
LEFT JOIN temp.fresh_count USING (report_id)
LEFT JOIN extra USING (report_id)
LEFT JOIN temp.fresh_check USING (report_id)
LEFT JOIN temp.fresh_prose AS prose USING (report_id);
DROP TABLE fresh;
DROP TABLE fresh_mix;
DROP TABLE fresh_count;
DROP TABLE bare;
DROP TABLE fresh_prose;
DROP TABLE fresh_check;
