-- metric unable_to_provide_rate/1 | rate | sum of the three unavailable_* / processed_total | Unable-to-provide rate | 无法提供率
-- source: domain.md 4.2; denominators as officials use them: requests answered, not requests received.
CREATE OR REPLACE VIEW metrics.unable_to_provide_rate AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'unable_to_provide_rate' AS metric, 1 AS version, 'rate' AS formula,
    unavailable_not_held + unavailable_needs_creation + unavailable_unclear AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['unavailable_not_held', 'unavailable_needs_creation', 'unavailable_unclear', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
