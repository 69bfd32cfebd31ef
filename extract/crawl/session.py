"""What one crawler process knows while it runs: the ledger, the archive, the hosts, and how far each source has got."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from types import TracebackType
from typing import Self, TextIO

from extract.archive import Archive, ArchiveError, read_body
from extract.crawl.alarm import listing_alarm
from extract.crawl.hosts import Hosts
from extract.crawl.job import CrawlJob, CrawlSource
from extract.crawl.listing import Listing
from extract.crawl.policy import IN_SEASON, OUT_OF_SEASON, SEASON, Scope
from extract.crawl.tls import HostTls, modes
from extract.home import Home
from extract.ledger import DocumentRow, Ledger, Role, Sighting, SourceState, utc_now, utc_text
from extract.ledger_history import GONE
from extract.ledger_left import LeftOver
from extract.problem import Problem, Severity

#: Seconds that a record waits at most for the others it is brought to disk with.
LONGEST_WAIT = 0.5


@dataclass(slots=True)
class Visit:
    """How far the visit to a source has got. `pending` counts the requests under way. `ended_before` is when the last visit that came to
    its end did (empty where none has).

    `first` are addresses that an earlier run put off, `left` those this run puts off, because a host's
    budget was spent; `lost` is how many of the latter are index pages or unread reports.
    """

    source: CrawlSource
    scope: Scope
    ended_before: str = ""
    pending: int = 0
    done: bool = False
    rechecked: bool = False
    requested: set[str] = field(default_factory=set)
    listings: list[Listing] = field(default_factory=list)
    reports: set[str] = field(default_factory=set)
    conditional: int = 0
    unchanged: int = 0
    fetched: int = 0
    first: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)
    lost: int = 0

    @classmethod
    def of(cls, source: CrawlSource, ended_before: str = "") -> Visit:
        return cls(source, Scope.of([*source.index, *(r.url for r in source.reports)], source.hosts), ended_before)

    @property
    def index_read(self) -> bool:
        """Whether every page of every index was read."""
        return bool(self.listings) and all(listing.whole for listing in self.listings)

    @property
    def listed(self) -> int:
        """How many reports the index pages list, what the registry names aside."""
        return min(sum(listing.reports for listing in self.listings), len(self.reports))


def crawl_about(contact: str | None) -> dict[str, str]:
    """What the warcinfo record says of a crawl (WARC 1.1 §6.2)."""
    about = {"robots": "obey", "description": "RFC 9309: 4xx allows all, 5xx or no answer allows nothing; Crawl-delay kept"}
    return about | ({"operator": contact} if contact else {})


class CrawlSession:
    """Opens the ledger and the archive for a job, and writes down what happens; events go to `out`. A context manager.

    Raises OSError where the home can't be written, sqlite3.Error where the ledger can't be opened.
    """

    def __init__(self, job: CrawlJob, out: TextIO) -> None:
        self._out = out
        home = Home(job.home).create()
        self.job = job
        self.started = datetime.now(UTC)
        self.records = Archive.of(home)
        self.ledger = Ledger(home.ledger, durable=False)
        self.archive = self.records.writer(job.run_id, job.worker, crawl_about(job.settings.contact))
        self.hosts = Hosts(job.settings, home.state / "hosts")
        self.tls = HostTls(modes(job.sources), "verified" if job.settings.verify_tls else "unverified")
        ended = {state.publisher_id: state.checked_at for state in self.ledger.source_states()}
        self.visits = {source.id: Visit.of(source, ended.get(source.id, "")) for source in job.sources}
        self.fatal: str | None = None
        self._syncing: asyncio.Future[None] | None = None
        self._sync_cost = 0.0
        for source in job.sources:
            if source.tls is not None:
                self.emit("tls", source.id, None, mode=source.tls.mode, reason=source.tls.reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.archive.close()
        self.ledger.secure()
        self.ledger.close()

    async def synced(self) -> None:
        """Until every record written so far is on disk; one fsync for all that wait. Raises OSError."""
        if self._syncing is None:
            self._syncing = asyncio.ensure_future(self._sync())
        await asyncio.shield(self._syncing)

    async def _sync(self) -> None:
        """A slow disk is given time to gather records: it is busy a tenth of the time at most, and nobody waits over half a second."""
        await asyncio.sleep(min(LONGEST_WAIT, 9 * self._sync_cost))
        self._syncing, began = None, monotonic()
        self.archive.sync()
        self._sync_cost = monotonic() - began

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

    def leave(self, visit: Visit, left: LeftOver) -> None:
        """Put an address off to the next run, because the budget of its host is spent."""
        known = self.ledger.document(left.url)
        visit.left.append(left.url)
        visit.lost += left.role == "index" or (left.role == "page" and (known is None or known.sha256 is None))
        self.ledger.leave(self.job.run_id, left)

    def take_up(self, publisher_id: str | None, url: str) -> None:
        """An address is asked: if it was put off, it is so no longer."""
        visit = self.visits.get(publisher_id or "")
        if visit is not None and url in visit.first:
            self.ledger.take_up(visit.source.id, url)

    def kept(self, known: DocumentRow) -> bytes | None:
        """The body of an address in the archive; None where it can't be had."""
        if known.archive_file is None or known.archive_offset is None:
            return None
        try:
            return read_body(self.records, known.archive_file, known.archive_offset)
        except (ArchiveError, OSError):
            return None

    def left_the_list(self, visit: Visit) -> set[str]:
        """Report pages of a source that this run did not meet, where it is time to ask whether they are still there."""
        interval = IN_SEASON if self.started.month in SEASON else OUT_OF_SEASON
        return set(self.ledger.left_the_list(visit.source.id, self.job.run_id, utc_text(self.started - interval)))

    def is_gone(self, url: str) -> bool:
        """Whether the newest answer of an address says that nothing is there any more, or led elsewhere."""
        known = self.ledger.document(url)
        return known is not None and (known.status in GONE or 300 <= known.status < 400)

    def finish(self, visit: Visit) -> None:
        """Close the visit to a source."""
        if visit.done:
            return
        visit.done = True
        if visit.left:
            message = f"budget of the host spent: {len(visit.left)} address(es) left for the next run, the first is {visit.left[0]}"
            self.problem(visit, "budget_spent", message, visit.left[0], severity="failure" if visit.lost else "warning")
        for listing in visit.listings:
            for notice, url in listing.close():
                self.problem(visit, notice.kind, notice.message, url, severity=notice.severity)
        emptied = self._raise_alarm(visit) == "index_emptied"
        for listing in visit.listings:
            if listing.complete and listing.read and not listing.reports and not emptied:
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
        self.ledger.record_source(state, visit.listed, self.job.years)
        self.emit("source_done", visit.source.id, None, reports=len(visit.reports), index_read=visit.index_read)

    def _raise_alarm(self, visit: Visit) -> str | None:
        """Write down that a source lists far less than it did; the kind of the problem."""
        if not visit.index_read:
            return None
        alarm = listing_alarm(self.ledger, visit.source.id, self.job.run_id, visit.listings[0].url, visit.listed, self.started)
        if alarm is None:
            return None
        self.problem(visit, alarm.kind, alarm.message, str(alarm.url), severity=alarm.severity)
        return alarm.kind
