"""From pages to the next addresses: what of an index page is a report of the source, what of a report page belongs to it, and what is
only told of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from scrapy.http import Request, Response

from extract.bodies import BodyNames
from extract.crawl.errand import Errand
from extract.crawl.families.base import YearPage
from extract.crawl.listing import Listing
from extract.crawl.pages import Attachment, IndexPage, ReportLink, read_index, read_report
from extract.crawl.policy import WITH_BODY, host_of, is_due, is_government
from extract.crawl.session import CrawlSession, Visit
from extract.titles import ReportTitle, report_title


class Follower:
    """What the spider does with pages it has got; `_ask` is the spider's."""

    session: CrawlSession

    def _ask(self, errand: Errand) -> Iterator[Request]:
        raise NotImplementedError

    # Index pages

    def _read_index(self, response: Response, errand: Errand) -> Iterator[Request]:
        listing, visit = errand.listing, errand.visit
        assert listing is not None
        page = read_index(response.body, response.url)
        if errand.year is not None:
            page = self._of_year(page, response, errand)
        further = listing.note(page, response.url)
        for notice in page.notices:
            if listing.is_new(notice):
                listing.complete = listing.complete and notice.severity != "failure"
                self.session.problem(visit, notice.kind, notice.message, response.url, errand.year, notice.severity)
        for link in page.reports:
            if link.url == response.url:
                offered = errand.year or next((y.year for y in page.years if y.url == link.url), None)
                yield from self._own(visit, link, replace(errand, year=offered), response)
            else:
                yield from self._follow(visit, link, errand)
        for year in page.years:
            yield from self._year_page(visit, listing, year)
        yield from self._index_pages(visit, listing, further)

    def _of_year(self, page: IndexPage, response: Response, errand: Errand) -> IndexPage:
        """The page that was offered for a year: a listing, the report itself, or neither, which is told."""
        own = next((link for link in page.reports if link.url == response.url), None)
        if own is None and (page.reports or page.pages or any(p.addresses for p in page.pagers)):
            return page
        report = read_report(response.body, response.url)
        files = [a for a in report.attachments if page.own_title or report_title(a.text or "")]
        found = own or (ReportLink(response.url, "", ReportTitle(None, "disclosure"), None) if files else None)
        others = [link for link in page.reports if link is not own]
        if found is not None and errand.year in page.years_named | {a.year for a in files}:
            return replace(page, reports=[found, *others], script=None)
        held = "shows another report" if found else "holds no report"
        self.session.problem(errand.visit, "no_report", f"the page of {errand.year} {held}", errand.url, errand.year, "warning")
        return replace(page, reports=others, script=None, guesses=[])

    def _year_page(self, visit: Visit, listing: Listing, page: YearPage) -> Iterator[Request]:
        """Look at the page of a year; one that is known to be a report itself is treated as one."""
        if not self._wanted(page.year) or page.url in visit.reports:
            return
        known = self.session.ledger.sighting(visit.source.id, page.url)
        if known is None or known.role != "page" or not visit.scope.on_site(page.url):
            yield from self._index_pages(visit, listing, [page.url], page.year)
            return
        listing.asked.add(page.url)
        listing.reports += 1
        self.session.sight(visit, page.url, "page")
        visit.reports.add(page.url)
        yield from self._visit_report(visit, page.url, page.year)

    def _index_pages(self, visit: Visit, listing: Listing, urls: Iterable[str], year: int | None = None) -> Iterator[Request]:
        limit = self.session.job.settings.max_index_pages
        for url in urls:
            if url in listing.asked:
                continue
            listing.asked.add(url)
            if not visit.scope.on_site(url):
                self._off_site(visit, url, f"a further page of {listing.url}", year)
                listing.complete = listing.complete and not is_government(host_of(url))
            elif len(listing.asked) > limit:
                listing.asked.discard(url)
                self._limit_reached(visit, listing, limit, url)
                return
            else:
                yield from self._ask(Errand(visit, url, "index", listing, year))

    def _limit_reached(self, visit: Visit, listing: Listing, limit: int, url: str) -> None:
        listing.complete = False
        if not listing.limited:
            listing.limited = True
            self.session.problem(visit, "trap", f"more than {limit} index pages; not read from {url} on", listing.url)

    def _off_site(self, visit: Visit, url: str, what: str, year: int | None) -> None:
        """Tell of a link that leads off the source's site. Under gov.cn it may be right: a loss. Elsewhere it is never followed (Q-61)."""
        host = host_of(url)
        if is_government(host):
            message = f"off the source's site, not followed: {what}; add {host} to the source's hosts if it is right"
        else:
            message = f"no government host, and not one that the source names, not followed: {what}"
        self.session.problem(visit, "off_site", message, url, year, "failure" if is_government(host) else "warning")

    # Reports

    def _follow(self, visit: Visit, link: ReportLink, errand: Errand) -> Iterator[Request]:
        """Go to a report an index links to, where it is the source's own and lies on its site."""
        year = link.title.year
        if self._is_anothers(visit, link, errand):
            return
        if not visit.scope.on_site(link.url):
            self._off_site(visit, link.url, f"{link.text!r} on {errand.url}", year)
            return
        self.session.sight(visit, link.url, "page", title=link.text, year=year, published_on=link.published_on)
        visit.reports.add(link.url)
        yield from self._visit_report(visit, link.url, year)

    def _own(self, visit: Visit, link: ReportLink, errand: Errand, response: Response) -> Iterator[Request]:
        """Take an index page that is a report itself for one; its address does not say of which year."""
        if self._is_anothers(visit, link, errand):
            return
        page = read_report(response.body, response.url)
        self.session.sight(visit, link.url, "page", title=link.text or None, year=errand.year, published_on=page.published_on)
        visit.reports.add(link.url)
        for attachment in page.attachments:
            yield from self._attachment(visit, link.url, attachment, errand.year)

    def _is_anothers(self, visit: Visit, link: ReportLink, errand: Errand) -> bool:
        """Whether a title surely names another body than the source's; told, unless that body has a source of its own."""
        names = BodyNames.of(visit.source.publisher, tuple(self.session.job.publishers))
        verdict = names.judge(link.text)
        if verdict == "other" and self._wanted(link.title.year):
            message = f"the report of another body, which the registry does not have: {link.text!r} on {errand.url}"
            self.session.problem(visit, "other_publisher", message, link.url, link.title.year, "warning")
        return verdict in ("other", "registered")

    def _visit_report(self, visit: Visit, url: str, year: int | None) -> Iterator[Request]:
        if not self._wanted(year):
            return
        if self._due(url):
            yield from self._ask(Errand(visit, url, "page", year=year))
            return
        yield from self._unread(Errand(visit, url, "page", year=year))
        for seen in self.session.ledger.known_sightings(visit.source.id, url):
            yield from self._attachment(visit, url, Attachment(seen.url, seen.title, seen.year), None)

    def _unread(self, errand: Errand) -> Iterator[Request]:
        """Read a page from the archive that no finished visit has seen: a killed crawler may have kept it and not read what it links to."""
        known = self.session.ledger.document(errand.url)
        if known is None or known.last_checked <= errand.visit.ended_before:
            return
        if known.status not in WITH_BODY:
            yield from self._ask(errand)  # the address of a redirect holds its target's body, whose links are relative to the target
        elif known.media == "html":
            body = self.session.kept(known)
            yield from self._ask(errand) if body is None else self._read_page(Response(errand.url, body=body), errand)

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
        year = attachment.year if attachment.year is not None else page_year
        if not visit.scope.allows(attachment.url):
            self._off_site(visit, attachment.url, f"the attachment {attachment.text!r} of {page}", year)
            return
        self.session.sight(visit, attachment.url, "attachment", title=attachment.text, year=year, parent_url=page)
        if self._wanted(year) and self._due(attachment.url):
            yield from self._ask(Errand(visit, attachment.url, "attachment", year=year))

    def _wanted(self, year: int | None) -> bool:
        years = self.session.job.years
        return years is None or year is None or year in years

    def _due(self, url: str) -> bool:
        return is_due(self.session.ledger.document(url), self.session.started, self.session.job.refetch)
