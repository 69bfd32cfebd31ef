-- What an address that is still there holds now: the newest answer, and what became of it when it was read.
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
    p.run_id AS parse_run_id,
    p.report_id,
    is_picture_title(concat_ws(' ', s.title, page.title, r.title)) AS is_graphic,
    o.document_sha256 IS NOT NULL AS is_other
FROM sighting AS s
LEFT JOIN sighting AS page ON page.publisher_id = s.publisher_id AND page.url = s.parent_url AND s.role = 'attachment'
LEFT JOIN document AS d ON d.url = s.url
LEFT JOIN parse AS p ON p.publisher_id = s.publisher_id AND p.document_sha256 = d.sha256
LEFT JOIN report AS r ON r.report_id = p.report_id
LEFT JOIN (SELECT DISTINCT publisher_id, document_sha256 FROM problem WHERE kind = 'other_report') AS o
    ON o.publisher_id = s.publisher_id AND o.document_sha256 = d.sha256
WHERE s.is_alive;
