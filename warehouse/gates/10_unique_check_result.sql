-- message: an identity stands more than once under one report and applicant
-- accept: never
SELECT report_id, check_id, applicant, count(*) AS rows FROM check_result SEMI JOIN temp.judged USING (report_id)
GROUP BY ALL HAVING count(*) > 1
