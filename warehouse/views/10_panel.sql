CREATE OR REPLACE VIEW panel AS
SELECT
    r.district_code,
    d.name AS district,
    r.publisher_id,
    p.name AS publisher,
    r.year,
    r.scope,
    r.report_id,
    o.section,
    o.format,
    o.indicator,
    o.applicant,
    o.value,
    o.unit,
    o.value_status
FROM report AS r
JOIN observation AS o USING (report_id)
LEFT JOIN publisher AS p USING (publisher_id)
LEFT JOIN district AS d ON d.district_code = r.district_code
WHERE r.is_current;
