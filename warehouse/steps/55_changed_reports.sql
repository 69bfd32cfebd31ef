-- What the next steps (60 to 62) make anew, and what they leave as it stands: figures side by side of reports that were brought, and of all when
-- the code is another (build.py empties the table then), with both sides of the identities that fail in them; identities across years of their
-- publishers. What depends on other tables is brought up to date for the rest.
-- changed_publisher: publishers of which a report came, went, was read again or is current now and was not, or the other way round.
CREATE OR REPLACE TEMP TABLE changed_publisher AS
SELECT publisher_id FROM temp.replaced
UNION SELECT publisher_id FROM report_figures ANTI JOIN report USING (report_id)
UNION SELECT publisher_id FROM report ANTI JOIN report_figures USING (report_id)
UNION SELECT r.publisher_id FROM report AS r JOIN report_figures AS f USING (report_id) WHERE r.is_current <> f.is_current;
DELETE FROM report_figures
WHERE report_id NOT IN (SELECT report_id FROM report)
    OR report_id IN (SELECT report_id FROM report SEMI JOIN temp.replaced USING (publisher_id, document_sha256));
DELETE FROM failed_side WHERE report_id NOT IN (SELECT report_id FROM report_figures);
DELETE FROM cross_year_check
WHERE publisher_id IN (FROM temp.changed_publisher) OR publisher_id NOT IN (SELECT publisher_id FROM report);
-- slice: about 5,000 reports at a time; all reports of a publisher lie in one.
CREATE OR REPLACE TEMP TABLE slice AS
SELECT publisher_id, (sum(reports) OVER (ORDER BY publisher_id) - reports)::BIGINT // 5000 AS slice_no
FROM (SELECT publisher_id, count(*) AS reports FROM report SEMI JOIN temp.changed_publisher USING (publisher_id) GROUP BY publisher_id);
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT report_id, slice_no FROM report ANTI JOIN report_figures USING (report_id) JOIN temp.slice USING (publisher_id);
CREATE OR REPLACE TEMP TABLE form_cell AS
SELECT
    i.section,
    i.indicator,
    a.applicant,
    CASE WHEN a.applicant = 'total' OR i.section <> 'requests' THEN i.indicator ELSE i.indicator || '_' || a.applicant END AS cell,
    i.format_2019,
    i.format_2021
FROM indicator AS i
JOIN (SELECT unnest(enum_range(NULL::applicant_enum))::VARCHAR AS applicant) AS a
    ON a.applicant = 'total'
    OR (i.section = 'requests' AND i.indicator IN ('new_received', 'carried_in', 'processed_total', 'carried_out'))
WHERE i.section <> 'legacy';
-- What there is to say about a report besides its figures; where the greater part of its district went to.
CREATE OR REPLACE TEMP TABLE about AS
WITH lineage AS (
    SELECT district_code, valid_from, valid_to, min(current_code) AS current_code
    FROM district_lineage WHERE is_main GROUP BY ALL HAVING count(*) = 1
)
SELECT
    r.report_id,
    r.district_code,
    d.name AS district,
    coalesce(n.name, d.name) AS district_in_year,
    l.current_code,
    now.name AS current_district,
    r.publisher_id,
    p.name AS publisher,
    p.kind,
    r.year,
    r.scope,
    r.is_current,
    r.published_on,
    r.format
FROM report AS r
LEFT JOIN publisher AS p ON p.publisher_id = r.publisher_id
LEFT JOIN district AS d ON d.district_code = r.district_code
LEFT JOIN district_name AS n
    ON n.district_code = r.district_code AND coalesce(n.valid_from, 0) <= r.year AND coalesce(n.valid_to, 9999) > r.year
LEFT JOIN lineage AS l
    ON l.district_code = r.district_code AND coalesce(l.valid_from, 0) <= r.year AND coalesce(l.valid_to, 9999) >= r.year
LEFT JOIN district AS now ON now.district_code = l.current_code;
UPDATE report_figures AS f SET
    district_code = about.district_code, district = about.district, district_in_year = about.district_in_year,
    current_code = about.current_code, current_district = about.current_district, publisher = about.publisher, kind = about.kind,
    is_current = about.is_current
FROM about
WHERE about.report_id = f.report_id
    AND (f.district_code, f.district, f.district_in_year, f.current_code, f.current_district, f.publisher, f.kind, f.is_current)
    IS DISTINCT FROM (about.district_code, about.district, about.district_in_year, about.current_code, about.current_district,
        about.publisher, about.kind, about.is_current);
