-- Ranks of one metric in one year and one scope, highest value first. Bodies whose denominator is below `min_n` (20: domain.md 4.2) and those
-- without a value are listed without a rank. Bodies of a scope that nobody stated are never ranked. `min_n` of a metric without a number of
-- cases (days, per head) plays no part. `ranked` is the number of bodies that have a rank.
CREATE OR REPLACE MACRO rank_districts(metric_id, report_year, report_scope, min_n := 20, body_kind := NULL) AS TABLE
WITH judged AS (
    SELECT m.*, m.value IS NOT NULL AND coalesce(m.n >= min_n, true) AS is_ranked
    FROM metric AS m
    WHERE m.metric = metric_id AND m.year = report_year AND m.scope = report_scope AND (body_kind IS NULL OR m.kind::VARCHAR = body_kind)
)
SELECT
    CASE WHEN j.is_ranked THEN rank() OVER (PARTITION BY j.is_ranked ORDER BY j.value DESC) END AS rank,
    count(*) FILTER (j.is_ranked) OVER () AS ranked,
    j.district_code, j.district, j.publisher_id, j.publisher, j.kind, j.year, j.scope, j.metric, j.definition,
    j.value, j.numerator, j.denominator, j.n, j.low, j.high,
    CASE WHEN j.value IS NULL THEN j.reason WHEN NOT j.is_ranked THEN 'denominator below ' || min_n END AS reason,
    j.caution, j.report_id
FROM (SELECT count(*) AS metrics FROM metric_definition AS d WHERE d.metric = metric_id) AS known
LEFT JOIN judged AS j ON true
WHERE CASE
    WHEN known.metrics = 0 THEN error('no metric ' || metric_id || ': SELECT metric FROM metric_definition lists them')
    WHEN report_scope = 'unknown' THEN error('bodies whose scope is unknown are not ranked: name own, level or consolidated')
    ELSE j.report_id IS NOT NULL
END
ORDER BY 1 NULLS LAST, j.district_code, j.publisher_id;
