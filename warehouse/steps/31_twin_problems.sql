-- One report at two addresses, with the same figures: what is wrong with it is told once, of the current one.
UPDATE problem SET is_open = false
FROM report AS twin
JOIN report AS current
    ON current.publisher_id = twin.publisher_id AND current.year = twin.year AND current.scope = twin.scope
    AND current.version = twin.version AND current.is_current AND NOT twin.is_current
WHERE problem.is_open AND problem.document_sha256 = twin.document_sha256 AND problem.publisher_id = twin.publisher_id
    AND EXISTS (
        FROM problem AS told
        WHERE told.is_open AND told.publisher_id = current.publisher_id AND told.document_sha256 = current.document_sha256
            AND told.kind = problem.kind AND told.message = problem.message
    );
