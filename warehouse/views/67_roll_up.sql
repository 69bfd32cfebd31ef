-- Bodies that are expected to report with a scope: those that the registry declares with it and, where it leaves the scope to the reports,
-- those of which some report states it.
CREATE OR REPLACE VIEW expected_body AS
SELECT p.publisher_id, p.name AS publisher, p.kind, p.district_code, d.level, d.province_code,
    coalesce(d.prefecture_code, d.province_code) AS prefecture_code, d.valid_from, d.valid_to, s.scope
FROM publisher AS p
JOIN district AS d ON d.district_code = p.district_code
JOIN (
    SELECT publisher_id, scope FROM publisher WHERE scope IS NOT NULL
    UNION
    SELECT r.publisher_id, r.scope FROM report AS r JOIN publisher AS b USING (publisher_id) WHERE b.scope IS NULL AND r.is_current
) AS s ON s.publisher_id = p.publisher_id;

-- One figure added up over a province or a city, never over scopes, kinds of bodies or administrative levels: a city's consolidated report has
-- the figures of its districts in it already. `value` is the sum only where every expected body is in with a number; `partial_value` is the
-- sum of what there is. Expected are the registry's bodies of that kind and scope whose district exists in the year.
CREATE OR REPLACE MACRO roll_up(indicator_code, report_year, area := 'province', applicant := 'total', scope := NULL, kind := NULL) AS TABLE
WITH asked AS (SELECT area AS asked_area, applicant AS asked_applicant, scope AS asked_scope, kind AS asked_kind),
figure AS (
    SELECT r.publisher_id, r.scope, o.value, o.value_status
    FROM asked AS q
    JOIN observation AS o ON coalesce(o.applicant::VARCHAR, q.asked_applicant) = q.asked_applicant
    JOIN report_figures AS r ON r.report_id = o.report_id
    WHERE o.indicator = indicator_code AND r.year = report_year AND r.is_current
),
body AS (
    SELECT
        CASE q.asked_area WHEN 'province' THEN e.province_code WHEN 'prefecture' THEN e.prefecture_code
            ELSE error('area is province or prefecture') END AS area_code,
        e.level, e.kind, e.scope, f.publisher_id IS NOT NULL AS is_in, f.value
    FROM asked AS q
    JOIN expected_body AS e
        ON (q.asked_scope IS NULL OR e.scope::VARCHAR = q.asked_scope) AND (q.asked_kind IS NULL OR e.kind::VARCHAR = q.asked_kind)
    LEFT JOIN figure AS f ON f.publisher_id = e.publisher_id AND f.scope = e.scope
    WHERE f.publisher_id IS NOT NULL
        OR (coalesce(e.valid_from, 0) <= report_year AND coalesce(e.valid_to, 9999) > report_year)
),
summed AS (
    SELECT
        b.area_code, b.level, b.kind, b.scope,
        count(*) AS n_expected,
        count_if(b.is_in) AS n_in,
        count_if(b.is_in AND b.value IS NULL) AS n_blank,
        sum(b.value)::DECIMAL(18, 4) AS partial_value
    FROM body AS b GROUP BY ALL
)
SELECT
    s.area_code, d.name AS area, s.level AS body_level, s.kind, s.scope, report_year AS year, indicator_code AS indicator,
    CASE WHEN s.n_in = s.n_expected AND s.n_blank = 0 AND s.scope <> 'unknown' THEN s.partial_value END AS value,
    s.partial_value, s.n_expected, s.n_in, s.n_blank,
    s.n_in = s.n_expected AND s.n_blank = 0 AS is_complete,
    nullif(concat_ws('; ',
        CASE WHEN s.n_in < s.n_expected THEN s.n_expected - s.n_in || ' of ' || s.n_expected || ' bodies have no such figure' END,
        CASE WHEN s.n_blank > 0 THEN s.n_blank || ' of ' || s.n_expected || ' bodies print no number' END,
        CASE WHEN s.scope = 'unknown' THEN 'scope is unknown' END
    ), '') AS reason
FROM (SELECT count(*) AS codes FROM indicator AS i WHERE i.indicator = indicator_code) AS known
LEFT JOIN summed AS s ON true
LEFT JOIN district AS d ON d.district_code = s.area_code
WHERE CASE
    WHEN known.codes = 0 THEN error('no indicator ' || indicator_code || ': SELECT indicator FROM indicator lists them')
    ELSE s.area_code IS NOT NULL
END
ORDER BY s.scope, s.kind, s.level, s.area_code;
