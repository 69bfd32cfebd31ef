"""Hosts as the crawler treats them: one request at a time, a delay after each, a budget a run, and the ones left in peace."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from extract.crawl.faults import HostUnreachableError

if TYPE_CHECKING:
    from extract.crawl.job import CrawlSettings

#: Seconds between two looks at a host that another crawler process is talking to.
LOCK_POLL = 0.05
MEGABYTE = 1024 * 1024


@dataclass(slots=True)
class _Host:
    """One host name. `began` is when it was first spoken to in this run (monotonic seconds)."""

    delay: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    requests: int = 0
    bytes: int = 0
    began: float | None = None


@dataclass(slots=True)
class _Server:
    """One host and port. `until` is when it may be spoken to again (monotonic seconds)."""

    until: float = 0.0
    failures: int = 0
    challenges: int = 0
    given_up: HostUnreachableError | None = None


class Hosts:
    """Every host of a crawl. Turns, delays and budgets go by host name; failures and pauses by server (host and port).

    Two names of one address count as two hosts. `folder` holds a lock file for each host: two crawler processes never speak to
    one host at the same time, and the delay is kept from one process to the next.
    """

    def __init__(self, settings: CrawlSettings, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._settings = settings
        self._folder = folder
        self._hosts: dict[str, _Host] = {}
        self._servers: dict[str, _Server] = {}

    def _host(self, name: str) -> _Host:
        if name not in self._hosts:
            self._hosts[name] = _Host(self._settings.min_delay)
        return self._hosts[name]

    def _server(self, server: str) -> _Server:
        if server not in self._servers:
            self._servers[server] = _Server()
        return self._servers[server]

    # Turns

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Hold a host: nobody else speaks to it meanwhile, and nobody did within its delay before."""
        host = self._host(name)
        async with host.lock:
            file = os.open(self._folder / f"{quote(name, safe='')[:200]}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                await _due(file, host.delay)
                host.began = host.began or time.monotonic()
                _note(file, host.delay)  # for the next process, should this one be killed in the middle
                try:
                    yield
                finally:
                    _note(file, host.delay)
            finally:
                os.close(file)

    def slow_down(self, name: str, delay: float) -> float:
        """Keep at least `delay` seconds between two requests, at most the setting `max_crawl_delay`; returns what is kept."""
        host = self._host(name)
        host.delay = max(host.delay, min(delay, self._settings.max_crawl_delay))
        return host.delay

    # Budget

    def count(self, name: str, size: int) -> None:
        """Count a request, or the bytes of an answer."""
        host = self._host(name)
        host.requests += size == 0
        host.bytes += size

    def spent(self, name: str) -> str | None:
        """Which limit of the budget a host has reached, None where there is some left."""
        host, settings = self._host(name), self._settings
        seconds = time.monotonic() - host.began if host.began else 0.0
        if host.requests >= settings.max_requests_per_host:
            return f"{host.requests} requests"
        if seconds >= settings.max_seconds_per_host:
            return f"{seconds:.0f} s"
        if host.bytes >= settings.max_mb_per_host * MEGABYTE:
            return f"{host.bytes / MEGABYTE:.0f} MB"
        return None

    # Trouble

    def pause(self, server: str, seconds: float) -> None:
        """Send nothing to a server for so long."""
        state = self._server(server)
        state.until = max(state.until, time.monotonic() + seconds)

    def wait(self, server: str) -> float:
        """Seconds a server is still to be left in peace."""
        return max(0.0, self._server(server).until - time.monotonic())

    def answered(self, server: str) -> None:
        self._server(server).failures = 0

    def failed(self, server: str, reason: str) -> None:
        """Count an address that can't be reached; the server is given up after too many in a row."""
        state = self._server(server)
        state.failures += 1
        if state.failures >= self._settings.give_up_after:
            self.give_up(server, f"{state.failures} addresses in a row could not be reached, last: {reason}")

    def challenged(self, server: str, marker: str) -> None:
        """Count an answer that is a script challenge; the server is given up after too many in a row."""
        state = self._server(server)
        state.challenges += 1
        if state.challenges >= self._settings.give_up_after:
            self.give_up(server, f"{state.challenges} script challenges in a row, last: {marker}", "script_challenge")

    def served(self, server: str) -> None:
        """Note an answer that is no challenge."""
        self._server(server).challenges = 0

    def give_up(self, server: str, reason: str, kind: str = "unreachable") -> None:
        """Ask nothing more of a server in this run."""
        state = self._server(server)
        if state.given_up is None:
            state.given_up = HostUnreachableError(f"host left alone for the rest of the run: {reason}", kind)

    def given_up(self, server: str) -> HostUnreachableError | None:
        """Why a server was given up, None where it was not."""
        return self._server(server).given_up


async def _due(file: int, delay: float) -> None:
    """Hold the lock when the delay has passed. It is free meanwhile: a process that waited with it in hand would leave no other a turn."""
    waited_for = None
    while True:
        await _locked(file)
        noted = os.pread(file, 64, 0)
        seconds = _still_to_wait(noted, delay)
        if seconds <= 0 or noted == waited_for:  # by the clock there may be no end, should it have been set back
            return
        flock(file, LOCK_UN)
        await asyncio.sleep(seconds)
        waited_for = noted


async def _locked(file: int) -> None:
    while True:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(LOCK_POLL * random.uniform(0.5, 1.5))
        else:
            return


def _note(file: int, delay: float) -> None:
    """Always as many bytes: to shorten a file costs more than a millisecond."""
    os.pwrite(file, f"{time.time():20.3f} {delay:15.3f}\n".encode("ascii"), 0)


def _still_to_wait(noted: bytes, own: float) -> float:
    """What is left of the delay since the host was last spoken to, the longer of that noted then and one's own; no more than that."""
    try:
        at, delay = map(float, noted.split())
    except ValueError:
        return 0.0
    return min(max(delay, own), max(0.0, at + max(delay, own) - time.time()))
