"""`gongkai site`: a static site of the published warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.cli_export import _home, _stop
from flows.options import HomeOption
from warehouse.query import WarehouseMissing
from warehouse.site.model import SiteError

app = typer.Typer()
out = Console()


@app.command(epilog="Example: gongkai site /srv/share/gongkai-site")
def site(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to make; an older site in it is replaced, files of others in it are kept.")
    ],
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Draw the pages that figures stand on; those drawn before are kept.")
    ] = True,
    home: HomeOption = None,
) -> None:
    """Write a static site: coverage, districts, comparison, reports with evidence, reporting errors. Works offline, without a server."""
    from flows.site import make_site

    try:
        made = make_site(_home(home), directory, pictures=pictures)
    except (SiteError, WarehouseMissing) as error:
        message = str(error)
    else:
        size = made.counts["bytes"] / 1e6
        out.print(f"site: {made.path / 'index.html'}", highlight=False, soft_wrap=True)
        out.print(
            f"{made.counts['pages']:,} pages, {made.counts['data']:,} data files, {made.counts['pictures']:,} pictures, {size:,.1f} MB"
        )
        return
    _stop(message)
