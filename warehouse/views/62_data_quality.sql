-- How good the reports are, by year, scope and form of table three (domain.md 4.2): the share of those reports whose identities R1 to R4 all
-- hold, among those of which at least one could be assessed, with its Wilson interval; and the share published in time (Art. 49).
CREATE OR REPLACE VIEW data_quality AS
SELECT
    f.year,
    f.scope,
    f.requests_format AS format,
    count(*) AS reports,
    count_if(f.checks_assessed > 0) AS assessed,
    count_if(f.checks_assessed > 0 AND f.checks_passed = f.checks_assessed) AS passing,
    CASE WHEN assessed > 0 THEN passing / assessed END AS passing_rate,
    CASE WHEN assessed > 0 THEN greatest(0, wilson_centre(passing_rate, assessed) - wilson_half(passing_rate, assessed)) END AS passing_low,
    CASE WHEN assessed > 0 THEN least(1, wilson_centre(passing_rate, assessed) + wilson_half(passing_rate, assessed)) END AS passing_high,
    sum(f.checks_assessed)::BIGINT AS checks_assessed,
    sum(f.checks_passed)::BIGINT AS checks_passed,
    count(t.numerator) AS dated,
    count_if(t.numerator <= 0) AS in_time,
    median(t.numerator) AS median_days_after_deadline
FROM panel_wide AS f LEFT JOIN metrics.days_after_deadline AS t USING (report_id)
GROUP BY ALL;
