-- Reports of one publisher, year and scope are numbered by their content, in the order in which it first came: a page around which only the
-- furniture changed keeps its number, and so does a report that goes back to what it said before. Which one is current: see report_rank.
UPDATE report SET version = ranked.version, is_current = ranked.is_current
FROM (
    WITH told AS (
        SELECT
            r.report_id, r.publisher_id, r.year, r.scope,
            coalesce(q.content_hash, r.report_id) AS content,
            struct_pack(fetched_at := r.fetched_at, figures := r.figures, report_id := r.report_id) AS came
        FROM report AS r LEFT JOIN report_quality AS q USING (report_id)
    ),
    first AS (SELECT *, min(came) OVER (PARTITION BY publisher_id, year, scope, content) AS first_came FROM told)
    SELECT
        report_id,
        dense_rank() OVER (PARTITION BY first.publisher_id, first.year, first.scope ORDER BY first_came) AS version,
        k.is_current
    FROM first JOIN report_rank('infinity'::TIMESTAMP) AS k USING (report_id)
) AS ranked
WHERE report.report_id = ranked.report_id AND (report.version, report.is_current) <> (ranked.version, ranked.is_current);
