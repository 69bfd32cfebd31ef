-- metric correction_rate_reconsideration_strict/1 | rate | reconsideration_corrected / (reconsideration_upheld + reconsideration_corrected) | Correction rate among reconsiderations upheld or corrected | 行政复议纠错率（严口径）
-- source: domain.md 4.2.
-- The strict definition: other outcomes are left out.
CREATE OR REPLACE VIEW metrics.correction_rate_reconsideration_strict AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'correction_rate_reconsideration_strict' AS metric, 1 AS version, 'rate' AS formula,
    reconsideration_corrected AS numerator,
    reconsideration_upheld + reconsideration_corrected AS denominator,
    1 AS factor,
    ['reconsideration_corrected', 'reconsideration_upheld'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
