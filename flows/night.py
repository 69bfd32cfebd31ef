"""One night as `gongkai run`, `gongkai serve`, a systemd timer and a Prefect deployment all run it: alone in its home, watched, told of."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import duckdb

from extract.home import Home
from extract.ledger import Ledger
from flows import health, notify, pipeline, progress, summary
from flows.engine import embedded_api
from flows.pipeline import Outcome
from flows.reread import failure_facts
from flows.schedule import duration
from flows.settings import Settings
from flows.summary import Snapshot
from flows.watch import Watch, end_heartbeat, watching

log = logging.getLogger("gongkai")

#: What may keep a summary or a message from being made; the night is over by then, and stays what it came to.
_UNTOLD = (OSError, duckdb.Error, sqlite3.Error)


class closing_on_failure:  # noqa: N801 - reads as a statement
    """Marks the run as failed in the ledger where the block raises."""

    def __init__(self, home: Home, run_id: str) -> None:
        self._home, self._run_id = home, run_id

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            with Ledger(self._home.ledger) as ledger:
                ledger.finish_run(self._run_id, "failed", failure_facts(error))


class telling_of_failure:  # noqa: N801 - reads as a statement
    """Leaves a summary and notifies where the block raises."""

    def __init__(self, home: Home, run_id: str, settings: Settings, watch: Watch) -> None:
        self._home, self._run_id, self._settings, self._watch = home, run_id, settings, watch

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            return
        with untold():
            text = summary.compose_failure(self._home, self._run_id, error, self._watch.timed())
            summary.leave(self._home, self._run_id, text)
            notify.tell(self._home, self._run_id, self._settings, f"gongkai: run {self._run_id} failed", text, "failure")


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
        with Ledger(home.ledger) as ledger:
            run_id = ledger.start_run(command_line(refetch, reparse, accepted or ()))
        with watching(home, run_id) as watch:
            with (
                telling_of_failure(home, run_id, settings, watch),
                closing_on_failure(home, run_id),
                embedded_api(home.state / "prefect"),
            ):
                from flows.nightly import nightly

                outcome: Outcome = nightly(
                    run_id, home.root.absolute(), sources.absolute(), list(source_ids), list(years), refetch, reparse, accepted
                )
            watch.end(outcome.status)
        with untold():
            tell_of_end(home, outcome, settings)
        return outcome


def summarise(home: Home, outcome: Outcome, before: Snapshot, settings: Settings) -> str | None:
    """Write the summary of a run that came to its end; its text, None where it could not be made."""
    watch = progress.current()
    timings: Mapping[str, float] = watch.timed() if isinstance(watch, Watch) else {}
    with untold():
        text = summary.compose(home, outcome, before, timings, _reasons(home, settings))
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
        with untold():
            text = summary.compose_failure(home, run_id, RuntimeError(why), {})
            summary.leave(home, run_id, text)
            notify.tell(home, run_id, settings, f"gongkai: run {run_id} failed", text, "failure")
    return dead
