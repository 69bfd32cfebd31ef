"""`gongkai serve`, `gongkai config`, and what `gongkai status --check` does."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.text import Text

from extract.home import Home
from flows import health, logs, notify
from flows.options import HomeOption, LogOption
from flows.registry import RegistryError, load_registry
from flows.schedule import Schedule, duration
from flows.settings import Settings, SettingsError, load_settings, origin, strangers
from warehouse.districts import codes

app = typer.Typer()
out = Console()
err = Console(stderr=True)


class Format(StrEnum):
    """Output of `gongkai config`."""

    table = "table"
    json = "json"


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting as it is printed: secrets are masked. `origin` is a variable, the settings file, or `default`."""

    name: str
    value: object
    origin: str
    description: str


def stop(message: str, code: int) -> NoReturn:
    """Say why on standard error and end with `code`."""
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def settings() -> Settings:
    """The settings, with addresses for messages that can be used. Ends with status 2 where they can't be."""
    try:
        present = load_settings()
    except SettingsError as error:
        stop(f"settings: {error}", 2)
    check_notify(present)
    if present.log == "json":
        logs.configure("json")
    return present


def check_notify(present: Settings) -> None:
    """End with status 2 for an address that Apprise does not know."""
    if present.notify and (faults := notify.faults(present.notify)):
        stop(f"settings: {'; '.join(faults)}", 2)


@app.command(epilog='Example: gongkai serve --sources sources --cron "0 2 * * *" --home /srv/gongkai')
def serve(
    sources: Annotated[
        Path | None, typer.Option("--sources", metavar="PATH", help="Registry: a YAML file or a folder; or GONGKAI_SOURCES.")
    ] = None,
    cron: Annotated[
        str | None, typer.Option("--cron", metavar="EXPR", help="When to run, in GONGKAI_TIMEZONE; or GONGKAI_SCHEDULE, else 0 2 * * *.")
    ] = None,
    catch_up: Annotated[
        bool | None, typer.Option("--catch-up/--no-catch-up", help="Run at once where a scheduled run was missed; or GONGKAI_CATCH_UP.")
    ] = None,
    log_json: LogOption = False,
    home: HomeOption = None,
) -> None:
    """Run nightly on the schedule, through Prefect: its server where PREFECT_API_URL names one, else an embedded one for each night."""
    from flows.engine import EngineError
    from flows.pipeline import BusyError
    from flows.serve import serve as serve_nightly

    present = settings()
    registry = sources or present.sources
    if registry is None:
        stop("serve: no registry; give --sources PATH or set GONGKAI_SOURCES", 2)
    schedule = _schedule(cron or present.schedule, present.timezone)
    try:
        load_registry(registry, codes())
    except RegistryError as error:
        stop(str(error), 2)
    where = Home((home or present.home).absolute())
    try:
        serve_nightly(where, registry.absolute(), schedule, present.catch_up if catch_up is None else catch_up, present.stop_grace)
    except (BusyError, EngineError, sqlite3.Error, OSError) as error:
        stop(str(error), 1)


def _schedule(cron: str, timezone: str) -> Schedule:
    try:
        return Schedule(cron, timezone)
    except ValueError as error:
        stop(f"--cron: {error}", 2)


@app.command(epilog="Example: gongkai config --format json --home /srv/gongkai")
def config(
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    home: HomeOption = None,
) -> None:
    """Every setting: value, where it comes from, what it means. Secrets are masked."""
    rows = shown(settings())
    for name in strangers():
        err.print(f"{name} is set, and no such setting exists", style="yellow", markup=False, highlight=False)
    if format is Format.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
        return
    for row in rows:
        out.print(Text(f"{row.name} = {_text(row.value)}", "bold"), Text(f"({row.origin})", "cyan"), highlight=False, soft_wrap=True)
        out.print(Text(f"    {row.description}", "dim"), soft_wrap=True)


def shown(present: Settings) -> list[Shown]:
    """All settings by name, secrets masked."""
    fields = sorted(type(present).model_fields.items())
    return [Shown(name, _plain(getattr(present, name)), origin(name), field.description or "") for name, field in fields]


def _plain(value: object) -> object:
    """A value as JSON can hold it. Of an address for messages the parts without secrets are told, of any other secret nothing."""
    if isinstance(value, tuple):
        return [notify.masked(v) if isinstance(v, SecretStr) else v for v in value]
    if isinstance(value, SecretStr):
        return "****"
    return str(value) if isinstance(value, Path) else value


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)


def check(home: Home, max_age: str | None, max_failing: int | None) -> NoReturn:
    """Print one line for each reason to look, and end with status 1; one line and status 0 where there is none."""
    present = settings()
    try:
        limit = duration(max_age or present.max_age)
    except ValueError as error:
        stop(f"--max-age: {error}", 2)
    found = health.reasons(home, limit, max_failing or present.max_failing)
    for line in found or [health.well(home)]:
        print(line)
    raise typer.Exit(1 if found else 0)
