-- In slices.
-- Both sides of the identities that fail on figures which two readings saw alike, for the view publisher_error: it would have to look for their
-- cells among all figures.
INSERT INTO failed_side BY NAME
WITH piece AS (SELECT report_id FROM temp.fresh WHERE slice_no = getvariable('slice')),
failed AS (
    SELECT c.*, CASE WHEN c.check_id LIKE 'R2.%' THEN 'R2' ELSE c.check_id END AS rule_id
    FROM check_result AS c SEMI JOIN piece ON piece.report_id = c.report_id
    WHERE NOT c.passed AND NOT c.soft AND c.cause = 'publisher'
),
-- One pass over observation for both uses.
printed AS MATERIALIZED (
    SELECT o.report_id, o.section, o.format, o.indicator, o.applicant, o.value, o.raw_text, o.page, o.bbox, o.table_no, o.row_no, o.col_no
    FROM observation AS o SEMI JOIN failed USING (report_id)
),
table_format AS (SELECT DISTINCT report_id, section, format FROM printed),
ruled AS (
    SELECT f.*, i.section, i.left_side, i.right_side, i.source
    FROM failed AS f
    JOIN identity AS i ON i.check_id = f.rule_id
    JOIN table_format AS t ON t.report_id = f.report_id AND t.section = i.section
    WHERE i.formats IS NULL OR list_contains(string_split(i.formats, ' '), t.format::VARCHAR)
),
term AS (
    SELECT report_id, check_id, applicant, rule_id, 'left' AS side, unnest(string_split(left_side, ' + ')) AS term FROM ruled
    UNION ALL
    SELECT report_id, check_id, applicant, rule_id, 'right', unnest(string_split(right_side, ' + ')) FROM ruled
),
cell AS (
    SELECT
        t.report_id, t.check_id, t.applicant, t.side,
        o.indicator, o.applicant AS cell_applicant, o.value, o.raw_text, o.page, o.bbox, o.table_no, o.row_no, o.col_no
    FROM term AS t
    JOIN printed AS o
        ON o.report_id = t.report_id
        AND o.indicator = CASE WHEN t.rule_id = 'R2' THEN substr(t.check_id, 4) ELSE t.term END
        AND o.applicant::VARCHAR IS NOT DISTINCT FROM CASE WHEN t.rule_id = 'R2' THEN t.term ELSE t.applicant::VARCHAR END
),
sides AS (
    SELECT
        report_id, check_id, applicant,
        string_agg(format('{} "{}"', concat_ws('/', indicator, cell_applicant), raw_text), ' + ' ORDER BY row_no, col_no)
            FILTER (WHERE side = 'left') AS left_figures,
        string_agg(format('{} "{}"', concat_ws('/', indicator, cell_applicant), raw_text), ' + ' ORDER BY row_no, col_no)
            FILTER (WHERE side = 'right') AS right_figures,
        min(page) AS page,
        to_json(list({
            'side': side, 'indicator': indicator, 'applicant': cell_applicant, 'value': value, 'raw_text': raw_text, 'page': page,
            'bbox': bbox, 'table_no': table_no, 'row_no': row_no, 'col_no': col_no
        } ORDER BY side, row_no, col_no)) AS cells
    FROM cell
    GROUP BY ALL
)
SELECT u.report_id, u.check_id, u.applicant, u.section, u.source AS rule_source, s.left_figures, s.right_figures, s.page, s.cells
FROM ruled AS u
JOIN sides AS s ON s.report_id = u.report_id AND s.check_id = u.check_id AND s.applicant IS NOT DISTINCT FROM u.applicant
ORDER BY u.report_id, u.check_id, u.applicant;
