CREATE OR REPLACE VIEW coverage AS
WITH known_year AS (
    SELECT year FROM report
    UNION
    SELECT year FROM parse
    UNION
    SELECT year FROM sighting
    UNION
    SELECT year FROM problem
),
-- The first reports are on 2008, the year the regulation came into force; a year after the build is a misreading.
span AS (
    SELECT unnest(range(min(year)::BIGINT, max(year)::BIGINT + 1))::SMALLINT AS year
    FROM known_year
    WHERE year BETWEEN 2008 AND (SELECT year(value::TIMESTAMP) FROM meta WHERE key = 'built_at')
),
flag AS (
    SELECT report_id, 'identity_failed' AS kind, count(*) AS n FROM check_result WHERE NOT passed AND NOT soft GROUP BY report_id
    UNION ALL
    SELECT report_id, 'unreadable_cell', count(*) FROM observation WHERE value_status = 'unreadable' GROUP BY report_id
    UNION ALL
    SELECT r.report_id, p.kind, count(*)
    FROM report AS r JOIN problem AS p USING (publisher_id, document_sha256)
    WHERE p.is_open
    GROUP BY r.report_id, p.kind
),
flagged AS (
    SELECT publisher_id, report.year, kind, max(n) AS n
    FROM report JOIN parse USING (publisher_id, document_sha256) LEFT JOIN flag ON flag.report_id = report.report_id
    WHERE is_current AND outcome = 'loaded'
    GROUP BY publisher_id, report.year, kind
),
loaded AS (
    SELECT publisher_id, year, string_agg(kind || ' (' || n || ')', ', ' ORDER BY kind) AS reason
    FROM flagged GROUP BY publisher_id, year
),
-- The text of a report, where no table of a form was found in it.
prose AS (
    SELECT DISTINCT publisher_id, report.year
    FROM report JOIN parse USING (publisher_id, document_sha256)
    WHERE is_current AND outcome = 'no_tables'
),
-- Families of which something was loaded are spoken for, whatever year their title named; so are reports of another kind.
unloaded AS (
    SELECT * FROM present_document
    QUALIFY count(*) FILTER (WHERE outcome = 'loaded' OR report_id IS NOT NULL OR (is_other AND url = page_url))
        OVER (PARTITION BY publisher_id, page_url) = 0
),
listed AS (SELECT publisher_id, url, max(listed_year) AS year FROM present_document GROUP BY ALL),
failure AS (
    SELECT
        p.publisher_id,
        coalesce(p.year, listed.year, parse.year) AS year,
        p.stage = 'crawl' AS in_crawl,
        p.kind || ': ' || left(p.message, 160) AS text
    FROM problem AS p
    LEFT JOIN listed USING (publisher_id, url)
    LEFT JOIN parse USING (publisher_id, document_sha256)
    WHERE p.is_open AND p.severity = 'failure'
),
other AS (
    SELECT p.publisher_id, coalesce(p.year, listed.year) AS year, string_agg(DISTINCT p.kind || ': ' || left(p.message, 160), '; ') AS text
    FROM problem AS p LEFT JOIN listed USING (publisher_id, url)
    WHERE p.is_open AND p.kind = 'other_report'
    GROUP BY ALL
),
found AS (
    SELECT publisher_id, year, in_crawl, text FROM failure WHERE year IS NOT NULL
    UNION ALL
    SELECT publisher_id, coalesce(listed_year, parsed_year), false, NULL FROM unloaded
),
missing AS (
    SELECT
        publisher_id,
        year,
        CASE WHEN bool_or(in_crawl) THEN 'unreachable' ELSE 'unreadable' END AS state,
        coalesce(string_agg(DISTINCT text, '; ' ORDER BY text), 'found, not read') AS reason
    FROM found WHERE year IS NOT NULL
    GROUP BY publisher_id, year
),
source AS (
    SELECT
        p.publisher_id,
        p.district_code,
        s.index_read,
        (SELECT string_agg(DISTINCT f.text, '; ' ORDER BY f.text) FROM failure AS f
         WHERE f.publisher_id = p.publisher_id AND f.year IS NULL) AS reason
    FROM publisher AS p LEFT JOIN source_state AS s USING (publisher_id)
)
SELECT
    source.publisher_id,
    source.district_code,
    span.year,
    CASE
        WHEN loaded.publisher_id IS NOT NULL AND loaded.reason IS NULL THEN 'loaded'
        WHEN loaded.publisher_id IS NOT NULL THEN 'flagged'
        WHEN missing.publisher_id IS NOT NULL THEN missing.state
        WHEN prose.publisher_id IS NOT NULL THEN 'no_tables'
        WHEN NOT source.index_read THEN 'unreachable'
        ELSE 'not_found'
    END::coverage_enum AS state,
    CASE
        WHEN loaded.publisher_id IS NOT NULL THEN loaded.reason
        WHEN missing.publisher_id IS NOT NULL THEN missing.reason
        WHEN prose.publisher_id IS NOT NULL THEN 'free prose, without a table of the form'
        WHEN NOT source.index_read THEN coalesce(source.reason, 'the index was not read')
        WHEN source.index_read THEN concat_ws('; ', 'not listed on the index', other.text, source.reason)
        ELSE concat_ws('; ', 'the source was never crawled', other.text, source.reason)
    END AS reason
FROM source
CROSS JOIN span
LEFT JOIN loaded USING (publisher_id, year)
LEFT JOIN missing USING (publisher_id, year)
LEFT JOIN prose USING (publisher_id, year)
LEFT JOIN other USING (publisher_id, year);
