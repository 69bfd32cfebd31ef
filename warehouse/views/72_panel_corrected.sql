-- panel with what an accepted correction and the identities offer beside the printed value. A correction, argued by a person, goes before a
-- proof; a dropped figure has no final value.
CREATE OR REPLACE VIEW panel_corrected AS
SELECT
    p.*,
    q.proved_value AS reconciled_value,
    q.rules AS reconciled_rule,
    c.corrected_value,
    c.corrected_status,
    c.correction_id,
    CASE WHEN c.correction_id IS NOT NULL THEN c.corrected_value ELSE coalesce(q.proved_value, p.value) END AS final_value,
    CASE WHEN c.correction_id IS NOT NULL THEN 'correction' WHEN q.report_id IS NOT NULL THEN 'reconciled' ELSE 'printed' END AS final_source
FROM panel AS p
LEFT JOIN proof AS q
    ON q.report_id = p.report_id AND q.indicator = p.indicator AND q.applicant IS NOT DISTINCT FROM p.applicant
LEFT JOIN correction AS c
    ON c.outcome = 'applied' AND c.report_id = p.report_id AND c.indicator = p.indicator AND c.applicant IS NOT DISTINCT FROM p.applicant;
