-- metric correction_rate_litigation_after_reconsideration_loose/1 | rate | litigation_after_reconsideration_corrected / (litigation_after_reconsideration_total - litigation_after_reconsideration_pending) | Correction rate among concluded suits after reconsideration | 复议后起诉纠错率（宽口径）
-- source: domain.md 4.2.
-- The loose definition: other outcomes count as not corrected.
CREATE OR REPLACE VIEW metrics.correction_rate_litigation_after_reconsideration_loose AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'correction_rate_litigation_after_reconsideration_loose' AS metric, 1 AS version, 'rate' AS formula,
    litigation_after_reconsideration_corrected AS numerator,
    litigation_after_reconsideration_total - litigation_after_reconsideration_pending AS denominator,
    1 AS factor,
    ['litigation_after_reconsideration_corrected', 'litigation_after_reconsideration_total',
        'litigation_after_reconsideration_pending'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
