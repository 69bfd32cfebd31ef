-- metric clearance_rate/1 | rate | processed_total / (new_received + carried_in) | Clearance rate | 办结率
-- source: domain.md 4.2; denominators as officials use them: requests answered, not requests received.
CREATE OR REPLACE VIEW metrics.clearance_rate AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'clearance_rate' AS metric, 1 AS version, 'rate' AS formula,
    processed_total AS numerator,
    new_received + carried_in AS denominator,
    1 AS factor,
    ['processed_total', 'new_received', 'carried_in'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
