-- A sighting is alive when the source's last complete crawl saw it. After an incomplete crawl (index_read false) what was not seen stays
-- as it was. A source that was never crawled and a file from disk (urn:gongkai:ingest:) are alive.
UPDATE sighting SET is_alive = seen.is_alive
FROM (
    SELECT
        s.publisher_id,
        s.url,
        st.publisher_id IS NULL
        OR s.url LIKE 'urn:gongkai:ingest:%'
        OR s.last_run_id IS NOT DISTINCT FROM st.last_run_id
        OR (NOT st.index_read AND coalesce(before.is_alive, true)) AS is_alive
    FROM sighting AS s
    LEFT JOIN source_state AS st USING (publisher_id)
    LEFT JOIN temp.sighting_before AS before ON before.publisher_id = s.publisher_id AND before.url = s.url
) AS seen
WHERE sighting.publisher_id = seen.publisher_id AND sighting.url = seen.url AND sighting.is_alive <> seen.is_alive;
