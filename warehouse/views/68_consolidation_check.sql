-- R9 (domain.md 1.7): what the consolidated report of a district prints = what the government or its office, the departments, towns and other
-- bodies of the district print for themselves. Assessed only where the registry has bodies of all three groups (government or office,
-- department, township) and every one of them is in with a number; soft, because nobody states that the registry names all bodies, and branch
-- offices may be in or out. Of a government and its office the figures of the level count, else those of the office alone.
-- Ask for one indicator at a time.
CREATE OR REPLACE VIEW consolidation_check AS
WITH member AS (
    SELECT
        publisher_id, district_code, scope,
        CASE WHEN kind IN ('government', 'office') THEN 'centre' WHEN kind = 'department' THEN 'department' WHEN kind = 'township' THEN 'township'
            ELSE 'other' END AS part
    FROM expected_body WHERE scope IN ('own', 'level')
),
-- One scope a body and year: level before own; and one centre a district.
chosen AS (
    SELECT DISTINCT ON (district_code, part, CASE WHEN part = 'centre' THEN '' ELSE publisher_id END) *
    FROM member
    ORDER BY district_code, part, CASE WHEN part = 'centre' THEN '' ELSE publisher_id END, scope = 'level' DESC, publisher_id
),
register AS (
    SELECT district_code, count(*) AS bodies, count(DISTINCT part) FILTER (part <> 'other') AS parts FROM chosen GROUP BY district_code
),
whole AS (
    SELECT r.district_code, r.year, r.report_id, o.section, o.indicator, o.applicant, o.value, o.value_status
    FROM report_figures AS r JOIN observation AS o ON o.report_id = r.report_id
    WHERE r.is_current AND r.scope = 'consolidated' AND r.kind IN ('government', 'office')
),
part AS (
    SELECT
        r.district_code, r.year, o.indicator, o.applicant,
        count(*) AS bodies, count(o.value) AS numbers, sum(o.value)::DECIMAL(18, 4) AS total
    FROM report_figures AS r
    JOIN chosen AS c ON c.publisher_id = r.publisher_id AND c.scope = r.scope AND c.district_code = r.district_code
    JOIN observation AS o ON o.report_id = r.report_id
    WHERE r.is_current
    GROUP BY ALL
),
joined AS (
    SELECT
        w.*, coalesce(g.bodies, 0) AS expected, coalesce(g.parts, 0) AS parts, coalesce(p.bodies, 0) AS bodies, coalesce(p.numbers, 0) AS numbers,
        p.total,
        g.parts = 3 AND p.numbers = g.bodies AS is_complete
    FROM whole AS w
    LEFT JOIN register AS g ON g.district_code = w.district_code
    LEFT JOIN part AS p
        ON p.district_code = w.district_code AND p.year = w.year AND p.indicator = w.indicator
        AND coalesce(p.applicant::VARCHAR, '') = coalesce(w.applicant::VARCHAR, '')
)
SELECT
    report_id, 'R9.' || indicator AS check_id, applicant,
    value AS left_value,
    CASE WHEN is_complete THEN total END AS right_value,
    CASE WHEN is_complete THEN value - total END AS difference,
    CASE WHEN is_complete THEN value = total END AS passed,
    CASE WHEN is_complete AND value <> total THEN 'unknown' END::cause_enum AS cause,
    true AS soft,
    district_code, year, indicator,
    expected AS n_expected, bodies AS n_in, bodies - numbers AS n_blank,
    CASE
        WHEN parts < 3 THEN 'the registry has not the government or office, departments and towns of the district'
        WHEN bodies < expected THEN expected - bodies || ' of ' || expected || ' bodies have no such figure'
        WHEN numbers < expected THEN expected - numbers || ' of ' || expected || ' bodies print no number'
        WHEN value IS NULL THEN 'the consolidated report prints no number: ' || value_status
    END AS reason
FROM joined;
