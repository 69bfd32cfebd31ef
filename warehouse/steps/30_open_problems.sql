-- A problem of the crawl is open when it comes from the newest run that asked its source (of all runs, where it names no source).
UPDATE problem SET is_open = judged.is_open
FROM (
    WITH asked AS (
        SELECT publisher_id, last_run_id AS run_id FROM source_state
        UNION
        SELECT publisher_id, run_id FROM problem WHERE document_sha256 IS NULL AND publisher_id IS NOT NULL
        UNION ALL
        SELECT NULL, run_id FROM run
    ),
    newest AS (
        SELECT asked.publisher_id, arg_max(asked.run_id, run.started_at) AS run_id
        FROM asked JOIN run USING (run_id) GROUP BY asked.publisher_id
    ),
    pair AS (SELECT DISTINCT publisher_id, run_id FROM problem WHERE document_sha256 IS NULL)
    SELECT pair.publisher_id, pair.run_id, coalesce(pair.run_id = newest.run_id, true) AS is_open
    FROM pair LEFT JOIN newest ON newest.publisher_id IS NOT DISTINCT FROM pair.publisher_id
) AS judged
WHERE problem.document_sha256 IS NULL
    AND problem.publisher_id IS NOT DISTINCT FROM judged.publisher_id
    AND problem.run_id = judged.run_id;

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
