-- panel, as it stood at a moment (UTC), of what had been fetched by then. Readings are today's: a figure that is read better now is read
-- better for every moment.
CREATE OR REPLACE MACRO panel_as_of(moment) AS TABLE
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
FROM report_rank(moment::TIMESTAMP) AS k
JOIN report AS r USING (report_id)
JOIN observation AS o USING (report_id)
LEFT JOIN publisher AS p ON p.publisher_id = r.publisher_id
LEFT JOIN district AS d ON d.district_code = r.district_code
WHERE k.is_current;
