-- message: fewer of the accounting identities could be assessed
-- compares: published
-- bound: 0.02
-- In points of the share. New documents are compared with all that stood there of their form and medium, and may differ from it by chance:
-- three standard errors of as many reports. Documents read again are compared with themselves.
SELECT who AS measure, assessed_before AS before, assessed_after AS after,
    after >= before - getvariable('bound') - 3 * sqrt(before * (1 - before) / reports) * is_new AS passed
FROM temp.shares WHERE assessed_before IS NOT NULL AND assessed_after IS NOT NULL
