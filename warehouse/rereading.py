"""A document that is read again: what it read as before, so that a better reading is not taken for a revision by its publisher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow

from warehouse.duck import quoted, scratch


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


@dataclass(frozen=True, slots=True)
class Reading:
    """How a document was read: version of the reader, and the layouts of the tables it gave."""

    parser_version: str
    formats: frozenset[int]


def readings(published: Path) -> dict[tuple[str, str], Reading]:
    """(publisher_id, sha256) of every document that was read -> how. Empty without a published file. Raises duckdb.Error."""
    if not published.exists():
        return {}
    with scratch() as con:
        con.execute(f"ATTACH {quoted(published)} AS published (READ_ONLY)")
        rows = con.execute(
            """SELECT p.publisher_id, p.document_sha256, any_value(p.parser_version),
                list(DISTINCT o.format) FILTER (WHERE o.format IS NOT NULL)
            FROM published.parse AS p
            LEFT JOIN published.report AS r USING (publisher_id, document_sha256)
            LEFT JOIN (SELECT DISTINCT report_id, format FROM published.observation) AS o ON o.report_id = r.report_id
            GROUP BY ALL"""
        ).fetchall()
    return {(publisher, sha256): Reading(version, frozenset(formats or ())) for publisher, sha256, version, formats in rows}


def write_changes(published: Path, replaced: Collection[tuple[str, str]], path: Path) -> Counter[str]:
    """Write the cells of these documents that read differently since they were read last to a CSV file (rows of `reading_change`).

    Returns how many cells by kind: `changed` (another figure), `found` (a figure where there was none), `lost` (the other way round),
    `reworded` (same figure, other text, status or unit). Without any cell no file is written. Raises duckdb.Error, OSError.
    """
    with scratch() as con:
        con.execute(f"ATTACH {quoted(published)} AS published (READ_ONLY)")
        keys = sorted(replaced)
        con.register("keys", pyarrow.table({"publisher_id": [p for p, _ in keys], "document_sha256": [d for _, d in keys]}))
        con.execute(
            """CREATE TABLE changed AS
            SELECT
                CASE WHEN value_from IS NOT DISTINCT FROM value_to THEN 'reworded' WHEN value_from IS NULL THEN 'found'
                    WHEN value_to IS NULL THEN 'lost' ELSE 'changed' END AS change,
                c.*
            FROM published.reading_change AS c SEMI JOIN keys USING (publisher_id, document_sha256)
            SEMI JOIN published.parse AS p USING (publisher_id, document_sha256, run_id)
            ORDER BY report_id, section, indicator, applicant"""
        )
        counts = Counter(dict(con.execute("SELECT change, count(*) FROM changed GROUP BY change ORDER BY change").fetchall()))
        if counts:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f".{path.name}")
            con.execute(f"COPY changed TO {quoted(aside)} (HEADER)")
            aside.replace(path)
    return counts
