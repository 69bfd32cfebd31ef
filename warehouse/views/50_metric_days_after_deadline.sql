-- metric days_after_deadline/1 | days | published_on - deadline | Days from the deadline to publication; negative is early | 公布日期距法定期限天数
-- source: Art. 49 (State Council Decree 711), from the reports on 2019: departments by 31 January; the report of a government, published by its
-- office, by 31 March. Before (Decree 492): 31 March for everybody. Art. 49 names no date for towns and other bodies.
CREATE OR REPLACE VIEW metrics.days_after_deadline AS
WITH dated AS (
    SELECT *, CASE
        WHEN year < 2019 OR kind = 'government' OR (kind = 'office' AND scope IN ('level', 'consolidated')) THEN make_date(year + 1, 3, 31)
        WHEN kind = 'department' OR (kind = 'office' AND scope = 'own') THEN make_date(year + 1, 1, 31)
    END AS deadline
    FROM report_figures WHERE is_current
)
SELECT district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    'days_after_deadline' AS metric, 1 AS version, 'days' AS formula,
    date_diff('day', deadline, published_on) AS numerator,
    NULL AS denominator,
    1 AS factor,
    [] AS cells,
    missing, doubtful,
    CASE
        WHEN published_on IS NULL THEN 'the page states no date'
        WHEN deadline IS NULL AND kind = 'office' THEN 'scope is unknown: the report of the office or of its government'
        WHEN deadline IS NULL THEN 'Art. 49 names no date for a body of kind ' || coalesce(kind::VARCHAR, 'unknown')
    END AS obstacle
FROM dated;
