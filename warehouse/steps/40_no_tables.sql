-- A report page and its attachments are one family. One of which nothing was loaded, and of which no other failure says why, has no tables.
-- None: a report in free prose, a report of another kind, an edition in pictures beside a text edition that was loaded.
INSERT INTO problem BY NAME
WITH family AS (
    SELECT
        publisher_id,
        page_url,
        coalesce(max(listed_year), max(parsed_year)) AS year,
        arg_max(document_sha256, (url = page_url, url)) FILTER (WHERE outcome IS NOT NULL) AS document_sha256,
        arg_max(parse_run_id, (url = page_url, url)) FILTER (WHERE outcome IS NOT NULL) AS run_id,
        string_agg(url, ', ' ORDER BY url) FILTER (WHERE url <> page_url) AS attachments
    FROM present_document
    GROUP BY publisher_id, page_url
    HAVING count(outcome) > 0
        AND count(*) FILTER (WHERE outcome = 'loaded' OR report_id IS NOT NULL OR (is_other AND url = page_url)) = 0
        AND NOT (
            bool_and(is_graphic) AND (publisher_id, coalesce(max(listed_year), max(parsed_year))) IN (
                SELECT (r.publisher_id, r.year)
                FROM report AS r JOIN present_document AS t USING (publisher_id, document_sha256)
                WHERE r.figures > 0 AND NOT t.is_graphic
            )
        )
)
SELECT
    run_id,
    'extract' AS stage,
    publisher_id,
    page_url AS url,
    year,
    'no_tables' AS kind,
    'no data table in ' || page_url || coalesce(' nor in its attachments ' || attachments, ', and it has no attachment') AS message,
    'failure' AS severity,
    true AS is_open,
    document_sha256,
    'derived' AS origin
FROM family
WHERE NOT EXISTS (
    FROM problem AS p
    JOIN present_document AS m
        ON m.publisher_id = p.publisher_id AND (m.document_sha256 = p.document_sha256 OR m.url = p.url)
    WHERE m.publisher_id = family.publisher_id AND m.page_url = family.page_url AND p.is_open AND p.severity = 'failure'
);
