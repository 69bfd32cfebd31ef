"""What a run tells of itself while it runs: a heartbeat file, the time of each stage, and the run and stage of its log lines."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extract.home import Home
from extract.ledger import utc_now
from flows import logs, progress

log = logging.getLogger("gongkai")

#: Seconds between two beats while nothing else happens.
BEAT = 30.0


def heartbeat_file(home: Home) -> Path:
    """Where the heartbeat lies: run_id, status, stage, started_at, stage_since, at, steps, pid, host; times ISO 8601 UTC."""
    return home.state / "heartbeat.json"


def read_heartbeat(home: Home) -> dict[str, Any] | None:
    """The last beat, None where there is none that can be read."""
    try:
        found = json.loads(heartbeat_file(home).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_heartbeat(home: Home, state: Mapping[str, object]) -> None:
    """Write the heartbeat, whole or not at all. A disk that takes nothing ends no run."""
    path = heartbeat_file(home)
    aside = path.with_name(f".{path.name}")
    try:
        aside.write_text(json.dumps(state, ensure_ascii=False), "utf-8")
        aside.replace(path)
    except OSError as error:
        log.warning("heartbeat: %s", error)


def end_heartbeat(home: Home, run_ids: Collection[str]) -> None:
    """The last beat of a run that died: it failed. Its time stays the last one it gave."""
    last = read_heartbeat(home)
    if last and last.get("run_id") in run_ids:
        write_heartbeat(home, {**last, "status": "failed"})


@dataclass(slots=True)
class Watch:
    """Receives what happens in a run (a `progress.Reporter`) and passes it on. `timings` are seconds, by stage in their order."""

    home: Home
    run_id: str
    passed_on: progress.Reporter
    beats: bool = True
    started_at: str = field(default_factory=utc_now)
    status: str = "running"
    timings: dict[str, float] = field(default_factory=dict)
    _stage: str = "start"
    _stage_since: str = field(default_factory=utc_now)
    _clock: float = field(default_factory=time.monotonic)
    _steps: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stage(self, name: str, total: int | None = None) -> None:
        with self._lock:
            self._close_stage()
            self._stage, self._stage_since, self._steps = name, utc_now(), 0
        logs.stage(name)
        self.passed_on.stage(name, total)
        self.beat()

    def step(self, name: str, text: str = "") -> None:
        with self._lock:
            self._steps += 1
        self.passed_on.step(name, text)

    def end(self, status: str) -> None:
        """The last beat: what the run came to."""
        with self._lock:
            self._close_stage()
            self.status = status
        self.beat()

    def timed(self) -> dict[str, float]:
        """Seconds by stage, the present one included."""
        now = time.monotonic() - self._clock
        return {**self.timings, self._stage: self.timings.get(self._stage, 0.0) + now}

    def beat(self) -> None:
        """Write the heartbeat as things are now, unless the run has none."""
        with self._lock:
            if not self.beats:
                return
            write_heartbeat(self.home, self._state())

    def _state(self) -> dict[str, object]:
        told = {"run_id": self.run_id, "status": self.status, "stage": self._stage, "steps": self._steps}
        times = {"started_at": self.started_at, "stage_since": self._stage_since, "at": utc_now()}
        return {**told, **times, "pid": os.getpid(), "host": socket.gethostname()}

    def _close_stage(self) -> None:
        now = time.monotonic()
        self.timings[self._stage] = self.timings.get(self._stage, 0.0) + now - self._clock
        self._clock = now


@contextmanager
def watching(home: Home, run_id: str, *, beats: bool = True) -> Iterator[Watch]:
    """Watch a run for the length of a block: beats at once, at every stage, every 30 s and at the end (failed where the block raises);
    with `beats=False` only what it does and how long it takes."""
    with progress.observed(lambda passed_on: Watch(home, run_id, passed_on, beats)) as watch, _ticking(watch):
        logs.run(run_id)
        watch.beat()
        try:
            yield watch
        except BaseException:
            watch.end("failed")
            raise
        finally:
            logs.stage(None)
            logs.run(None)


@contextmanager
def _ticking(watch: Watch) -> Iterator[None]:
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(BEAT):
            watch.beat()

    thread = threading.Thread(target=tick, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
