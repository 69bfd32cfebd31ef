"""How every DuckDB connection of the project is opened, and the SQL files that ship with it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse import metrics

ROOT = Path(__file__).parent
SEEDS = ROOT / "seeds"
STORAGE_VERSION = "v1.5.0"  # newest file format that DuckDB 1.5 clients open; 2.0 writes a newer one unless told

# An extension that isn't linked in would be fetched from the network, after seconds of waiting.
OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
# For SQL of users: no file, no network, no Python variable, and no way back.
LOCKED: dict[str, str | bool | int | float | list[str]] = {
    **OFFLINE,
    "enable_external_access": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a build may take: memory of DuckDB in MiB (Python and its libraries come on top), threads (None: as many as cores), and room on
    the disk for what does not fit into memory in MiB (None: half of what is free). More than that is an error, never a full disk."""

    memory_mb: int = 1200
    threads: int | None = None
    spill_mb: int | None = None

    def config(self, spill: Path) -> dict[str, str | bool | int | float | list[str]]:
        """Settings of an offline connection that spills into the folder `spill`, which DuckDB makes and removes. Raises OSError."""
        room = self.spill_mb if self.spill_mb is not None else shutil.disk_usage(spill.parent).free // 2 // 1024**2
        threads = {} if self.threads is None else {"threads": self.threads}
        limits = {"memory_limit": f"{self.memory_mb}MiB", "temp_directory": str(spill), "max_temp_directory_size": f"{room}MiB"}
        return {**OFFLINE, **limits, **threads}


def spill_of(path: Path) -> Path:
    """Where a connection to a database file puts what does not fit into memory."""
    return path.with_name(path.name + ".tmp")


def scripts(folder: str) -> Iterator[str]:
    """Texts of the SQL files of `schema`, `views` or `steps`, in the order of their names."""
    for path in sorted((ROOT / folder).glob("*.sql")):
        yield path.read_text("utf-8")


def fingerprint(*patterns: str) -> str:
    """Hash over the files that match: changes when the shape or the meaning of the warehouse does."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def code_version() -> str:
    """Hash over all that decides what a build makes out of the same inputs."""
    return fingerprint("schema/*.sql", "views/*.sql", "steps/*.sql", "seeds/*.csv", "seeds/*.yml", "codebook.yml")


def quoted(path: Path) -> str:
    """The path as an SQL string literal."""
    return "'" + str(path).replace("'", "''") + "'"


def scratch() -> duckdb.DuckDBPyConnection:
    """A connection to a database in memory, offline."""
    return duckdb.connect(config=OFFLINE)


def create_schema(con: duckdb.DuckDBPyConnection) -> None:
    """Make types and tables in the current database of the connection."""
    for sql in scripts("schema"):
        con.execute(sql)


def create_file(path: Path) -> None:
    """Make an empty warehouse file in the format older clients read. Raises duckdb.Error."""
    with scratch() as con:
        con.execute(f"ATTACH {quoted(path)} AS fresh (STORAGE_VERSION '{STORAGE_VERSION}')")
        con.execute("USE fresh")
        create_schema(con)


def create_views(con: duckdb.DuckDBPyConnection) -> None:
    """Make the views anew; a view whose file is gone goes too."""
    held = "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal AND database_name = current_database()"
    for schema, name in con.execute(held).fetchall():
        con.execute(f'DROP VIEW "{schema}"."{name}"')
    for sql in scripts("views"):
        con.execute(metrics.fill(sql, ROOT / "views"))


def columns(con: duckdb.DuckDBPyConnection, database: str = "") -> dict[str, list[str]]:
    """Columns of every table of a database (the current one), in order."""
    rows = con.execute(
        """SELECT table_name, list(column_name ORDER BY column_index)
        FROM duckdb_tables() JOIN duckdb_columns() USING (database_name, table_name)
        WHERE database_name = coalesce(nullif(?, ''), current_database()) GROUP BY table_name""",
        [database],
    ).fetchall()
    return dict(rows)
