"""From a file of an older schema to the present one.

The schema has a number and a digest (schema_versions.csv); the file says both in `meta.schema_version`. What a file of before needs is
decided by its tables, not by its number: tables that a build makes anew may differ as they like; the figures of a table that documents
are read into can only be had by reading them again.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Collection, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path

import duckdb

from warehouse.duck import ROOT, Limits, code_version, columns, create_file, create_schema, fingerprint, quoted, scratch, spill_of
from warehouse.mirror import BuildError
from warehouse.parts import DERIVED, SECTIONS, TABLES
from warehouse.prose import insert_sections

VERSIONS = ROOT / "schema_versions.csv"

#: Tables that hold what no build could make again, documents aside.
HISTORY = ("reading_change", "gate_result")


class Plan(StrEnum):
    """What a published file needs: nothing, a build (which pours it into the present schema), or its documents read again."""

    none = "none"
    build = "build"
    reread = "reread"


class NewerFileError(BuildError):
    """The file was made by a newer version of the program: it is left alone."""


class UpgradeNeededError(BuildError):
    """The file is of an older schema, and its documents have to be read again."""


@cache
def schema_number() -> int:
    """The number of the present schema."""
    with VERSIONS.open(encoding="utf-8", newline="") as file:
        return max(int(row["number"]) for row in csv.DictReader(file))


def schema_digest() -> str:
    """Hash over types and tables."""
    return fingerprint("schema/*.sql")


def schema_version() -> str:
    """`7-1f3a9c20…`: number and digest of the present schema, as in `meta`."""
    return f"{schema_number()}-{schema_digest()}"


def plan(published: Path) -> Plan:
    """What the published file needs before this version of the program can go on with it.

    Raises NewerFileError, BuildError where the file is no warehouse.
    """
    if not published.exists():
        return Plan.none
    try:
        with scratch() as con:
            con.execute(f"ATTACH {quoted(published)} AS published (READ_ONLY)")
            facts = dict(con.execute("SELECT key, value FROM published.meta").fetchall())
            _refuse_newer(published, facts)
            if facts.get("code_version") == code_version():
                return Plan.none
            return Plan.build if _parts_fit(con) else Plan.reread
    except duckdb.Error as error:
        raise BuildError(f"{published} is no warehouse: {error}") from error


def require(published: Path, rereading: bool = False) -> None:
    """Raises UpgradeNeededError where every document has to be read again, and is not (`rereading`); NewerFileError; BuildError."""
    if plan(published) is Plan.reread and not rereading:
        raise UpgradeNeededError(
            f"{published} was built by an older version of gongkai, and this one reads more from the documents: "
            "`gongkai upgrade` reads them again from the archive, without one request"
        )


def pour(path: Path, published: Path, limits: Limits) -> None:
    """Make `path` as an empty file of the present schema and pour into it what it shares with the published one, table by table.

    `meta` is left out: it must not say that the new file has views and seeds already. So is a table whose rows lack what they must
    have now; a build makes it anew, or documents that are read again fill it. `limits`: what it may take of memory, cores and disk.
    Raises duckdb.Error.
    """
    create_file(path)
    with duckdb.connect(path, config=limits.config(spill_of(path))) as con:
        con.execute(f"ATTACH {quoted(published)} AS published (READ_ONLY)")
        con.execute("BEGIN")
        old = columns(con, "published")
        lacking = _lacking(con, old)
        without = {"meta", *lacking, *(TABLES if lacking & {*TABLES} else ())} - {*HISTORY}
        for table, names in sorted(columns(con).items(), key=lambda item: item[0] != "report"):
            shared = [name for name in names if name in old.get(table, ())]
            if shared and table not in without:
                _pour_table(con, table, shared, set(names) - set(shared))
        con.execute("COMMIT")
        con.execute("CHECKPOINT")


def _pour_table(con: duckdb.DuckDBPyConnection, table: str, shared: Sequence[str], new: Collection[str]) -> None:
    """Rows of a table of the published file with the columns it has. Reports get the numbers, and sections the blocks, that it may lack."""
    names = ", ".join(f"f.{name}" for name in shared)
    rows = f"SELECT {names} FROM published.{table} AS f"
    if table == "narrative" and "block_no" in new:
        _pour_sections(con, shared)
        return
    if table == "report" and "report_no" in new:
        rows = f"SELECT {names}, (row_number() OVER ())::UINTEGER AS report_no FROM published.report AS f"
    if table == "observation" and "report_no" in new:
        rows = (
            f"SELECT {names}, coalesce(r.report_no, 0) AS report_no FROM published.observation AS f LEFT JOIN report AS r USING (report_id)"
        )
    con.execute(f"INSERT INTO {table} BY NAME {rows}")


def _pour_sections(con: duckdb.DuckDBPyConnection, shared: Sequence[str]) -> None:
    names = ", ".join(name if name in shared else f"NULL AS {name}" for name in ("report_id", "section_no", "heading", "text"))
    [(last,)] = con.execute("SELECT coalesce(max(rowid), -1) FROM published.narrative").fetchall()
    for start in range(0, last + 1, SECTIONS):
        insert_sections(con, f"SELECT {names} FROM published.narrative WHERE rowid BETWEEN {start} AND {start + SECTIONS - 1}")


def _refuse_newer(published: Path, facts: dict[str, str]) -> None:
    number = re.match(r"(\d+)-", facts.get("schema_version", ""))
    if number and int(number[1]) > schema_number():
        raise NewerFileError(
            f"{published} was built by a newer version of gongkai ({facts.get('gongkai_version')}, schema {number[1]}; this one knows "
            f"{schema_number()}): nothing was changed; install that version, or go back with `gongkai rollback`"
        )


def _parts_fit(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the tables that documents are read into are what they are now, columns made in the build aside."""
    create_schema(con)
    old, new = (_types(con, database) for database in ("published", "memory"))
    return all(_fits(old.get(table, {}), new[table], DERIVED.get(table, set())) for table in TABLES)


