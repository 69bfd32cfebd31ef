-- A problem of the crawl is open until a later visit to its source was to find it again: a run narrowed to other years was not. One that
-- names no source is open until the next run. Runs stand in the order they were begun in (rowid): a clock that was set back does not change it.
UPDATE problem SET is_open = judged.is_open
FROM (
    WITH visited AS (SELECT v.publisher_id, v.years, run.rowid AS begun FROM visit AS v JOIN run USING (run_id)),
    newest AS (SELECT max(rowid) AS begun FROM run),
    pair AS (
        SELECT DISTINCT problem.publisher_id, problem.run_id, problem.year, run.rowid AS begun
        FROM problem LEFT JOIN run USING (run_id) WHERE document_sha256 IS NULL
    )
    SELECT
        publisher_id, run_id, year,
        CASE
            WHEN publisher_id IS NULL THEN coalesce(pair.begun = newest.begun, true)
            ELSE NOT EXISTS (
                FROM visited
                WHERE visited.publisher_id = pair.publisher_id AND visited.begun > pair.begun
                    AND (visited.years IS NULL OR pair.year IS NULL OR list_contains(visited.years, pair.year))
            )
        END AS is_open
    FROM pair CROSS JOIN newest
) AS judged
WHERE problem.document_sha256 IS NULL
    AND problem.publisher_id IS NOT DISTINCT FROM judged.publisher_id
    AND problem.year IS NOT DISTINCT FROM judged.year
    AND problem.run_id = judged.run_id;

-- The same problem in a later run stands for the earlier ones (visits that did not come to their end close nothing).
UPDATE problem SET is_open = false
FROM (
    SELECT publisher_id, url, kind, max(run.rowid) AS begun
    FROM problem JOIN run USING (run_id) WHERE document_sha256 IS NULL AND is_open GROUP BY ALL
) AS newest, run
WHERE problem.document_sha256 IS NULL AND problem.is_open AND run.run_id = problem.run_id AND run.rowid < newest.begun
    AND problem.publisher_id IS NOT DISTINCT FROM newest.publisher_id
    AND problem.url IS NOT DISTINCT FROM newest.url
    AND problem.kind = newest.kind;

-- A problem of a document is open while its address is listed and holds that document, while the report read from it is the current
-- one, and where its address was never listed anywhere.
UPDATE problem SET is_open =
    (problem.publisher_id, problem.document_sha256) IN (
        SELECT (publisher_id, document_sha256) FROM present_document WHERE document_sha256 IS NOT NULL
        UNION
        SELECT (publisher_id, document_sha256) FROM report WHERE is_current
    )
    OR NOT EXISTS (FROM sighting AS s WHERE s.publisher_id = problem.publisher_id AND s.url = problem.url)
WHERE document_sha256 IS NOT NULL;

-- An edition in pictures that can't be read is no loss where the text edition of the same publisher and year was loaded.
UPDATE problem SET is_open = false
WHERE kind IN ('needs_ocr', 'no_tables') AND is_open
    AND (publisher_id, document_sha256) IN (
        SELECT (g.publisher_id, g.document_sha256)
        FROM present_document AS g
        JOIN report AS r ON r.publisher_id = g.publisher_id AND r.year = coalesce(g.listed_year, g.parsed_year)
        JOIN present_document AS t ON t.publisher_id = r.publisher_id AND t.document_sha256 = r.document_sha256
        WHERE g.is_graphic AND NOT t.is_graphic AND r.figures > 0 AND g.document_sha256 IS NOT NULL
    );
