"""What a site family is: a way of publishing lists of reports that many sites share, because they share a content management system."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from extract.crawl.links import ReportLink
from extract.crawl.page import Page
from extract.problem import Severity

#: Parameters that number the pages of a listing.
PAGE_PARAMETERS = {
    "page",
    "pageno",
    "pagenum",
    "pageindex",
    "currentpage",
    "curpage",
    "cur_page",
    "p",
    "pn",
    "page_no",
    "pagenumber",
    "current",
}
#: Parameters that change from one answer to the next and lead nowhere else.
_FLEETING = {"jsessionid", "phpsessid", "sessionid", "session", "token", "_", "t", "r", "rnd", "rand", "random", "timestamp", "ts", "v"}
_NUMBERED = re.compile(r"^(.*?)(?:_\d{1,4})?(\.(?:s?html?|jhtml|json|aspx?|php|jspx?))$", re.I)
MAX_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Pager:
    """What a page says of its pagination: whose (`key`, alike on all pages of a listing), how many pages, the first one included.

    `pages` is None where nothing states it. `addresses` are those of the other pages where they follow from the count alone; what links
    lead to belongs into `FamilyPage.pages`.
    """

    key: str
    pages: int | None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class YearPage:
    """An address that shows what belongs to one year: a listing, or the report itself."""

    url: str
    year: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A thing a family knows to be wrong with a page. A failure says that reports may be missing: the index was then not read."""

    kind: str
    message: str
    severity: Severity = "failure"


@dataclass(slots=True)
class FamilyPage:
    """What a family reads from an index page.

    `guesses` may hold the listing: they are asked for where nothing else was found. `doubts` are notices that count only where no family
    found reports or addresses of more than one year.
    """

    reports: list[ReportLink] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    years: list[YearPage] = field(default_factory=list)
    pagers: list[Pager] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    doubts: list[Notice] = field(default_factory=list)


class Family(Protocol):
    """A module of this package, as far as the crawler knows it.

    `reads` gets a page, opened once and shared by all families, and says what it lists; None where the page does not carry what the
    family is known by: a script, markup, fields of JSON. Never the host. It asks for nothing: addresses it needs are in its answer.
    """

    @property
    def name(self) -> str: ...

    @property
    def reads(self) -> Callable[[Page], FamilyPage | None]: ...


@dataclass(frozen=True, slots=True)
class Named:
    """A family made of a function."""

    name: str
    reads: Callable[[Page], FamilyPage | None]


def with_parameters(url: str, /, **values: str | int) -> str:
    """An address with parameters of its query set; others stay, in their order."""
    parts = urlsplit(url)
    known = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, str(values.pop(name)) if name in values else value) for name, value in known]
    return urlunsplit(parts._replace(query=urlencode([*kept, *((n, str(v)) for n, v in values.items())])))


def parameters(url: str) -> dict[str, str]:
    """The parameters of an address's query."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def listing_key(url: str) -> str:
    """What the pages of one listing have in common: index.html, index_1.html and ?page=2 are pages of one."""
    parts = urlsplit(url)
    path = parts.path
    match = _NUMBERED.match(path)
    stem = match[1] if match else path
    folder, _, name = stem.rpartition("/")
    kept = [(n, v) for n, v in parse_qsl(parts.query) if n.lower() not in PAGE_PARAMETERS | _FLEETING]
    return f"{parts.netloc}{folder}/{'' if name.lower() in ('index', 'default') else name}?{urlencode(sorted(kept))}"


def steady(url: str) -> str:
    """An address without the parameters that change from one answer to the next: the same link in two answers is then the same text."""
    parts = urlsplit(url)
    kept = [(n, v) for n, v in parse_qsl(parts.query, keep_blank_values=True) if n.lower() not in _FLEETING]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))


def unique(urls: Iterable[str]) -> list[str]:
    """Addresses in their order, each once."""
    return list(dict.fromkeys(urls))
