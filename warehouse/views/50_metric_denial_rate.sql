-- metric denial_rate/1 | rate | sum of the eight denied_* / processed_total | Denial rate | 不予公开率
-- source: domain.md 4.2; denominators as officials use them: requests answered, not requests received.
CREATE OR REPLACE VIEW metrics.denial_rate AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'denial_rate' AS metric, 1 AS version, 'rate' AS formula,
    denied_state_secret + denied_prohibited_by_law + denied_security_stability + denied_third_party + denied_internal_affairs
        + denied_process + denied_enforcement_file + denied_administrative_query AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['denied_state_secret', 'denied_prohibited_by_law', 'denied_security_stability', 'denied_third_party', 'denied_internal_affairs',
        'denied_process', 'denied_enforcement_file', 'denied_administrative_query', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
