-- metric correction_rate_pooled_loose/1 | rate | sum of *_corrected / (sum of *_total - sum of *_pending), over the three blocks of table four | Correction rate of reconsiderations and suits, pooled | 复议诉讼合并纠错率（宽口径）
-- source: domain.md 4.2.
-- The loose definition: other outcomes count as not corrected.
CREATE OR REPLACE VIEW metrics.correction_rate_pooled_loose AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'correction_rate_pooled_loose' AS metric, 1 AS version, 'rate' AS formula,
    reconsideration_corrected + litigation_direct_corrected + litigation_after_reconsideration_corrected AS numerator,
    reconsideration_total + litigation_direct_total + litigation_after_reconsideration_total - reconsideration_pending
        - litigation_direct_pending - litigation_after_reconsideration_pending AS denominator,
    1 AS factor,
    ['reconsideration_corrected', 'litigation_direct_corrected', 'litigation_after_reconsideration_corrected', 'reconsideration_total',
        'litigation_direct_total', 'litigation_after_reconsideration_total', 'reconsideration_pending', 'litigation_direct_pending',
        'litigation_after_reconsideration_pending'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
