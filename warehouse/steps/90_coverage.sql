-- Publisher × year. 条例 (2019) Art. 49: departments publish by 31 January, the report of a government is published by 31 March. Days are those
-- of China (UTC+8) at the time of the build.
DELETE FROM coverage_cell;

INSERT INTO coverage_cell BY NAME
WITH clock AS (SELECT (max(value)::TIMESTAMP + INTERVAL 8 HOUR)::DATE AS today FROM meta WHERE key = 'built_at'),
known AS (
    SELECT min(year) AS first_year, max(year) AS last_year
    FROM (
        SELECT year FROM report UNION SELECT year FROM parse UNION SELECT year FROM sighting UNION SELECT year FROM problem
    )
    -- The first reports are on 2008, the year the regulation came into force; a year after the build is a misreading.
    WHERE year BETWEEN 2008 AND (SELECT year(today) FROM clock)
),
-- From the first year anything is known of to the one that has just ended, for every publisher.
span AS (
    SELECT unnest(
        range(least(first_year, year(today) - 1)::BIGINT, greatest(last_year, year(today) - 1)::BIGINT + 1)
    )::SMALLINT AS year
    FROM known, clock
),
-- An index that lists nothing any more says nothing about the reports it used to list.
emptied AS (SELECT publisher_id, min(message) AS message FROM problem WHERE kind = 'index_emptied' AND is_open GROUP BY publisher_id),
flag AS (
    SELECT report_id, 'identity_failed' AS kind, checks_failed AS n FROM report_quality WHERE checks_failed > 0
    UNION ALL
    SELECT report_id, 'unreadable_cell', unreadable FROM report_quality WHERE unreadable > 0
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
-- Whether any report of the year is still there. One of which no address is known (none was ever listed) counts as there.
standing AS (
    SELECT
        r.publisher_id,
        r.year,
        bool_or(t.report_id IS NULL OR t.valid_to IS NULL) AS is_there,
        bool_or(t.report_id IS NULL OR (t.valid_to IS NULL AND t.listed_to IS NULL)) AS is_listed,
        coalesce(max(t.last_seen), max(r.fetched_at)) AS last_seen,
        max(t.valid_to) AS gone_at,
        arg_max(t.ended_by, t.valid_to) AS ended_by,
        max(t.listed_to) FILTER (WHERE t.valid_to IS NULL) AS unlisted_since,
        bool_or(t.valid_to IS NULL AND t.last_seen >= t.listed_to) AS is_confirmed,
        max(t.listed_to) AS listed_to
    FROM report AS r LEFT JOIN report_stretch AS t USING (report_id)
    GROUP BY r.publisher_id, r.year
),
-- Families of which something was loaded are spoken for, whatever year their title named; so are reports of another kind.
unloaded AS (
    SELECT * FROM present_document
    QUALIFY count(*) FILTER (WHERE outcome = 'loaded' OR report_id IS NOT NULL OR (is_other AND url = page_url))
        OVER (PARTITION BY publisher_id, page_url) = 0
),
listed AS (SELECT publisher_id, url, max(listed_year) AS year FROM present_document GROUP BY ALL),
-- An address that held a report and answers 404 is no failure to load: the report is withdrawn.
failure AS (
    SELECT
        p.publisher_id,
        coalesce(p.year, listed.year, parse.year) AS year,
        p.stage = 'crawl' AS in_crawl,
        p.kind,
        p.kind || ': ' || left(p.message, 160) AS text
    FROM problem AS p
    LEFT JOIN listed USING (publisher_id, url)
    LEFT JOIN parse USING (publisher_id, document_sha256)
    WHERE p.is_open AND p.severity = 'failure'
        AND NOT (
            p.kind = 'http_error'
            AND (p.publisher_id, p.url) IN (SELECT (publisher_id, url) FROM report_stretch WHERE ended_by LIKE 'HTTP %')
            AND p.url IN (SELECT url FROM document WHERE status IN (404, 410))
        )
),
other AS (
    SELECT p.publisher_id, coalesce(p.year, listed.year) AS year, string_agg(DISTINCT p.kind || ': ' || left(p.message, 160), '; ') AS text
    FROM problem AS p LEFT JOIN listed USING (publisher_id, url)
    WHERE p.is_open AND p.kind = 'other_report'
    GROUP BY ALL
),
found AS (
    SELECT publisher_id, year, in_crawl, kind, text FROM failure WHERE year IS NOT NULL
    UNION ALL
    SELECT publisher_id, coalesce(listed_year, parsed_year), false, NULL, NULL FROM unloaded
),
missing AS (
    SELECT
        publisher_id,
        year,
        CASE
            WHEN bool_and(kind = 'robots_disallowed') FILTER (WHERE in_crawl) THEN 'robots_disallowed'
            WHEN bool_or(in_crawl) THEN 'unreachable'
            ELSE 'unreadable'
        END AS state,
        coalesce(string_agg(DISTINCT text, '; ' ORDER BY text), 'found, not read') AS reason
    FROM found WHERE year IS NOT NULL
    GROUP BY publisher_id, year
),
source_failure AS (
    SELECT
        publisher_id,
        string_agg(DISTINCT text, '; ' ORDER BY text) AS reason,
        coalesce(bool_and(kind = 'robots_disallowed') FILTER (WHERE in_crawl), false) AS is_disallowed
    FROM failure WHERE year IS NULL GROUP BY publisher_id
),
source AS (
    SELECT
        p.publisher_id,
        p.district_code,
        p.kind = 'government' OR coalesce(p.scope IN ('level', 'consolidated'), false) AS is_government,
        s.index_read AND emptied.publisher_id IS NULL AS index_read,
        emptied.message AS emptied,
        f.reason,
        coalesce(f.is_disallowed, false) AS is_disallowed
    FROM publisher AS p
    LEFT JOIN source_state AS s USING (publisher_id)
    LEFT JOIN emptied USING (publisher_id)
    LEFT JOIN source_failure AS f USING (publisher_id)
),
cell AS (
    SELECT
        source.*,
        span.year,
        CASE WHEN is_government THEN make_date(span.year + 1, 3, 31) ELSE make_date(span.year + 1, 1, 31) END AS due_on,
        loaded.publisher_id IS NOT NULL AS is_loaded,
        loaded.reason AS flags,
        prose.publisher_id IS NOT NULL AS is_prose,
        missing.state AS missing_state,
        missing.reason AS missing_reason,
        other.text AS other,
        (loaded.publisher_id IS NOT NULL OR prose.publisher_id IS NOT NULL) AND NOT standing.is_there AND source.emptied IS NULL AS is_gone,
        -- Loaded, and odd: no longer on the list while its address was not found to be gone.
        CASE
            WHEN source.emptied IS NOT NULL THEN 'index_emptied: ' || source.emptied
            WHEN standing.is_there AND NOT standing.is_listed THEN
                'no longer listed since ' || standing.unlisted_since::DATE
                || CASE WHEN standing.is_confirmed THEN ', its address still answers' ELSE ', its address gave no answer since' END
        END AS note,
        concat_ws(
            '; ', standing.ended_by || ' since ' || standing.gone_at::DATE, 'last seen ' || standing.last_seen::DATE,
            'no longer listed since ' || standing.listed_to::DATE
        ) AS farewell,
        CASE WHEN loaded.publisher_id IS NOT NULL OR prose.publisher_id IS NOT NULL THEN standing.last_seen END AS last_seen,
        standing.gone_at::DATE AS gone_on
    FROM source
    CROSS JOIN span
    LEFT JOIN loaded USING (publisher_id, year)
    LEFT JOIN missing USING (publisher_id, year)
    LEFT JOIN prose USING (publisher_id, year)
    LEFT JOIN standing USING (publisher_id, year)
    LEFT JOIN other USING (publisher_id, year)
),
judged AS (
    SELECT
        cell.*,
        CASE
            WHEN is_loaded AND is_gone AND missing_state IS NOT NULL THEN 'flagged'
            WHEN is_gone AND missing_state IS NULL THEN 'withdrawn'
            WHEN is_loaded AND flags IS NULL THEN 'loaded'
            WHEN is_loaded THEN 'flagged'
            WHEN missing_state IS NOT NULL THEN missing_state
            WHEN is_prose THEN 'no_tables'
            WHEN NOT index_read AND is_disallowed THEN 'robots_disallowed'
            WHEN NOT index_read THEN 'unreachable'
            WHEN clock.today <= due_on THEN 'not_due'
            ELSE 'not_found'
        END AS state
    FROM cell CROSS JOIN clock
)
SELECT
    publisher_id,
    district_code,
    year,
    state,
    CASE state
        WHEN 'withdrawn' THEN farewell
        WHEN 'loaded' THEN note
        WHEN 'flagged' THEN
            nullif(concat_ws('; ', flags, CASE WHEN is_gone THEN 'an earlier version is loaded (' || farewell || ')' END,
                CASE WHEN is_gone THEN missing_reason END, note), '')
        WHEN 'no_tables' THEN concat_ws('; ', 'free prose, without a table of the form', note)
        WHEN 'not_due' THEN concat_ws('; ', 'to be published by ' || due_on, other)
        WHEN 'not_found' THEN
            concat_ws('; ', CASE WHEN index_read THEN 'not listed on the index' ELSE 'the source was never crawled' END, other, reason)
        ELSE coalesce(missing_reason, reason, 'the index was not read')
    END AS reason,
    due_on,
    last_seen,
    CASE WHEN state = 'withdrawn' THEN gone_on END AS withdrawn_on
FROM judged;
