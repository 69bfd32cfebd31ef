-- metric organisation_share/1 | rate | (new_received total - natural_person) / new_received total | Share of legal persons and other organisations among new requests | 法人或其他组织申请占比
-- source: domain.md 4.2.
CREATE OR REPLACE VIEW metrics.organisation_share AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'organisation_share' AS metric, 1 AS version, 'rate' AS formula,
    new_received - new_received_natural_person AS numerator,
    new_received AS denominator,
    1 AS factor,
    ['new_received', 'new_received_natural_person'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
