"""A release of the warehouse: files for every tool, described, checksummed, the same bytes whenever made from the same warehouse."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from warehouse import codebook
from warehouse.codebook import Relation
from warehouse.duck import OFFLINE, quoted
from warehouse.export_changes import make_changes
from warehouse.export_describe import write_citation, write_datapackage, write_r, write_readme
from warehouse.export_files import Table, describe, write_relation
from warehouse.export_wide import write_wide
from warehouse.folders import take_place
from warehouse.query import WarehouseMissing

MANIFEST = "release.json"
CHECKSUMS = "SHA256SUMS"
_MEMORY = "2GB"  # what DuckDB may take; more is spilled beside the release

#: What a release of the past has: relations that know when. Everything else speaks of the present only.
_PAST = {
    "panel": "FROM panel_as_of($moment)",
    "report": """SELECT * REPLACE (report_id IN (SELECT report_id FROM report_rank($moment) WHERE is_current) AS is_current)
        FROM report SEMI JOIN temp.known_then USING (report_id)""",
    **{
        name: f"FROM {name} SEMI JOIN temp.known_then USING (report_id)"
        for name in ("observation", "check_result", "narrative", "unmapped_cell", "claim")
    },
    **{name: f"FROM {name}" for name in ("district", "publisher", "indicator", "identity", "dictionary")},
}


class ExportError(Exception):
    """The release can't be made or put in its place. Nothing of it is left behind, and what was there before stays."""


@dataclass(frozen=True, slots=True)
class Release:
    """A finished release: where it lies, the rows of each relation, and the changes since the last one by kind."""

    path: Path
    rows: dict[str, int]
    changes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the manifest says of the warehouse a release was made from."""

    version: str
    built_at: str
    run_id: str
    as_of: str | None
    since: str | None


def export(warehouse: Path, target: Path, *, since: Path | None = None, as_of: datetime | None = None) -> Release:
    """Write a release of the published file `warehouse` to the folder `target`, whole or not at all.

    `since`: folder or manifest of an earlier release, to say what changed since. `as_of` (UTC): the reports as they stood then, and only
    relations that know it. An older release in `target` is replaced; any other folder with something in it is refused.
    Raises WarehouseMissing where nothing is published, ExportError for everything else.
    """
    if not warehouse.is_file():
        raise WarehouseMissing(f"no warehouse at {warehouse}: nothing was published there yet")
    target = target.absolute()
    _refuse_foreign(target)
    earlier = _earlier(since) if since else None
    staging = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, staging, ignore_errors=True)
            staging.mkdir(parents=True)
            release = _write(warehouse, staging, target, earlier, as_of)
            take_place(staging, target)
    except (duckdb.Error, OSError) as error:
        raise ExportError(f"nothing was exported to {target}: {error}") from error
    return release


def _refuse_foreign(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise ExportError(f"{target} is a file")
    if not target.exists() or not any(target.iterdir()):
        return
    if not (target / MANIFEST).is_file() or not (target / CHECKSUMS).is_file():
        raise ExportError(f"{target} is not empty and holds no release: choose another folder")
    listed = {line.split("  ", 1)[1] for line in (target / CHECKSUMS).read_text("utf-8").splitlines()}
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    if foreign := sorted(found - listed - {CHECKSUMS}):
        raise ExportError(f"{target} holds {foreign[0]}, which is no part of the release there: choose another folder")


def _earlier(since: Path) -> Path:
    folder = since if since.is_dir() else since.parent
    for name in (MANIFEST, "parquet/panel.parquet", "parquet/report.parquet"):
        if not (folder / name).is_file():
            raise ExportError(f"--since {since}: no release there ({name} is missing)")
    return folder


def _write(warehouse: Path, staging: Path, target: Path, earlier: Path | None, as_of: datetime | None) -> Release:
    with _opened(warehouse, staging) as con:
        facts = _facts(con, earlier, as_of)
        sources = _past(con, as_of) if as_of else {r.name: f"FROM {r.name}" for r in _public(con)}
        relations = {r.name: r for r in codebook.relations()}
        tables = [write_relation(con, describe(con, relations[name], sql), staging) for name, sql in sources.items()]
        tables.append(write_relation(con, describe(con, relations["changes"], make_changes(con, earlier, sources["panel"])), staging))
        tables += write_wide(con, staging, sources["panel"], facts.built_at)
        changes = dict(con.execute("SELECT change, count(*) FROM temp.changes GROUP BY change ORDER BY change").fetchall())
    rows = {table.name: table.rows for table in tables}
    _write_texts(staging, facts, tables, rows, changes)
    return Release(target, rows, changes)


@contextmanager
def _opened(warehouse: Path, staging: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on the published file, read-only, that spills beside the release."""
    spill = staging / ".spill"
    options = {**OFFLINE, "memory_limit": _MEMORY, "temp_directory": str(spill)}
    with closing(duckdb.connect(config=options)) as con:
        con.execute(f"ATTACH {quoted(warehouse)} AS published (READ_ONLY)")
        con.execute("USE published")
        con.execute("SET enable_progress_bar = false")
        yield con
    shutil.rmtree(spill, ignore_errors=True)


def _facts(con: duckdb.DuckDBPyConnection, earlier: Path | None, as_of: datetime | None) -> Facts:
    meta = dict(con.execute("SELECT key, value FROM meta").fetchall())
    then = json.loads((earlier / MANIFEST).read_text("utf-8"))["built_at"] if earlier else None
    moment = as_of.isoformat(sep=" ") if as_of else None
    return Facts(meta["gongkai_version"], meta["built_at"], meta["run_id"], moment, then)


def _public(con: duckdb.DuckDBPyConnection) -> list[Relation]:
    """Tables and views that are no internals, in the codebook's order."""
    sql = "SELECT table_name FROM duckdb_columns() WHERE database_name = current_database() AND schema_name = 'main'"
    held = {name for (name,) in con.execute(sql).fetchall()}
    return [r for r in codebook.relations() if r.name in held and not r.is_internal]


def _past(con: duckdb.DuckDBPyConnection, as_of: datetime) -> dict[str, str]:
    """Queries for the relations of a release of the past, over temp.known_then."""
    moment = f"TIMESTAMP '{as_of.isoformat(sep=' ')}'"
    con.execute(f"CREATE TEMP TABLE known_then AS SELECT report_id FROM report WHERE fetched_at <= {moment}")
    return {name: sql.replace("$moment", moment) for name, sql in _PAST.items()}


def _write_texts(staging: Path, facts: Facts, tables: list[Table], rows: dict[str, int], changes: dict[str, int]) -> None:
    write_datapackage(staging, tables, facts.version, facts.built_at)
    write_r(staging, tables)
    write_citation(staging, facts.version, facts.built_at)
    write_readme(staging, tables, facts.version, facts.built_at, facts.as_of, facts.since, changes)
    manifest = {"name": "gongkai", **{key: getattr(facts, key) for key in Facts.__slots__}, "rows": rows, "changes": changes}
    (staging / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", "utf-8")
    lines = [f"{_sha256(path)}  {path.relative_to(staging)}\n" for path in sorted(staging.rglob("*")) if path.is_file()]
    (staging / CHECKSUMS).write_text("".join(lines), "utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
