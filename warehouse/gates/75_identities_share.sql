-- message: fewer of the accounting identities could be assessed
-- compares: published
-- bound: 0.02
-- In points of the share. New documents are compared with all that stood there of their form and medium, and may differ from it by chance:
-- three standard errors of as many reports, around a share that few earlier reports do not settle: `expected` is that of one success and one
-- failure more (rule of succession), so that a first error in a home of one report is no alarm. Documents read again are compared with themselves.
SELECT who AS measure, assessed_before AS before, assessed_after AS after,
    after >= before - getvariable('bound') - 3 * sqrt(expected * (1 - expected) / reports) * is_new AS passed
FROM (FROM temp.shares SELECT *, (assessed_before * reports_before + 1) / (reports_before + 2) AS expected) WHERE assessed_before IS NOT NULL AND assessed_after IS NOT NULL
