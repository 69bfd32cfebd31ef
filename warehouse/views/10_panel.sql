-- Every printed figure with its report's place; panel has those of current reports, panel_as_of those of reports that were current once.
CREATE OR REPLACE VIEW placed_figure AS
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
    o.value_status,
    r.is_current
FROM report AS r
JOIN observation AS o USING (report_no)
LEFT JOIN publisher AS p USING (publisher_id)
LEFT JOIN district AS d ON d.district_code = r.district_code;

CREATE OR REPLACE VIEW panel AS
SELECT * EXCLUDE (is_current) FROM placed_figure WHERE is_current;
