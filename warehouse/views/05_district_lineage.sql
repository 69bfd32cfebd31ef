-- The years between two changes of a code are one epoch of it; every epoch is followed from its end, change by change, to codes in force.
-- A report on the year of a change counts to the time after it: it is written when the year is over.
CREATE OR REPLACE VIEW district_lineage AS
WITH RECURSIVE
event AS ( -- a year in which a code that was in force already gave something away or got something
    SELECT code, year, lag(year, 1, 0) OVER (PARTITION BY code ORDER BY year) AS after_year
    FROM (
        SELECT from_code AS code, year FROM district_succession
        UNION
        SELECT s.to_code, s.year
        FROM district_succession AS s
        JOIN district AS d ON d.district_code = s.to_code AND coalesce(d.valid_from, 0) < s.year
    )
),
step AS (
    SELECT
        e.code,
        e.after_year,
        e.year,
        s.to_code,
        s.whole,
        s.main,
        coalesce(d.valid_from, 0) < s.year OR count(*) OVER (PARTITION BY s.to_code, s.year) > 1 AS is_merged
    FROM event AS e
    JOIN district_succession AS s ON s.from_code = e.code AND s.year = e.year
    JOIN district AS d ON d.district_code = s.to_code
    UNION ALL -- what stays under the code
    SELECT
        e.code,
        e.after_year,
        e.year,
        e.code,
        NOT EXISTS (SELECT 1 FROM district_succession AS s WHERE s.from_code = e.code AND s.year = e.year),
        true,
        EXISTS (SELECT 1 FROM district_succession AS s WHERE s.to_code = e.code AND s.year = e.year)
    FROM event AS e
    JOIN district AS d ON d.district_code = e.code AND (d.valid_to IS NULL OR d.valid_to > e.year)
),
epoch AS (
    SELECT code, after_year, year FROM event
    UNION ALL
    SELECT d.district_code, coalesce(max(e.year), 0), NULL
    FROM district AS d
    LEFT JOIN event AS e ON e.code = d.district_code
    GROUP BY d.district_code, d.valid_to
    HAVING max(e.year) IS NULL OR d.valid_to IS NULL OR d.valid_to > max(e.year)
),
walk AS (
    SELECT
        code AS district_code,
        after_year AS valid_from,
        year - 1 AS valid_to,
        code AS at_code,
        after_year::INTEGER AS at_year,
        true AS share_known,
        true AS is_main,
        false AS is_merged
    FROM epoch
    UNION ALL
    SELECT
        w.district_code,
        w.valid_from,
        w.valid_to,
        s.to_code,
        s.year::INTEGER,
        w.share_known AND s.whole,
        w.is_main AND s.main,
        w.is_merged OR s.is_merged
    FROM walk AS w
    JOIN step AS s ON s.code = w.at_code AND s.year > w.at_year AND s.after_year <= w.at_year
),
ended AS (
    SELECT w.*, CASE WHEN d.valid_to IS NULL THEN w.at_code END AS current_code
    FROM walk AS w
    JOIN district AS d ON d.district_code = w.at_code
    WHERE NOT EXISTS (SELECT 1 FROM event AS e WHERE e.code = w.at_code AND e.year > w.at_year)
)
SELECT
    district_code,
    nullif(valid_from, 0)::SMALLINT AS valid_from,
    valid_to::SMALLINT AS valid_to,
    current_code,
    bool_or(share_known AND current_code IS NOT NULL) AS share_known,
    bool_or(is_main) AS is_main,
    bool_and(is_merged) AS is_merged
FROM ended
GROUP BY district_code, ended.valid_from, ended.valid_to, current_code;
