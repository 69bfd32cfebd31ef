-- message: a figure stands more than once under one report, indicator and applicant
-- accept: never
-- A bit for each cell of the forms says which reports are to be counted: a few words a report are held in memory, not its figures.
WITH cell AS MATERIALIZED (
    SELECT indicator, applicant, (row_number() OVER ())::INTEGER AS cell_no FROM (SELECT DISTINCT indicator, applicant FROM observation)
),
doubtful AS (
    SELECT o.report_id
    FROM observation AS o SEMI JOIN temp.judged USING (report_id)
    JOIN cell AS c ON c.indicator = o.indicator AND c.applicant IS NOT DISTINCT FROM o.applicant
    GROUP BY o.report_id HAVING count(*) <> bit_count(bitstring_agg(c.cell_no, 1, 4096))
)
SELECT report_id, indicator, applicant, count(*) AS rows FROM observation SEMI JOIN doubtful USING (report_id)
GROUP BY ALL HAVING count(*) > 1
