-- In slices.
-- Figures side by side, one row per report version. A cell without a value says why in `missing`: blank, not_applicable, unreadable (as in
-- value_status), absent (the row was not found in the printed table), not_in_form (the printed form has no such cell) or no_table (the report
-- has no such table). Nothing is summed here. `doubtful` names the identities that a cell fails.
CREATE OR REPLACE TEMP TABLE piece AS SELECT report_id FROM temp.fresh WHERE slice_no = getvariable('slice');
CREATE OR REPLACE TEMP TABLE figure AS
SELECT o.report_id, c.section, c.cell, o.format, o.value, o.value_status
FROM observation AS o
SEMI JOIN piece AS f ON f.report_id = o.report_id
JOIN form_cell AS c ON c.indicator = o.indicator AND c.applicant = coalesce(o.applicant::VARCHAR, 'total');
INSERT INTO report_figures BY NAME
WITH wide AS (
    PIVOT (SELECT report_id, cell, value FROM figure)
    ON cell IN (
        'regulation_issued', 'regulation_repealed', 'regulation_in_force',
        'normative_document_issued', 'normative_document_repealed', 'normative_document_in_force',
        'regulation_made', 'regulation_disclosed', 'regulation_disclosed_total',
        'normative_document_made', 'normative_document_disclosed', 'normative_document_disclosed_total',
        'administrative_license_items_previous', 'administrative_license_items_change', 'administrative_license_decisions',
        'other_external_service_items_previous', 'other_external_service_items_change', 'other_external_service_decisions',
        'administrative_penalty_items_previous', 'administrative_penalty_items_change', 'administrative_penalty_decisions',
        'administrative_coercion_items_previous', 'administrative_coercion_items_change', 'administrative_coercion_decisions',
        'administrative_fee_items_previous', 'administrative_fee_items_change', 'administrative_fee_amount',
        'government_procurement_projects', 'government_procurement_amount', 'new_received',
        'new_received_natural_person', 'new_received_business', 'new_received_research_institution',
        'new_received_public_interest_organization', 'new_received_legal_service', 'new_received_other_organization',
        'carried_in', 'carried_in_natural_person', 'carried_in_business',
        'carried_in_research_institution', 'carried_in_public_interest_organization', 'carried_in_legal_service',
        'carried_in_other_organization', 'granted', 'partially_granted',
        'denied_state_secret', 'denied_prohibited_by_law', 'denied_security_stability',
        'denied_third_party', 'denied_internal_affairs', 'denied_process',
        'denied_enforcement_file', 'denied_administrative_query', 'unavailable_not_held',
        'unavailable_needs_creation', 'unavailable_unclear', 'not_processed_petition',
        'not_processed_repeat', 'not_processed_publication', 'not_processed_excessive',
        'not_processed_confirmation', 'other_no_correction', 'other_fee_unpaid',
        'other_other', 'other_total', 'processed_total',
        'processed_total_natural_person', 'processed_total_business', 'processed_total_research_institution',
        'processed_total_public_interest_organization', 'processed_total_legal_service', 'processed_total_other_organization',
        'carried_out', 'carried_out_natural_person', 'carried_out_business',
        'carried_out_research_institution', 'carried_out_public_interest_organization', 'carried_out_legal_service',
        'carried_out_other_organization', 'reconsideration_upheld', 'reconsideration_corrected',
        'reconsideration_other', 'reconsideration_pending', 'reconsideration_total',
        'litigation_direct_upheld', 'litigation_direct_corrected', 'litigation_direct_other',
        'litigation_direct_pending', 'litigation_direct_total', 'litigation_after_reconsideration_upheld',
        'litigation_after_reconsideration_corrected', 'litigation_after_reconsideration_other', 'litigation_after_reconsideration_pending',
        'litigation_after_reconsideration_total'
    )
    USING max(value)
    GROUP BY report_id
),
printed AS (
    SELECT
        report_id,
        section,
        any_value(format) AS format,
        list(cell) AS cells,
        list({'key': cell, 'value': value_status::VARCHAR}) FILTER (value_status <> 'reported') AS unreported
    FROM figure GROUP BY ALL
),
form AS (SELECT section, list({'cell': cell, 'format_2019': format_2019, 'format_2021': format_2021}) AS cells FROM form_cell GROUP BY section),
gap AS (
    SELECT
        r.report_id,
        form.section,
        printed.format,
        list_concat(
            coalesce(printed.unreported, []),
            list_transform(
                list_filter(form.cells, lambda c: NOT coalesce(list_contains(printed.cells, c.cell), false)),
                lambda c: {
                    'key': c.cell,
                    'value': CASE
                        WHEN printed.format IS NULL THEN 'no_table'
                        WHEN (printed.format = 2019 AND NOT c.format_2019) OR (printed.format = 2021 AND NOT c.format_2021) THEN 'not_in_form'
                        ELSE 'absent'
                    END
                }
            )
        ) AS missing
    FROM piece AS r CROSS JOIN form LEFT JOIN printed ON printed.report_id = r.report_id AND printed.section = form.section
),
gaps AS (
    SELECT
        report_id,
        map_from_entries(list_sort(flatten(list(missing)))) AS missing,
        max(format) FILTER (section = 'proactive') AS proactive_format,
        max(format) FILTER (section = 'requests') AS requests_format,
        max(format) FILTER (section = 'litigation') AS litigation_format
    FROM gap GROUP BY report_id
),
checks AS (
    SELECT report_id, count(passed) AS checks_assessed, count_if(passed) AS checks_passed
    FROM check_result SEMI JOIN piece USING (report_id)
    WHERE NOT soft AND split_part(check_id, '.', 1) IN ('R1', 'R2', 'R3', 'R4')
    GROUP BY report_id
),
units AS (
    SELECT
        report_id,
        max(unit) FILTER (indicator = 'administrative_fee_amount') AS administrative_fee_amount_unit,
        max(unit) FILTER (indicator = 'government_procurement_amount') AS government_procurement_amount_unit
    FROM observation SEMI JOIN piece USING (report_id)
    WHERE indicator IN ('administrative_fee_amount', 'government_procurement_amount')
    GROUP BY report_id
),
failed AS (
    SELECT f.report_id, c.cell, string_agg(DISTINCT f.check_id, ', ' ORDER BY f.check_id) AS checks
    FROM (
        SELECT report_id, check_id, coalesce(applicant::VARCHAR, 'total') AS applicant
        FROM check_result SEMI JOIN piece USING (report_id)
        WHERE NOT passed AND NOT soft
    ) AS f
    JOIN form_cell AS c
        ON (
            f.check_id = 'R1' AND c.applicant = f.applicant
            AND c.indicator IN ('new_received', 'carried_in', 'processed_total', 'carried_out')
        )
        OR f.check_id = 'R2.' || c.indicator
        OR (
            f.check_id = 'R3' AND c.section = 'requests' AND c.applicant = f.applicant
            AND c.indicator NOT IN ('new_received', 'carried_in', 'carried_out')
        )
        OR (starts_with(f.check_id, 'R4.') AND c.section = 'litigation' AND starts_with(c.indicator, f.check_id[4:] || '_'))
    GROUP BY ALL
),
doubts AS (SELECT report_id, map_from_entries(list({'key': cell, 'value': checks} ORDER BY cell)) AS doubtful FROM failed GROUP BY report_id)
SELECT
    wide.* EXCLUDE (report_id),
    about.*,
    gaps.* EXCLUDE (report_id),
    units.* EXCLUDE (report_id),
    coalesce(checks.checks_assessed, 0) AS checks_assessed,
    coalesce(checks.checks_passed, 0) AS checks_passed,
    coalesce(doubts.doubtful, MAP {}::MAP(VARCHAR, VARCHAR)) AS doubtful
FROM about
SEMI JOIN piece USING (report_id)
JOIN gaps USING (report_id)
LEFT JOIN wide USING (report_id)
LEFT JOIN units USING (report_id)
LEFT JOIN checks USING (report_id)
LEFT JOIN doubts USING (report_id)
ORDER BY about.scope, about.year, about.district_code, about.publisher_id;
DROP TABLE figure;
