-- metric correction_rate_pooled_strict/1 | rate | sum of *_corrected / sum of (*_upheld + *_corrected), over the three blocks of table four | Correction rate of reconsiderations and suits upheld or corrected, pooled | 复议诉讼合并纠错率（严口径）
-- source: domain.md 4.2.
-- The strict definition: other outcomes are left out.
CREATE OR REPLACE VIEW metrics.correction_rate_pooled_strict AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'correction_rate_pooled_strict' AS metric, 1 AS version, 'rate' AS formula,
    reconsideration_corrected + litigation_direct_corrected + litigation_after_reconsideration_corrected AS numerator,
    reconsideration_upheld + litigation_direct_upheld + litigation_after_reconsideration_upheld + reconsideration_corrected
        + litigation_direct_corrected + litigation_after_reconsideration_corrected AS denominator,
    1 AS factor,
    ['reconsideration_corrected', 'litigation_direct_corrected', 'litigation_after_reconsideration_corrected', 'reconsideration_upheld',
        'litigation_direct_upheld', 'litigation_after_reconsideration_upheld'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
