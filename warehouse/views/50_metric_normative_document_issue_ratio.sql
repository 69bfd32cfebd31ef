-- metric normative_document_issue_ratio/1 | ratio | normative_document_issued / normative_document_in_force | Normative documents issued, per document in force | 行政规范性文件制发比
-- source: domain.md 4.2.
-- 2021 form only: the 2019 form counts disclosed documents (crosswalk: broken).
CREATE OR REPLACE VIEW metrics.normative_document_issue_ratio AS
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'normative_document_issue_ratio' AS metric, 1 AS version, 'ratio' AS formula,
    normative_document_issued AS numerator,
    normative_document_in_force AS denominator,
    1 AS factor,
    ['normative_document_issued', 'normative_document_in_force'] AS cells,
    missing, doubtful, NULL AS obstacle
FROM report_figures WHERE is_current;
