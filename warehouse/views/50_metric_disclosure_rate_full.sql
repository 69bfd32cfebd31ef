-- metric disclosure_rate_full/1 | rate | granted / processed_total | Disclosure rate: in full | 予以公开率
-- source: domain.md 4.2; denominators as officials use them: requests answered, not requests received.
CREATE OR REPLACE VIEW metrics.disclosure_rate_full AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'disclosure_rate_full' AS metric, 1 AS version, 'rate' AS formula,
    granted AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['granted', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
