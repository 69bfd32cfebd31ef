"""What a run changed, in Markdown: new and changed reports, withdrawals, problems, coverage, time spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from extract.home import Home
from extract.ledger import Ledger
from flows.pipeline import Outcome
from warehouse.gate import GateError
from warehouse.query import QueryError, WarehouseMissing, connect

#: Rows of a list; the rest is counted.
SHOWN = 50

Pair = tuple[str, str]
_REPORTS = "SELECT report_id, publisher_id, year, scope::VARCHAR, coalesce(title, '') FROM report"
_COVERAGE = "SELECT publisher_id, year, state::VARCHAR FROM coverage"
_PROBLEMS = """SELECT severity::VARCHAR, stage::VARCHAR, coalesce(publisher_id, ''), coalesce(year::VARCHAR, ''), kind, message,
    coalesce(url, '') FROM problem WHERE is_open"""
_CHANGES = "SELECT report_id_from, report_id_to FROM report_change"
_REVISIONS = """SELECT report_id_from, report_id_to, change::VARCHAR, count(*) FROM revision
    WHERE list_contains($new, report_id_to) GROUP BY ALL ORDER BY ALL"""


#: Of a gate without a measure `now` is how many rows break its rule.
_COMPARED = ("gate", "measure", "before", "now", "bound")
_ACCEPTED = """SELECT gate, measure, before, after, bound, accepted_reason FROM gate_result
    WHERE run_id = ? AND accepted_reason IS NOT NULL ORDER BY gate, measure"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the published file says: reports by id, state of a publisher and year, open problems, which report took the place of which."""

    reports: dict[str, tuple[str, int, str, str]] = field(default_factory=dict)
    coverage: dict[tuple[str, int], str] = field(default_factory=dict)
    problems: frozenset[tuple[str, ...]] = frozenset()
    changes: frozenset[Pair] = frozenset()


def snapshot(home: Home) -> Snapshot:
    """The published file as it is now; empty where there is none, or one of an older version that can't be compared."""
    try:
        with connect(home.warehouse) as con:
            return Snapshot(
                {r[0]: (r[1], r[2], r[3], r[4]) for r in con.execute(_REPORTS).fetchall()},
                {(p, y): state for p, y, state in con.execute(_COVERAGE).fetchall()},
                frozenset(tuple(map(str, row)) for row in con.execute(_PROBLEMS).fetchall()),
                frozenset((a, b) for a, b in con.execute(_CHANGES).fetchall()),
            )
    except (WarehouseMissing, QueryError, duckdb.Error):
        return Snapshot()


def compose(
    home: Home,
    outcome: Outcome,
    before: Snapshot,
    timings: Mapping[str, float],
    reasons: Sequence[str] = (),
    accepted: Mapping[str, str] | None = None,
) -> str:
    """The summary of a run that came to its end. `reasons` are the lines of `gongkai status --check`, `accepted` the gates that were
    allowed to be red, and why.
    """
    after = snapshot(home)
    parts = [
        [f"# Run {outcome.run_id}: {outcome.status.replace('_', ' ')}", ""],
        _counts(outcome),
        _list("Needs a look", reasons),
        _accepted(home, outcome, accepted or {}),
        _coverage(before, after),
        _reports(before, after),
        _revisions(home, before, after),
        _withdrawn(before, after),
        _problems("New problems", after.problems - before.problems),
        _problems("Problems closed", before.problems - after.problems),
        _timings(timings),
    ]
    return "\n".join(line for part in parts for line in part)


def compose_failure(home: Home, run_id: str, error: BaseException, timings: Mapping[str, float]) -> str:
    """The summary of a run that published nothing: why, and the problems it had met by then."""
    with Ledger(home.ledger) as ledger:
        met = [
            (p.severity, p.stage, p.publisher_id or "", str(p.year or ""), p.kind, p.message, p.url or "") for p in ledger.problems(run_id)
        ]
    why = str(error) or type(error).__name__
    quoted = [f"> {line}" for line in why.split("\n")]
    head = [f"# Run {run_id}: failed", "", "Nothing was published; the warehouse is as it was.", "", *quoted]
    return "\n".join([*head, "", *_red(error), *_problems("Problems until then", met), *_timings(timings)])


def path(home: Home, run_id: str) -> Path:
    """Where the summary of a run lies."""
    return home.root / "runs" / f"{run_id}.md"


