"""Read index pages and report pages: which links are reports, which lead to further pages, which are attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from lxml.etree import _Element as Element

from extract.crawl.dates import PRINTED, dates, iso
from extract.crawl.families import read_families, script_call
from extract.crawl.families.base import Notice, Pager, YearPage, listing_key, steady, unique
from extract.crawl.families.column import is_data_table, is_report
from extract.crawl.families.jpage import key_of
from extract.crawl.families.plain import turns_pages
from extract.crawl.links import DOCUMENT_EXTENSION, ReportLink, is_document
from extract.crawl.page import Page, name_of, one_line, text_of, texts_of
from extract.titles import ReportTitle, is_other_document, report_title

__all__ = ["Attachment", "IndexPage", "ReportLink", "ReportPage", "is_document", "read_index", "read_report"]

PAGE_EXTENSION = re.compile(r"(?:\.(?:s?html?|jhtml|aspx?|php|jspx?)|/)$", re.I)
_LABELLED_DATE = re.compile(r"(?:发布|发表|公开|发文)(?:时间|日期)\s*[:：]?\s*[\[【]?\s*" + PRINTED.pattern)
_PLAIN_LABELLED_DATE = re.compile(r"(?:时间|日期)\s*[:：]\s*[\[【]?\s*" + PRINTED.pattern)
_META_DATE = {"pubdate", "publishdate", "publish_date", "article:published_time", "firstpublishedtime"}

_A_YEAR = re.compile(r"20\d{2}")
_NEIGHBOUR = re.compile(r"^[【\[(（]?[上下前后]一?[篇条页则]")
_ATTACHED = re.compile(r"^[【\[(（]?\s*附件")
_CONTENT_NAME = re.compile(
    r"content|article|zoom|trs_editor|editor|detail|attach|fujian|fjxz|\bfj\b|news_?con|conbox|wzcon|vsb_|ucap", re.I
)
_OUTSIDE_NAME = re.compile(r"nav|foot|header|menu|sidebar|copyright|friend|crumb|related|recommend|xgwd|xgwz|xgzc", re.I)
_OUTSIDE_TAG = {"nav", "header", "footer", "aside"}

#: Headings over tables two and three, in every report of the 2019 and 2021 forms.
_TABLE_HEADINGS = ("主动公开政府信息情况", "收到和处理政府信息公开申请情况")
_ICON = re.compile(r"(?i)(icon|logo|qrcode|ewm|erweima|share|weixin|wechat|dzjg|red\.png|jiucuo|banner|blue\.png|/ico|\.ico|\.svg)")


@dataclass(frozen=True, slots=True)
class IndexPage:
    """An index page: reports, further pages of the listing, pages of years, and what was found wrong.

    `pages` are what links lead to, `pagers` state how many there are, `keys` say of which listings this page is one. `signature` is
    equal for equal listings. `guesses` may hold the listing, and `script` may draw it, where nothing else was found. `own_title` is that of
    the page itself, where it names a report; `years_named` are the years in its text, links and drop-downs aside.
    """

    reports: list[ReportLink]
    pages: list[str]
    years: list[YearPage]
    pagers: list[Pager]
    notices: list[Notice]
    guesses: list[str]
    keys: list[str]
    signature: int
    script: str | None
    own_title: ReportTitle | None
    years_named: frozenset[int]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A link of a report page to a document that belongs to it. `year` is what its own text says."""

    url: str
    text: str | None
    year: int | None


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A report page: its own title, the date it states, what is attached to it, and whether it holds a report's text itself."""

    title: str | None
    published_on: str | None
    attachments: list[Attachment]
    is_report: bool


@lru_cache(maxsize=1)
def opened(url: str, body: bytes) -> Page:
    """A page ready to be read; the last one is kept, for a page that is a listing and a report is read as both."""
    return Page(url, body)


def read_index(body: bytes, url: str) -> IndexPage:
    """What an index page lists, by all families that know it."""
    page = opened(url, body)
    found = read_families(page)
    drawn = [address for pager in found.pagers for address in pager.addresses]
    nothing = not (found.reports or found.pages or found.years or drawn)
    listed = {steady(target) for anchor, target in page.links if target not in found.pages and not turns_pages(anchor)}
    listed |= {link.url for link in found.reports}
    keys = unique([listing_key(url), *(p.key for p in found.pagers), *filter(None, [key_of(url)])])
    return IndexPage(
        found.reports,
        found.pages,
        found.years,
        found.pagers,
        found.notices,
        found.guesses if nothing else [],
        keys,
        hash(tuple(sorted(listed - {steady(url)}))),
        script_call(page) if nothing else None,
        next((title for heading in page.headings if (title := report_title(heading))), None),
        frozenset(int(year) for year in _A_YEAR.findall(" ".join([page.prose, *page.headings]))),
    )


