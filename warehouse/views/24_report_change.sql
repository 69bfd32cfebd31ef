-- What took the place of what. At one address: the next report of the same year and scope it held. On one report page: a report that came
-- under another address of the page after the old one had ended there without a successor of its own. What stands side by side (a page
-- and its attachment, an edition in pictures) is no change of each other.
CREATE OR REPLACE VIEW report_change AS
WITH stretch AS (
    SELECT
        *,
        lead(report_id) OVER own AS next_id,
        lead(url) OVER own AS next_url,
        lead(valid_from) OVER own AS next_from,
        lag(report_id) OVER own IS NULL AS is_first
    FROM report_stretch
    WINDOW own AS (PARTITION BY publisher_id, url, year, scope ORDER BY presence_no)
),
same_address AS (
    SELECT publisher_id, year, scope, report_id AS report_id_from, next_id AS report_id_to, url AS url_from, next_url AS url_to,
        last_seen AS seen_from, next_from AS seen_to
    FROM stretch WHERE next_id <> report_id
),
same_page AS (
    SELECT old.publisher_id, old.year, old.scope, old.report_id AS report_id_from, new.report_id AS report_id_to, old.url AS url_from,
        new.url AS url_to, old.last_seen AS seen_from, new.valid_from AS seen_to
    FROM stretch AS old
    JOIN stretch AS new USING (publisher_id, page_url, year, scope)
    WHERE old.url <> new.url AND old.report_id <> new.report_id AND old.next_id IS NULL AND new.is_first AND old.valid_to <= new.valid_from
    QUALIFY row_number() OVER (PARTITION BY new.presence_no, new.publisher_id ORDER BY old.valid_to DESC, old.presence_no DESC) = 1
        AND row_number() OVER (PARTITION BY old.presence_no, old.publisher_id ORDER BY new.valid_from, new.presence_no) = 1
),
pair AS (
    SELECT
        publisher_id, year, scope, report_id_from, report_id_to,
        arg_min(url_from, seen_to) AS url_from,
        arg_min(url_to, seen_to) AS url_to,
        arg_min(seen_from, seen_to) AS seen_from,
        min(seen_to) AS seen_to
    FROM (FROM same_address UNION ALL FROM same_page)
    GROUP BY ALL
)
SELECT
    pair.report_id_from, pair.report_id_to, pair.publisher_id, new.district_code, pair.year, pair.scope, pair.url_from, pair.url_to,
    pair.seen_from, pair.seen_to,
    old_quality.content_hash = new_quality.content_hash AS same_content
FROM pair
JOIN report AS new ON new.report_id = pair.report_id_to
LEFT JOIN report_quality AS old_quality ON old_quality.report_id = pair.report_id_from
LEFT JOIN report_quality AS new_quality ON new_quality.report_id = pair.report_id_to;
