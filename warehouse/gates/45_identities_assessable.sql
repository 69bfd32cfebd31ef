-- message: a report prints all figures of the printed identity, and no identity of it was assessed
-- The printed identity (domain.md 1.7, R1) can be assessed wherever its four figures can be read: a checker that assesses nothing
-- passes everything.
SELECT report_id FROM observation SEMI JOIN temp.judged USING (report_id)
WHERE applicant = 'total' AND value_status = 'reported'
    AND indicator IN ('new_received', 'carried_in', 'processed_total', 'carried_out')
    AND report_id NOT IN (SELECT report_id FROM check_result WHERE passed IS NOT NULL)
GROUP BY report_id HAVING count(*) = 4
