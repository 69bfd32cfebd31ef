-- What the documents of this build say beside the published file, for the gates that compare shares: temp.shares.
CREATE TEMP TABLE shares AS
WITH now_report AS (
    SELECT report_id, CASE WHEN known.is_known THEN 'read again' ELSE concat_ws(' ', 'new', media, format) END AS who
    FROM report SEMI JOIN temp.touched USING (publisher_id, document_sha256)
    LEFT JOIN (SELECT publisher_id, document_sha256, true AS is_known FROM previous.parse) AS known USING (publisher_id, document_sha256)
),
old_report AS (
    SELECT report_id, 'read again' AS who FROM previous.report SEMI JOIN temp.touched USING (publisher_id, document_sha256)
    UNION ALL
    SELECT report_id, concat_ws(' ', 'new', media, format) AS who FROM previous.report
),
side AS (
    SELECT report_id, who, false AS is_now FROM old_report SEMI JOIN now_report USING (who)
    UNION ALL SELECT report_id, who, true FROM now_report
),
figure AS (
    SELECT who, is_now, count(*) FILTER (WHERE value_status = 'unreadable') / count(*) AS unreadable
    FROM (
        SELECT report_id, value_status::VARCHAR AS value_status, false AS is_now FROM previous.observation
        UNION ALL SELECT report_id, value_status::VARCHAR, true FROM observation
    ) JOIN side USING (report_id, is_now)
    GROUP BY who, is_now
),
judged AS (
    SELECT who, is_now, count(passed) / count(*) AS assessed, count(*) FILTER (WHERE NOT passed) / nullif(count(passed), 0) AS failed
    FROM (
        SELECT report_id, passed, soft, false AS is_now FROM temp.old_check
        UNION ALL SELECT report_id, passed, soft, true FROM check_result
    ) JOIN side USING (report_id, is_now)
    WHERE NOT soft
    GROUP BY who, is_now
)
SELECT
    who,
    (who <> 'read again')::INTEGER AS is_new,
    (SELECT count(*) FROM now_report AS n WHERE n.who = s.who) AS reports,
    (SELECT count(*) FROM old_report AS o WHERE o.who = s.who) AS reports_before,
    max(f.unreadable) FILTER (WHERE NOT s.is_now) AS unreadable_before,
    max(f.unreadable) FILTER (WHERE s.is_now) AS unreadable_after,
    max(j.assessed) FILTER (WHERE NOT s.is_now) AS assessed_before,
    max(j.assessed) FILTER (WHERE s.is_now) AS assessed_after,
    max(j.failed) FILTER (WHERE NOT s.is_now) AS failed_before,
    max(j.failed) FILTER (WHERE s.is_now) AS failed_after
FROM (SELECT DISTINCT who, is_now FROM side) AS s
LEFT JOIN figure AS f USING (who, is_now)
LEFT JOIN judged AS j USING (who, is_now)
GROUP BY who;
