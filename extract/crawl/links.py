"""Links of an index page: which of them lead to a report, with what title and date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from lxml.etree import _Element as Element

from extract.crawl.dates import dates
from extract.crawl.page import one_line, text_of, texts_of
from extract.titles import ReportTitle, is_truncated, report_title

DOCUMENT_EXTENSION = re.compile(r"\.(?:pdf|docx?|wps|xlsx?|et|ofd|rtf|zip|rar)$", re.I)
_ITEM_TAG = {"li", "tr", "dd", "dt", "p"}
#: Another face of the same page (domain.md §5.2): a gate that converts characters, a page for telephones.
_GATE = re.compile(r"^https?://[^/]+/gate/big5/(?=[^/]+\.[^/]+)", re.I)
_FACE = re.compile(r"_(?:app|wap)(?=\.s?html?$)", re.I)


@dataclass(frozen=True, slots=True)
class ReportLink:
    """A link of an index page to a report."""

    url: str
    text: str
    title: ReportTitle
    published_on: str | None


def report_link(anchor: Element, url: str) -> ReportLink | None:
    """What a link says of the report it leads to; None where it leads to none.

    A report is recognised by its title: the link text, its `title` attribute or the text of its picture, or the list item
    where the link text was cut off. A title without a year counts only with a date beside it or on a document: navigation
    names columns so.
    """
    for text in wordings(anchor):
        title = report_title(text)
        if title is None:
            continue
        published = date_beside(anchor)
        if title.year is None and published is None and not is_document(url):
            return None
        return ReportLink(url, text, title, published)
    return None


def wordings(anchor: Element) -> Iterator[str]:
    """What a link says, best first."""
    text = text_of(anchor)
    cut = is_truncated(text)
    attribute = one_line(anchor.get("title") or "")
    if not cut and text:
        yield text
    if attribute:
        yield attribute
    yield from (alt for alt in (one_line(image.get("alt") or "") for image in anchor.iter("img")) if alt)
    if cut:
        item = item_of(anchor)
        if item is not None:
            yield from (t for t in texts_of(item) if t != text)
        yield text


def item_of(anchor: Element) -> Element | None:
    """The list item around a link: the nearest li, tr, dd, dt or p; else its parent."""
    for ancestor in anchor.iterancestors():
        if ancestor.tag in _ITEM_TAG:
            return ancestor
    return anchor.getparent()


def date_beside(anchor: Element) -> str | None:
    """The date of the list item, where it has just one; a date inside the link text counts only where there is no other."""
    item = item_of(anchor)
    if item is None:
        return None
    own = text_of(anchor)
    around = dates(text_of(item).replace(own, " ", 1)) or dates(own)
    return around.pop() if len(around) == 1 else None


def is_document(url: str) -> bool:
    """Whether the path, or a value of the query (`?file=x.pdf`), ends like a document's name."""
    parts = urlsplit(url)
    values = (pair.partition("=")[2] for pair in parts.query.split("&"))
    return any(DOCUMENT_EXTENSION.search(unquote(v)) for v in (parts.path, *values))


def same_page(url: str) -> str:
    """The address that stands for all faces of a page: the one behind a big5 gate (Q-43), the page of which `_app` or `_wap` is a twin."""
    plain = _GATE.sub("http://", url)
    parts = urlsplit(plain)
    return f"{parts.netloc}{_FACE.sub('', parts.path)}{'?' + parts.query if parts.query else ''}"
