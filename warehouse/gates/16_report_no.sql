-- message: the number of a report is also another's, or a figure bears a number that is not its report's
-- accept: never
SELECT 'report' AS relation, min(report_id) AS key FROM report GROUP BY report_no HAVING count(*) > 1
UNION ALL SELECT 'observation', f.report_id
FROM (SELECT report_id, min(report_no) AS low, max(report_no) AS high FROM observation GROUP BY report_id) AS f
JOIN report AS r USING (report_id) WHERE f.low <> r.report_no OR f.high <> r.report_no
