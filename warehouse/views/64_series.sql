-- Long series over forms (table crosswalk): the figures of one form and class that belong to a series, summed; NULL where one of them is not a
-- number. series has the exact points only; series_of can add approximate ones; broken ones are never joined.
CREATE OR REPLACE VIEW series_point AS
WITH parts AS (
    SELECT
        x.series, x.format, x.class, list(x.indicator ORDER BY x.indicator) AS indicators, count(*) AS n_parts,
        any_value(x.note ORDER BY x.indicator) AS note,
        -- The annex of 2014 has no applicants: its figures are totals.
        CASE WHEN x.format = 2014 AND bool_or(i.section = 'requests') THEN 'total' END AS annex_applicant
    FROM crosswalk AS x LEFT JOIN indicator AS i ON i.indicator = x.series
    WHERE x.class <> 'broken' GROUP BY x.series, x.format, x.class
),
summed AS (
    SELECT
        x.series, x.format, x.class, o.report_id, o.applicant,
        sum(o.value)::DECIMAL(18, 4) AS partial,
        count(*) AS printed,
        count(o.value) AS numbers,
        list(o.indicator || ': ' || o.value_status) FILTER (o.value IS NULL) AS unreported
    FROM crosswalk AS x JOIN observation AS o ON o.indicator = x.indicator AND o.format = x.format
    WHERE x.class <> 'broken'
    GROUP BY ALL
)
SELECT
    s.series, r.district_code, r.district_in_year AS district, r.current_code, r.current_district, r.publisher_id, r.publisher, r.kind, r.scope,
    r.year, coalesce(s.applicant::VARCHAR, p.annex_applicant) AS applicant,
    CASE WHEN s.numbers = p.n_parts THEN s.partial END AS value,
    CASE WHEN s.numbers < p.n_parts THEN concat_ws('; ', array_to_string(list_sort(s.unreported), '; '),
        CASE WHEN s.printed < p.n_parts THEN p.n_parts - s.printed || ' of ' || p.n_parts || ' rows absent' END) END AS reason,
    s.format, s.class, p.indicators, p.note, s.report_id
FROM summed AS s
JOIN parts AS p ON p.series = s.series AND p.format = s.format AND p.class = s.class
JOIN report_figures AS r ON r.report_id = s.report_id
WHERE r.is_current;

CREATE OR REPLACE VIEW series AS SELECT * FROM series_point WHERE class = 'exact';

CREATE OR REPLACE MACRO series_of(name, include_approximate := false) AS TABLE
WITH law AS (
    SELECT i.indicator, f.year, string_agg(DISTINCT f.break_id, '; ' ORDER BY f.break_id) AS breaks
    FROM break_flag AS f JOIN indicator AS i ON i.section = f.section
    WHERE f.kind = 'law' GROUP BY ALL
)
SELECT
    p.* EXCLUDE (report_id),
    nullif(concat_ws('; ',
        CASE WHEN p.format <> lag(p.format) OVER own THEN 'form ' || lag(p.format) OVER own || ' to ' || p.format END,
        law.breaks
    ), '') AS break_flag,
    p.report_id
FROM series_point AS p LEFT JOIN law ON law.year = p.year AND law.indicator = p.indicators[1]
WHERE p.series = name AND (p.class = 'exact' OR include_approximate)
WINDOW own AS (PARTITION BY p.publisher_id, p.scope, p.applicant ORDER BY p.year);
