"""Lists that are JSON: answers whose records have a title, an address and a date, whatever these fields are called; and the endpoints of
such lists that a page's scripts name.

A field is known by what it holds: a report's title, an address, a day. Where several do, the usual names decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from extract.crawl.dates import moment
from extract.crawl.families.base import (
    MAX_PAGES,
    PAGE_PARAMETERS,
    FamilyPage,
    Notice,
    Pager,
    listing_key,
    parameters,
    unique,
    with_parameters,
)
from extract.crawl.links import ReportLink, is_document
from extract.crawl.page import Page
from extract.titles import report_title

Record = dict[str, Any]
_URL_NAMES = ("posturl", "url", "link", "href", "docpuburl", "puburl", "linkurl", "path", "filepath", "contenturl")
_DATE_NAMES = ("displaypublishtime", "firstpublishtime", "publishtime", "publishdate", "pubdate", "pubtime", "releasetime", "releasedate",
    "docreltime", "fbsj", "fbrq", "date", "time", "createdat", "createtime", "createdate")  # fmt: skip
_IS_URL = re.compile(r"^(?:https?://|/|\./|\.\./)\S+$|^\S+\.(?:s?html?|jhtml|jsp|pdf|docx?|wps)(?:\?\S*)?$", re.I)
_TOTAL_PAGES = {"totalpage", "totalpages", "pages", "pagecount", "pagetotal", "pagenums", "totalpagenum"}
_TOTAL = {"total", "totalcount", "count", "recordcount", "totalrecord", "totalelements", "rowcount", "postcount", "totalnum", "records"}
_SIZE = {"pagesize", "size", "perpage", "limit", "rows", "pagenumsize"}
_ENDPOINT = re.compile(
    r"(?:\burl\s*:|\$\.(?:get|getJSON|ajax|post)\s*\(|\bfetch\s*\(|axios(?:\.get)?\s*\(|\bopen\s*\(\s*[\"']GET[\"']\s*,|data-(?:url|src|api)\s*=)"
    r"\s*(?P<quote>[\"'])(?P<url>[^\"'\s<>]{2,300})(?P=quote)(?P<more>\s*\+)?",
    re.I,
)
_NOT_A_LIST = re.compile(
    r"count|click|hits?\b|visit|login|weather|tianqi|captcha|yzm|stat(?:istic)?s|token|logger|\.(?:js|css|png|jpe?g|gif|svg)(?:\?|$)", re.I
)
_LIST = re.compile(r"json|list|api|article|content|info|doc|xxgk|report|query|channel|catalog|column|/nb|data", re.I)

name = "json_list"


def reads(page: Page) -> FamilyPage | None:
    """Reports of a JSON answer and its further pages; of a page of another kind, the lists its scripts ask for."""
    if page.json is None:
        endpoints = unique(_endpoints(page))
        return FamilyPage(guesses=endpoints) if endpoints else None
    records = _records(page.json)
    found = FamilyPage(reports=[link for record in records if (link := _report(page, record))])
    if records:
        found.pagers, found.notices = _pager(page, len(records))
    return found


def _endpoints(page: Page) -> Iterator[str]:
    if "<script" not in page.text and "data-" not in page.text:
        return
    for match in _ENDPOINT.finditer(page.text):
        url = match["url"]
        if match["more"]:
            # …?page=' + number: the first page; anything else that is put together is not known
            parameter = re.search(r"[?&](\w+)=$", url)
            if parameter is None or parameter[1].lower() not in PAGE_PARAMETERS:
                continue
            url += "1"
        if _LIST.search(url) and not _NOT_A_LIST.search(url) and (address := page.address(url)):
            yield address


def _records(value: Any) -> list[Record]:
    """The records of the answer: the longest list of objects among which there are titles of reports, else the longest one with titles."""
    lists = [[r for r in found if isinstance(r, dict)] for found in _lists(value)]
    return max((r for r in lists if r), key=lambda r: (sum(_title(x) is not None for x in r), len(r)), default=[])


def _lists(value: Any, depth: int = 0) -> Iterator[list[Any]]:
    if depth > 6:
        return
    if isinstance(value, list):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        if isinstance(inner, dict | list):
            yield from _lists(inner, depth + 1)


def _title(record: Record) -> str | None:
    texts = [value for value in record.values() if isinstance(value, str) and len(value) < 300]
    return next((text for text in texts if report_title(re.sub(r"<[^>]*>", "", text))), None)


def _report(page: Page, record: Record) -> ReportLink | None:
    text = _title(record)
    if text is None:
        return None
    text = re.sub(r"<[^>]*>", "", text)
    title, url = report_title(text), _address(page, record)
    published = _first(record, _DATE_NAMES, moment)
    if title is None or url is None or (title.year is None and published is None and not is_document(url)):
        return None
    return ReportLink(url, text, title, published)


def _address(page: Page, record: Record) -> str | None:
    def known(value: object) -> str | None:
        return page.address(value) if isinstance(value, str) and _IS_URL.match(value.strip()) else None

    found = _first(record, _URL_NAMES, known)
    others = unique(url for value in record.values() if (url := known(value)))
    return found or (others[0] if len(others) == 1 else None)


def _first(record: Record, names: tuple[str, ...], read: Any) -> str | None:
    """The value of the first of these fields that can be read."""
    plain = {_plain(key): value for key, value in record.items()}
    return next((found for name in names if name in plain and (found := read(plain[name]))), None)


def _plain(name: str) -> str:
    return re.sub(r"[_\-]", "", name).lower()


def _pager(page: Page, here: int) -> tuple[list[Pager], list[Notice]]:
    """Further pages by the counts in the answer, where the address has a parameter that numbers them."""
    counts = dict(_counts(page.json))
    pages = next((counts[n] for n in counts if n in _TOTAL_PAGES), None)
    total = next((counts[n] for n in counts if n in _TOTAL), None)
    size = next((counts[n] for n in counts if n in _SIZE and counts[n] > 0), here)
    if pages is None and total is not None:
        pages = -(-total // max(size, 1)) if total > here else 1
    if pages is None:
        return [], []
    number = next(((n, int(v)) for n, v in parameters(page.url).items() if n.lower() in PAGE_PARAMETERS and v.isdigit()), None)
    addresses: tuple[str, ...] = ()
    if number is not None and number[1] <= 1:
        following = range(number[1] + 1, number[1] + min(pages, MAX_PAGES))
        addresses = tuple(with_parameters(page.url, **{number[0]: n}) for n in following)
    return [Pager(listing_key(page.url), pages, addresses)], []


def _counts(value: Any, depth: int = 0) -> Iterator[tuple[str, int]]:
    if depth > 3 or not isinstance(value, dict):
        return
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _counts(inner, depth + 1)
        elif isinstance(inner, int | str) and not isinstance(inner, bool) and str(inner).isdigit():
            yield _plain(key), int(inner)
