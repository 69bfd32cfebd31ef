"""The command line of gongkai (contract § Commands). Prefect is imported only where a flow runs: workers import this module again."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from extract.archive import ArchiveError
from extract.home import Home
from flows import (
    advice,
    cli_archive,
    cli_export,
    cli_operations,
    cli_site,
    cli_sources,
    cli_warehouse,
    logs,
    pipeline,
    progress,
    show,
    show_status,
)
from flows.cli_warehouse import AcceptOption, ReasonOption, accepted_gates
from flows.night import by_hand, run_night
from flows.options import HomeOption, LogOption
from flows.pipeline import Outcome
from flows.registry import RegistryError, load_registry
from flows.settings import Settings, SettingsError, load_settings
from warehouse.build import BuildError
from warehouse.corrections import CorrectionError, load_corrections
from warehouse.districts import codes
from warehouse.population import PopulationError, read_population
from warehouse.query import QueryError, WarehouseMissing, run_sql
from warehouse.site.model import SiteError
from warehouse.status import Selection
from warehouse.status import status as read_status

app = typer.Typer(
    name="gongkai",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The yearly disclosure reports of China's governments as one trusted SQL table.",
)
app.add_typer(cli_sources.app, name="sources")
out = Console()
err = Console(stderr=True)
app.add_typer(cli_archive.app)
app.add_typer(cli_export.app)
app.add_typer(cli_operations.app)
app.add_typer(cli_site.app)
app.add_typer(cli_warehouse.app)

log = logging.getLogger("gongkai")

#: What ends a command with status 1: nothing was published.
FAILURES = cli_warehouse.FAILURES


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
    logs.configure("text")
    app()


def stop(message: str, code: int) -> NoReturn:
    """Say why on standard error and end with `code`."""
    if logs.is_json():
        log.error("%s", message)
        raise typer.Exit(code)
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def settings() -> Settings:
    """The settings. Ends with status 2 for a value that can't be."""
    try:
        present = load_settings()
    except SettingsError as error:
        stop(f"settings: {error}", 2)
    if present.log == "json":
        logs.configure("json")
    return present


def place(home: Path | None) -> Home:
    """The home of a command."""
    return Home(home or settings().home)


@app.command(epilog="Example: gongkai run --sources sources/sample/sources.yml --year 2021")
def run(
    sources: Annotated[
        Path | None, typer.Option("--sources", metavar="PATH", help="Registry: a YAML file or a folder of them; or GONGKAI_SOURCES.")
    ] = None,
    source: Annotated[list[str] | None, typer.Option("--source", metavar="ID", help="Only this source; repeatable.")] = None,
    year: Annotated[list[int] | None, typer.Option("--year", metavar="Y", help="Only reports on this year; repeatable.")] = None,
    refetch: Annotated[bool, typer.Option("--refetch", help="Ask again, conditionally, for every known address.")] = False,
    reparse: Annotated[
        bool, typer.Option("--reparse", help="Read the archive again without one request: what a new reader affects, else everything.")
    ] = False,
    accept_gate: AcceptOption = None,
    reason: ReasonOption = None,
    log_json: LogOption = False,
    home: HomeOption = None,
) -> None:
    """One nightly run: crawl, extract, transform, check, load, publish."""
    if refetch and reparse:
        stop("--refetch asks every address again, --reparse asks none: choose one", 2)
    accepted = accepted_gates(accept_gate, reason)
    present = cli_operations.settings()
    registry = sources or present.sources or stop("no registry: give --sources PATH or set GONGKAI_SOURCES", 2)
    check_registry(registry, source or [])
    check_corrections()
    where = place(home)
    check_population(where)
    result = run_flow(where, registry, source or [], year or [], refetch, reparse, accepted)
    tell_outcome(where, result)
    raise typer.Exit(result.exit_status)


def tell_outcome(home: Home, result: Outcome) -> None:
    """What a run came to, on standard error: a table, or one JSON line."""
    if logs.is_json():
        told = {"run_id": result.run_id, "status": result.status, "failures": result.failures, "counts": result.counts}
        log.info("%s", result.status, extra=told)
    else:
        show.outcome(err, home, result)


