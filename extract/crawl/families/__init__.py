"""Site families: how the lists of reports of many sites are read with no code for any one site. Interface: `families.base`."""

from __future__ import annotations

import re

from extract.crawl.families import anhui, annual_jsp, column, gkmlpt, jpaas, jpage, json_list, plain, trs, years
from extract.crawl.families.base import Family, FamilyPage, Named
from extract.crawl.links import ReportLink, is_document, same_page
from extract.crawl.page import Page

#: In the order in which they are asked; every one that knows a page adds to what is known of it.
FAMILIES: tuple[Family, ...] = tuple(
    Named(module.name, module.reads) for module in (plain, anhui, trs, jpage, annual_jsp, years, gkmlpt, jpaas, json_list, column)
)

_SCRIPT = re.compile(
    r"\$\s*\.\s*(?:ajax|post|get|getJSON)\s*\(|\bfetch\s*\(|\baxios\b|\bnew\s+Vue\s*\(|\bcreateApp\s*\(|XMLHttpRequest|\$http\b|laypage|layui\.use"
    r"|dataproxy|querydata\s*=|\.jpage\s*\(|createPageHTML\s*\(|getList\s*\(|loadData\s*\("
)
_COUNTER = re.compile(r"count|click|hits?\b|visit|tongji|weather|baidu|cnzz|_hmt", re.I)
_EMPTY_ROOT = re.compile(r"<div[^>]*\bid=[\"'](?:app|root|main-app)[\"'][^>]*>\s*</div>", re.I)


def read_families(page: Page) -> FamilyPage:
    """What all families together read from a page, each report once."""
    found = FamilyPage()
    for family in FAMILIES:
        read = family.reads(page)
        if read is not None:
            _add(found, read)
    if len({link.title.year for link in found.reports} | {year.year for year in found.years}) < 2:
        found.notices += found.doubts
    _drop_twins(found)
    _settle_own(page, found)
    return found


def _add(found: FamilyPage, read: FamilyPage) -> None:
    known = {link.url for link in found.reports}
    found.reports += [link for link in read.reports if link.url not in known]
    found.pages += [url for url in read.pages if url not in found.pages]
    found.years += [year for year in read.years if year.url not in {y.url for y in found.years}]
    found.pagers += read.pagers
    found.notices += read.notices
    found.doubts += read.doubts
    found.guesses += [url for url in read.guesses if url not in found.guesses]


def _drop_twins(found: FamilyPage) -> None:
    """Of two faces of one page (a big5 gate, `_app`) the plain one is followed; one that stands alone stays."""
    best: dict[str, ReportLink] = {}
    for link in found.reports:
        key = same_page(link.url)
        if key not in best or len(link.url) < len(best[key].url):
            best[key] = link
    found.reports = [link for link in found.reports if best[same_page(link.url)] is link]


def _settle_own(page: Page, found: FamilyPage) -> None:
    """A page that shows the newest report above a list with its address is a listing; the report is followed there.

    Where the page is the report, a document of that year, or of none, is an attachment of it.
    """
    own = next((link for link in found.reports if link.url == page.url), None)
    if own is None:
        return
    others = [link for link in found.reports if link is not own]
    elsewhere = {link.title.year for link in others if not is_document(link.url)} | {year.year for year in found.years}
    if page.url not in {year.url for year in found.years} and own.title.year is not None and own.title.year in elsewhere:
        found.reports = others
    else:
        found.reports = [own, *(x for x in others if not (is_document(x.url) and x.title.year in (own.title.year, None)))]


def script_call(page: Page) -> str | None:
    """The call in a page that may draw its listing; None where there is none."""
    for match in _SCRIPT.finditer(page.text):
        call = " ".join(page.text[match.start() : match.start() + 160].split())
        if not _COUNTER.search(call):
            return call
    empty = _EMPTY_ROOT.search(page.text)
    return empty[0] if empty else None
