-- What an address that is still listed holds now: the newest answer, and what became of it when it was read.
CREATE OR REPLACE VIEW present_document AS
SELECT
    s.publisher_id,
    s.url,
    CASE WHEN s.role = 'attachment' THEN coalesce(s.parent_url, s.url) ELSE s.url END AS page_url,
    s.role,
    coalesce(s.year, page.year) AS listed_year,
    d.sha256 AS document_sha256,
    p.outcome,
    p.year AS parsed_year,
    p.run_id AS parse_run_id
FROM sighting AS s
LEFT JOIN sighting AS page ON page.publisher_id = s.publisher_id AND page.url = s.parent_url AND s.role = 'attachment'
LEFT JOIN document AS d ON d.url = s.url
LEFT JOIN parse AS p ON p.publisher_id = s.publisher_id AND p.document_sha256 = d.sha256
WHERE s.is_alive;
