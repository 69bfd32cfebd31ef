"""The command line of gongkai (contract § Commands). Prefect is imported only where a flow runs: workers import this module again."""

from __future__ import annotations

import logging
import sqlite3
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import duckdb
import typer
from pydantic import ValidationError
from rich.console import Console

from extract.home import Home
from extract.ledger import Ledger
from flows import pipeline, progress, show
from flows.engine import EngineError, WorkPool, embedded_api
from flows.pipeline import BusyError, Outcome
from flows.registry import RegistryError, load_registry
from flows.settings import Settings
from warehouse.build import BuildError
from warehouse.districts import codes
from warehouse.gate import GateError
from warehouse.query import QueryError, WarehouseMissing, run_sql
from warehouse.status import status as read_status

app = typer.Typer(
    name="gongkai",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The yearly disclosure reports of China's governments as one trusted SQL table.",
)
out = Console()
err = Console(stderr=True)

HomeOption = Annotated[Path | None, typer.Option("--home", metavar="DIR", help="Where everything lies; or GONGKAI_HOME, else ./data.")]

#: What ends a command with status 1: nothing was published.
FAILURES = (BuildError, GateError, BusyError, EngineError, QueryError, duckdb.Error, sqlite3.Error, OSError)


class Format(StrEnum):
    """Output of `gongkai sql`."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


class Scope(StrEnum):
    """What a report covers."""

    own = "own"
    level = "level"
    consolidated = "consolidated"
    unknown = "unknown"


def main() -> None:
    """Entry point of the `gongkai` command."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    logging.getLogger("gongkai").setLevel(logging.INFO)
    app()


