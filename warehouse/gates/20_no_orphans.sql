-- message: a row points at a row that is not there
-- accept: never
SELECT DISTINCT 'observation' AS relation, report_id AS key FROM observation ANTI JOIN report USING (report_id)
UNION ALL SELECT DISTINCT 'check_result' AS relation, report_id AS key FROM check_result ANTI JOIN report USING (report_id)
UNION ALL SELECT DISTINCT 'narrative' AS relation, report_id AS key FROM narrative ANTI JOIN report USING (report_id)
UNION ALL SELECT DISTINCT 'narrative' AS relation, block_no::VARCHAR AS key FROM narrative ANTI JOIN narrative_block USING (block_no)
WHERE block_no <> 0
UNION ALL SELECT DISTINCT 'unmapped_cell' AS relation, report_id AS key FROM unmapped_cell ANTI JOIN report USING (report_id)
UNION ALL SELECT DISTINCT 'claim' AS relation, report_id AS key FROM claim ANTI JOIN report USING (report_id)
UNION ALL SELECT DISTINCT 'proof' AS relation, report_id AS key FROM proof ANTI JOIN report USING (report_id)
UNION ALL SELECT DISTINCT 'report' AS relation, publisher_id AS key FROM report ANTI JOIN publisher USING (publisher_id)
UNION ALL SELECT DISTINCT 'report' AS relation, district_code AS key FROM report ANTI JOIN district USING (district_code)
UNION ALL SELECT DISTINCT 'publisher' AS relation, district_code AS key FROM publisher ANTI JOIN district USING (district_code)
