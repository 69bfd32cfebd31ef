-- metric disclosure_rate_broad/1 | rate | (granted + partially_granted) / processed_total | Disclosure rate: in full or in part | 公开率（予以公开与部分公开）
-- source: domain.md 4.2; denominators as officials use them: requests answered, not requests received.
-- 上海普陀, first half of 2022: 81 / 263 = 30.80 %.
CREATE OR REPLACE VIEW metrics.disclosure_rate_broad AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'disclosure_rate_broad' AS metric, 1 AS version, 'rate' AS formula,
    granted + partially_granted AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['granted', 'partially_granted', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
