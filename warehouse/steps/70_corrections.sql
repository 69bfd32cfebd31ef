-- Which figure a correction is about. Its locator names a report (any version); it holds for the current version of that publisher, year and
-- scope, as long as that prints what the entry expects.
CREATE OR REPLACE TEMP TABLE located AS
WITH version AS (
    SELECT
        c.correction_id, c.indicator, c.applicant, c.expected_text, c.expected_value,
        v.report_id AS version_id, now.report_id, now.publisher_id, now.year, now.scope, now.url, now.document_sha256
    FROM correction AS c
    LEFT JOIN report AS v
        ON v.report_id = c.located_report_id
        OR (v.publisher_id = c.publisher_id AND v.year = c.year AND v.scope = c.scope
            AND v.document_sha256 = coalesce(c.document_sha256, v.document_sha256) AND (c.document_sha256 IS NOT NULL OR v.is_current))
    LEFT JOIN report AS now ON now.is_current AND now.publisher_id = v.publisher_id AND now.year = v.year AND now.scope = v.scope
),
printed AS MATERIALIZED (
    SELECT report_id, indicator, applicant, raw_text, value
    FROM observation WHERE report_id IN (SELECT report_id FROM version UNION SELECT version_id FROM version)
)
SELECT
    v.correction_id, v.report_id, v.publisher_id, v.year, v.scope, v.url, v.document_sha256,
    o.report_id IS NOT NULL AS is_printed,
    o.raw_text,
    coalesce(
        o.report_id IS NOT NULL
        AND (v.expected_text IS NULL OR o.raw_text = v.expected_text)
        AND (v.expected_value IS NULL OR o.value IS NOT DISTINCT FROM v.expected_value),
        false
    ) AS is_expected,
    EXISTS (
        FROM printed AS old WHERE old.report_id = v.version_id AND old.indicator = v.indicator AND old.applicant IS NOT DISTINCT FROM v.applicant
    ) AS was_printed
FROM version AS v
LEFT JOIN printed AS o ON o.report_id = v.report_id AND o.indicator = v.indicator AND o.applicant IS NOT DISTINCT FROM v.applicant;

UPDATE correction SET
    report_id = located.report_id,
    publisher_id = coalesce(located.publisher_id, correction.publisher_id),
    year = coalesce(located.year, correction.year),
    scope = coalesce(located.scope, correction.scope),
    outcome = CASE
        WHEN status IN ('rejected', 'obsolete') THEN 'inactive'
        WHEN NOT is_printed AND NOT was_printed THEN 'unmatched'
        WHEN NOT is_expected THEN 'obsolete'
        WHEN status = 'proposed' THEN 'pending'
        ELSE 'applied'
    END::correction_outcome_enum
FROM located WHERE located.correction_id = correction.correction_id;

UPDATE correction SET outcome = 'conflict'
WHERE outcome = 'applied' AND (report_id, indicator, coalesce(applicant::VARCHAR, '')) IN (
    SELECT (report_id, indicator, coalesce(applicant::VARCHAR, '')) FROM correction WHERE outcome = 'applied'
    GROUP BY ALL HAVING count(*) > 1
);

INSERT INTO problem BY NAME
SELECT
    (SELECT value FROM meta WHERE key = 'run_id') AS run_id,
    'load' AS stage,
    c.publisher_id,
    located.url,
    c.year,
    'correction_' || c.outcome AS kind,
    format('{}: entry {}: {}/{}: ', c.file, c.correction_id, coalesce(c.report_id, c.located_report_id, concat_ws(' ', c.publisher_id, c.year,
        c.scope)), concat_ws('/', c.indicator, c.applicant))
    || CASE c.outcome
        WHEN 'unmatched' THEN if(c.report_id IS NULL, 'there is no such report', 'the report has no such figure')
        WHEN 'conflict' THEN 'another accepted entry corrects the same figure, so neither is applied'
        ELSE format('expected "{}", ', coalesce(c.expected_text, c.expected_value::VARCHAR))
            || if(is_printed, format('the report now prints "{}"', raw_text), 'the report no longer prints it')
    END AS message,
    if(c.status = 'accepted', 'failure', 'warning')::severity_enum AS severity,
    true AS is_open,
    'derived' AS origin
FROM correction AS c JOIN located USING (correction_id)
WHERE c.outcome IN ('unmatched', 'obsolete', 'conflict');

DROP TABLE located;