def read_report(body: bytes, url: str) -> ReportPage:
    """A report page's title, date and attachments.

    An attachment is a link to a document (by its extension), or one that says 附件 or has a report's title, inside the
    content: not in navigation, header, footer or side bar, not the previous or next article, and not a guide, catalogue or
    form.
    """
    page = opened(url, body)
    found: dict[str, Attachment] = {}
    for anchor, target in page.links:
        text = text_of(anchor) or one_line(anchor.get("title") or "")
        if target not in found and _is_attachment(anchor, target, text) and target != url:
            title = report_title(text) or report_title(anchor.get("title") or "")
            found[target] = Attachment(target, text or None, title.year if title else None)
    for target in [*_embedded(page), *_pictured_tables(page)]:
        found.setdefault(target, Attachment(target, None, None))
    return ReportPage(_own_title(page), _published_on(page), list(found.values()), is_report(page))


def _is_attachment(anchor: Element, url: str, text: str) -> bool:
    if is_other_document(text) or _is_neighbour(anchor, text) or _outside_content(anchor):
        return False
    if is_document(url) or DOCUMENT_EXTENSION.search(text):
        return True
    if _ATTACHED.match(text):
        return True
    return report_title(text) is not None and not PAGE_EXTENSION.search(urlsplit(url).path)


def _is_neighbour(anchor: Element, text: str) -> bool:
    """Whether a link leads to the previous or next article."""
    parent = anchor.getparent()
    around = text_of(parent) if parent is not None else ""
    return bool(_NEIGHBOUR.match(text) or _NEIGHBOUR.match(around))


def _outside_content(element: Element) -> bool:
    """Whether the nearest telling ancestor is navigation, header, footer or a side bar rather than content."""
    for ancestor in element.iterancestors():
        name = name_of(ancestor)
        if ancestor.tag in _OUTSIDE_TAG or (ancestor.tag not in ("body", "html") and _OUTSIDE_NAME.search(name)):
            return True
        if _CONTENT_NAME.search(name):
            return False
    return False


def _embedded(page: Page) -> Iterator[str]:
    """Documents shown in a frame: <iframe>, <embed>, <object>, and viewers that take the address as a parameter."""
    for tag, attribute in (("iframe", "src"), ("embed", "src"), ("object", "data")):
        for element in page.root.iter(tag):
            source = page.address(element.get(attribute) or "")
            if source is None or _outside_content(element):
                continue
            viewed = re.search(r"[?&](?:file|src|url)=([^&]+)", source)
            inner = page.address(unquote(viewed[1])) if viewed else None
            yield from [u for u in (inner, source) if u is not None and is_document(u)][:1]


def _pictured_tables(page: Page) -> Iterator[str]:
    """Pictures that may be the report's tables (domain.md Q-46): in the content of a page that has the form's headings and no table."""
    text = text_of(page.root)
    if not all(heading in text for heading in _TABLE_HEADINGS) or any(is_data_table(t) for t in page.root.iter("table")):
        return
    for image in page.root.iter("img"):
        source = page.address(image.get("src") or "")
        if source and not _outside_content(image) and not _ICON.search(source) and not _is_small(image):
            yield source


def _is_small(image: Element) -> bool:
    """Whether the page itself says that a picture is an icon; one without a size may be anything."""
    sizes = [re.match(r"\s*(\d+)", image.get(name) or "") for name in ("width", "height")]
    return any(size is not None and int(size[1]) < 100 for size in sizes)


def _own_title(page: Page) -> str | None:
    """The page's title: the first of its headings that names a report, else the first."""
    return next((h for h in page.headings if report_title(h)), page.headings[0] if page.headings else None)


def _published_on(page: Page) -> str | None:
    """The date of publication the page states: its metadata, its 发布时间 line, or any other labelled date."""
    for meta in page.root.iter("meta"):
        if (meta.get("name") or meta.get("property") or "").lower() in _META_DATE:
            content = meta.get("content") or ""
            compact = re.fullmatch(r"(20\d{2})(\d{2})(\d{2})", content.strip())
            found = dates("-".join(compact.groups()) if compact else content)
            if len(found) == 1:
                return found.pop()
    text = " ".join(texts_of(page.root))
    for pattern in (_LABELLED_DATE, _PLAIN_LABELLED_DATE):
        match = pattern.search(text)
        if match and (found_day := iso(match)):
            return found_day
    return None
