"""The spider: index pages → further pages → report pages → attachments, for every source of a job."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import scrapy
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, DownloadCancelledError, IgnoreRequest
from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.response import response_status_message
from twisted.python.failure import Failure

from extract.crawl.middlewares import OffSiteError, describe
from extract.crawl.pages import Attachment, ReportLink, read_index, read_report
from extract.crawl.policy import host_of, is_due
from extract.crawl.session import CrawlSession, Listing, Visit
from extract.media import sniff

HOME_PATHS = ("", "/", "/index.html", "/index.htm", "/index.shtml", "/index.jsp", "/index.php", "/default.htm")
LOGIN_WORDS = ("login", "signin", "/sso", "passport", "/cas/", "denglu")


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """Why an address is asked for."""

    visit: Visit
    url: str
    role: Literal["index", "page", "attachment"]
    listing: Listing | None = None
    year: int | None = None
    sighted: bool = True


class ReportSpider(scrapy.Spider):
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
            self._settle(visit)

    def _begin(self, visit: Visit) -> Iterator[Request]:
        for url in dict.fromkeys(visit.source.index):
            listing = Listing(url)
            visit.listings.append(listing)
            yield from self._index_pages(visit, listing, [url])
        for report in visit.source.reports:
            self.session.sight(visit, report.url, "page", year=report.year, declared=True)
            visit.reports.add(report.url)
            yield from self._visit_report(visit, report.url, report.year)
        if self.session.job.refetch:
            yield from self._known(visit)

    def _known(self, visit: Visit) -> Iterator[Request]:
        """Every address ever sighted of a source, whether or not an index still lists it."""
        for seen in self.session.ledger.known_sightings(visit.source.id):
            if self._wanted(seen.year) and seen.url not in visit.requested and visit.scope.allows(seen.url):
                yield from self._ask(Errand(visit, seen.url, seen.role, year=seen.year, sighted=False))

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
        self._settle(errand.visit)

    def failed(self, failure: Failure) -> None:
        """Write down why an address gave no body."""
        errand: Errand = failure.request.cb_kwargs["errand"]  # type: ignore[attr-defined]
        if self.session.fatal is not None:
            raise CloseSpider(self.session.fatal)
        self._fail(errand, *_reason(failure.value))
        self._settle(errand.visit)

    def page_failed(self, failure: Failure, response: Response) -> None:
        """A page that the crawler itself stumbled over: its source goes on."""
        if isinstance(failure.value, CloseSpider):
            return
        if isinstance(failure.value, OSError) or type(failure.value).__module__ == "sqlite3":
            self.session.fatal = describe(failure.value)
            return
        errand: Errand = response.request.cb_kwargs["errand"]  # type: ignore[union-attr]
        self._fail(errand, "broken_document", f"the crawler can't read this page: {describe(failure.value)}")
        self._settle(errand.visit)

    def finish_all(self) -> None:
        """Close the visits that were cut short; after a fatal error they stay open, so that the job counts as failed."""
        if self.session.fatal is None:
            for visit in self.session.visits.values():
                self.session.finish(visit)

    def _read_index(self, response: Response, errand: Errand) -> Iterator[Request]:
        listing, visit = errand.listing, errand.visit
        assert listing is not None
        page = read_index(response.body, response.url)
        listing.read += 1
        listing.reports += len(page.reports)
        for link in page.reports:
            yield from self._follow(visit, link, errand)
        if self._is_repeated(visit, listing, page.signature, response.url):
            return
        yield from self._index_pages(visit, listing, page.pages)

    def _is_repeated(self, visit: Visit, listing: Listing, signature: int, url: str) -> bool:
        """Whether a page lists just what another one of the listing did. The first page often has two addresses; no other has."""
        repeated = signature in listing.signatures
        if repeated and signature != listing.first_signature:
            message = "pagination repeats itself: this page lists the same as another one"
            self.session.problem(visit, "trap", message, url, severity="warning")
        if listing.first_signature is None:
            listing.first_signature = signature
        listing.signatures.add(signature)
        return repeated

    def _index_pages(self, visit: Visit, listing: Listing, urls: list[str]) -> Iterator[Request]:
        limit = self.session.job.settings.max_index_pages
        for url in urls:
            if url in listing.asked or not visit.scope.on_site(url):
                continue
            if len(listing.asked) >= limit:
                self._limit_reached(visit, listing, limit, url)
                return
            listing.asked.add(url)
            yield from self._ask(Errand(visit, url, "index", listing))

    def _limit_reached(self, visit: Visit, listing: Listing, limit: int, url: str) -> None:
        listing.complete = False
        if not listing.limited:
            listing.limited = True
            self.session.problem(visit, "trap", f"more than {limit} index pages; not read from {url} on", listing.url)

    def _follow(self, visit: Visit, link: ReportLink, errand: Errand) -> Iterator[Request]:
        """Go to a report an index links to; beyond the source's own site only what the registry names is followed."""
        if not visit.scope.on_site(link.url):
            message = f"report link leads off the source's site, not followed: {link.text!r} on {errand.url}"
            self.session.problem(visit, "unreachable", message, link.url, link.title.year, "warning")
            return
        self.session.sight(visit, link.url, "page", title=link.text, year=link.title.year, published_on=link.published_on)
        visit.reports.add(link.url)
        yield from self._visit_report(visit, link.url, link.title.year)

    def _visit_report(self, visit: Visit, url: str, year: int | None) -> Iterator[Request]:
        if not self._wanted(year):
            return
        if self._due(url):
            yield from self._ask(Errand(visit, url, "page", year=year))
            return
        for seen in self.session.ledger.known_sightings(visit.source.id, url):
            yield from self._attachment(visit, url, Attachment(seen.url, seen.title, seen.year), None)

    def _read_page(self, response: Response, errand: Errand) -> Iterator[Request]:
        page = read_report(response.body, response.url)
        if errand.sighted:
            known = self.session.ledger.sighting(errand.visit.source.id, errand.url)
            title = None if known and known.title else page.title
            published = None if known and known.published_on else page.published_on
            self.session.sight(errand.visit, errand.url, "page", title=title, published_on=published)
        for attachment in page.attachments:
            yield from self._attachment(errand.visit, errand.url, attachment, errand.year)

    def _attachment(self, visit: Visit, page: str, attachment: Attachment, page_year: int | None) -> Iterator[Request]:
        if not visit.scope.allows(attachment.url):
            message = f"attachment lies neither on the source's site nor on a gov.cn host, not followed: {attachment.text!r} on {page}"
            self.session.problem(visit, "unreachable", message, attachment.url, attachment.year or page_year, "warning")
            return
        year = attachment.year if attachment.year is not None else page_year
        self.session.sight(visit, attachment.url, "attachment", title=attachment.text, year=year, parent_url=page)
        if self._wanted(year) and self._due(attachment.url):
            yield from self._ask(Errand(visit, attachment.url, "attachment", year=year))

    # Helpers

    def _wanted(self, year: int | None) -> bool:
        years = self.session.job.years
        return years is None or year is None or year in years

    def _due(self, url: str) -> bool:
        return is_due(self.session.ledger.document(url), self.session.started, self.session.job.refetch)

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
            priority={"index": 20, "page": 10, "attachment": 0}[errand.role],
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
        self.session.problem(errand.visit, kind, message, errand.url, errand.year)

    def _settle(self, visit: Visit) -> None:
        visit.pending -= 1
        if visit.pending == 0:
            self.session.finish(visit)


def _reason(error: BaseException | None) -> tuple[str, str]:
    """The kind of problem an exception stands for, and its message."""
    match error:
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
