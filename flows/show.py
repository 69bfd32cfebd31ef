"""What the commands print: outcome of a run, status, and the demo's comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from extract.home import Home
from flows.pipeline import Outcome
from warehouse.query import connect
from warehouse.status import Status

_STYLES = {"loaded": "green", "flagged": "yellow", "failure": "red", "warning": "yellow", "unreadable": "red", "unreachable": "red"}


def table(console: Console, title: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table; numbers to the right, words of the state vocabulary coloured."""
    rows = [list(row) for row in rows]
    console.print(Text(title, style="bold"))
    grid = Table(header_style="bold", pad_edge=False, box=None)
    for i, name in enumerate(names):
        numeric = all(isinstance(row[i], int | float) or row[i] is None for row in rows)
        grid.add_column(name, justify="right" if numeric and rows else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text("" if v is None else str(v), style=_STYLES.get(str(v), "")) for v in row))
    console.print(grid)
    console.print()


def outcome(console: Console, home: Home, result: Outcome) -> None:
    """One line on what a run came to, and a table of what went wrong in it."""
    console.print(f"[bold]{result.run_id}[/bold] {result.status}: {_counted(result.counts)}")
    if not home.warehouse.exists():
        return
    with connect(home.warehouse) as con:
        rows = con.execute(
            "SELECT severity, stage, publisher_id, year, kind, message FROM problem WHERE run_id = ? ORDER BY ALL", [result.run_id]
        ).fetchall()
    if rows:
        table(console, "problems of this run", ("severity", "stage", "publisher", "year", "kind", "message"), rows)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items()) or "nothing to do"


def status(console: Console, found: Status) -> None:
    """Coverage, what is missing and why, open problems, last runs, last success of each source."""
    console.print(f"published: {found.built_at or 'nothing yet'}" + (" UTC" if found.built_at else "") + "\n")
    if found.coverage:
        table(console, "coverage (publisher × year)", ("state", "reports"), found.coverage.items())
    if found.missing:
        rows = [(m.publisher, m.year, m.state, m.reason) for m in found.missing]
        table(console, "missing", ("publisher", "year", "state", "reason"), rows)
    if found.problems:
        problems = [(p.severity, p.publisher_id, p.year, p.kind, p.message, p.url) for p in found.problems]
        table(console, "open problems", ("severity", "publisher", "year", "kind", "message", "url"), problems)
    runs = [(r.run_id, r.command, r.status, r.started_at, r.finished_at, r.problems) for r in found.runs]
    table(console, "last runs", ("run", "command", "status", "started", "finished", "problems"), runs)
    sources = [(s.publisher_id, s.checked_at, "yes" if s.index_read else "no", s.reports_found, s.last_success) for s in found.sources]
    if sources:
        table(console, "sources", ("source", "checked", "index read", "reports found", "last success"), sources)
