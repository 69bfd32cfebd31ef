"""Bring Parquet parts into the warehouse: a document that was read again replaces all that was read from it before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.parquet

from warehouse.duck import columns
from warehouse.mirror import BuildError
from warehouse.rereading import remember

TABLES = ("parse", "report", "observation", "check_result", "narrative", "unmapped_cell", "claim", "proof", "problem")
CHILDREN = ("observation", "check_result", "narrative", "unmapped_cell", "claim", "proof")
DERIVED = {"report": {"version", "is_current"}, "problem": {"is_open", "origin"}}

_KEY = "(publisher_id, document_sha256)"


def bring(con: duckdb.DuckDBPyConnection, parts: Sequence[Path]) -> dict[str, int]:
    """Delete and insert what the parts bring; of a document in several parts the last one counts.

    Leaves temp.replaced (publisher_id, document_sha256) behind, and what was read from these documents before (see rereading).
    Returns the rows brought per table. Raises BuildError for a part that is incomplete or contradicts itself, duckdb.Error for a
    value the schema refuses.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE replaced (publisher_id VARCHAR, document_sha256 VARCHAR, part_no INTEGER)")
    if not parts:
        remember(con)
        return dict.fromkeys(TABLES, 0)
    held = columns(con)
    wanted = {table: [name for name in held[table] if name not in DERIVED.get(table, ())] for table in TABLES}
    for part in parts:
        _verify(part, wanted)
    _stage(con, parts, wanted)
    _refuse_orphans(con)
    remember(con)
    _delete_replaced(con)
    _insert_loose_problems(con)
    return {table: _insert(con, table) for table in TABLES}


def _verify(part: Path, wanted: dict[str, list[str]]) -> None:
    for table, names in wanted.items():
        path = part / f"{table}.parquet"
        try:
            found = pyarrow.parquet.read_schema(path).names
        except (OSError, pyarrow.ArrowException) as error:
            raise BuildError(f"part {part}: {path.name} can't be read: {error}") from error
        if found != names:
            raise BuildError(f"part {part}: {path.name} has columns {found}, not {names}")


def _stage(con: duckdb.DuckDBPyConnection, parts: Sequence[Path], wanted: dict[str, list[str]]) -> None:
    """Views all_<table> over the rows of all parts, with part_no, and incoming_<table> over those that count."""
    folders = [str(part) for part in parts]
    con.register("part", pyarrow.table({"part_no": range(len(parts)), "folder": folders}))
    for table, names in wanted.items():
        files = ", ".join("'" + f"{folder}/{table}.parquet".replace("'", "''") + "'" for folder in folders)
        con.execute(
            f"""CREATE OR REPLACE TEMP VIEW all_{table} AS SELECT {", ".join(f"f.{name}" for name in names)}, part.part_no
            FROM read_parquet([{files}], filename = true) AS f JOIN part ON f.filename = part.folder || '/{table}.parquet'"""
        )
    con.execute(f"INSERT INTO replaced SELECT {_KEY[1:-1]}, max(part_no) FROM all_parse GROUP BY ALL")
    con.execute(
        """CREATE OR REPLACE TEMP TABLE incoming_key AS
        SELECT DISTINCT report_id, part_no FROM all_report JOIN replaced USING (publisher_id, document_sha256, part_no)"""
    )


def _refuse_orphans(con: duckdb.DuckDBPyConnection) -> None:
    links = [(table, "report", "report_id") for table in CHILDREN]
    links += [("report", "parse", "publisher_id, document_sha256"), ("problem", "parse", "publisher_id, document_sha256")]
    for child, parent, key in links:
        row = con.execute(
            f"""SELECT folder, ({key})::VARCHAR FROM all_{child} ANTI JOIN all_{parent} USING ({key}, part_no) JOIN part USING (part_no)
            {"WHERE document_sha256 IS NOT NULL" if child == "problem" else ""} LIMIT 1"""
        ).fetchone()
        if row:
            raise BuildError(f"part {row[0]}: {child} has a row of {row[1]}, which is not in its {parent}.parquet")


def _delete_replaced(con: duckdb.DuckDBPyConnection) -> None:
    replaced = f"{_KEY} IN (SELECT {_KEY} FROM replaced)"
    for table in CHILDREN:
        con.execute(f"DELETE FROM {table} WHERE report_id IN (SELECT report_id FROM report WHERE {replaced})")
    for table in ("report", "problem", "parse"):
        con.execute(f"DELETE FROM {table} WHERE {replaced}")


def _insert(con: duckdb.DuckDBPyConnection, table: str) -> int:
    added = {
        "report": "REPLACE (TRY_CAST(published_on AS DATE) AS published_on)",
        "problem": ", 'document' AS origin",
    }.get(table, "")
    key = "incoming_key USING (report_id, part_no)" if table in CHILDREN else "replaced USING (publisher_id, document_sha256, part_no)"
    row = con.execute(f"INSERT INTO {table} BY NAME SELECT * EXCLUDE (part_no) {added} FROM all_{table} SEMI JOIN {key}").fetchone()
    return int(row[0]) if row else 0


def _insert_loose_problems(con: duckdb.DuckDBPyConnection) -> None:
    """Problems that name no document; a part brought twice adds them once."""
    con.execute(
        """INSERT INTO problem BY NAME SELECT DISTINCT * EXCLUDE (part_no), 'document' AS origin FROM all_problem
        ANTI JOIN (FROM problem WHERE document_sha256 IS NULL) AS known USING (run_id, kind, message)
        WHERE document_sha256 IS NULL"""
    )
