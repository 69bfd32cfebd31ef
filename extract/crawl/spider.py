"""The spider: index pages → further pages → report pages → attachments, for every source of a job."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, DownloadCancelledError, IgnoreRequest
from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.response import response_status_message
from twisted.python.failure import Failure

from extract.crawl.errand import Errand
from extract.crawl.faults import BudgetSpentError, CrawlFault, OffSiteError
from extract.crawl.follow import Follower
from extract.crawl.listing import Listing
from extract.crawl.middlewares import describe
from extract.crawl.policy import host_of
from extract.crawl.session import CrawlSession, Visit
from extract.ledger_left import LeftOver
from extract.media import sniff

HOME_PATHS = ("", "/", "/index.html", "/index.htm", "/index.shtml", "/index.jsp", "/index.php", "/default.htm")
LOGIN_WORDS = ("login", "signin", "/sso", "passport", "/cas/", "denglu")


class ReportSpider(Follower, scrapy.Spider):
    """Visits every source of a session's job and writes down what it finds."""

    name = "reports"

    def __init__(self, session: CrawlSession) -> None:
        super().__init__()
        self.session = session

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> ReportSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.page_failed, signal=signals.spider_error)
        crawler.signals.connect(spider.finish_all, signal=signals.spider_closed)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        for visit in self.session.visits.values():
            visit.pending += 1
            for request in self._begin(visit):
                yield request
            for request in self._settle(visit):
                yield request

    def _begin(self, visit: Visit) -> Iterator[Request]:
        for url in dict.fromkeys(visit.source.index):
            listing = Listing(url)
            visit.listings.append(listing)
            yield from self._index_pages(visit, listing, [url])
        yield from self._left_over(visit)
        for report in visit.source.reports:
            self.session.sight(visit, report.url, "page", year=report.year, declared=True)
            visit.reports.add(report.url)
            yield from self._visit_report(visit, report.url, report.year)

    def _unlisted(self, visit: Visit) -> Iterator[Request]:
        """Addresses that were sighted once and that no index lists any more: asked whether they are still there.

        Only where the whole index was read and is not empty: else it does not tell what is missing. On `refetch` all of them.
        """
        left: set[str] | None = None
        if not self.session.job.refetch:
            if not (visit.index_read and visit.listed):
                return
            left = self.session.left_the_list(visit)
        for seen in self.session.ledger.known_sightings(visit.source.id):
            wanted = self._wanted(seen.year) and (left is None or seen.url in left)
            if wanted and seen.url not in visit.requested and visit.scope.allows(seen.url):
                yield from self._ask(Errand(visit, seen.url, seen.role, year=seen.year, sighted=False))

    def _left_over(self, visit: Visit) -> Iterator[Request]:
        """What the budget of an earlier run did not reach: asked before everything else."""
        listings = {listing.url: listing for listing in visit.listings}
        for left in self.session.ledger.left_over(visit.source.id):
            visit.first.add(left.url)
            if left.role != "index":
                if self._wanted(left.year) and visit.scope.allows(left.url):
                    yield from self._ask(Errand(visit, left.url, left.role, year=left.year))
            elif left.listing in listings:
                yield from self._index_pages(visit, listings[left.listing], [left.url], left.year)

    def _leave(self, errand: Errand) -> None:
        """Put an address off to the next run."""
        if errand.listing is not None:
            errand.listing.complete = False
        listing = errand.listing.url if errand.listing else None
        self.session.leave(errand.visit, LeftOver(errand.visit.source.id, errand.url, errand.role, errand.year, listing))

    # Answers

    def answered(self, response: Response, errand: Errand) -> Iterator[Request]:
        """Go on from an answer with a body."""
        if self._astray(response, errand):
            self._fail(errand, "http_error", f"redirected to {response.url}: a home or login page, no report")
        elif errand.role == "index" and not errand.visit.scope.on_site(response.url):
            self._fail(errand, "http_error", f"redirected to {response.url}: another site; name it in the registry if it is right")
        elif errand.role == "index":
            yield from self._read_index(response, errand)
        else:
            if response.url != errand.url:
                self.session.ledger.record_redirect(errand.url, response.url)
            if errand.role == "page" and sniff(response.body) == "html":
                yield from self._read_page(response, errand)
        yield from self._settle(errand.visit)

    def failed(self, failure: Failure) -> Iterator[Request]:
        """Write down why an address gave no body."""
        errand: Errand = failure.request.cb_kwargs["errand"]  # type: ignore[attr-defined]
        if self.session.fatal is not None:
            raise CloseSpider(self.session.fatal)
        if isinstance(failure.value, BudgetSpentError):
            self._leave(errand)
        else:
            self._fail(errand, *_reason(failure.value))
        yield from self._settle(errand.visit)

    def page_failed(self, failure: Failure, response: Response) -> None:
        """A page that the crawler itself stumbled over: its source goes on."""
        if isinstance(failure.value, CloseSpider):
            return
        if isinstance(failure.value, OSError) or type(failure.value).__module__ == "sqlite3":
            self.session.fatal = describe(failure.value)
            return
        errand: Errand = response.request.cb_kwargs["errand"]  # type: ignore[union-attr]
        self._fail(errand, "broken_document", f"the crawler can't read this page: {describe(failure.value)}")
        for request in self._settle(errand.visit):
            self.crawler.engine.crawl(request)

    def finish_all(self) -> None:
        """Close the visits that were cut short; after a fatal error they stay open, so that the job counts as failed."""
        if self.session.fatal is None:
            for visit in self.session.visits.values():
                self.session.finish(visit)

    # Helpers

    def _ask(self, errand: Errand) -> Iterator[Request]:
        visit = errand.visit
        if errand.url in visit.requested:
            return
        visit.requested.add(errand.url)
        visit.pending += 1
        yield Request(
            errand.url,
            callback=self.answered,
            errback=self.failed,
            cb_kwargs={"errand": errand},
            meta={"publisher_id": visit.source.id},
            priority=30 if errand.url in visit.first else {"index": 20, "page": 10, "attachment": 0}[errand.role],
            dont_filter=True,
        )

    def _astray(self, response: Response, errand: Errand) -> bool:
        """Whether a redirect ended at a home or login page instead of what was asked for."""
        if response.url == errand.url:
            return False
        asked, got = urlsplit(errand.url), urlsplit(response.url)
        moved = host_of(response.url) != host_of(errand.url) or asked.path.lower() not in HOME_PATHS
        at_home = got.path.lower() in HOME_PATHS and not got.query
        return (moved and at_home) or any(word in got.path.lower() for word in LOGIN_WORDS)

    def _fail(self, errand: Errand, kind: str, message: str) -> None:
        if errand.listing is not None:
            errand.listing.complete = False
        if not errand.sighted and self.session.is_gone(errand.url):
            return  # it is no longer listed and no longer there: withdrawn, not lost
        self.session.problem(errand.visit, kind, message, errand.url, errand.year, "failure" if errand.sighted else "warning")

    def _settle(self, visit: Visit) -> Iterator[Request]:
        """One request of a visit is done; the last one leads to what is no longer listed, then to the end of the visit."""
        visit.pending -= 1
        if visit.pending == 0 and not visit.rechecked:
            visit.rechecked = True
            yield from self._unlisted(visit)
        if visit.pending == 0:
            self.session.finish(visit)


def _reason(error: BaseException | None) -> tuple[str, str]:
    """The kind of problem an exception stands for, and its message."""
    match error:
        case CrawlFault():
            return error.kind, str(error)
        case HttpError():
            status = error.response.status
            return "http_error", f"HTTP {response_status_message(status)}: {error.response.url}"
        case OffSiteError():
            return "http_error", str(error)
        case IgnoreRequest() if "robots" in str(error).lower():
            return "robots_disallowed", str(error)
        case IgnoreRequest():
            return "http_error", describe(error)
        case DownloadCancelledError():
            return "too_large", describe(error)
    return "unreachable", describe(error)
