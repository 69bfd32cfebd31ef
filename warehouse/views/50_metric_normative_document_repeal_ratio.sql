-- metric normative_document_repeal_ratio/1 | ratio | normative_document_repealed / normative_document_in_force of the year before | Normative documents repealed, per document in force the year before | 行政规范性文件废止比
-- source: domain.md 4.2. 2021 form only. The year before is that of the same publisher and scope.
CREATE OR REPLACE VIEW metrics.normative_document_repeal_ratio AS
SELECT f.district_code, f.district, f.publisher_id, f.publisher, f.kind, f.year, f.scope, f.report_id,
    'normative_document_repeal_ratio' AS metric, 1 AS version, 'ratio' AS formula,
    f.normative_document_repealed AS numerator,
    p.normative_document_in_force AS denominator,
    1 AS factor,
    ['normative_document_repealed'] AS cells,
    f.missing, f.doubtful,
    CASE
        WHEN f.normative_document_repealed IS NULL THEN NULL
        WHEN p.report_id IS NULL THEN 'no report on ' || (f.year - 1)
        WHEN p.normative_document_in_force IS NULL THEN (f.year - 1) || ' ' || missing_cells(['normative_document_in_force'], p.missing)
    END AS obstacle
FROM report_figures AS f
LEFT JOIN report_figures AS p ON p.publisher_id = f.publisher_id AND p.scope = f.scope AND p.year = f.year - 1 AND p.is_current
WHERE f.is_current;
