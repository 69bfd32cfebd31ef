-- metric checks_passed_rate/1 | rate | checks_passed / checks_assessed | Share of a report's identities R1 to R4 that hold | 勾稽关系相符率
-- source: domain.md 1.7, 4.2. Identities that can't be assessed are in neither part: n says how many were.
CREATE OR REPLACE VIEW metrics.checks_passed_rate AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'checks_passed_rate' AS metric, 1 AS version, 'rate' AS formula,
    checks_passed AS numerator,
    checks_assessed AS denominator,
    1 AS factor,
    [] AS cells,
    missing, doubtful,
    CASE WHEN checks_assessed = 0 THEN 'no identity could be assessed' END AS obstacle
FROM report_figures WHERE is_current;
