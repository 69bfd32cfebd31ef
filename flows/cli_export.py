"""`gongkai export`: a release of the published warehouse."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from extract.home import Home
from flows.options import HomeOption
from flows.show import table
from warehouse.export import ExportError
from warehouse.export import export as write_release
from warehouse.query import WarehouseMissing

app = typer.Typer()
out = Console()
err = Console(stderr=True)


def _stop(message: str, code: int = 1) -> NoReturn:
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


@app.command(epilog="Example: gongkai export releases/2026-11 --since releases/2026-10")
def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; an older release in it is replaced.")],
    since: Annotated[
        Path | None,
        typer.Option(
            "--since", metavar="RELEASE", exists=True, help="Folder or release.json of an earlier release, to say what changed since."
        ),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="The reports as they stood then: ISO date or UTC time.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write a release: Parquet and CSV, wide tables, Stata and R labels, datapackage.json, citation, checksums, changes."""
    moment = _moment(as_of)
    try:
        release = write_release(_home(home).warehouse, directory, since=since, as_of=moment)
    except (ExportError, WarehouseMissing) as error:
        message = str(error)
    else:
        table(out, f"release in {release.path}", ("relation", "rows"), release.rows.items())
        if since:
            table(out, "changes since the earlier release", ("change", "figures"), release.changes.items())
        return
    _stop(message)


def _moment(text: str | None) -> datetime | None:
    """A UTC time without zone. Ends with status 2 for a text that is none."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _stop(f"--as-of {text}: no ISO date or time", 2)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _home(home: Path | None) -> Home:
    from flows.settings import SettingsError, load_settings

    try:
        return Home(home or load_settings().home)
    except SettingsError as error:
        _stop(f"settings: {error}", 2)
