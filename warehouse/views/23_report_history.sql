-- Where the stretches of a report overlap or follow each other, at one address or several, they are told as one.
CREATE OR REPLACE VIEW report_history AS
WITH span AS (
    SELECT
        report_id,
        min(valid_from) AS valid_from,
        CASE WHEN bool_and(valid_to IS NOT NULL) THEN max(valid_to) END AS valid_to,
        max(last_seen) AS last_seen
    FROM report_stretch GROUP BY report_id
),
history AS (
    SELECT
        r.report_id, r.publisher_id, r.district_code, r.year, r.scope, r.version, r.is_current,
        coalesce(span.valid_from, r.fetched_at) AS valid_from,
        span.valid_to,
        coalesce(span.last_seen, r.fetched_at) AS last_seen
    FROM report AS r LEFT JOIN span USING (report_id)
)
SELECT
    * EXCLUDE (is_last, is_there),
    NOT is_there AND is_last AS is_withdrawn,
    CASE WHEN NOT is_there AND is_last THEN valid_to::DATE END AS withdrawn_on
FROM (
    SELECT
        *,
        bool_or(valid_to IS NULL) OVER place AS is_there,
        valid_to IS NOT DISTINCT FROM max(valid_to) OVER place AS is_last
    FROM history WINDOW place AS (PARTITION BY publisher_id, year, scope)
);
