"""How a run shows what it is doing: bars on a terminal, plain log lines otherwise."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

log = logging.getLogger("gongkai")

#: On plain output, a line after this many steps of a stage.
STEP = 25


class Reporter(Protocol):
    """Receives what happens; called from several threads."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins; `total` is its number of steps, None where that is not known."""

    def step(self, name: str, text: str = "") -> None:
        """One step of a stage is done."""


Observer = TypeVar("Observer", bound=Reporter)


class PlainReporter:
    """Log lines: the start of each stage, and one line for every STEP steps."""

    def __init__(self) -> None:
        self._done: dict[str, int] = {}
        self._total: dict[str, int | None] = {}

    def stage(self, name: str, total: int | None = None) -> None:
        self._done[name], self._total[name] = 0, total
        log.info("%s%s", name, f": {total}" if total is not None else "")

    def step(self, name: str, text: str = "") -> None:
        self._done[name] = self._done.get(name, 0) + 1
        done, total = self._done[name], self._total.get(name)
        if done % STEP == 0 or done == total:
            log.info("%s: %d%s %s", name, done, f" of {total}" if total is not None else "", text)


class BarReporter:
    """Rich progress bars, one for each stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def stage(self, name: str, total: int | None = None) -> None:
        self._tasks[name] = self._progress.add_task(name, total=total, text="")

    def step(self, name: str, text: str = "") -> None:
        if name in self._tasks:
            self._progress.update(self._tasks[name], advance=1, text=text[-60:])


_current: Reporter = PlainReporter()


def current() -> Reporter:
    """The reporter of this process."""
    return _current


@contextmanager
def reporting(console: Console) -> Iterator[None]:
    """Bars while the block runs where `console` is a terminal; log lines otherwise."""
    global _current
    before = _current
    if not console.is_terminal:
        _current = PlainReporter()
        try:
            yield
        finally:
            _current = before
        return
    columns = (SpinnerColumn(), TextColumn("{task.description:<10}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("[dim]{task.fields[text]}"), console=console, transient=True) as progress:
        _current = BarReporter(progress)
        try:
            yield
        finally:
            _current = before


@contextmanager
def observed(make: Callable[[Reporter], Observer]) -> Iterator[Observer]:
    """Put an observer before the reporter while the block runs; `make` gets the reporter, which the observer passes everything on to."""
    global _current
    before = _current
    observer = make(before)
    _current = observer
    try:
        yield observer
    finally:
        _current = before
