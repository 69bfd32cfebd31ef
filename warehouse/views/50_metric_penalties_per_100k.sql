-- metric penalties_per_100k/1 | per_capita | administrative_penalty_decisions * 100,000 / population | Administrative penalty decisions per 100,000 inhabitants | 每十万人行政处罚决定数
-- source: domain.md 4.2. Consolidated reports of governments and their offices only, and only where the table population has the district and
-- year.
CREATE OR REPLACE VIEW metrics.penalties_per_100k AS
SELECT f.district_code, district, publisher_id, publisher, kind, f.year, scope, report_id,
    'penalties_per_100k' AS metric, 1 AS version, 'per_capita' AS formula,
    administrative_penalty_decisions AS numerator,
    p.population AS denominator,
    100000 AS factor,
    ['administrative_penalty_decisions'] AS cells,
    missing, doubtful,
    coalesce(no_area(scope, kind), no_population(administrative_penalty_decisions, p.population, f.district_code, f.year)) AS obstacle
FROM report_figures AS f LEFT JOIN population AS p ON p.district_code = f.district_code AND p.year = f.year
WHERE f.is_current;
