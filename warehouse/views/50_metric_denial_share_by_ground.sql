-- metric denial_share_state_secret/1 | rate | denied_state_secret / sum of the eight denied_* | Share of denials: state secret | 不予公开理由占比·国家秘密
-- metric denial_share_prohibited_by_law/1 | rate | denied_prohibited_by_law / sum of the eight denied_* | Share of denials: prohibited by law | 不予公开理由占比·其他法律行政法规禁止公开
-- metric denial_share_security_stability/1 | rate | denied_security_stability / sum of the eight denied_* | Share of denials: security stability | 不予公开理由占比·危及“三安全一稳定”
-- metric denial_share_third_party/1 | rate | denied_third_party / sum of the eight denied_* | Share of denials: third party | 不予公开理由占比·保护第三方合法权益
-- metric denial_share_internal_affairs/1 | rate | denied_internal_affairs / sum of the eight denied_* | Share of denials: internal affairs | 不予公开理由占比·三类内部事务信息
-- metric denial_share_process/1 | rate | denied_process / sum of the eight denied_* | Share of denials: process | 不予公开理由占比·四类过程性信息
-- metric denial_share_enforcement_file/1 | rate | denied_enforcement_file / sum of the eight denied_* | Share of denials: enforcement file | 不予公开理由占比·行政执法案卷
-- metric denial_share_administrative_query/1 | rate | denied_administrative_query / sum of the eight denied_* | Share of denials: administrative query | 不予公开理由占比·行政查询事项
-- source: domain.md 4.2; the form prints no subtotal of （三）, so the denominator is the sum of its eight rows.
CREATE OR REPLACE VIEW metrics.denial_share_by_ground AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'denial_share_' || ground AS metric, 1 AS version, 'rate' AS formula,
    [denied_state_secret, denied_prohibited_by_law, denied_security_stability, denied_third_party, denied_internal_affairs, denied_process,
        denied_enforcement_file, denied_administrative_query][ground_no] AS numerator,
    denied_state_secret + denied_prohibited_by_law + denied_security_stability + denied_third_party + denied_internal_affairs
        + denied_process + denied_enforcement_file + denied_administrative_query AS denominator,
    1 AS factor,
    ['denied_state_secret', 'denied_prohibited_by_law', 'denied_security_stability', 'denied_third_party', 'denied_internal_affairs',
        'denied_process', 'denied_enforcement_file', 'denied_administrative_query'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures CROSS JOIN metrics.ground WHERE is_current;
