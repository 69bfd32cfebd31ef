-- Reports that had been fetched by a moment, and which of a publisher's year and scope was current then: first what was still there and
-- listed, then what was still there, then one with figures, then a text edition before one in pictures, then most figures, then the one
-- fetched last. With none still there the best old one is current.
CREATE OR REPLACE MACRO report_rank(moment) AS TABLE
WITH standing AS (
    SELECT
        r.report_id, r.publisher_id, r.year, r.scope, r.figures, r.fetched_at,
        coalesce(bool_or(t.valid_from <= moment AND (t.valid_to IS NULL OR t.valid_to > moment)), false) AS is_there,
        coalesce(
            bool_or(
                t.valid_from <= moment AND (t.valid_to IS NULL OR t.valid_to > moment)
                AND t.listed_from <= moment AND (t.listed_to IS NULL OR t.listed_to > moment)
            ),
            false
        ) AS is_listed,
        coalesce(bool_and(t.is_graphic) FILTER (WHERE t.valid_from <= moment), false) AS is_graphic
    FROM report AS r LEFT JOIN report_stretch AS t USING (report_id)
    WHERE r.fetched_at <= moment
    GROUP BY ALL
)
SELECT
    report_id, publisher_id, year, scope, is_there, is_listed,
    row_number() OVER (
        PARTITION BY publisher_id, year, scope
        ORDER BY is_listed DESC, is_there DESC, figures > 0 DESC, is_graphic, figures DESC, fetched_at DESC, report_id DESC
    ) = 1 AS is_current
FROM standing;
