-- In slices.
-- Identities across years (domain.md 1.7), for every report and the one before it of the same publisher and scope:
--   R5 for every applicant: carried in = carried out the year before
--   R6 for regulations and normative documents (2021 form): in force = in force the year before + issued - repealed
--   R7 for five kinds of items (2019 form): items of the previous year + change, both the year before = items of the previous year
--   R7 within a year: newly disclosed <= disclosed in total
-- All are soft: expiry, clean-ups and mergers break them lawfully. `gap` says why one does not hold or can't be assessed: missing_year (the
-- report before is not that of the year before: never compared), form_change (the two forms do not print the same cells), restated (with an
-- older version of one of the two reports it holds), unexplained; NULL with a reason where a cell is no number.
-- Made for the publishers of which a report changed (step 55), the rows of the others stand.
INSERT INTO cross_year_check (
    report_id, check_id, applicant, left_value, right_value, difference, passed, cause, soft, publisher_id, scope, year_from, year_to,
    report_id_from, gap, reason
)
WITH member AS (SELECT publisher_id FROM temp.slice WHERE slice_no = getvariable('slice')),
figures AS (FROM report_figures SEMI JOIN member USING (publisher_id)),
consecutive AS (
    SELECT publisher_id, scope, year AS year_to, lag(year) OVER (PARTITION BY publisher_id, scope ORDER BY year) AS year_from
    FROM figures WHERE is_current
),
paired AS (
    SELECT
        c.report_id, p.report_id AS report_id_from, c.publisher_id, c.scope, k.year_from, k.year_to,
        c.is_current AND p.is_current AS both_current,
        c.format = 2014 OR p.format = 2014 AS has_annex,
        unnest([
            {'family': 'R5', 'what': NULL, 'applicant': 'natural_person', 'left': c.carried_in_natural_person, 'right': p.carried_out_natural_person},
            {'family': 'R5', 'what': NULL, 'applicant': 'business', 'left': c.carried_in_business, 'right': p.carried_out_business},
            {'family': 'R5', 'what': NULL, 'applicant': 'research_institution', 'left': c.carried_in_research_institution, 'right': p.carried_out_research_institution},
            {'family': 'R5', 'what': NULL, 'applicant': 'public_interest_organization', 'left': c.carried_in_public_interest_organization, 'right': p.carried_out_public_interest_organization},
            {'family': 'R5', 'what': NULL, 'applicant': 'legal_service', 'left': c.carried_in_legal_service, 'right': p.carried_out_legal_service},
            {'family': 'R5', 'what': NULL, 'applicant': 'other_organization', 'left': c.carried_in_other_organization, 'right': p.carried_out_other_organization},
            {'family': 'R5', 'what': NULL, 'applicant': 'total', 'left': c.carried_in, 'right': p.carried_out},
            {'family': 'R6', 'what': 'regulation', 'applicant': NULL, 'left': c.regulation_in_force,
                'right': p.regulation_in_force + c.regulation_issued - c.regulation_repealed},
            {'family': 'R6', 'what': 'normative_document', 'applicant': NULL, 'left': c.normative_document_in_force,
                'right': p.normative_document_in_force + c.normative_document_issued - c.normative_document_repealed},
            {'family': 'R7', 'what': 'administrative_license', 'applicant': NULL,
                'left': p.administrative_license_items_previous + p.administrative_license_items_change, 'right': c.administrative_license_items_previous},
            {'family': 'R7', 'what': 'other_external_service', 'applicant': NULL,
                'left': p.other_external_service_items_previous + p.other_external_service_items_change, 'right': c.other_external_service_items_previous},
            {'family': 'R7', 'what': 'administrative_penalty', 'applicant': NULL,
                'left': p.administrative_penalty_items_previous + p.administrative_penalty_items_change, 'right': c.administrative_penalty_items_previous},
            {'family': 'R7', 'what': 'administrative_coercion', 'applicant': NULL,
                'left': p.administrative_coercion_items_previous + p.administrative_coercion_items_change, 'right': c.administrative_coercion_items_previous},
            {'family': 'R7', 'what': 'administrative_fee', 'applicant': NULL,
                'left': p.administrative_fee_items_previous + p.administrative_fee_items_change, 'right': c.administrative_fee_items_previous}
        ], recursive := true)
    FROM consecutive AS k
    JOIN figures AS c ON c.publisher_id = k.publisher_id AND c.scope = k.scope AND c.year = k.year_to
    JOIN figures AS p ON p.publisher_id = k.publisher_id AND p.scope = k.scope AND p.year = k.year_from
),
-- The cells of both reports that an identity is made of.
identity AS (
    SELECT
        *,
        concat_ws('.', family, what) AS check_id,
        CASE family
            WHEN 'R5' THEN [concat_ws('_', 'carried_in', nullif(applicant, 'total'))]
            WHEN 'R6' THEN [what || '_in_force', what || '_issued', what || '_repealed']
            ELSE [what || '_items_previous']
        END AS now,
        CASE family
            WHEN 'R5' THEN [concat_ws('_', 'carried_out', nullif(applicant, 'total'))]
            WHEN 'R6' THEN [what || '_in_force']
            ELSE [what || '_items_previous', what || '_items_change']
        END AS before
    FROM paired
),
judged AS (
    SELECT *, year_from = year_to - 1 AS is_consecutive, CASE WHEN year_from = year_to - 1 THEN "left" = "right" END AS passed
    FROM identity WHERE both_current
),
other_version AS (
    SELECT DISTINCT publisher_id, scope, year_to, check_id, applicant FROM identity
    WHERE NOT both_current AND "left" = "right" AND year_from = year_to - 1
),
explained AS (
    SELECT
        j.*,
        v.check_id IS NOT NULL AS has_fitting_version,
        CASE WHEN j.is_consecutive AND j.passed IS NULL THEN concat_ws('; ',
            nullif(j.year_to || ' ' || missing_cells(j.now, c.missing), j.year_to || ' '),
            nullif(j.year_from || ' ' || missing_cells(j.before, p.missing), j.year_from || ' ')
        ) END AS gaps
    FROM judged AS j
    LEFT JOIN figures AS c ON j.passed IS NULL AND c.report_id = j.report_id
    LEFT JOIN figures AS p ON j.passed IS NULL AND p.report_id = j.report_id_from
    LEFT JOIN other_version AS v
        ON NOT j.passed AND v.publisher_id = j.publisher_id AND v.scope = j.scope AND v.year_to = j.year_to AND v.check_id = j.check_id
        AND coalesce(v.applicant, '') = coalesce(j.applicant, '')
)
SELECT
    report_id, check_id, applicant,
    CASE WHEN is_consecutive THEN "left" END AS left_value,
    CASE WHEN is_consecutive THEN "right" END AS right_value,
    CASE WHEN is_consecutive THEN "left" - "right" END AS difference,
    passed,
    CASE WHEN NOT passed THEN 'unknown' END::cause_enum AS cause,
    true AS soft,
    publisher_id, scope, year_from, year_to, report_id_from,
    CASE
        WHEN passed THEN NULL
        WHEN NOT is_consecutive THEN 'missing_year'
        WHEN NOT passed AND has_fitting_version THEN 'restated'
        WHEN NOT passed THEN 'unexplained'
        WHEN contains(gaps, 'not_in_form') OR (has_annex AND contains(gaps, 'no_table')) THEN 'form_change'
    END AS gap,
    CASE
        WHEN NOT is_consecutive THEN 'no report on ' || (year_to - 1)
        WHEN passed IS NULL THEN gaps
    END AS reason
FROM explained
UNION ALL
SELECT
    report_id, 'R7.' || what || '_disclosed', NULL, disclosed, disclosed_total, disclosed - disclosed_total, disclosed <= disclosed_total,
    CASE WHEN disclosed > disclosed_total THEN 'unknown' END::cause_enum, true,
    publisher_id, scope, year, year, report_id,
    CASE WHEN disclosed > disclosed_total THEN 'unexplained' END,
    CASE WHEN disclosed IS NULL OR disclosed_total IS NULL
        THEN missing_cells([what || '_disclosed', what || '_disclosed_total'], missing) END
FROM (
    SELECT *, unnest([
        {'what': 'regulation', 'disclosed': regulation_disclosed, 'disclosed_total': regulation_disclosed_total},
        {'what': 'normative_document', 'disclosed': normative_document_disclosed, 'disclosed_total': normative_document_disclosed_total}
    ], recursive := true)
    FROM figures WHERE is_current AND proactive_format = 2019
)
ORDER BY check_id, scope, year_to, publisher_id;