def leave(home: Home, run_id: str, text: str) -> Path:
    """Write the summary of a run, whole or not at all. Raises OSError."""
    place = path(home, run_id)
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}")
    aside.write_text(text, "utf-8")
    aside.replace(place)
    return place


def _counts(outcome: Outcome) -> list[str]:
    rows = [(name.replace("_", " "), f"{number:,}") for name, number in outcome.counts.items()]
    return _table("Counts", ("what", "count"), [*rows, ("failures", f"{outcome.failures:,}")])


def _accepted(home: Home, outcome: Outcome, accepted: Mapping[str, str]) -> list[str]:
    """Red gates that were let pass: what was compared, and why they were; and reasons given for gates that were green."""
    if not accepted or outcome.status != "published":
        return []
    with connect(home.warehouse) as con:
        found = con.execute(_ACCEPTED, [outcome.run_id]).fetchall()
    rows = [(gate, measure or "", *map(_number, numbers), why) for gate, measure, *numbers, why in found]
    red = {row[0] for row in rows}
    green = [(gate, "", "", "", "", f"was green; the reason given: {why}") for gate, why in accepted.items() if gate not in red]
    return _table(f"Accepted gates ({len(rows)})", (*_COMPARED, "reason"), [*rows, *green])


def _red(error: BaseException) -> list[str]:
    """The gates that kept a build from being published, and what they compared."""
    if not isinstance(error, GateError):
        return []
    rows = [(r.gate, r.measure or "", _number(r.before), _number(r.after), _number(r.bound), r.detail) for r in error.red]
    return _table(f"Red gates ({len(rows)})", (*_COMPARED, "what it found"), rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.6g}"


def _coverage(before: Snapshot, after: Snapshot) -> list[str]:
    old, new = Counter(before.coverage.values()), Counter(after.coverage.values())
    rows = [(state, str(old[state]), str(new[state]), f"{new[state] - old[state]:+d}") for state in sorted({*old, *new})]
    return _table("Coverage (publisher × year)", ("state", "before", "now", "change"), rows)


def _reports(before: Snapshot, after: Snapshot) -> list[str]:
    replaced = {new for _, new in after.changes}
    fresh = [(*about, name) for name, about in after.reports.items() if name not in before.reports and name not in replaced]
    rows = sorted((publisher, str(year), scope, title, name) for publisher, year, scope, title, name in fresh)
    return _table(f"New reports ({len(rows)})", ("publisher", "year", "scope", "title", "report"), rows)


def _revisions(home: Home, before: Snapshot, after: Snapshot) -> list[str]:
    pairs = after.changes - before.changes
    if not pairs:
        return []
    figures: dict[Pair, list[str]] = {pair: [] for pair in sorted(pairs)}
    with connect(home.warehouse) as con:
        for old, new, change, number in con.execute(_REVISIONS, {"new": [new for _, new in pairs]}).fetchall():
            figures.setdefault((old, new), []).append(f"{number} {change}")
    rows = [(old, new, ", ".join(told) or "same figures") for (old, new), told in figures.items() if (old, new) in pairs]
    return _table(f"Revisions ({len(rows)})", ("report", "replaced by", "figures"), rows)


def _withdrawn(before: Snapshot, after: Snapshot) -> list[str]:
    rows = [(p, str(y)) for (p, y), state in after.coverage.items() if state == "withdrawn" and before.coverage.get((p, y)) != state]
    return _table(f"Withdrawn ({len(rows)})", ("publisher", "year"), sorted(rows))


def _problems(title: str, problems: Iterable[tuple[str, ...]]) -> list[str]:
    rows = sorted(problems)
    return _table(f"{title} ({len(rows)})", ("severity", "stage", "publisher", "year", "kind", "message", "address"), rows)


def _timings(timings: Mapping[str, float]) -> list[str]:
    return _table("Time", ("stage", "seconds"), [(stage, f"{seconds:.1f}") for stage, seconds in timings.items()])


def _list(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *(f"- {line}" for line in lines), ""] if lines else []


def _table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A section with a table; nothing where there is no row."""
    if not rows:
        return []
    head = [f"## {title}", ""]
    body = [_row(names), _row(["-"] * len(names)), *(_row(row) for row in rows[:SHOWN])]
    return [*head, *body, *_rest(rows), ""]


def _rest(rows: Sequence[object]) -> Iterator[str]:
    if len(rows) > SHOWN:
        yield f"\nand {len(rows) - SHOWN} more"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
