"""Bring Parquet parts into the warehouse: a document that was read again replaces all that was read from it before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.parquet

from warehouse.duck import columns, quoted
from warehouse.mirror import BuildError
from warehouse.prose import drop_empty_blocks, insert_sections
from warehouse.rereading import remember

TABLES = ("parse", "report", "observation", "check_result", "narrative", "unmapped_cell", "claim", "proof", "problem")
CHILDREN = ("observation", "check_result", "narrative", "unmapped_cell", "claim", "proof")
DERIVED = {
    "report": {"version", "is_current", "report_no"},
    "observation": {"report_no"},
    "narrative": {"block_no"},
    "problem": {"is_open", "origin"},
}

#: Figures of one slice. Within it they lie by indicator: a question about one reads a small part of the table, one about a report the row
#: groups of its slice, and columns compress better (by half). Much larger slices have too many report_ids for a dictionary.
SLICE = 600_000
#: Sections of text of one slice, which is in memory as a whole. Within it they lie by number (warehouse/prose.py).
SECTIONS = 100_000

_KEY = "(publisher_id, document_sha256)"
_REPORT = "incoming_key USING (report_id, part_no)"
_DOCUMENT = "replaced USING (publisher_id, document_sha256, part_no)"


@dataclass(frozen=True, slots=True)
class Staged:
    """Parts with the columns of each table that they bring. A slice is a run of parts with enough figures for a few row groups; `texts`
    are those of narrative."""

    parts: Sequence[Path]
    wanted: Mapping[str, list[str]]
    slices: Sequence[range]
    texts: Sequence[range]

    def rows(self, table: str, numbers: range) -> str:
        """SQL: the rows that these parts bring for a table, with part_no."""
        names = ", ".join(f"f.{name}" for name in self.wanted[table])
        files = ", ".join(quoted(self.parts[number] / f"{table}.parquet") for number in numbers)
        return f"""SELECT {names}, part.part_no FROM read_parquet([{files}], filename = true) AS f
            JOIN part ON f.filename = part.folder || '/{table}.parquet'"""


def bring(con: duckdb.DuckDBPyConnection, parts: Sequence[Path]) -> dict[str, int]:
    """Delete and insert what the parts bring; of a document in several parts the last one counts.

    Leaves temp.replaced (publisher_id, document_sha256) behind, and what was read from these documents before (see rereading).
    Raises BuildError for a part that is incomplete or contradicts itself, duckdb.Error for a value the schema refuses.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE replaced (publisher_id VARCHAR, document_sha256 VARCHAR, part_no INTEGER)")
    if not parts:
        remember(con)
        return dict.fromkeys(TABLES, 0)
    held = columns(con)
    wanted = {table: [name for name in held[table] if name not in DERIVED.get(table, ())] for table in TABLES}
    rows = [_verify(part, wanted) for part in parts]
    slices, texts = ([n[table] for n in rows] for table in ("observation", "narrative"))
    staged = Staged(parts, wanted, list(_slices(slices, SLICE)), list(_slices(texts, SECTIONS)))
    _stage(con, staged)
    _refuse_orphans(con)
    remember(con)
    _delete_replaced(con)
    _insert_loose_problems(con)
    brought = {table: _insert(con, table, staged) for table in TABLES}
    drop_empty_blocks(con)
    return brought


def _verify(part: Path, wanted: Mapping[str, list[str]]) -> dict[str, int]:
    """Raises BuildError for a part that lacks a file or a column. Returns how many rows it has for each table."""
    rows: dict[str, int] = {}
    for table, names in wanted.items():
        path = part / f"{table}.parquet"
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                found, rows[table] = file.schema_arrow.names, file.metadata.num_rows
        except (OSError, pyarrow.ArrowException) as error:
            raise BuildError(f"part {part}: {path.name} can't be read: {error}") from error
        if found != names:
            raise BuildError(f"part {part}: {path.name} has columns {found}, not {names}")
    return rows


def _slices(rows: Sequence[int], size: int) -> Iterator[range]:
    """Runs of parts, by their numbers, that have `size` rows together, or a little more."""
    start, held = 0, 0
    for number, count in enumerate(rows):
        held += count
        if held >= size or number == len(rows) - 1:
            yield range(start, number + 1)
            start, held = number + 1, 0


def _stage(con: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    """Views all_<table> over the rows of all parts, with part_no, and temp.incoming_key: reports of documents that count, by part, with the
    numbers they get."""
    everything = range(len(staged.parts))
    con.register("part", pyarrow.table({"part_no": everything, "folder": [str(part) for part in staged.parts]}))
    for table in staged.wanted:
        con.execute(f"CREATE OR REPLACE TEMP VIEW all_{table} AS {staged.rows(table, everything)}")
    con.execute(f"INSERT INTO replaced SELECT {_KEY[1:-1]}, max(part_no) FROM all_parse GROUP BY ALL")
    con.execute(
        """CREATE OR REPLACE TEMP TABLE incoming_key AS
        SELECT report_id, part_no, (held + row_number() OVER (ORDER BY part_no, report_id))::UINTEGER AS report_no
        FROM (SELECT coalesce(max(report_no), 0) AS held FROM report)
        CROSS JOIN (SELECT DISTINCT report_id, part_no FROM all_report SEMI JOIN replaced USING (publisher_id, document_sha256, part_no))"""
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


def _insert(con: duckdb.DuckDBPyConnection, table: str, staged: Staged) -> int:
    if table == "narrative":
        return sum(insert_sections(con, f"FROM ({staged.rows(table, numbers)}) SEMI JOIN {_REPORT}") for numbers in staged.texts)
    if table in CHILDREN:
        return sum(_insert_rows(con, table, staged.rows(table, numbers), _REPORT) for numbers in staged.slices)
    return _insert_rows(con, table, f"SELECT * FROM all_{table}", _DOCUMENT)


def _insert_rows(con: duckdb.DuckDBPyConnection, table: str, rows: str, key: str) -> int:
    """Rows of the reports or documents that `key` joins; a report and its figures get its number of temp.incoming_key."""
    added = {
        "report": "REPLACE (TRY_CAST(published_on AS DATE) AS published_on)",
        "problem": ", 'document' AS origin",
    }.get(table, "")
    order = "ORDER BY indicator, applicant, value, report_no" if table == "observation" else ""
    number = f"JOIN {_REPORT}" if table == "report" else ""
    kind = "JOIN" if table == "observation" else "SEMI JOIN"
    [(count,)] = con.execute(
        f"INSERT INTO {table} BY NAME SELECT * EXCLUDE (part_no) {added} FROM ({rows}) {kind} {key} {number} {order}"
    ).fetchall()
    return int(count)


def _insert_loose_problems(con: duckdb.DuckDBPyConnection) -> None:
    """Problems that name no document; a part brought twice adds them once."""
    con.execute(
        """INSERT INTO problem BY NAME SELECT DISTINCT * EXCLUDE (part_no), 'document' AS origin FROM all_problem
        ANTI JOIN (FROM problem WHERE document_sha256 IS NULL) AS known USING (run_id, kind, message)
        WHERE document_sha256 IS NULL"""
    )
