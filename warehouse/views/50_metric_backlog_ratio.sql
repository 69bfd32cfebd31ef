-- metric backlog_ratio/1 | rate | carried_out / (new_received + carried_in) | Backlog ratio | 结转率
-- source: domain.md 4.2.
CREATE OR REPLACE VIEW metrics.backlog_ratio AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'backlog_ratio' AS metric, 1 AS version, 'rate' AS formula,
    carried_out AS numerator,
    new_received + carried_in AS denominator,
    1 AS factor,
    ['carried_out', 'new_received', 'carried_in'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
