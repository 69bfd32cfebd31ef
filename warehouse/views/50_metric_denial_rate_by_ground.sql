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
    'denial_rate_' || ground AS metric, 1 AS version, 'rate' AS formula,
    [denied_state_secret, denied_prohibited_by_law, denied_security_stability, denied_third_party, denied_internal_affairs, denied_process,
        denied_enforcement_file, denied_administrative_query][ground_no] AS numerator,
    processed_total AS denominator,
    1 AS factor,
    ['denied_' || ground, 'processed_total'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures CROSS JOIN metrics.ground WHERE is_current;
