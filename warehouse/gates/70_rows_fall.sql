-- message: the file has fewer rows than the published one
-- compares: published
-- bound: 0.02
-- A share of the rows before. What is withdrawn stays in the file, and what was not read again is counted by nothing_lost: rows go only
-- where documents were read again.
WITH counted(measure, before, after) AS (
    SELECT 'report', (SELECT count(*) FROM previous.report), (SELECT count(*) FROM report)
    UNION ALL SELECT 'observation', (SELECT count(*) FROM previous.observation), (SELECT count(*) FROM observation)
    UNION ALL SELECT
        'figures reported', (SELECT count(value) FROM previous.observation), (SELECT count(value) FROM observation)
    UNION ALL SELECT 'check_result', (SELECT count(*) FROM previous.check_result), (SELECT count(*) FROM check_result)
    UNION ALL SELECT 'narrative', (SELECT count(*) FROM previous.narrative), (SELECT count(*) FROM narrative)
)
SELECT measure, before, after, after >= before * (1 - getvariable('bound')) AS passed FROM counted
