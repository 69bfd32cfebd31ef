CREATE OR REPLACE VIEW revision AS
WITH side AS (
    SELECT c.report_id_from, c.report_id_to, o.*, true AS is_old
    FROM report_change AS c JOIN observation AS o ON o.report_id = c.report_id_from
    UNION ALL
    SELECT c.report_id_from, c.report_id_to, o.*, false
    FROM report_change AS c JOIN observation AS o ON o.report_id = c.report_id_to
),
cell AS (
    SELECT
        report_id_from, report_id_to, section, indicator, applicant,
        any_value(value) FILTER (WHERE is_old) AS value_from,
        any_value(value) FILTER (WHERE NOT is_old) AS value_to,
        any_value(raw_text) FILTER (WHERE is_old) AS raw_from,
        any_value(raw_text) FILTER (WHERE NOT is_old) AS raw_to,
        any_value(value_status) FILTER (WHERE is_old) AS status_from,
        any_value(value_status) FILTER (WHERE NOT is_old) AS status_to,
        any_value(unit) FILTER (WHERE is_old) AS unit_from,
        any_value(unit) FILTER (WHERE NOT is_old) AS unit_to
    FROM side
    GROUP BY ALL
)
SELECT
    report_id_from,
    report_id_to,
    c.publisher_id,
    c.district_code,
    c.year,
    c.scope,
    section,
    indicator,
    applicant,
    CASE
        WHEN status_from IS NULL THEN 'added'
        WHEN status_to IS NULL THEN 'removed'
        WHEN status_from = 'unreadable' AND status_to <> 'unreadable' THEN 'unreadable_resolved'
        WHEN status_from <> 'unreadable' AND status_to = 'unreadable' THEN 'became_unreadable'
        WHEN value_from <> value_to THEN 'value_changed'
        WHEN value_from IS NULL AND value_to IS NOT NULL THEN 'blank_filled'
        WHEN value_from IS NOT NULL AND value_to IS NULL THEN 'value_removed'
        WHEN status_from <> status_to THEN 'status_changed'
        WHEN unit_from <> unit_to THEN 'unit_changed'
        ELSE 'text_only'
    END AS change,
    value_from,
    value_to,
    raw_from,
    raw_to,
    status_from,
    status_to,
    unit_from,
    unit_to,
    c.seen_from,
    c.seen_to
FROM cell JOIN report_change AS c USING (report_id_from, report_id_to)
WHERE (value_from, raw_from, status_from, unit_from) IS DISTINCT FROM (value_to, raw_to, status_to, unit_to);
