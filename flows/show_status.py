"""What `gongkai status` prints: alarms first, then what is there, what is missing and why; readable at 80 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.show import table
from warehouse.status import Cells, Missing, Source, Status

SHOWN = 10
# In the order they are told in, worst first.
STATES = {
    "withdrawn": "magenta",
    "unreachable": "red",
    "robots_disallowed": "red",
    "unreadable": "red",
    "not_found": "yellow",
    "no_tables": "cyan",
    "flagged": "yellow",
    "not_due": "dim",
    "loaded": "green",
}
_YEARS = 8


def status(console: Console, found: Status, *, everything: bool = False) -> None:
    """Alarms, coverage, what is missing and why, open problems, last runs, sources that fail; with `everything` each list whole."""
    limit = None if everything else SHOWN
    console.print(f"published: {found.built_at or 'nothing yet'}" + (" UTC" if found.built_at else "") + "\n")
    _alarms(console, found)
    if found.coverage:
        _coverage(console, found)
        _matrix(console, found.cells, everything)
    _missing(console, found.missing, limit)
    _problems(console, found, limit)
    runs = [(r.run_id, r.command, r.status, r.started_at, r.finished_at, r.problems) for r in found.runs]
    table(console, "last runs", ("run", "command", "status", "started", "finished", "problems"), runs)
    _sources(console, found.sources, limit)


def _alarms(console: Console, found: Status) -> None:
    rows = [(p.severity, p.publisher_id, p.message) for p in found.alarms]
    if rows:
        table(console, f"ALARM: {len(rows)} index pages list less than they did", ("severity", "source", "what"), rows)


def _coverage(console: Console, found: Status) -> None:
    rows = [(state, found.coverage[state]) for state in reversed(STATES) if state in found.coverage]
    table(console, "coverage (publisher × year)", ("state", "reports"), rows)


def _matrix(console: Console, cells: Sequence[Cells], everything: bool) -> None:
    """Places × years: how many of the publishers have a report loaded, coloured by the worst that is missing."""
    every = sorted({c.year for c in cells})
    years = every if everything else every[-_YEARS:]
    console.print(Text("loaded of expected, by place and year", style="bold"))
    grid = Table(header_style="bold", pad_edge=False, box=None, padding=(0, 1))
    grid.add_column("place", overflow="ellipsis", max_width=16, no_wrap=True)
    for year in years:
        grid.add_column(str(year), justify="right", no_wrap=True)
    counts: dict[tuple[str, str], dict[int, Counter[str]]] = {}
    for c in cells:
        counts.setdefault((c.code, c.place), {}).setdefault(c.year, Counter())[c.state] += c.publishers
    for (code, place), by_year in sorted(counts.items()):
        grid.add_row(f"{code} {place}", *(_cell(by_year.get(year, Counter())) for year in years))
    console.print(grid)
    if len(years) < len(every):
        console.print(Text(f"(earlier years: {every[0]} to {years[0] - 1}; --all shows them)", style="dim"))
    console.print()


def _cell(states: Counter[str]) -> Text:
    """`12/15`: loaded, flagged or text only, of those that are due; a dot where none is."""
    due = states.total() - states["not_due"]
    if not due:
        return Text("·", style="dim")
    have = states["loaded"] + states["flagged"] + states["no_tables"]
    worst = next((style for state, style in STATES.items() if states[state]), "")
    return Text(f"{have}/{due}", style=worst)


def _missing(console: Console, missing: Sequence[Missing], limit: int | None) -> None:
    """By state and kind of reason; then one by one, the first ones."""
    if not missing:
        return
    groups = Counter((m.state, _kind(m.reason)) for m in missing)
    examples = {(m.state, _kind(m.reason)): f"{m.publisher_id} {m.year}" for m in reversed(missing)}
    ranked = sorted(groups.items(), key=lambda g: (list(STATES).index(g[0][0]), -g[1]))
    table(
        console, "missing, and why", ("state", "reports", "why", "one of them"), [(s, n, why, examples[s, why]) for (s, why), n in ranked]
    )
    rows = sorted(missing, key=lambda m: (list(STATES).index(m.state), -m.year, m.publisher_id))
    shown = [(m.publisher_id, m.year, m.state, m.reason) for m in rows[:limit]]
    table(console, "missing" + _of(shown, rows), ("source", "year", "state", "reason"), shown)


def _kind(reason: str | None) -> str:
    """What a reason starts with: the kind of problem, or the words before the first date or detail."""
    head = (reason or "").split(";")[0].split(":")[0]
    return head.split(" since ")[0]


def _problems(console: Console, found: Status, limit: int | None) -> None:
    if not found.problems:
        return
    rows = [(g.severity, g.kind, g.problems, g.publishers, _short(g.example)) for g in found.groups]
    table(console, "open problems", ("severity", "kind", "problems", "sources", "one of them"), rows)
    shown = [(p.severity, p.publisher_id, p.year, p.kind, p.message, p.url) for p in found.problems[:limit]]
    table(
        console, "open problems, one by one" + _of(shown, found.problems), ("severity", "source", "year", "kind", "message", "url"), shown
    )


def _sources(console: Console, sources: Sequence[Source], limit: int | None) -> None:
    """Those that fail, longest first; all of them where they are few or asked for."""
    if not sources:
        return
    chosen = sources if limit is None or len(sources) <= limit else [s for s in sources if s.failing]
    rows = sorted(chosen, key=lambda s: (-s.failing, s.publisher_id))
    shown = [(s.publisher_id, s.checked_at, "yes" if s.index_read else "no", s.listed, s.failing, s.last_success) for s in rows[:limit]]
    well = sum(not s.failing for s in sources)
    names = ("source", "last visit", "index read", "listed", "failing visits", "last success")
    table(console, f"sources: {well} of {len(sources)} well" + _of(shown, rows), names, shown)


def _short(text: str, width: int = 60) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _of(shown: Iterable[object], rows: Sequence[object]) -> str:
    count = len(list(shown))
    return f" ({count} of {len(rows)}; --all shows every one)" if count < len(rows) else ""
