-- metric not_processed_rate/1 | rate | sum of the five not_processed_* / processed_total | Not-processed rate | 不予处理率
-- source: domain.md 4.2; denominators as officials use them: requests answered, not requests received.
CREATE OR REPLACE VIEW metrics.not_processed_rate AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'not_processed_rate' AS metric, 1 AS version, 'rate' AS formula,
    not_processed_petition + not_processed_repeat + not_processed_publication + not_processed_excessive
        + not_processed_confirmation AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['not_processed_petition', 'not_processed_repeat', 'not_processed_publication', 'not_processed_excessive',
        'not_processed_confirmation', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
