-- From when to when an address held a report version. A stretch ends where the address answers with something else, with 404 or 410, or
-- with a redirect that leads to no report; an attachment also ends with its page, or when the page changes and no longer has it.
DELETE FROM report_stretch;

INSERT INTO report_stretch BY NAME
WITH held AS (
    SELECT *, lead(first_seen) OVER (PARTITION BY url ORDER BY presence_no) AS next_seen FROM presence
),
-- The newest answer of an address, where it says that nothing is there any more.
gone AS (
    SELECT h.url, h.gone_at AS ended_at, 'HTTP ' || h.gone_status AS how FROM held AS h WHERE h.next_seen IS NULL AND h.gone_at IS NOT NULL
    UNION ALL
    SELECT url, last_checked AS ended_at, 'redirected elsewhere' FROM document WHERE status BETWEEN 300 AND 399 AND last_checked > last_seen
),
gone_once AS (SELECT url, min(ended_at) AS ended_at, arg_min(how, ended_at) AS how FROM gone GROUP BY url),
-- When a page first answered with other bytes after an attachment of it was last met: from then on it does not have it.
dropped AS (
    SELECT s.publisher_id, s.url, min(p.first_seen) AS ended_at
    FROM sighting AS s JOIN presence AS p ON p.url = s.parent_url AND p.first_seen > s.last_seen
    WHERE s.role = 'attachment'
    GROUP BY ALL
),
ending AS (
    SELECT
        s.publisher_id, s.url, s.parent_url, s.role, s.title, s.first_seen AS listed_from, s.unlisted_since,
        h.presence_no, h.sha256, h.first_seen, h.last_seen,
        coalesce(h.gone_at, h.next_seen) AS own_end,
        CASE WHEN h.gone_at IS NOT NULL THEN 'HTTP ' || h.gone_status WHEN h.next_seen IS NOT NULL THEN 'other content' END AS own_how,
        CASE WHEN h.next_seen IS NULL THEN gone_once.ended_at END AS gone_at,
        gone_once.how AS gone_how
    FROM sighting AS s JOIN held AS h ON h.url = s.url LEFT JOIN gone_once ON gone_once.url = s.url
)
SELECT
    r.report_id,
    e.publisher_id,
    r.year,
    r.scope,
    e.url,
    CASE WHEN e.role = 'attachment' THEN coalesce(e.parent_url, e.url) ELSE e.url END AS page_url,
    e.first_seen AS valid_from,
    e.last_seen,
    coalesce(e.own_end, e.gone_at, least(parent.ended_at, dropped.ended_at)) AS valid_to,
    CASE
        WHEN e.own_end IS NOT NULL THEN e.own_how
        WHEN e.gone_at IS NOT NULL THEN e.gone_how
        WHEN dropped.ended_at IS NOT NULL AND (parent.ended_at IS NULL OR dropped.ended_at <= parent.ended_at) THEN 'no longer on its page'
        WHEN parent.ended_at IS NOT NULL THEN 'its page: ' || parent.how
    END AS ended_by,
    coalesce(page.first_seen, e.listed_from) AS listed_from,
    CASE WHEN e.role = 'attachment' AND page.url IS NOT NULL THEN page.unlisted_since ELSE e.unlisted_since END AS listed_to,
    is_picture_title(concat_ws(' ', e.title, page.title, r.title)) AS is_graphic,
    e.presence_no
FROM ending AS e
JOIN report AS r ON r.publisher_id = e.publisher_id AND r.document_sha256 = e.sha256
LEFT JOIN sighting AS page ON e.role = 'attachment' AND page.publisher_id = e.publisher_id AND page.url = e.parent_url
LEFT JOIN gone_once AS parent ON e.role = 'attachment' AND parent.url = e.parent_url
LEFT JOIN dropped ON dropped.publisher_id = e.publisher_id AND dropped.url = e.url;
