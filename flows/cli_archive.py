"""`gongkai archive`: check, list and read what was fetched."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from extract.archive import Archive, ArchiveError, ArchiveFile, read_body
from extract.archive_find import find_body
from extract.archive_seal import Seal
from extract.archive_verify import Finding, Tally, run_of, verify
from extract.home import Home
from flows.options import HomeOption
from flows.show import table

app = typer.Typer(name="archive", no_args_is_help=True, help="Check, list and read what was fetched (WARC).")
out = Console()
err = Console(stderr=True)

_FAILURES = (ArchiveError, OSError, sqlite3.Error)


def _stop(message: str, code: int = 1) -> NoReturn:
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def _open(home: Path | None) -> tuple[Home, Archive]:
    """The home and its archive. Ends with status 2 for a setting that can't be."""
    from flows.settings import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError as error:
        _stop(f"settings: {error}", 2)
    where = Home(home or settings.home)
    return where, Archive.of(where, settings)


@app.command("verify", epilog="Example: gongkai archive verify --home /srv/gongkai")
def verify_archive(home: HomeOption = None) -> None:
    """Check every record and digest, and that every row of the ledger leads to its bytes. Status 1 where anything is damaged."""
    where, archive = _open(home)
    tally, damaged, warned = Tally(), 0, 0
    try:
        with _progress(sum(f.bytes for f in archive.files())) as advance:
            for finding in verify(archive, where.ledger, tally, advance):
                damaged, warned = damaged + (finding.severity == "damage"), warned + (finding.severity == "warning")
                _print(finding)
    except _FAILURES as error:
        _stop(f"the archive could not be checked: {error}")
    _summary(tally, damaged, warned)
    raise typer.Exit(1 if damaged else 0)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar of bytes on a terminal."""
    columns = (TextColumn("checking"), BarColumn(30), DownloadColumn(binary_units=True), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, advance=done)


def _print(finding: Finding) -> None:
    """One line: severity, file, offset, address, reason, with tabs between."""
    offset = "-" if finding.offset is None else str(finding.offset)
    line = "\t".join((finding.severity, finding.file, offset, finding.url or "-", finding.reason))
    typer.secho(line, fg="red" if finding.severity == "damage" else "yellow")


def _summary(tally: Tally, damaged: int, warned: int) -> None:
    rows: list[tuple[str, int]] = [("files", tally.files), ("bytes", tally.bytes)]
    rows += [(f"{kind} records", number) for kind, number in sorted(tally.records.items())]
    table(out, "archive", ("checked", "number"), [*rows, ("rows of the ledger", tally.rows), ("damaged", damaged), ("warnings", warned)])
    verdict = "damaged" if damaged else "all well"
    out.print(verdict, style="red" if damaged else "green")


@app.command("list", epilog="Example: gongkai archive list --home /srv/gongkai")
def list_files(home: HomeOption = None) -> None:
    """The files of the archive: run, file, records (known once it is finished), bytes, where it lies; with tabs between when piped."""
    _, archive = _open(home)
    try:
        files = archive.files()
        seals = {f.name: archive.seal(f.name) for f in files}
    except _FAILURES as error:
        _stop(str(error))
    rows = [_row(f, seals[f.name]) for f in files]
    if out.is_terminal:
        table(out, f"{len(files)} files, {sum(f.bytes for f in files):,} bytes", ("run", "file", "records", "bytes", "where"), rows)
        return
    for row in rows:
        typer.echo("\t".join("" if v is None else str(v) for v in row))


def _row(file: ArchiveFile, seal: Seal | None) -> tuple[str | None, str, int | None, int, str]:
    return run_of(file.name), file.name, seal.records if seal else None, file.bytes, "being written" if file.in_use else file.where


@app.command("get", epilog="Example: gongkai archive get http://127.0.0.1:8765/guide.html --at 2026-11-22 --out guide.html")
def get(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address, as in the column url.")],
    at: Annotated[datetime | None, typer.Option("--at", metavar="TIME", help="What was there at this time (UTC); else the newest.")] = None,
    out_file: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to a file; else to standard output.")] = None,
    home: HomeOption = None,
) -> None:
    """The archived bytes of an address: the newest body, or the one it had at TIME."""
    where, archive = _open(home)
    try:
        found = find_body(where.ledger, url, _utc(at))
        if found is None:
            _stop(f"the archive has no body of {url}" + (f" at {at:%Y-%m-%d %H:%M:%S}" if at else ""))
        body = read_body(archive, found.place.archive_file, found.place.archive_offset)
        if out_file:
            out_file.write_bytes(body)
        else:
            sys.stdout.buffer.write(body)
    except _FAILURES as error:
        _stop(str(error))
    note = f"{found.media}, {len(body)} bytes, sha256 {found.sha256}, {found.place.archive_file} at {found.place.archive_offset}"
    err.print(note, markup=False, highlight=False, soft_wrap=True)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
