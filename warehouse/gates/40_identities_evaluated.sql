-- message: a report has a table with accounting identities, and one of them was not evaluated
WITH expected(section, family) AS (VALUES ('requests', 'R1'), ('requests', 'R2'), ('requests', 'R3'), ('litigation', 'R4'),
    ('legacy', 'R8')),
printed AS (
    SELECT DISTINCT report_id, section::VARCHAR AS section FROM observation SEMI JOIN temp.judged USING (report_id)
    WHERE format IN (2014, 2019, 2021)
)
SELECT report_id, section, family FROM printed JOIN expected USING (section)
ANTI JOIN (SELECT DISTINCT report_id, split_part(check_id, '.', 1) AS family FROM check_result) USING (report_id, family)
