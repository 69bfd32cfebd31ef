-- message: more of the figures are unreadable
-- compares: published
-- bound: 0.02
-- In points of the share; as identities_share.
SELECT who AS measure, unreadable_before AS before, unreadable_after AS after,
    after <= before + getvariable('bound') + 3 * sqrt(before * (1 - before) / reports) * is_new AS passed
FROM temp.shares WHERE unreadable_before IS NOT NULL AND unreadable_after IS NOT NULL
