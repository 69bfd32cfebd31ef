-- message: a report of the published file is gone, and its document was not read again
-- compares: published
SELECT report_id FROM previous.report ANTI JOIN report USING (report_id)
WHERE (publisher_id, document_sha256) NOT IN (SELECT (publisher_id, document_sha256) FROM temp.replaced)
