-- metric correction_rate_reconsideration_loose/1 | rate | reconsideration_corrected / (reconsideration_total - reconsideration_pending) | Correction rate among concluded reconsiderations | 行政复议纠错率（宽口径）
-- source: domain.md 4.2.
-- The loose definition: other outcomes count as not corrected.
CREATE OR REPLACE VIEW metrics.correction_rate_reconsideration_loose AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'correction_rate_reconsideration_loose' AS metric, 1 AS version, 'rate' AS formula,
    reconsideration_corrected AS numerator,
    reconsideration_total - reconsideration_pending AS denominator,
    1 AS factor,
    ['reconsideration_corrected', 'reconsideration_total', 'reconsideration_pending'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
