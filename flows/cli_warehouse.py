"""`gongkai snapshots`, `gongkai rollback` and `gongkai upgrade`; `--accept-gate` of `gongkai run`."""

from __future__ import annotations

import getpass
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import duckdb
import typer
from rich.console import Console

from extract.home import Home
from extract.ledger import Ledger
from flows import advice, pipeline, progress
from flows.engine import EngineError
from flows.night import by_hand, closing_on_failure
from flows.options import HomeOption
from flows.pipeline import BusyError
from flows.settings import Settings, SettingsError, load_settings
from flows.show import outcome, table
from warehouse.build import BuildError
from warehouse.corrections import CorrectionError
from warehouse.gate import ACCEPTABLE, GATES, GateError
from warehouse.query import QueryError
from warehouse.snapshots import Snapshot, SnapshotError, restore, snapshots

app = typer.Typer()
out = Console()
err = Console(stderr=True)

#: What ends a command with status 1: nothing was published.
FAILURES = (
    BuildError,
    CorrectionError,
    GateError,
    BusyError,
    EngineError,
    QueryError,
    SnapshotError,
    duckdb.Error,
    sqlite3.Error,
    OSError,
)

AcceptOption = Annotated[
    list[str] | None, typer.Option("--accept-gate", metavar="NAME", help="Publish although this gate is red; repeatable, with --reason.")
]
ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept in the warehouse and in the ledger.")]


def accepted_gates(names: Sequence[str] | None, reason: str | None) -> dict[str, str]:
    """Gates that may be red -> why. Ends with status 2 for a name that is no gate, one that nothing excuses, or a missing reason."""
    known = {gate.name for gate in GATES}
    for name in names or ():
        if name not in known:
            stop(f"--accept-gate {name}: there is no such gate; there are {', '.join(sorted(ACCEPTABLE))}", 2)
        if name not in ACCEPTABLE:
            stop(f"--accept-gate {name}: no reason excuses it: a file that breaks it answers queries wrongly", 2)
    if names and not (reason or "").strip():
        stop('--accept-gate needs --reason "…": it is kept in the warehouse', 2)
    if reason and not names:
        stop("--reason goes with --accept-gate", 2)
    return {name: (reason or "").strip() for name in names or ()}


def stop(message: str, code: int) -> NoReturn:
    """Say why on standard error and end with `code`."""
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def settings() -> Settings:
    """The settings. Ends with status 2 where they can't be used."""
    try:
        return load_settings()
    except SettingsError as error:
        stop(f"settings: {error}", 2)


def _place(home: Path | None) -> Home:
    return Home(home or settings().home)


@app.command("snapshots", epilog="Example: gongkai snapshots --home /srv/gongkai")
def list_snapshots(home: HomeOption = None) -> None:
    """Published files of before that are kept, newest first."""
    try:
        rows = [_row(s) for s in snapshots(_place(home).warehouse)]
    except FAILURES as error:
        stop(str(error), 1)
    if out.is_terminal:
        table(out, "snapshots", ("run", "built (UTC)", "reports", "figures", "bytes", ""), rows)
        return
    for row in rows:
        typer.echo("\t".join(map(str, row)))


def _row(s: Snapshot) -> tuple[str, str, int, int, int, str]:
    return s.run_id, s.built_at, s.reports, s.observations, s.bytes, "published" if s.is_published else ""


@app.command(epilog='Example: gongkai rollback --reason "the parser of Tuesday lost a table"')
def rollback(
    run_id: Annotated[str | None, typer.Argument(metavar="[RUN_ID]", help="Snapshot of this run; else the one before.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept in the ledger.")] = None,
    home: HomeOption = None,
) -> None:
    """Publish a snapshot again. The next run goes on from there: what is not in it is read again from the archive."""
    where = _place(home)
    try:
        before, now = roll_back(where, run_id, reason)
    except FAILURES as error:
        stop(f"nothing was changed: {error}", 1)
    left = f", in the place of that of run {before.run_id}, which stays as a snapshot" if before else ""
    out.print(f"published is the file of run {now.run_id}, built {now.built_at} UTC{left}", highlight=False, soft_wrap=True)


def roll_back(home: Home, run_id: str | None, reason: str | None) -> tuple[Snapshot | None, Snapshot]:
    """Publish a snapshot again, as a run of the ledger; what was published and what is. Raises BusyError, SnapshotError, OSError."""
    with pipeline.exclusive(home), Ledger(home.ledger) as ledger:
        run = ledger.start_run(" ".join(filter(None, ["rollback", run_id])))
        with closing_on_failure(home, run):
            before, now = restore(home.warehouse, run_id)
        facts = {"from": before.run_id if before else None, "to": now.run_id, "reason": reason, "by": _who()}
        ledger.finish_run(run, "published", facts)
    return before, now


def _who() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return None


@app.command("upgrade", epilog="Example: gongkai upgrade --home /srv/gongkai")
def upgrade_home(accept_gate: AcceptOption = None, reason: ReasonOption = None, home: HomeOption = None) -> None:
    """Bring a home of an older version to this one: its ledger, its warehouse, and what this version reads differently."""
    from flows.upgrade import upgrade

    accepted, present = accepted_gates(accept_gate, reason), settings()
    where = Home(home or present.home)
    if not where.ledger.exists():
        stop(f"{where.root} is no home: it has no ledger", 1)
    try:
        with (
            progress.reporting(err),
            by_hand(where, "upgrade", present) as hand,
            pipeline.readers(present.workers, present.document_memory) as pool,
        ):
            result = hand.conclude(lambda: upgrade(where, hand.run_id, pool, present, accepted), accepted)
    except FAILURES as error:
        message = f"nothing was published: {advice.told(error, where)}"
    else:
        outcome(err, where, result)
        raise typer.Exit(result.exit_status)
    stop(message, 1)
