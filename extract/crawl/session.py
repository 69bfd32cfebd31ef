"""What one crawler process knows while it runs: the ledger, the archive, the hosts, and how far each source has got."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TextIO

from extract.archive import WarcArchive
from extract.crawl.job import CrawlJob, CrawlSource
from extract.crawl.policy import Hosts, Scope
from extract.home import Home
from extract.ledger import Ledger, Role, Sighting, SourceState, utc_now
from extract.problem import Problem, Severity


@dataclass(slots=True)
class Listing:
    """An index of a source with all its pages."""

    url: str
    asked: set[str] = field(default_factory=set)
    signatures: set[int] = field(default_factory=set)
    first_signature: int | None = None
    read: int = 0
    reports: int = 0
    complete: bool = True
    limited: bool = False


@dataclass(slots=True)
class Visit:
    """How far the visit to a source has got. `pending` counts the requests under way."""

    source: CrawlSource
    scope: Scope
    pending: int = 0
    done: bool = False
    requested: set[str] = field(default_factory=set)
    listings: list[Listing] = field(default_factory=list)
    reports: set[str] = field(default_factory=set)
    conditional: int = 0
    unchanged: int = 0
    fetched: int = 0

    @classmethod
    def of(cls, source: CrawlSource) -> Visit:
        return cls(source, Scope.of([*source.index, *(r.url for r in source.reports)]))

    @property
    def index_read(self) -> bool:
        """Whether every page of every index was read."""
        return bool(self.listings) and all(listing.complete and listing.read for listing in self.listings)


class CrawlSession:
    """Opens the ledger and the archive for a job, and writes down what happens; events go to `out`. A context manager.

    Raises OSError where the home can't be written, sqlite3.Error where the ledger can't be opened.
    """

    def __init__(self, job: CrawlJob, out: TextIO) -> None:
        self._out = out
        home = Home(job.home).create()
        self.job = job
        self.started = datetime.now(UTC)
        self.folder = home.archive
        self.ledger = Ledger(home.ledger)
        self.archive = WarcArchive(home.archive, job.run_id, job.worker)
        self.hosts = Hosts(job.settings.give_up_after)
        self.visits = {source.id: Visit.of(source) for source in job.sources}
        self.fatal: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.archive.close()
        self.ledger.close()

    def emit(self, event: str, publisher_id: str | None, url: str | None, **details: str | int | bool | None) -> None:
        """Tell the parent process: one line of JSON."""
        line = {"event": event, "publisher_id": publisher_id, "url": url, **details}
        self._out.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._out.flush()

    def problem(self, visit: Visit, kind: str, message: str, url: str, year: int | None = None, severity: Severity = "failure") -> None:
        """Write down what went wrong at an address of a source."""
        row = Problem("crawl", kind, message, visit.source.id, url, year, severity)
        self.ledger.add_problems(self.job.run_id, [row])
        self.emit("problem", visit.source.id, url, kind=kind, message=message, year=year, severity=severity)

    def sight(
        self,
        visit: Visit,
        url: str,
        role: Role,
        *,
        title: str | None = None,
        year: int | None = None,
        parent_url: str | None = None,
        published_on: str | None = None,
        declared: bool = False,
    ) -> None:
        """Write down that a report document was seen."""
        seen = Sighting(visit.source.id, url, title, year, role, parent_url, published_on, declared)
        self.ledger.record_sighting(self.job.run_id, seen)

    def finish(self, visit: Visit) -> None:
        """Close the visit to a source."""
        if visit.done:
            return
        visit.done = True
        for listing in visit.listings:
            if listing.complete and listing.read and not listing.reports:
                self.problem(visit, "empty_index", f"no report in {listing.read} index page(s)", listing.url)
        state = SourceState(
            visit.source.id,
            self.job.run_id,
            utc_now(),
            visit.index_read,
            len(visit.reports),
            visit.conditional,
            visit.unchanged,
            visit.fetched,
        )
        self.ledger.record_source(state)
        self.emit("source_done", visit.source.id, None, reports=len(visit.reports), index_read=visit.index_read)
