-- metric correction_rate_litigation_direct_loose/1 | rate | litigation_direct_corrected / (litigation_direct_total - litigation_direct_pending) | Correction rate among concluded suits without prior reconsideration | 未经复议直接起诉纠错率（宽口径）
-- source: domain.md 4.2.
-- The loose definition: other outcomes count as not corrected.
CREATE OR REPLACE VIEW metrics.correction_rate_litigation_direct_loose AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'correction_rate_litigation_direct_loose' AS metric, 1 AS version, 'rate' AS formula,
    litigation_direct_corrected AS numerator,
    litigation_direct_total - litigation_direct_pending AS denominator,
    1 AS factor,
    ['litigation_direct_corrected', 'litigation_direct_total', 'litigation_direct_pending'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
