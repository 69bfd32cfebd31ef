-- message: the file has not as many rows as the parts brought
-- accept: never
WITH document AS (SELECT publisher_id, document_sha256 FROM temp.replaced),
held AS (
    SELECT 'parse' AS relation, count(*) AS rows FROM parse SEMI JOIN document USING (publisher_id, document_sha256)
    UNION ALL SELECT 'report', count(*) FROM report SEMI JOIN document USING (publisher_id, document_sha256)
    UNION ALL SELECT 'problem', count(*) FROM problem SEMI JOIN document USING (publisher_id, document_sha256) WHERE origin = 'document'
    UNION ALL SELECT 'observation', count(*) FROM observation SEMI JOIN temp.judged USING (report_id)
    UNION ALL SELECT 'check_result', count(*) FROM check_result SEMI JOIN temp.judged USING (report_id)
    UNION ALL SELECT 'narrative', count(*) FROM narrative SEMI JOIN temp.judged USING (report_id)
    UNION ALL SELECT 'unmapped_cell', count(*) FROM unmapped_cell SEMI JOIN temp.judged USING (report_id)
    UNION ALL SELECT 'claim', count(*) FROM claim SEMI JOIN temp.judged USING (report_id)
    UNION ALL SELECT 'proof', count(*) FROM proof SEMI JOIN temp.judged USING (report_id)
)
SELECT relation, held.rows AS held, brought.rows AS brought FROM held JOIN temp.brought USING (relation) WHERE held.rows <> brought.rows
