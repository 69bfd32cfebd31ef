-- message: more of the figures are unreadable
-- compares: published
-- bound: 0.02
-- In points of the share; as identities_share.
SELECT who AS measure, unreadable_before AS before, unreadable_after AS after,
    after <= before + getvariable('bound') + 3 * sqrt(expected * (1 - expected) / reports) * is_new AS passed
FROM (FROM temp.shares SELECT *, (unreadable_before * reports_before + 1) / (reports_before + 2) AS expected) WHERE unreadable_before IS NOT NULL AND unreadable_after IS NOT NULL
