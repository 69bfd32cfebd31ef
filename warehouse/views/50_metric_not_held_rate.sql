-- metric not_held_rate/1 | rate | unavailable_not_held / processed_total | Not-held rate | 本机关不掌握占比
-- source: domain.md 4.2; denominators as officials use them: requests answered, not requests received.
CREATE OR REPLACE VIEW metrics.not_held_rate AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'not_held_rate' AS metric, 1 AS version, 'rate' AS formula,
    unavailable_not_held AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['unavailable_not_held', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
