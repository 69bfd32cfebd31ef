-- An address is listed unless a later whole visit read the index, found reports on it, and did not meet this one (unlisted_since, from the
-- ledger). It is alive while it is listed, and beyond that while it still answers with a report of its publisher: what leaves a list is not
-- gone. An attachment lives with its page, until the page changes and no longer has it.
UPDATE sighting SET is_listed = seen.is_listed, is_alive = seen.is_alive
FROM (
    WITH answering AS (SELECT DISTINCT publisher_id, page_url FROM report_stretch WHERE valid_to IS NULL),
    page AS (
        SELECT s.publisher_id, s.url, s.unlisted_since IS NULL AS is_listed, s.unlisted_since IS NULL OR a.page_url IS NOT NULL AS is_alive
        FROM sighting AS s LEFT JOIN answering AS a ON a.publisher_id = s.publisher_id AND a.page_url = s.url
        WHERE s.role = 'page'
    )
    FROM page
    UNION ALL
    SELECT s.publisher_id, s.url, kept AND coalesce(page.is_listed, true), kept AND coalesce(page.is_alive, true)
    FROM (
        SELECT
            s.publisher_id, s.url, s.parent_url,
            NOT EXISTS (FROM presence AS p WHERE p.url = s.parent_url AND p.first_seen > s.last_seen) AS kept
        FROM sighting AS s WHERE s.role = 'attachment'
    ) AS s
    LEFT JOIN page ON page.publisher_id = s.publisher_id AND page.url = s.parent_url
) AS seen
WHERE sighting.publisher_id = seen.publisher_id AND sighting.url = seen.url
    AND (sighting.is_listed, sighting.is_alive) <> (seen.is_listed, seen.is_alive);
