"""One night as `gongkai run`, `gongkai serve`, a systemd timer and a Prefect deployment all run it: alone in its home, watched, told of."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType

import duckdb

from extract.home import Home
from extract.ledger import Ledger, utc_now
from extract.problem import Problem
from flows import closing, health, notify, pipeline, progress, stop, summary
from flows.engine import EngineError, embedded_api
from flows.pipeline import Outcome
from flows.reread import failure_facts
from flows.schedule import duration
from flows.settings import Settings
from flows.summary import Snapshot
from flows.watch import Watch, end_heartbeat, watching
from warehouse.query import QueryError

log = logging.getLogger("gongkai")


class StoppedError(RuntimeError):
    """A run was told to stop."""


#: What may keep a summary or a message from being made; the night is over by then, and stays what it came to.
_UNTOLD = (OSError, duckdb.Error, sqlite3.Error)


class closing_on_failure:  # noqa: N801 - reads as a statement
    """Marks the run as failed in the ledger where the block raises, unless it has published."""

    def __init__(self, home: Home, run_id: str) -> None:
        self._home, self._run_id = home, run_id

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            closing.fail(self._home, self._run_id, failure_facts(error))


class telling_of_failure:  # noqa: N801 - reads as a statement
    """Leaves a summary and notifies where the block raises."""

    def __init__(self, home: Home, run_id: str, settings: Settings, watch: Watch) -> None:
        self._home, self._run_id, self._settings, self._watch = home, run_id, settings, watch

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            return
        tell_of_failure(self._home, self._run_id, self._settings, error, self._watch.timed())


def tell_of_failure(home: Home, run_id: str, settings: Settings, error: BaseException, timings: Mapping[str, float]) -> None:
    """Leave the summary of a run that published nothing, and notify: also where the disk takes neither summary nor ledger."""
    text = f"# Run {run_id}: failed\n\n> {error}\n"
    with untold():
        text = summary.compose_failure(home, run_id, error, timings)
    with untold():
        summary.leave(home, run_id, text)
    with untold():
        notify.tell(home, run_id, settings, f"gongkai: run {run_id} failed", text, "failure")


@contextmanager
def untold() -> Iterator[None]:
    """What fails in this block is a line of the log and nothing more."""
    try:
        yield
    except _UNTOLD as error:
        log.warning("run summary: %s: %s", type(error).__name__, error)


def command_line(refetch: bool, reparse: bool, accepted: Iterable[str] = ()) -> str:
    """The command of a run as the ledger keeps it."""
    gates = [f"--accept-gate {name}" for name in accepted]
    return " ".join(["run", *(["--reparse"] if reparse else []), *(["--refetch"] if refetch else []), *gates])


def run_night(
    home: Home,
    sources: Path,
    source_ids: Sequence[str],
    years: Sequence[int],
    refetch: bool,
    reparse: bool,
    accepted: dict[str, str] | None = None,
) -> Outcome:
    """Run the nightly flow on the Prefect server of PREFECT_API_URL, else on an embedded one.

    A run that fails is closed as failed. Raises BusyError where a run is using the home, EngineError, and what `nightly` raises.
    """
    settings = Settings()
    with pipeline.exclusive(home):
        run_id = begin(home, command_line(refetch, reparse, accepted or ()))
        with watching(home, run_id) as watch, stopping(home, run_id, settings, watch):
            with (
                telling_of_failure(home, run_id, settings, watch),
                closing_on_failure(home, run_id),
                embedded_api(home.state / "prefect", meanwhile=import_flow),
            ):
                from flows.nightly import nightly

                given = (run_id, home.root.absolute(), sources.absolute(), list(source_ids), list(years), refetch, reparse, accepted)
                outcome = through_prefect(home, run_id, lambda: nightly(*given))
            watch.end(outcome.status)
        with untold():
            tell_of_end(home, outcome, settings)
        return outcome


def import_flow() -> None:
    """What the flow needs, and what Prefect would import when it begins."""
    for name in ("flows.nightly", "fastapi.encoders"):
        import_module(name)


def begin(home: Home, command: str) -> str:
    """Open a run. That the clock was set back since an earlier one is a problem of it."""
    with Ledger(home.ledger) as ledger:
        before = ledger.runs()
        run_id = ledger.start_run(command)
        if ahead := [r for r in before if r.started_at > utc_now()]:
            message = f"the clock was set back, or was wrong: run {ahead[0].run_id} began at {ahead[0].started_at}, later than now"
            ledger.add_problems(run_id, [Problem("crawl", "clock_set_back", message, severity="warning")])
    return run_id


def concluded(home: Home, run_id: str, work: Callable[[], Outcome], more: tuple[type[Exception], ...] = ()) -> Outcome:
    """What a run came to. Where something fails after it has published, it has published all the same, and that is a failure of it.

    Raises what `work` raises before; `more` are further errors it may raise.
    """
    caught: tuple[type[Exception], ...] = (*_UNTOLD, QueryError, *more)
    try:
        return work()
    except caught as error:
        done = published_outcome(home, run_id)
        if done is None:
            raise
        log.error("run %s has published; what came after failed: %s: %s", run_id, type(error).__name__, error)
        return done


def through_prefect(home: Home, run_id: str, flow: Callable[[], Outcome]) -> Outcome:
    """What a flow came to. Raises EngineError where the Prefect API fails under way, and what the flow raises."""
    from httpx import HTTPError
    from prefect.exceptions import PrefectException

    try:
        return concluded(home, run_id, flow, (HTTPError, PrefectException))
    except (HTTPError, PrefectException) as error:
        raise EngineError(f"the Prefect API failed: {type(error).__name__}: {error}") from error


def published_outcome(home: Home, run_id: str) -> Outcome | None:
    """The outcome of a run that has published and not come to its end, which is a failure more; None where it has not published."""
    found = closing.published(home)
    if found is None or found.run_id != run_id:
        return None
    with untold():
        closing.settle_published(home)
    return Outcome(run_id, "published", found.counts, found.failures + 1)


@contextmanager
def stopping(home: Home, run_id: str, settings: Settings, watch: Watch) -> Iterator[None]:
    """SIGTERM and SIGINT end the run within the block: closed and told of, with status 1, or 3 where it has published."""

    def close(name: str) -> int:
        if published_outcome(home, run_id):
            watch.end("published")
            return 3
        error = StoppedError(f"ended by {name}; the next run goes on with what was fetched and read")
        closing.fail(home, run_id, failure_facts(error))
        watch.end("failed")
        log.error("nothing was published: run %s was %s", run_id, error)
        tell_of_failure(home, run_id, settings, error, watch.timed())
        return 1

    with stop.on_signal(close):
        yield


@dataclass(slots=True)
class Hand:
    """A run that somebody began by hand; `before` is what was published then."""

    home: Home
    run_id: str
    settings: Settings
    before: Snapshot

    def conclude(self, work: Callable[[], Outcome], accepted: Mapping[str, str] | None = None) -> Outcome:
        """Do the work of the run and leave its summary; what it came to."""
        outcome = concluded(self.home, self.run_id, work)
        summarise(self.home, outcome, self.before, self.settings, accepted)
        return outcome


@contextmanager
def by_hand(home: Home, command: str, settings: Settings) -> Iterator[Hand]:
    """A run without Prefect and without a heartbeat, which tells of the nights: alone in its home, closed and summed up however it ends.

    Raises BusyError, OSError, sqlite3.Error.
    """
    with pipeline.exclusive(home):
        hand = Hand(home, begin(home, command), settings, summary.snapshot(home))
        with (
            watching(home, hand.run_id, beats=False) as watch,
            stopping(home, hand.run_id, settings, watch),
            telling_of_failure(home, hand.run_id, settings, watch),
            closing_on_failure(home, hand.run_id),
        ):
            yield hand


def summarise(home: Home, outcome: Outcome, before: Snapshot, settings: Settings, accepted: Mapping[str, str] | None = None) -> str | None:
    """Write the summary of a run that came to its end; its text, None where it could not be made."""
    watch = progress.current()
    timings: Mapping[str, float] = watch.timed() if isinstance(watch, Watch) else {}
    with untold():
        text = summary.compose(home, outcome, before, timings, _reasons(home, settings), accepted)
        summary.leave(home, outcome.run_id, text)
        return text
    return None


def tell_of_end(home: Home, outcome: Outcome, settings: Settings) -> None:
    """Notify of a run that came to its end."""
    if not settings.notify:
        return
    found = _reasons(home, settings)
    title = f"gongkai: run {outcome.run_id} {outcome.status.replace('_', ' ')}" + (f", {len(found)} to look at" if found else "")
    text = summary.path(home, outcome.run_id).read_text("utf-8")
    notify.tell(home, outcome.run_id, settings, title, text, "alarm" if found else "ok")


def _reasons(home: Home, settings: Settings) -> list[str]:
    return health.reasons(home, duration(settings.max_age), settings.max_failing)


def close_dead_runs(home: Home, why: str) -> list[str]:
    """Close runs that a process left open when it died, with a summary, and notify. Raises BusyError where one is still under way."""
    settings = Settings()
    with pipeline.exclusive(home), Ledger(home.ledger) as ledger:
        dead = ledger.fail_dead_runs()
    end_heartbeat(home, dead)
    for run_id in dead:
        tell_of_failure(home, run_id, settings, RuntimeError(why), {})
    return dead
