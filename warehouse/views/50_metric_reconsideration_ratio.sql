-- metric reconsideration_ratio/1 | ratio | reconsideration_total / processed_total | Reconsiderations per request answered | 行政复议率
-- source: domain.md 4.2; denominators as officials use them: requests answered, not requests received.
-- A request may be reconsidered in a later year: no part of the denominator, no interval. Break in 2024 (table break_flag).
CREATE OR REPLACE VIEW metrics.reconsideration_ratio AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'reconsideration_ratio' AS metric, 1 AS version, 'ratio' AS formula,
    reconsideration_total AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['reconsideration_total', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
