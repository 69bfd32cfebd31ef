"""SIGTERM and SIGINT while a run is under way: its books are closed, and the process ends as if it were killed.

Everything a run does survives kill -9 (tests/test_portal_kills.py), and what it started ends with it: crawlers, readers, the Prefect API.
So nothing is unwound: the main thread may be in the middle of a query, and a thread that waits for a crawler can't be ended at all.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flows import closing

log = logging.getLogger("gongkai")

SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: Seconds for closing the books: less than what `gongkai serve` waits before it kills a night.
LIMIT = 25.0
_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def on_signal(close: Callable[[str], int]) -> Iterator[None]:
    """Where SIGTERM or SIGINT comes within the block, `close` is called with its name in a thread of its own, and the process ends with
    the status that it gives; with status 1 where it takes too long or a second signal comes. Outside the main thread nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    waking = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    handlers = {number: signal.signal(number, _heard) for number in SIGNALS}
    thread = threading.Thread(target=_listen, args=(reading, close), name="stop", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(waking)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.write(writing, b"\0")
        thread.join()
        os.close(reading)
        os.close(writing)


def rearm() -> None:
    """Take SIGTERM back from Prefect, whose handler raises in the main thread. Nothing is done outside a block of `on_signal`."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is _heard:
        signal.signal(signal.SIGTERM, _heard)


def _heard(number: int, frame: object) -> None:
    """The number of the signal is in the pipe by now."""


def _listen(pipe: int, close: Callable[[str], int]) -> None:
    """Wait for the first signal and have the run closed; end the process at the second, or when the time is over."""
    number = 0
    while number not in SIGNALS:
        number = os.read(pipe, 1)[0]
        if not number:
            return
    threading.Thread(target=_end, args=(close, signal.Signals(number).name), name="closing", daemon=True).start()
    end = time.monotonic() + LIMIT
    while select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0] and os.read(pipe, 1)[0] not in SIGNALS:
        pass
    os._exit(1)


def _end(close: Callable[[str], int], name: str) -> None:
    status = 1
    try:
        with closing.LAST_WORD:
            status = close(name)
            if sys.stderr.isatty():
                sys.stderr.write(_SHOW_CURSOR)
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(status)
    finally:
        os._exit(status)
