"""`gongkai serve`: the nightly run on its schedule, one at a time, missed ones told, stopped in good order.

Without a Prefect server each night is a `gongkai run` in a process of its own, with its own embedded Prefect API: nothing of a night stays
in memory, and one that crashes takes nothing with it. With PREFECT_API_URL the schedule is the server's (flows/scheduled.py).
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from extract.home import Home
from extract.ledger import Ledger, utc_now, utc_text
from extract.problem import Problem
from flows import notify, pipeline
from flows.night import close_dead_runs
from flows.options import environment
from flows.pipeline import BusyError
from flows.schedule import Schedule
from flows.settings import Settings

log = logging.getLogger("gongkai")

#: A run that begins later than this after its time was missed: the machine slept, or the run before took that long.
LATE = timedelta(minutes=10)
#: Seconds between two looks at the clock: it may be set, and the machine may sleep.
LOOK = 20.0
#: Seconds a night has to end after SIGTERM before it is killed.
ABORT = 30.0
#: What becomes of a missed night.
MADE_UP, LEFT_OUT = "it is run now", "it is left out"


def serve(home: Home, sources: Path, schedule: Schedule, catch_up: bool, grace: float) -> None:
    """Run nightly until SIGTERM or SIGINT; a night under way may then take `grace` seconds more.

    Raises BusyError where another `serve` has this home, OSError where the home can't be written.
    """
    home.create()
    with _only_one(home), environment({"GONGKAI_HOME": str(home.root)}):
        if os.environ.get("PREFECT_API_URL"):
            from flows.scheduled import serve_on_server

            serve_on_server(home, sources, schedule)
            return
        with _stopping() as stop:
            Nights(home, sources, schedule, catch_up, grace, stop).keep()


@dataclass(slots=True)
class Nights:
    """The nights of a home. `stop` ends them."""

    home: Home
    sources: Path
    schedule: Schedule
    catch_up: bool
    grace: float
    stop: threading.Event
    _due: datetime = field(default_factory=lambda: datetime.now(UTC))

    def keep(self) -> None:
        """Close what a killed run left open, make up for a missed night, then run at every due time."""
        self._close_dead("the process died")
        started = datetime.now(UTC)
        due = self.schedule.before(started)
        if missed(self.home, due):
            self._miss(due)
        else:
            log.info("first run at %s (%s)", utc_text(self.schedule.after(started)), self.schedule)
        while self._wait():
            if datetime.now(UTC) - self._due > LATE:
                self._miss(self._due)
            else:
                self._night()
            self._overrun()

    def _wait(self) -> bool:
        """Wait for the next due time; False where `serve` is to stop."""
        self._due = next_due(self.schedule, self._due, datetime.now(UTC))
        while not self.stop.is_set():
            left = (self._due - datetime.now(UTC)).total_seconds()
            if left <= 0:
                return True
            self.stop.wait(min(left, LOOK))
        return False

    def _miss(self, due: datetime) -> None:
        """Tell of a missed night; make up for it where that is wanted. Several missed in a row are one."""
        tell_missed(self.home, due, self.schedule, MADE_UP if self.catch_up else LEFT_OUT)
        self._due = max(due, self.schedule.before(datetime.now(UTC)))
        if self.catch_up:
            self._night()

    def _overrun(self) -> None:
        """Due times that passed while a night was under way are left out, and told as one."""
        last = self.schedule.before(datetime.now(UTC))
        if last > self._due and not self.stop.is_set():
            tell_missed(self.home, last, self.schedule, "the run before was still under way")
            self._due = last

    def _night(self) -> None:
        """One night in a process of its own, to its end."""
        begun = datetime.now(UTC)
        process = subprocess.Popen(command(self.sources), stdin=subprocess.DEVNULL, start_new_session=True)
        status = self._await_end(process)
        if status not in (0, 3):
            why = f"the run {_how(status)}" + (" when it was told to stop" if self.stop.is_set() else "")
            dead = self._close_dead(why)
            if not dead and missed(self.home, begun.replace(microsecond=0)):
                _tell(self.home, None, "no run was begun", f"`gongkai run` {_how(status)} before it began a run; see the log.", "failure")
        log.log(logging.INFO if status in (0, 3) else logging.ERROR, "the night %s", _how(status))

    def _await_end(self, process: subprocess.Popen[bytes]) -> int:
        while not self.stop.is_set():
            try:
                return process.wait(0.5)
            except subprocess.TimeoutExpired:
                continue
        log.info("stopping: the night may take %g s more", self.grace)
        for seconds, number in ((self.grace, signal.SIGTERM), (ABORT, signal.SIGKILL)):
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, number) if number == signal.SIGKILL else process.send_signal(number)
        return process.wait()

    def _close_dead(self, why: str) -> list[str]:
        try:
            return close_dead_runs(self.home, why)
        except BusyError:
            return []


def command(sources: Path) -> list[str]:
    """The command of a night; its home is in the environment."""
    return [sys.executable, "-m", "flows.cli", "run", "--sources", str(sources)]


def next_due(schedule: Schedule, last: datetime, now: datetime) -> datetime:
    """The due time after the last one; a clock that was set back by less than a day does not make a night run twice."""
    return schedule.after(last if last - now < timedelta(days=1) else now)


def missed(home: Home, due: datetime) -> bool:
    """Whether no run has begun since a due time, those dated later than now aside. A home that never had one has missed none."""
    with Ledger(home.ledger) as ledger:
        began = [r.started_at for r in ledger.runs() if r.command.startswith("run")]
    return bool(began) and not any(utc_text(due) <= at <= utc_now() for at in began)


def tell_missed(home: Home, due: datetime, schedule: Schedule, more: str) -> None:
    """A run that did not begin at its time: a line of the log, a `missed` run with a problem in the ledger, a message."""
    message = f"no run began at {utc_text(due)} ({schedule}); {more}"
    log.warning("missed: %s", message)
    try:
        with pipeline.exclusive(home), Ledger(home.ledger) as ledger:
            run_id = ledger.start_run("missed")
            ledger.add_problems(run_id, [Problem("crawl", "missed_run", message, severity="warning")])
            ledger.finish_run(run_id, "failed", {})
    except BusyError:
        log.warning("a run is under way in %s", home.root)
        return
    _tell(home, run_id, "a run was missed", message, "alarm")


def _tell(home: Home, run_id: str | None, title: str, text: str, level: notify.Level) -> None:
    notify.tell(home, run_id, Settings(), f"gongkai: {title}", text, level)


def _how(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


@contextmanager
def _only_one(home: Home) -> Iterator[None]:
    with (home.state / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another `gongkai serve` has {home.root}") from None
        yield


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
