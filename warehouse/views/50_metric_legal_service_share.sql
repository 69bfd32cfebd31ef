-- metric legal_service_share/1 | rate | new_received legal_service / new_received total | Share of legal-service institutions among new requests | 法律服务机构申请占比
-- source: domain.md 4.2.
CREATE OR REPLACE VIEW metrics.legal_service_share AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'legal_service_share' AS metric, 1 AS version, 'rate' AS formula,
    new_received_legal_service AS numerator,
    new_received AS denominator,
    1 AS factor,
    ['new_received_legal_service', 'new_received'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
