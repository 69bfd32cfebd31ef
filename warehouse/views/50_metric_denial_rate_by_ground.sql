-- metric denial_rate_state_secret/1 | rate | denied_state_secret / processed_total | Denial rate: state secret | 不予公开率·国家秘密
-- metric denial_rate_prohibited_by_law/1 | rate | denied_prohibited_by_law / processed_total | Denial rate: prohibited by law | 不予公开率·其他法律行政法规禁止公开
-- metric denial_rate_security_stability/1 | rate | denied_security_stability / processed_total | Denial rate: security stability | 不予公开率·危及“三安全一稳定”
-- metric denial_rate_third_party/1 | rate | denied_third_party / processed_total | Denial rate: third party | 不予公开率·保护第三方合法权益
-- metric denial_rate_internal_affairs/1 | rate | denied_internal_affairs / processed_total | Denial rate: internal affairs | 不予公开率·三类内部事务信息
-- metric denial_rate_process/1 | rate | denied_process / processed_total | Denial rate: process | 不予公开率·四类过程性信息
-- metric denial_rate_enforcement_file/1 | rate | denied_enforcement_file / processed_total | Denial rate: enforcement file | 不予公开率·行政执法案卷
-- metric denial_rate_administrative_query/1 | rate | denied_administrative_query / processed_total | Denial rate: administrative query | 不予公开率·行政查询事项
-- source: domain.md 4.2; one metric for each ground of （三）不予公开.
CREATE OR REPLACE VIEW metrics.denial_rate_by_ground AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'denial_rate_state_secret' AS metric, 1 AS version, 'rate' AS formula,
    denied_state_secret AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['denied_state_secret', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current
UNION ALL
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'denial_rate_prohibited_by_law' AS metric, 1 AS version, 'rate' AS formula,
    denied_prohibited_by_law AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['denied_prohibited_by_law', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current
UNION ALL
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'denial_rate_security_stability' AS metric, 1 AS version, 'rate' AS formula,
    denied_security_stability AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['denied_security_stability', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current
UNION ALL
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'denial_rate_third_party' AS metric, 1 AS version, 'rate' AS formula,
    denied_third_party AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['denied_third_party', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current
UNION ALL
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'denial_rate_internal_affairs' AS metric, 1 AS version, 'rate' AS formula,
    denied_internal_affairs AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['denied_internal_affairs', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current
UNION ALL
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'denial_rate_process' AS metric, 1 AS version, 'rate' AS formula,
    denied_process AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['denied_process', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current
UNION ALL
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'denial_rate_enforcement_file' AS metric, 1 AS version, 'rate' AS formula,
    denied_enforcement_file AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['denied_enforcement_file', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current
UNION ALL
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'denial_rate_administrative_query' AS metric, 1 AS version, 'rate' AS formula,
    denied_administrative_query AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['denied_administrative_query', 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
