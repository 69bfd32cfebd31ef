-- metric requests_per_100k/1 | per_capita | new_received * 100,000 / population | New requests per 100,000 inhabitants | 每十万人新收申请数
-- source: domain.md 4.2. Consolidated reports of governments and their offices only, and only where the table population has the district and
-- year.
CREATE OR REPLACE VIEW metrics.requests_per_100k AS
SELECT f.district_code, district, publisher_id, publisher, kind, f.year, scope, report_id,
    'requests_per_100k' AS metric, 1 AS version, 'per_capita' AS formula,
    new_received AS numerator,
    p.population AS denominator,
    100000 AS factor,
    ['new_received'] AS cells,
    missing, doubtful,
    coalesce(no_area(scope, kind), no_population(new_received, p.population, f.district_code, f.year)) AS obstacle
FROM report_figures AS f LEFT JOIN population AS p ON p.district_code = f.district_code AND p.year = f.year
WHERE f.is_current;
