"""A crawl job, and how to run one: the crawler is its own process, because a Twisted reactor can't be started twice in one."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO, Annotated, Any, Literal, Self
from urllib.parse import urldefrag, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from w3lib.url import safe_url_string

log = logging.getLogger(__name__)

Event = dict[str, Any]
LAST_LINES = 20
#: A line of Scrapy's log.
_LINE = re.compile(r"\S+ \S+ \[[^\]]+\] (?P<level>[A-Z]+): (?P<message>.*)")
#: Seconds without an event after which a crawler counts as hung; it gives a sign of life every 15 s.
SILENCE = 300.0


class CrawlError(Exception):
    """The crawler process died, or ended without having visited all its sources."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _http_address(url: str) -> str:
    """A registry's address as it will be asked for: percent-encoded, without a fragment. Raises ValueError where it is none."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http(s) address: {url!r}")
    return safe_url_string(urldefrag(url.strip()).url)


HttpAddress = Annotated[str, AfterValidator(_http_address)]


class ReportLocation(_Strict):
    """A report whose address is known already."""

    year: int | None = None
    url: HttpAddress


class Tls(_Strict):
    """How an old server is to be spoken to. `legacy` allows TLS 1.0, weak keys and unsafe renegotiation; `unverified` any certificate."""

    mode: Literal["legacy", "unverified"]
    reason: str = Field(min_length=1)


class CrawlSource(_Strict):
    """What to visit for one publisher. `hosts` are further hosts its pages may lead to, besides those of the addresses."""

    id: str
    publisher: str
    index: list[HttpAddress] = Field(default_factory=list)
    reports: list[ReportLocation] = Field(default_factory=list)
    hosts: list[str] = Field(default_factory=list)
    tls: Tls | None = None
    district: str | None = None
    kind: str | None = None


class CrawlSettings(_Strict):
    """How to behave. Times in seconds.

    `min_delay` is the least time between the end of a request to a host and the next (AutoThrottle may lengthen it up to
    `max_delay`); a Crawl-delay or Request-rate of robots.txt counts up to `max_crawl_delay`. An answer has `timeout` to come in
    whole, and one second more for every `min_rate` bytes of it. A failed request is tried again `retry_times` times, after a
    random part of `backoff`, twice that, …, at most `max_backoff`. A Retry-After up to `max_retry_after` is waited out; a longer
    one, or `give_up_after` addresses in a row that can't be reached or are answered with a script challenge, ends the visits to
    that server for this run. `max_…_per_host` is the budget of a host name in one run; what it does not reach comes first in
    the next one.
    """

    min_delay: float = Field(default=1.0, ge=0)
    max_delay: float = Field(default=60.0, gt=0)
    max_crawl_delay: float = Field(default=300.0, ge=0)
    timeout: float = Field(default=60.0, gt=0)
    min_rate: int = Field(default=16 * 1024, gt=0)
    max_bytes: int = Field(default=100 * 1024 * 1024, gt=0)
    max_index_pages: int = Field(default=50, gt=0)
    contact: str | None = None
    retry_times: int = Field(default=2, ge=0)
    backoff: float = Field(default=2.0, ge=0)
    max_backoff: float = Field(default=60.0, ge=0)
    max_retry_after: float = Field(default=300.0, ge=0)
    give_up_after: int = Field(default=3, gt=0)
    max_requests_per_host: int = Field(default=5000, gt=0)
    max_seconds_per_host: float = Field(default=4 * 3600.0, gt=0)
    max_mb_per_host: float = Field(default=2048.0, gt=0)
    concurrency: int = Field(default=1024, gt=0, description="requests under way or waiting for their host at once")
    verify_tls: bool = True


class CrawlJob(_Strict):
    """A batch of sources for one crawler process. All sources of one host belong into one job: politeness is kept per process."""

    home: Path
    run_id: str
    worker: str | int = 0
    sources: list[CrawlSource]
    years: list[int] | None = None
    refetch: bool = False
    settings: CrawlSettings = Field(default_factory=lambda: CrawlSettings())
    publishers: list[str] = Field(default_factory=list, description="names of every publisher of the registry, visited in this job or not")


@dataclass(slots=True)
class CrawlResult:
    """What a crawl did: answers with a body, answers 304, problems, and the sources visited to the end."""

    fetched: int = 0
    not_modified: int = 0
    problems: int = 0
    sources_done: list[str] = field(default_factory=list)

    def count(self, event: Event) -> None:
        match event["event"]:
            case "fetched":
                self.fetched += 1
            case "not_modified":
                self.not_modified += 1
            case "problem":
                self.problems += 1
            case "source_done":
                self.sources_done.append(event["publisher_id"])


def run_crawl(job: CrawlJob, on_event: Callable[[Event], None]) -> CrawlResult:
    """Run a crawl in a process of its own; `on_event` is called, in this thread, with every event as it happens.

    An event has `event` (fetched, not_modified, problem, source_done), `publisher_id`, `url` and details. The process ends
    when this one does, however that comes. Raises CrawlError where it dies, hangs (see `SILENCE`) or leaves a source unvisited;
    what it had fetched by then is in the archive and the ledger.
    """
    result = CrawlResult()
    with _job_file(job) as path, _crawler(path) as process, _Watch(process, SILENCE) as watch:
        tail = _follow_log(process)
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            with watch.heard():
                if event["event"] != "alive":
                    result.count(event)
                    on_event(event)
        code = process.wait()
        lines = tail()
    if watch.hung:
        raise CrawlError(f"the crawler gave no sign of life for {SILENCE:.0f} s\n" + "\n".join(lines))
    if code != 0:
        raise CrawlError(f"the crawler ended with status {code}\n" + "\n".join(lines))
    if missing := {s.id for s in job.sources} - set(result.sources_done):
        raise CrawlError(f"the crawler left sources unvisited: {', '.join(sorted(missing))}")
    return result


class _Watch:
    """Kills a process that says nothing for so long. A context manager."""

    def __init__(self, process: subprocess.Popen[str], seconds: float) -> None:
        self.hung = False
        self._process, self._seconds = process, seconds
        self._last: float | None = monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """An event has come; the time it takes us to deal with it does not count."""
        self._last = None
        yield
        self._last = monotonic()

    def _run(self) -> None:
        while not self._stop.wait(min(5.0, self._seconds / 10)):
            last = self._last
            if last is not None and monotonic() - last > self._seconds:
                self.hung = True
                self._process.kill()
                return


@contextmanager
def _job_file(job: CrawlJob) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gongkai-crawl-") as folder:
        path = Path(folder) / "job.json"
        path.write_text(job.model_dump_json(), encoding="utf-8")
        yield path


@contextmanager
def _crawler(path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-m", "extract.crawl", str(path), "--parent", str(os.getpid())]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _follow_log(process: subprocess.Popen[str]) -> Callable[[], list[str]]:
    """Pass the process's log on to ours; returns a function that gives the last lines once the process has ended."""
    assert process.stderr is not None
    last: deque[str] = deque(maxlen=LAST_LINES)
    thread = threading.Thread(target=_pump, args=(process.stderr, last), daemon=True)
    thread.start()

    def lines() -> list[str]:
        thread.join(timeout=5)
        return list(last)

    return lines


def _pump(stream: IO[str], last: deque[str]) -> None:
    level = logging.DEBUG
    for line in stream:
        last.append(line.rstrip())
        told = _LINE.match(line)
        level = logging.getLevelNamesMapping().get(told["level"], level) if told else level  # a traceback has its own lines
        log.log(level, "%s", told["message"] if told else line.rstrip())
