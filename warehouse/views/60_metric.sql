-- Every metric of every current report, one row each. The views of the schema `metrics` say what each is made of; here it is computed, in one
-- way for all (warehouse/metrics.py puts the views in place of the mark). Ask for one metric at a time: WHERE metric = 'disclosure_rate_broad'.
CREATE OR REPLACE VIEW metric AS
WITH part AS (
/* all metrics */
),
judged AS (
    SELECT *, CASE
        WHEN obstacle IS NOT NULL THEN obstacle
        WHEN numerator IS NULL OR (denominator IS NULL AND formula <> 'days') THEN missing_cells(cells, missing)
        WHEN formula = 'days' THEN NULL
        WHEN denominator = 0 THEN 'denominator is 0'
        WHEN denominator < 0 THEN 'denominator is negative'
        WHEN numerator < 0 THEN 'numerator is negative'
        WHEN formula = 'rate' AND numerator > denominator THEN 'numerator exceeds denominator'
    END AS reason
    FROM part
),
computed AS (
    SELECT *,
        CASE WHEN reason IS NOT NULL THEN NULL WHEN formula = 'days' THEN numerator::DOUBLE
            ELSE numerator::DOUBLE * factor / denominator::DOUBLE END AS value,
        CASE WHEN reason IS NULL AND formula IN ('rate', 'ratio') THEN denominator::BIGINT END AS n,
        CASE WHEN reason IS NULL AND formula = 'rate' THEN wilson_centre(numerator::DOUBLE / denominator::DOUBLE, denominator::DOUBLE) END AS centre,
        CASE WHEN reason IS NULL AND formula = 'rate' THEN wilson_half(numerator::DOUBLE / denominator::DOUBLE, denominator::DOUBLE) END AS half
    FROM judged
)
SELECT
    district_code, district, publisher_id, publisher, kind, year, scope, report_id,
    metric, metric || '/' || version AS definition,
    value,
    CASE WHEN formula <> 'days' THEN numerator::DECIMAL(18, 4) END AS numerator,
    denominator::DECIMAL(18, 4) AS denominator,
    n,
    CASE WHEN half IS NOT NULL THEN greatest(centre - half, 0) END AS low,
    CASE WHEN half IS NOT NULL THEN least(centre + half, 1) END AS high,
    reason,
    doubtful_cells(cells, doubtful) AS caution
FROM computed;

CREATE OR REPLACE VIEW metric_definition AS
FROM (VALUES
/* all definitions */
) AS d(metric, definition, kind, formula, label_en, label_zh, note, view_name);
