"""One relation of a release as Parquet and CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.codebook import Entry, Relation
from warehouse.duck import quoted

#: A spreadsheet runs what starts so. An apostrophe before it makes it text; one more stands before texts that begin like an escaped one.
FORMULA = r"^''*[=+\-@\t\r\n＝＋－＠]"

#: Columns that name a row of the large relations: sorting by all of them would take as long as everything else.
_KEYS = {
    "observation": ("report_id", "section", "indicator", "applicant"),
    "panel": ("report_id", "section", "indicator", "applicant"),
    "panel_corrected": ("report_id", "section", "indicator", "applicant"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a release: its DuckDB type and what the codebook says."""

    entry: Entry
    type: str

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def is_text(self) -> bool:
        """Whether the CSV holds the text of a document or of a person: what may look like a formula."""
        return self.type == "VARCHAR"


@dataclass(frozen=True, slots=True)
class Table:
    """A relation of a release: the query it is made by, its columns and, once it is written, its rows and CSV file."""

    name: str
    relation: Relation
    sql: str
    columns: tuple[Column, ...]
    rows: int = 0
    csv: str | None = None


def describe(con: duckdb.DuckDBPyConnection, relation: Relation, sql: str) -> Table:
    """The table that `sql` gives, with its types; sums (HUGEINT) as BIGINT, since Parquet has no wider integer, and without the keys of
    the file. Raises duckdb.Error."""
    rows = con.execute(f"DESCRIBE {sql}").fetchall()
    if hidden := [row[0] for row in rows if row[0] in relation.columns and relation.columns[row[0]].internal]:
        return describe(con, relation, f"SELECT * EXCLUDE ({', '.join(hidden)}) FROM ({sql})")
    if wide := [row[0] for row in rows if row[1] == "HUGEINT"]:
        return describe(con, relation, f"SELECT * REPLACE ({', '.join(f'{name}::BIGINT AS {name}' for name in wide)}) FROM ({sql})")
    return Table(relation.name, relation, sql, tuple(Column(relation.columns.get(row[0]) or Entry(name=row[0]), row[1]) for row in rows))


def write_relation(con: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> Table:
    """Write parquet/<name>.parquet and csv/<name>.csv in a fixed order of rows. Raises duckdb.Error where the disk refuses."""
    for name in ("parquet", "csv"):
        (folder / name).mkdir(exist_ok=True)
    parquet, csv = folder / "parquet" / f"{table.name}.parquet", folder / "csv" / f"{table.name}.csv"
    rows = copy_parquet(con, f"FROM ({table.sql}) ORDER BY {_order(table)}", parquet, metadata(table))
    copy_csv(con, f"FROM {quoted(parquet)}", table.columns, csv)
    return Table(table.name, table.relation, table.sql, table.columns, rows, f"csv/{csv.name}")


def _order(table: Table) -> str:
    names = _KEYS.get(table.name) or [c.name for c in table.columns]
    types = {c.name: c.type for c in table.columns}
    return ", ".join(f'"{name}"::VARCHAR' if types[name].startswith(("MAP", "STRUCT")) else f'"{name}"' for name in names)


def copy_parquet(con: duckdb.DuckDBPyConnection, sql: str, path: Path, texts: dict[str, str]) -> int:
    """Write a query as Parquet with key-value metadata. Returns the rows. Raises duckdb.Error."""
    pairs = ", ".join(f"{key}: {_literal(value)}" for key, value in texts.items())
    row = con.execute(f"COPY ({sql}) TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{pairs}}})").fetchone()
    return int(row[0]) if row else 0


def copy_csv(con: duckdb.DuckDBPyConnection, sql: str, columns: Sequence[Column], path: Path) -> None:
    """Write a query as CSV (UTF-8, NULL as nothing, times in ISO 8601 UTC); text that a spreadsheet would run gets an apostrophe."""
    chosen = ", ".join(f'{_cell(column)} AS "{column.name}"' for column in columns)
    con.execute(f"COPY (SELECT {chosen} FROM ({sql})) TO {quoted(path)} (FORMAT csv, HEADER, NULL '')")


def _cell(column: Column) -> str:
    name = f'"{column.name}"'
    if column.is_text:
        return f"CASE WHEN regexp_matches({name}, '{FORMULA}') THEN '''' || {name} ELSE {name} END"
    return f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ')" if column.type == "TIMESTAMP" else name


def metadata(table: Table) -> dict[str, str]:
    """Key-value metadata of the Parquet file: what the relation and each of its columns mean."""
    columns = {
        c.name: {
            "label_zh": c.entry.zh,
            "label_en": c.entry.label,
            "description": c.entry.description,
            "unit": c.entry.unit,
            "legal": c.entry.legal,
        }
        for c in table.columns
    }
    texts = {"name": table.name, "label_zh": table.relation.zh or "", "description": table.relation.description}
    return {**texts, "columns": json.dumps(columns, ensure_ascii=False)}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
