-- metric petition_rate/1 | rate | not_processed_petition / processed_total | Petition share | 信访举报投诉类占比
-- source: domain.md 4.2; denominators as officials use them: requests answered, not requests received.
CREATE OR REPLACE VIEW metrics.petition_rate AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'petition_rate' AS metric, 1 AS version, 'rate' AS formula,
    not_processed_petition AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['not_processed_petition', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
