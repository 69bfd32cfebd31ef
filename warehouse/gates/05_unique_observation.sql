-- message: a figure stands more than once under one report, indicator and applicant
-- accept: never
SELECT report_id, indicator, applicant, count(*) AS rows FROM observation SEMI JOIN temp.judged USING (report_id)
GROUP BY ALL HAVING count(*) > 1
