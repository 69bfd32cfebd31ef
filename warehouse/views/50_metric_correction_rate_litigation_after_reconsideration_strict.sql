-- metric correction_rate_litigation_after_reconsideration_strict/1 | rate | litigation_after_reconsideration_corrected / (litigation_after_reconsideration_upheld + litigation_after_reconsideration_corrected) | Correction rate among suits after reconsideration upheld or corrected | 复议后起诉纠错率（严口径）
-- source: domain.md 4.2.
-- The strict definition: other outcomes are left out.
CREATE OR REPLACE VIEW metrics.correction_rate_litigation_after_reconsideration_strict AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'correction_rate_litigation_after_reconsideration_strict' AS metric, 1 AS version, 'rate' AS formula,
    litigation_after_reconsideration_corrected AS numerator,
    litigation_after_reconsideration_upheld + litigation_after_reconsideration_corrected AS denominator,
    1 AS factor,
    ['litigation_after_reconsideration_corrected', 'litigation_after_reconsideration_upheld'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
