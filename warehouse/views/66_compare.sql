-- One figure of all bodies in one year, and of one district over the years. `applicant` is total unless given, and plays no part outside table
-- three; `scope` limits the result to one scope: without it all scopes are listed, one after the other, and must not be mixed.
-- A code that is no indicator is an error.
CREATE OR REPLACE MACRO compare_districts(indicator_code, report_year, applicant := 'total', scope := NULL) AS TABLE
WITH found AS (
    SELECT
        r.district_code, r.district_in_year, r.current_code, r.current_district, r.publisher_id, r.publisher, r.kind, r.scope, r.year,
        o.indicator, o.applicant, o.value, o.value_status, o.unit, o.format, r.report_id,
        r.doubtful[o.indicator] AS doubt
    FROM observation AS o JOIN report_figures AS r ON r.report_id = o.report_id
    WHERE o.indicator = indicator_code AND (o.applicant IS NULL OR o.applicant = applicant) AND (scope IS NULL OR r.scope = scope)
        AND r.year = report_year AND r.is_current
)
SELECT
    f.scope, f.district_code, f.district_in_year AS district, f.current_code, f.current_district, f.publisher_id, f.publisher, f.kind, f.year,
    f.indicator, f.applicant, f.value, f.unit, f.value_status,
    CASE WHEN f.scope = 'consolidated' AND f.kind IN ('government', 'office') THEN f.value::DOUBLE * 100000 / p.population END AS per_100k,
    p.population, f.format,
    CASE WHEN coalesce(f.applicant::VARCHAR, 'total') = 'total' THEN f.doubt END AS caution,
    f.report_id
FROM (SELECT count(*) AS codes FROM indicator AS i WHERE i.indicator = indicator_code) AS known
LEFT JOIN found AS f ON true
LEFT JOIN population AS p ON p.district_code = f.district_code AND p.year = f.year
WHERE CASE
    WHEN known.codes = 0 THEN error('no indicator ' || indicator_code || ': SELECT indicator FROM indicator lists them')
    ELSE f.report_id IS NOT NULL
END
ORDER BY f.scope, f.value DESC NULLS LAST, f.district_code, f.publisher_id;

CREATE OR REPLACE MACRO compare_years(indicator_code, code, applicant := 'total', scope := NULL) AS TABLE
WITH found AS (
    SELECT
        y.scope, y.publisher_id, y.publisher, y.kind, y.year, y.district_code, y.district, y.current_code, y.current_district, y.indicator,
        y.applicant, y.value, y.unit, y.value_status, y.previous, y.difference, y.pct, y.reason, y.break_flag, y.break_reason, y.format,
        y.report_id
    FROM year_on_year AS y
    WHERE y.indicator = indicator_code AND (y.applicant IS NULL OR y.applicant = applicant) AND (scope IS NULL OR y.scope = scope) AND (y.district_code = code OR y.current_code = code)
)
SELECT
    f.scope, f.publisher_id, f.publisher, f.kind, f.year, f.district_code, f.district, f.current_code, f.current_district,
    f.indicator, f.applicant, f.value, f.unit, f.value_status, f.previous, f.difference, f.pct, f.reason, f.break_flag, f.break_reason,
    f.format, f.report_id
FROM (
    SELECT
        (SELECT count(*) FROM indicator AS i WHERE i.indicator = indicator_code) AS codes,
        (SELECT count(*) FROM district AS d WHERE d.district_code = code) AS districts
) AS known
LEFT JOIN found AS f ON true
WHERE CASE
    WHEN known.codes = 0 THEN error('no indicator ' || indicator_code || ': SELECT indicator FROM indicator lists them')
    WHEN known.districts = 0 THEN error('no district ' || code || ': SELECT district_code, name FROM district lists them')
    ELSE f.report_id IS NOT NULL
END
ORDER BY f.scope, f.publisher_id, f.year;
