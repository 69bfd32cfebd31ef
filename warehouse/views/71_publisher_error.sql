-- Identities that fail on figures which two readings saw alike: the publisher's own arithmetic. Both sides with their cells as printed.
CREATE OR REPLACE VIEW publisher_error AS
SELECT
    concat(u.report_id, '#', concat_ws('/', u.check_id, u.applicant)) AS error_id,
    u.report_id,
    r.publisher_id,
    p.name AS publisher,
    r.district_code,
    r.year,
    r.scope,
    r.is_current,
    u.section,
    u.check_id,
    u.applicant,
    u.rule_source,
    c.left_value,
    c.right_value,
    c.difference,
    u.left_figures,
    u.right_figures,
    u.page,
    u.cells,
    r.url,
    r.document_sha256,
    d.archive_file,
    d.archive_offset,
    r.fetched_at,
    format(
        '{}: {} ({}, {}). {} (SHA-256 {}, fetched {}). {}: {} ≠ {}. gongkai {}#{}',
        coalesce(p.name, r.publisher_id), coalesce(r.title, '政府信息公开工作年度报告'), r.year, r.scope, r.url, r.document_sha256,
        strftime(r.fetched_at, '%Y-%m-%d'), concat_ws('/', u.check_id, u.applicant), c.left_value, c.right_value, u.report_id,
        concat_ws('/', u.check_id, u.applicant)
    ) AS citation
FROM failed_side AS u
JOIN check_result AS c
    ON NOT c.passed AND c.report_id = u.report_id AND c.check_id = u.check_id AND c.applicant IS NOT DISTINCT FROM u.applicant
JOIN report AS r ON r.report_id = u.report_id
LEFT JOIN publisher AS p ON p.publisher_id = r.publisher_id
LEFT JOIN document AS d ON d.url = r.url AND d.sha256 = r.document_sha256;