def stop(message: str, code: int) -> NoReturn:
    """Say why on standard error and end with `code`."""
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def settings() -> Settings:
    """The settings. Ends with status 2 for a value that can't be."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"GONGKAI_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        stop(f"settings: {faults}", 2)


def place(home: Path | None) -> Home:
    """The home of a command."""
    return Home(home or settings().home)


@app.command(epilog="Example: gongkai run --sources sources/sample/sources.yml --year 2021")
def run(
    sources: Annotated[Path, typer.Option("--sources", metavar="PATH", help="Registry: a YAML file or a folder of them.")],
    source: Annotated[list[str] | None, typer.Option("--source", metavar="ID", help="Only this source; repeatable.")] = None,
    year: Annotated[list[int] | None, typer.Option("--year", metavar="Y", help="Only reports on this year; repeatable.")] = None,
    refetch: Annotated[bool, typer.Option("--refetch", help="Ask again, conditionally, for every known address.")] = False,
    reparse: Annotated[bool, typer.Option("--reparse", help="Read the archive again without one request.")] = False,
    home: HomeOption = None,
) -> None:
    """One nightly run: crawl, extract, transform, check, load, publish."""
    if refetch and reparse:
        stop("--refetch asks every address again, --reparse asks none: choose one", 2)
    check_registry(sources, source or [])
    where = place(home)
    result = run_flow(where, sources, source or [], year or [], refetch, reparse)
    show.outcome(err, where, result)
    raise typer.Exit(result.exit_status)


def check_registry(sources: Path, wanted: list[str]) -> None:
    """End with status 2 for a registry with any fault, before the first request."""
    try:
        known = {s.id for s in load_registry(sources, codes())}
    except RegistryError as error:
        stop(str(error), 2)
    if unknown := [w for w in wanted if w not in known]:
        stop(f"{sources} has no source {', '.join(unknown)}", 2)


def run_flow(home: Home, sources: Path, source_ids: list[str], years: list[int], refetch: bool, reparse: bool) -> Outcome:
    """Run the nightly flow on an embedded Prefect API. A run that fails is closed as failed and ends with status 1."""
    command = " ".join(["run", *(["--reparse"] if reparse else []), *(["--refetch"] if refetch else [])])
    try:
        with pipeline.exclusive(home), progress.reporting(err):
            with Ledger(home.ledger) as ledger:
                run_id = ledger.start_run(command)
            with closing_on_failure(home, run_id), embedded_api(home.state / "prefect"):
                from flows.nightly import nightly

                return nightly(run_id, home.root.absolute(), sources.absolute(), source_ids, years, refetch, reparse)
    except FAILURES as error:
        message = f"nothing was published: {error}"
    stop(message, 1)  # outside the handler: a traceback kept until exit keeps DuckDB's objects, which complain of it


class closing_on_failure:  # noqa: N801 - reads as a statement
    """Marks the run as failed in the ledger where the block raises."""

    def __init__(self, home: Home, run_id: str) -> None:
        self._home, self._run_id = home, run_id

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is not None:
            with Ledger(self._home.ledger) as ledger:
                ledger.finish_run(self._run_id, "failed", {})


@app.command(epilog="Example: gongkai ingest report.pdf --publisher 温州市鹿城区人民政府办公室 --district 330302 --year 2021")
def ingest(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", exists=True, dir_okay=False, readable=True, help="Reports on disk.")],
    publisher: Annotated[str, typer.Option("--publisher", metavar="NAME", help="Publishing body.")],
    district: Annotated[str, typer.Option("--district", metavar="CODE", help="GB/T 2260 code, six digits.")],
    year: Annotated[int | None, typer.Option("--year", metavar="Y", help="Year of the report; else read from it.")] = None,
    scope: Annotated[Scope | None, typer.Option("--scope", help="What it covers; else read from its preface.")] = None,
    home: HomeOption = None,
) -> None:
    """The same way for files already on disk."""
    from flows.ingest import ingest_files

    if district not in codes():
        stop(f"--district {district}: no such GB/T 2260 code", 2)
    if not publisher.strip():
        stop("--publisher is empty", 2)
    where, present = place(home), settings()
    try:
        with pipeline.exclusive(where), progress.reporting(err):
            with Ledger(where.ledger) as ledger:
                run_id = ledger.start_run("ingest")
            with closing_on_failure(where, run_id), WorkPool(present.workers, present.document_memory, pipeline.warm_up) as pool:
                result = ingest_files(where, run_id, files, publisher, district, year, scope.value if scope else None, pool, present)
    except FAILURES as error:
        message = f"nothing was published: {error}"
    else:
        show.outcome(err, where, result)
        raise typer.Exit(result.exit_status)
    stop(message, 1)


@app.command(epilog="Example: gongkai sql \"SELECT year, value FROM panel WHERE indicator = 'new_received' AND applicant = 'total'\"")
def sql(
    query: Annotated[str, typer.Argument(metavar="SELECT…", help="One SQL statement; the warehouse is read-only.")],
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    out_file: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to a file.")] = None,
    home: HomeOption = None,
) -> None:
    """Query the published warehouse."""
    try:
        run_sql(place(home).warehouse, query, format.value, out_file)
    except (QueryError, WarehouseMissing, OSError) as error:
        stop(str(error), 1)


@app.command(epilog="Example: gongkai status --home /srv/gongkai")
def status(home: HomeOption = None) -> None:
    """Coverage, what is missing and why, problems, last runs, last success of each source."""
    where = place(home)
    try:
        show.status(out, read_status(where.warehouse, where.ledger))
    except (QueryError, BuildError) as error:
        stop(str(error), 1)


@app.command(epilog="Example: gongkai demo --home /tmp/gongkai")
def demo(home: HomeOption = None) -> None:
    """Serve the sample portal on loopback, crawl it, publish the warehouse, and compare years and districts."""
    from flows.demo import DemoError, run_demo

    try:
        result = run_demo(out, place(home), run_flow)
    except DemoError as error:
        stop(str(error), 2)
    raise typer.Exit(1 if result.status == "failed" else 0)


if __name__ == "__main__":
    main()
