"""Whether the pipeline is still alive: what `gongkai status --check` says, one line a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from extract.home import Home
from flows.watch import BEAT, read_heartbeat
from warehouse.mirror import BuildError
from warehouse.query import QueryError
from warehouse.status import Run, Source, Status
from warehouse.status import status as read_status

#: Runs that are looked through for the last success.
RUNS = 10_000
#: Sources named one by one; the rest is counted.
NAMED = 20
#: A run is alive while its last beat is not older.
ALIVE = timedelta(seconds=4 * BEAT)
#: How much later than now a time may be; one that is later was written by a wrong clock.
AHEAD = timedelta(minutes=10)


def reasons(home: Home, max_age: timedelta, max_failing: int, now: datetime | None = None) -> list[str]:
    """Why a look is needed; empty where all is well.

    The last success (a `run` that published or found nothing new) ended longer ago than `max_age`, unless a run is under way that began
    within it, or it is dated later than now; a source's last `max_failing` visits failed; an index that listed reports lists none; the
    state can't be read.
    """
    moment = now or datetime.now(UTC)
    try:
        found = read_status(home.warehouse, home.ledger, runs=RUNS)
    except (QueryError, BuildError) as error:
        return [f"the state can't be read: {error}"]
    return [*_age(home, found.runs, max_age, moment), *_empty(found), *_failing(found.sources, max_failing), *_unpublished(home, found)]


def well(home: Home, now: datetime | None = None) -> str:
    """The one line to say when there is no reason."""
    found = read_status(home.warehouse, home.ledger, runs=RUNS)
    last = last_success(found.runs)
    age = (now or datetime.now(UTC)) - _moment(last.finished_at or last.started_at) if last else timedelta(0)
    return f"well: last success {_hours(age)} ago, {len(found.sources)} sources"


def last_success(runs: list[Run]) -> Run | None:
    """The newest nightly run that came to its end; files taken in by hand say nothing of the nights."""
    return next((r for r in runs if r.status in ("published", "nothing_new") and r.command.startswith("run")), None)


def _age(home: Home, runs: list[Run], max_age: timedelta, now: datetime) -> Iterator[str]:
    last = last_success(runs)
    if last is None:
        yield f"no run has ever succeeded in {home.root}"
        return
    age = now - _moment(last.finished_at or last.started_at)
    if age < -AHEAD:
        yield f"the last success (run {last.run_id}) is dated {_hours(-age)} from now: the clock is, or was, wrong"
    if age > max_age and not _under_way(home, now, max_age):
        yield f"the last success is {_hours(age)} old (run {last.run_id}, limit {_hours(max_age)}){_since(runs, last)}"


def _since(runs: list[Run], last: Run) -> str:
    """What became of the runs since then."""
    failed = [r for r in runs[: runs.index(last)] if r.status == "failed"]
    return f"; {len(failed)} failed since, the last {failed[0].run_id}" if failed else "; no run was begun since"


def _under_way(home: Home, now: datetime, max_age: timedelta) -> bool:
    beat = read_heartbeat(home)
    if not beat or beat.get("status") != "running":
        return False
    beaten, begun = now - _moment(str(beat["at"])), now - _moment(str(beat["started_at"]))
    return -AHEAD <= beaten <= ALIVE and -AHEAD <= begun <= max_age


def _empty(found: Status) -> Iterator[str]:
    told = {p.publisher_id: p.message for p in found.alarms if p.kind == "index_emptied"}
    for source in found.sources:
        if source.index_read and not source.listed and source.last_success:
            told.setdefault(source.publisher_id, f"the index lists no report any more; the last success was on {source.last_success[:10]}")
    yield from _named(f"{publisher}: {message}" for publisher, message in sorted(told.items(), key=lambda item: item[0] or ""))


def _failing(sources: list[Source], max_failing: int) -> Iterator[str]:
    failing = sorted((s for s in sources if s.failing >= max_failing), key=lambda s: (-s.failing, s.publisher_id))
    yield from _named(
        f"{s.publisher_id}: {s.failing} visits in a row failed; last success {s.last_success[:10] if s.last_success else 'never'}"
        for s in failing
    )


def _unpublished(home: Home, found: Status) -> Iterator[str]:
    if any(r.status == "published" for r in found.runs) and found.built_at is None:
        yield f"a run has published, and there is no warehouse at {home.warehouse}"


def _named(lines: Iterator[str]) -> Iterator[str]:
    told = list(lines)
    yield from told[:NAMED]
    if len(told) > NAMED:
        yield f"and {len(told) - NAMED} more sources like the last one"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _hours(length: timedelta) -> str:
    minutes = length.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