def _fits(old: dict[str, str], new: dict[str, str], derived: set[str]) -> bool:
    wanted = {name: kind for name, kind in new.items() if name not in derived}
    held = {name: kind for name, kind in old.items() if name not in derived}
    return held.keys() == wanted.keys() and all(_values(held[name]) <= _values(kind) for name, kind in wanted.items())


def _values(kind: str) -> set[str]:
    """The values of an ENUM, which may become more; of any other type its name."""
    return set(re.findall(r"'((?:[^']|'')*)'", kind)) if kind.startswith("ENUM") else {kind}


def _types(con: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    rows = con.execute(
        """SELECT table_name, column_name, data_type FROM duckdb_columns()
        JOIN duckdb_tables() USING (database_name, schema_name, table_name) WHERE database_name = ?""",
        [database],
    ).fetchall()
    types: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        types.setdefault(table, {})[column] = kind
    return types


def _lacking(con: duckdb.DuckDBPyConnection, old: dict[str, list[str]]) -> set[str]:
    """Tables of both with a new column that must have a value, and has no default."""
    rows = con.execute(
        """SELECT table_name, column_name FROM duckdb_columns()
        WHERE database_name = current_database() AND NOT is_nullable AND column_default IS NULL"""
    ).fetchall()
    return {table for table, column in rows if table in old and column not in old[table]}


def record(what: str) -> None:
    """Note that schema/*.sql changed: `python -m warehouse.migrate "what changed"` gives it the next number; without a word it keeps the
    last one, for a number that is not released yet."""
    with VERSIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if what and rows[-1]["digest"] != schema_digest():
        rows.append({"number": str(len(rows) + 1), "what": what})
    rows[-1]["digest"] = schema_digest()
    with VERSIONS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("number", "digest", "what"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    record(" ".join(sys.argv[1:]))
