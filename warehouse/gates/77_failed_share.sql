-- message: more of the accounting identities fail
-- compares: published
-- bound: 0.02
-- In points of the share; as identities_share.
SELECT who AS measure, failed_before AS before, failed_after AS after,
    after <= before + getvariable('bound') + 3 * sqrt(expected * (1 - expected) / reports) * is_new AS passed
FROM (FROM temp.shares SELECT *, (failed_before * reports_before + 1) / (reports_before + 2) AS expected) WHERE failed_before IS NOT NULL AND failed_after IS NOT NULL
