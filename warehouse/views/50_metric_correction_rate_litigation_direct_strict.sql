-- metric correction_rate_litigation_direct_strict/1 | rate | litigation_direct_corrected / (litigation_direct_upheld + litigation_direct_corrected) | Correction rate among suits without prior reconsideration upheld or corrected | 未经复议直接起诉纠错率（严口径）
-- source: domain.md 4.2.
-- The strict definition: other outcomes are left out.
CREATE OR REPLACE VIEW metrics.correction_rate_litigation_direct_strict AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'correction_rate_litigation_direct_strict' AS metric, 1 AS version, 'rate' AS formula,
    litigation_direct_corrected AS numerator,
    litigation_direct_upheld + litigation_direct_corrected AS denominator,
    1 AS factor,
    ['litigation_direct_corrected', 'litigation_direct_upheld'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
