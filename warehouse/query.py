"""Read-only SQL on the published warehouse."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

import duckdb
import pyarrow.parquet

from warehouse.duck import LOCKED
from warehouse.render import write_csv, write_json, write_table

Format = Literal["table", "csv", "json", "parquet"]
_BATCH = 10_000
_OPENINGS = 20


class WarehouseMissing(Exception):  # noqa: N818 - the state of a home that was never published to, not a fault
    """There is no published warehouse at the place asked for."""


class QueryError(Exception):
    """The query was refused or failed; the message is DuckDB's, or says what the format asks for."""


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection that reaches nothing but the published file: no other file, no network, no setting can be changed.

    It keeps the file it opened when a newer one is published. Where the published name is no link (`warehouse.snapshots`) and a newer file
    took it while DuckDB opened it, it is opened again.
    Raises WarehouseMissing when nothing was published there yet, QueryError when the file is no warehouse.
    """
    if not path.is_file():
        raise WarehouseMissing(f"no warehouse at {path}: nothing was published there yet")
    for _ in range(_OPENINGS):
        inode = path.stat().st_ino
        try:
            con = duckdb.connect(path, read_only=True, config=LOCKED)
        except duckdb.Error as error:
            if path.stat().st_ino == inode:
                raise QueryError(str(error)) from error
            continue
        if path.stat().st_ino == inode:
            return con
        con.close()
    raise QueryError(f"{path} was replaced each of the {_OPENINGS} times it was opened")


def run_sql(
    path: Path,
    sql: str,
    format: Format = "table",
    out: Path | None = None,
    *,
    stream: TextIO | None = None,
    limit: int = 20,
) -> int:
    """Run SQL on the published file and write the result to `out`, else to `stream` (standard output). Returns the number of rows.

    `limit` cuts the table format only, and the table says so. `out` is replaced whole, when all is written.
    Raises WarehouseMissing, QueryError, and OSError where `out` can't be written.
    """
    if format == "parquet" and out is None:
        raise QueryError("the format parquet needs a file to write to (--out FILE)")
    with connect(path) as con:
        try:
            if format == "parquet" and out is not None:
                return _write_parquet(con, sql, out)
            result = con.execute(sql)
            names = [column[0] for column in result.description or ()]
            if format == "json":
                _refuse_repeated(names)
            with _target(out, stream) as file:
                return _write(format, names, _rows(result), file, limit)
        except duckdb.Error as error:
            raise QueryError(str(error)) from error


def _write(format: Format, names: list[str], rows: Iterator[tuple[Any, ...]], file: TextIO, limit: int) -> int:
    if format == "csv":
        return write_csv(names, rows, file)
    if format == "json":
        return write_json(names, rows, file)
    return write_table(names, rows, file, limit)


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while batch := result.fetchmany(_BATCH):
        yield from batch


def _refuse_repeated(names: list[str]) -> None:
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise QueryError(f"the result has several columns called {repeated[0]}; name them with AS")


def _write_parquet(con: duckdb.DuckDBPyConnection, sql: str, out: Path) -> int:
    relation = con.sql(sql)
    if relation is None:
        raise QueryError("the statement has no result to write")
    _refuse_repeated(relation.columns)
    reader = relation.to_arrow_reader(_BATCH)
    count = 0
    with _aside(out) as path, pyarrow.parquet.ParquetWriter(path, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


@contextmanager
def _target(out: Path | None, stream: TextIO | None) -> Iterator[TextIO]:
    if out is None:
        yield stream or sys.stdout
        return
    with _aside(out) as path, path.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def _aside(out: Path) -> Iterator[Path]:
    """A path beside `out` that takes its place when all went well."""
    path = out.with_name(f".{out.name}.{os.getpid()}")
    with ExitStack() as undo:
        undo.callback(path.unlink, missing_ok=True)
        yield path
        path.replace(out)
