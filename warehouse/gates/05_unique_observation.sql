-- message: a figure stands more than once under one report, indicator and applicant
-- accept: never
-- Hashes say which reports are to be counted: one number a figure is held in memory, not its key.
WITH doubtful AS (
    SELECT report_id FROM observation SEMI JOIN temp.judged USING (report_id)
    GROUP BY report_id HAVING count(*) <> len(list_distinct(list(hash(indicator, applicant))))
)
SELECT report_id, indicator, applicant, count(*) AS rows FROM observation SEMI JOIN doubtful USING (report_id)
GROUP BY ALL HAVING count(*) > 1
