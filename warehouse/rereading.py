"""A document that is read again: what it read as before, so that a better reading is not taken for a revision by its publisher."""

from __future__ import annotations

import duckdb


def remember(con: duckdb.DuckDBPyConnection) -> None:
    """Keep what was read from the documents of temp.replaced: temp.parse_before and, cell by cell, temp.reading_before.

    To be called before these rows are deleted; the step reading_change compares them with what stands there afterwards.
    Raises duckdb.Error.
    """
    con.execute(
        """CREATE OR REPLACE TEMP TABLE parse_before AS
        SELECT publisher_id, document_sha256, parser_version FROM parse SEMI JOIN temp.replaced USING (publisher_id, document_sha256)"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE reading_before AS
        SELECT o.report_id, r.publisher_id, r.document_sha256, section, indicator, applicant, value, raw_text, value_status, unit
        FROM observation AS o JOIN report AS r USING (report_id) SEMI JOIN temp.parse_before USING (publisher_id, document_sha256)"""
    )
