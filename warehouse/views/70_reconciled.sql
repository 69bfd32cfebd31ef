-- The value that the identities of a table prove for one of its cells (transform/reconcile.py), beside what is printed.
CREATE OR REPLACE VIEW reconciled AS
SELECT
    r.report_id,
    r.publisher_id,
    r.district_code,
    r.year,
    r.scope,
    r.is_current,
    o.section,
    p.indicator,
    p.applicant,
    o.value AS printed_value,
    o.value_status,
    o.raw_text,
    p.proved_value AS reconciled_value,
    p.proved_value - o.value AS difference,
    p.rules AS rule,
    CASE WHEN o.value IS NOT NULL THEN p.rules END AS explains,
    CASE WHEN o.value IS NOT NULL THEN 'misprint' ELSE 'missing' END AS finding,
    CASE WHEN o.value IS NOT NULL THEN (
        SELECT CASE WHEN bool_and(c.cause = 'publisher') THEN 'publisher' ELSE 'unknown' END
        FROM check_result AS c
        WHERE c.report_id = p.report_id AND list_contains(string_split(p.rules, ', '), concat_ws('/', c.check_id, c.applicant))
    ) END::cause_enum AS cause
FROM proof AS p
JOIN report AS r USING (report_id)
JOIN observation AS o
    ON o.report_id = p.report_id AND o.indicator = p.indicator AND o.applicant IS NOT DISTINCT FROM p.applicant;
