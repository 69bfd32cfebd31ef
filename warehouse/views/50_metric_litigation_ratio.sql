-- metric litigation_ratio/1 | ratio | (litigation_direct_total + litigation_after_reconsideration_total) / processed_total | Suits per request answered | 行政诉讼率
-- source: domain.md 4.2; denominators as officials use them: requests answered, not requests received.
-- A suit may be brought in a later year: no part of the denominator, no interval. Break in 2024 (table break_flag).
CREATE OR REPLACE VIEW metrics.litigation_ratio AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'litigation_ratio' AS metric, 1 AS version, 'ratio' AS formula,
    litigation_direct_total + litigation_after_reconsideration_total AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['litigation_direct_total', 'litigation_after_reconsideration_total', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