def check_registry(sources: Path, wanted: list[str]) -> None:
    """End with status 2 for a registry with any fault, before the first request."""
    try:
        known = {s.id for s in load_registry(sources, codes())}
    except RegistryError as error:
        stop(str(error), 2)
    if unknown := [w for w in wanted if w not in known]:
        stop(f"{sources} has no source {', '.join(unknown)}", 2)


def check_corrections() -> None:
    """End with status 2 for a malformed corrections file, before the first request."""
    try:
        load_corrections(settings().corrections)
    except CorrectionError as error:
        stop(f"corrections: {error}", 2)


def check_population(home: Home) -> None:
    """End with status 2 for a faulty population file, before the first request."""
    path = pipeline.population_file(home)
    try:
        if path:
            read_population(path)
    except (PopulationError, OSError) as error:
        stop(f"population: {error}", 2)


def run_flow(
    home: Home,
    sources: Path,
    source_ids: list[str],
    years: list[int],
    refetch: bool,
    reparse: bool,
    accepted: dict[str, str] | None = None,
) -> Outcome:
    """Run the nightly flow on an embedded Prefect API. A run that fails is closed as failed and ends with status 1."""
    try:
        with progress.reporting(Console(stderr=True, force_terminal=False) if logs.is_json() else err):
            return run_night(home, sources, source_ids, years, refetch, reparse, accepted)
    except FAILURES as error:
        message = f"nothing was published: {advice.told(error, home)}"
    stop(message, 1)  # outside the handler: a traceback kept until exit keeps DuckDB's objects, which complain of it


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
    check_corrections()
    where, present = place(home), settings()
    check_population(where)
    try:
        with (
            progress.reporting(err),
            by_hand(where, "ingest", present) as hand,
            pipeline.readers(present.workers, present.document_memory) as pool,
        ):
            given = (files, publisher, district, year, scope.value if scope else None)
            result = hand.conclude(lambda: ingest_files(where, hand.run_id, *given, pool, present))
    except FAILURES as error:
        message = f"nothing was published: {advice.told(error, where)}"
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


@app.command(epilog="Example: gongkai explain lucheng-office-2021-1f3a9c20 new_received --applicant natural_person --out page.png")
def explain(
    report_id: Annotated[str, typer.Argument(metavar="REPORT_ID", help="Report, as in the column report_id.")],
    indicator: Annotated[str, typer.Argument(metavar="INDICATOR", help="Indicator code, as in the column indicator.")],
    applicant: Annotated[str | None, typer.Option("--applicant", metavar="A", help="Column of table three; else the total.")] = None,
    out_file: Annotated[Path | None, typer.Option("--out", metavar="PNG", help="Picture of the page with the cell framed.")] = None,
    home: HomeOption = None,
) -> None:
    """Where a figure came from: address, archive record, page, checks, other years and versions, and a picture of its cell."""
    from flows.explain import FontMissingError, PictureError, explain
    from warehouse.story import NoSuchFigure

    try:
        explain(out, place(home), report_id.strip(), indicator.strip(), applicant, out_file)
    except (*FAILURES, WarehouseMissing, NoSuchFigure, PictureError, FontMissingError, ArchiveError) as error:
        stop(str(error.args[0] if isinstance(error, LookupError) else error), 1)


@app.command(epilog="Example: gongkai status --home /srv/gongkai")
def status(
    district: Annotated[str | None, typer.Option("--district", metavar="CODE", help="Only districts whose code starts so.")] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="ID", help="Only this source.")] = None,
    year: Annotated[list[int] | None, typer.Option("--year", metavar="Y", help="Only reports on this year; repeatable.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every missing report, problem and source.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only what needs a look, one line each; then status 1.")] = False,
    max_age: Annotated[str | None, typer.Option("--max-age", metavar="36h", help="With --check: how old the last success may be.")] = None,
    max_failing: Annotated[
        int | None, typer.Option("--max-failing", metavar="K", min=1, help="With --check: failed visits in a row.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Coverage, what is missing and why, problems, last runs, last success of each source."""
    where = place(home)
    if check:
        cli_operations.check(where, max_age, max_failing)
    chosen = Selection(district, source, tuple(year or ()))
    try:
        show_status.status(out, read_status(where.warehouse, where.ledger, chosen=chosen), everything=everything)
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
    except SiteError as error:
        stop(str(error), 1)
    raise typer.Exit(1 if result.status == "failed" else 0)


if __name__ == "__main__":
    main()
