-- What the metrics share: views of the schema `metrics` say what a metric is made of, 60_metric.sql computes it. They read report_figures, not
-- panel_wide, which is the same but one view more to plan for each of them: half the time of a query.
CREATE SCHEMA IF NOT EXISTS metrics;

-- Which of `cells` have no figure, and why: 'granted: blank; processed_total: absent'. `missing` is that of report_figures.
CREATE OR REPLACE MACRO missing_cells(cells, missing) AS
    array_to_string(list_transform(list_filter(cells, lambda c: missing[c] IS NOT NULL), lambda c: c || ': ' || missing[c]), '; ');

-- Which of `cells` fail an identity of their report, and which identities; NULL where none does. `doubtful` is that of report_figures.
CREATE OR REPLACE MACRO doubtful_cells(cells, doubtful) AS nullif(
    array_to_string(list_transform(list_filter(cells, lambda c: doubtful[c] IS NOT NULL), lambda c: c || ' fails ' || doubtful[c]), '; '), ''
);

-- Centre and half width of the Wilson score interval at 95 % (Wilson 1927): z = 1.959963984540054; the constants are z, z^2, z^2/2, z^2/4.
CREATE OR REPLACE MACRO wilson_centre(p, n) AS (p + 1.920729410347062 / n) / (1 + 3.841458820694124 / n);
CREATE OR REPLACE MACRO wilson_half(p, n) AS
    1.959963984540054 * sqrt(p * (1 - p) / n + 0.960364705173531 / (n * n)) / (1 + 3.841458820694124 / n);

-- The eight grounds of （三）不予公开, in the order of the form.
CREATE OR REPLACE VIEW metrics.ground AS
FROM (VALUES (1, 'state_secret'), (2, 'prohibited_by_law'), (3, 'security_stability'), (4, 'third_party'), (5, 'internal_affairs'),
    (6, 'process'), (7, 'enforcement_file'), (8, 'administrative_query')) AS g(ground_no, ground);

-- Why a figure can't be held against a population: its report is not that of a whole area, or the population is not known.
CREATE OR REPLACE MACRO no_area(scope, kind) AS CASE
    WHEN scope <> 'consolidated' THEN 'scope is ' || scope || ', not consolidated'
    WHEN kind IS NULL OR kind NOT IN ('government', 'office') THEN 'not the report of a whole area'
END;
CREATE OR REPLACE MACRO no_population(figure, population, district_code, year) AS
    CASE WHEN figure IS NOT NULL AND population IS NULL THEN 'no population of ' || district_code || ' for ' || year END;
