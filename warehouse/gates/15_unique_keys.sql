-- message: a key of a table without primary key stands more than once
-- accept: never
SELECT 'parse' AS relation, publisher_id || ' ' || document_sha256 AS key FROM parse GROUP BY ALL HAVING count(*) > 1
UNION ALL SELECT 'document', url FROM document GROUP BY ALL HAVING count(*) > 1
UNION ALL SELECT 'sighting', publisher_id || ' ' || url FROM sighting GROUP BY ALL HAVING count(*) > 1
UNION ALL SELECT 'source_state', publisher_id FROM source_state GROUP BY ALL HAVING count(*) > 1
UNION ALL SELECT 'narrative', report_id || ' ' || section_no FROM narrative GROUP BY ALL HAVING count(*) > 1
UNION ALL SELECT 'unmapped_cell', concat_ws(' ', report_id, table_no, row_no, col_no) FROM unmapped_cell
GROUP BY ALL HAVING count(*) > 1
UNION ALL SELECT 'claim', report_id || ' ' || claim_no FROM claim GROUP BY ALL HAVING count(*) > 1
UNION ALL SELECT 'proof', concat_ws(' ', report_id, indicator, applicant) FROM proof GROUP BY ALL HAVING count(*) > 1
UNION ALL SELECT 'report', concat_ws(' ', publisher_id, document_sha256, year) FROM report
GROUP BY publisher_id, document_sha256, year HAVING count(*) > 1
