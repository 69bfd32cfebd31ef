-- message: a publisher's year and scope has not exactly one current report, or its versions are not numbered from 1
-- accept: never
SELECT publisher_id, year, scope FROM report GROUP BY ALL
HAVING count(*) FILTER (WHERE is_current) <> 1 OR max(version) <> count(DISTINCT version) OR min(version) <> 1
