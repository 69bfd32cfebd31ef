-- metric fee_per_capita/1 | per_capita | administrative_fee_amount (10,000 yuan) * 10,000 / population | Administrative fees per inhabitant, yuan | 人均行政事业性收费（元）
-- source: domain.md 4.2. Consolidated reports of governments and their offices only, and only where the table population has the district and
-- year. Only where the report states the unit 万元.
CREATE OR REPLACE VIEW metrics.fee_per_capita AS
SELECT f.district_code, district, publisher_id, publisher, kind, f.year, scope, report_id,
    'fee_per_capita' AS metric, 1 AS version, 'per_capita' AS formula,
    administrative_fee_amount AS numerator,
    p.population AS denominator,
    10000 AS factor,
    ['administrative_fee_amount'] AS cells,
    missing, doubtful,
    coalesce(
        no_area(scope, kind),
        CASE WHEN administrative_fee_amount_unit <> '10k_cny' THEN 'administrative_fee_amount: unit is ' || administrative_fee_amount_unit END,
        no_population(administrative_fee_amount, p.population, f.district_code, f.year)
    ) AS obstacle
FROM report_figures AS f LEFT JOIN population AS p ON p.district_code = f.district_code AND p.year = f.year
WHERE f.is_current;
