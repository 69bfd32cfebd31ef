-- Every address a report was seen at, one row for each: a report that lies at several addresses is one report, also where the page around it
-- differs (a twin for telephones, a big5 gate, a copy in another column), as long as its title and figures are the same. `report_id` is the
-- current report of the version, or the one that came first. first_seen and last_seen: when the address held it.
CREATE OR REPLACE VIEW report_address AS
WITH told AS (
    SELECT
        report_id, url, fetched_at,
        first_value(report_id) OVER (
            PARTITION BY publisher_id, year, scope, version ORDER BY is_current DESC, fetched_at, report_id
        ) AS stands_for
    FROM report
),
seen AS (
    SELECT t.stands_for, s.url, s.valid_from AS first_seen, coalesce(s.last_seen, s.valid_from) AS last_seen
    FROM told AS t JOIN report_stretch AS s USING (report_id)
    UNION ALL
    SELECT t.stands_for, t.url, t.fetched_at, t.fetched_at
    FROM told AS t ANTI JOIN report_stretch AS s ON s.report_id = t.report_id AND s.url = t.url
)
SELECT stands_for AS report_id, url, min(first_seen) AS first_seen, max(last_seen) AS last_seen
FROM seen
GROUP BY ALL;
