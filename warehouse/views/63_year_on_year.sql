-- Every figure of every current report beside that of the year before, of the same publisher and scope, as printed: never of an earlier year
-- where one is missing, never of another scope. `break_flag` is set where the form or the law changed in between (table break_flag): the
-- difference is then not a change in fact alone. Ask for one indicator at a time.
-- Columns that are also parameters of compare_years are qualified: DuckDB would take them for the parameter.
CREATE OR REPLACE VIEW year_on_year AS
WITH breaks AS (
    SELECT i.indicator, f.kind, f.year, string_agg(f.break_id || ': ' || f.reason, '; ' ORDER BY f.break_id) AS text
    FROM indicator AS i
    JOIN break_flag AS f ON (f.section IS NULL OR f.section = i.section) AND (f.indicator IS NULL OR f.indicator = i.indicator)
    GROUP BY ALL
),
compared AS (
    SELECT
        r.district_code, r.district_in_year, r.current_code, r.current_district, r.publisher_id, r.publisher, r.kind, r.scope, r.year,
        a.section, a.indicator, a.applicant, a.value, a.value_status, a.unit, a.format, r.report_id,
        p.report_id AS previous_report_id, b.value AS previous, b.value_status AS previous_status, b.unit AS previous_unit,
        b.format AS previous_format, law.text AS law_text, form.text AS form_text, annex.text AS annex_text
    FROM report_figures AS r
    JOIN observation AS a ON a.report_id = r.report_id
    LEFT JOIN report_figures AS p ON p.publisher_id = r.publisher_id AND p.scope = r.scope AND p.year = r.year - 1 AND p.is_current
    LEFT JOIN observation AS b
        ON b.report_id = p.report_id AND b.indicator = a.indicator AND b.applicant IS NOT DISTINCT FROM a.applicant
    LEFT JOIN breaks AS law ON law.kind = 'law' AND law.indicator = a.indicator AND law.year = r.year
    LEFT JOIN breaks AS form ON form.kind = 'form' AND form.year = 2021 AND form.indicator = a.indicator AND a.format <> b.format
        AND greatest(a.format, b.format) = 2021
    LEFT JOIN breaks AS annex ON annex.kind = 'form' AND annex.year = 2019 AND annex.indicator = a.indicator AND a.format <> b.format
        AND least(a.format, b.format) < 2019
    WHERE r.is_current
),
judged AS (
    SELECT *,
        CASE WHEN unit = previous_unit THEN value - previous END AS difference,
        CASE WHEN previous_status IS NOT NULL THEN nullif(concat_ws('; ', annex_text, form_text, law_text), '') END AS break_reason
    FROM compared
)
SELECT
    district_code, district_in_year AS district, current_code, current_district, publisher_id, publisher, kind, j.scope, section, indicator,
    j.applicant, year, value, value_status, previous, previous_status, difference,
    CASE WHEN previous <> 0 THEN difference::DOUBLE / abs(previous)::DOUBLE * 100 END AS pct,
    CASE
        WHEN previous_report_id IS NULL THEN 'no report on ' || (year - 1) || ' with this scope'
        WHEN previous_status IS NULL THEN 'not in the report on ' || (year - 1)
        WHEN value IS NULL AND previous IS NULL THEN year || ': ' || value_status || '; ' || (year - 1) || ': ' || previous_status
        WHEN value IS NULL THEN year || ': ' || value_status
        WHEN previous IS NULL THEN (year - 1) || ': ' || previous_status
        WHEN unit <> previous_unit THEN 'unit ' || unit || ', the year before ' || previous_unit
        WHEN previous = 0 THEN 'no percentage: 0 the year before'
    END AS reason,
    break_reason IS NOT NULL AS break_flag,
    break_reason,
    unit, format, previous_format, report_id, previous_report_id
FROM judged AS j;
