-- Reports of one publisher, year and scope are versions in the order of fetching. The current one: still listed and still what its
-- address holds, then one with figures, then a text edition before one in pictures, then most figures, then fetched last. With none
-- still listed the best old one stays current.
UPDATE report SET version = ranked.version, is_current = ranked.is_current
FROM (
    SELECT
        report_id,
        row_number() OVER (PARTITION BY publisher_id, year, scope ORDER BY fetched_at, figures, report_id) AS version,
        row_number() OVER (
            PARTITION BY publisher_id, year, scope
            ORDER BY present.publisher_id IS NOT NULL DESC, figures > 0 DESC, coalesce(is_graphic, false), figures DESC, fetched_at DESC,
                report_id DESC
        ) = 1 AS is_current
    FROM report
    LEFT JOIN (
        SELECT publisher_id, document_sha256, bool_and(is_graphic) AS is_graphic
        FROM present_document WHERE document_sha256 IS NOT NULL GROUP BY ALL
    ) AS present USING (publisher_id, document_sha256)
) AS ranked
WHERE report.report_id = ranked.report_id AND (report.version, report.is_current) <> (ranked.version, ranked.is_current);
