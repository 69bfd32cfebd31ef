-- One report, published as a page and as an attachment: where they print different figures, both stay, and only the publisher knows which is
-- right. The one that counts (is_current, else the fuller one) is held against every other of its page. Nothing is lost, so it is a warning.
-- A figure with two statements of its unit may be the same: 437880 yuan and 43.788 of 10,000 yuan.
INSERT INTO problem BY NAME
WITH edition AS (
    SELECT DISTINCT
        p.publisher_id, p.page_url, r.year, r.report_id, r.url, r.document_sha256, p.parse_run_id,
        first_value(r.report_id) OVER (
            PARTITION BY p.publisher_id, p.page_url, r.year ORDER BY r.is_current DESC, r.figures DESC, r.report_id
        ) AS first_id
    FROM present_document AS p JOIN report AS r USING (publisher_id, document_sha256)
    WHERE r.figures > 0
),
pair AS (
    SELECT first.*, other.report_id AS other_id
    FROM edition AS other JOIN edition AS first
        ON first.report_id = other.first_id AND first.publisher_id = other.publisher_id AND first.page_url = other.page_url
    WHERE other.report_id <> other.first_id
),
printed AS MATERIALIZED (
    SELECT * FROM observation WHERE report_id IN (SELECT report_id FROM pair UNION ALL SELECT other_id FROM pair)
)
SELECT DISTINCT
    pair.parse_run_id AS run_id,
    'check' AS stage,
    pair.publisher_id,
    pair.url,
    pair.year,
    'editions_differ' AS kind,
    format('{}: "{}" in {}, "{}" in {}', concat_ws('/', a.indicator, a.applicant), a.raw_text, a.report_id, b.raw_text, b.report_id) AS message,
    'warning' AS severity,
    true AS is_open,
    pair.document_sha256,
    'derived' AS origin
FROM pair
JOIN printed AS a ON a.report_id = pair.report_id
JOIN printed AS b
    ON b.report_id = pair.other_id AND b.indicator = a.indicator AND b.applicant IS NOT DISTINCT FROM a.applicant
WHERE a.value_status <> 'unreadable' AND b.value_status <> 'unreadable'
    AND a.value IS DISTINCT FROM b.value
    AND NOT coalesce(a.unit <> b.unit AND (a.value = b.value * 10000 OR b.value = a.value * 10000), false);
