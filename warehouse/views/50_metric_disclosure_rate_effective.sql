-- metric disclosure_rate_effective/1 | rate | (granted + partially_granted) / (processed_total - sum of not_processed_* - 其他处理) | Disclosure rate among genuine requests | 有效公开率（剔除不予处理与其他处理）
-- source: domain.md 4.2; 其他处理 is one row in the 2019 form (other_total) and the sum of three rows in the 2021 form (domain.md 2.1).
CREATE OR REPLACE VIEW metrics.disclosure_rate_effective AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'disclosure_rate_effective' AS metric, 1 AS version, 'rate' AS formula,
    granted + partially_granted AS numerator,
    processed_total - not_processed_petition - not_processed_repeat - not_processed_publication - not_processed_excessive
        - not_processed_confirmation
        - CASE WHEN requests_format = 2019 THEN other_total ELSE other_no_correction + other_fee_unpaid + other_other END AS denominator,
    1 AS factor,
    ['granted', 'partially_granted', 'processed_total', 'not_processed_petition', 'not_processed_repeat', 'not_processed_publication',
        'not_processed_excessive', 'not_processed_confirmation']
        || CASE WHEN requests_format = 2019 THEN ['other_total'] ELSE ['other_no_correction', 'other_fee_unpaid', 'other_other'] END AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
