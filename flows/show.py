"""What the commands print: outcome of a run, status, and the demo's comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from extract.home import Home
from flows.pipeline import Outcome
from warehouse.query import connect

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
