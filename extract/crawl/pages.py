"""Read index pages and report pages: which links are reports, which lead to further pages, which are attachments."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from lxml.etree import _Element as Element
from parsel import Selector
from w3lib.html import get_base_url
from w3lib.url import safe_url_string

from extract.titles import ReportTitle, is_other_document, is_truncated, report_title

DOCUMENT_EXTENSION = re.compile(r"\.(?:pdf|docx?|wps|xlsx?|et|ofd|rtf|zip|rar)$", re.I)
PAGE_EXTENSION = re.compile(r"(?:\.(?:s?html?|jhtml|aspx?|php|jspx?)|/)$", re.I)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
_SPACE = re.compile(r"\s+")

_DATE = re.compile(r"(?<![\d.])(20\d{2})(?:\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{1,2})|\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日)(?!\d)")
_LABELLED_DATE = re.compile(r"(?:发布|发表|公开|发文)(?:时间|日期)\s*[:：]?\s*[\[【]?\s*" + _DATE.pattern)
_PLAIN_LABELLED_DATE = re.compile(r"(?:时间|日期)\s*[:：]\s*[\[【]?\s*" + _DATE.pattern)
_META_DATE = {"pubdate", "publishdate", "publish_date", "article:published_time", "firstpublishedtime"}

_NEXT = {"下一页", "下页", "后页", "后一页", "下一頁", "下頁", "next", "nextpage", ">", ">>", "»", "›", "下一页>", "下页>", "下一页>>"}
_PAGE_NUMBER = re.compile(r"^(?:第?\d{1,4}页?|\[\d{1,4}\])$")
_PAGER_WORDS = re.compile(r"[上下前后]一?页|首页.*[尾末]页|[尾末]页|共\s*\d+\s*页|页次")
_PAGER_NAME = re.compile(r"pag(?:e|ing|ination|er)|fenye|fanye", re.I)
_TRS_PAGER = re.compile(r"createPageHTML\(\s*(\d{1,4})\s*,\s*\d+\s*,\s*[\"']([\w-]+)[\"']\s*,\s*[\"'](\w+)[\"']")
_HANWEB_RECORDS = re.compile(r"<(record|nextgroup)>\s*<!\[CDATA\[(.*?)\]\]>\s*</\1>", re.S)
MAX_TRS_PAGES = 1000

_NEIGHBOUR = re.compile(r"^[【\[(（]?[上下前后]一?[篇条页则]")
_ATTACHED = re.compile(r"^[【\[(（]?\s*附件")
_CONTENT_NAME = re.compile(
    r"content|article|zoom|trs_editor|editor|detail|attach|fujian|fjxz|\bfj\b|news_?con|conbox|wzcon|vsb_|ucap", re.I
)
_OUTSIDE_NAME = re.compile(r"nav|foot|header|menu|sidebar|copyright|friend|crumb|related|recommend|xgwd|xgwz|xgzc", re.I)
_OUTSIDE_TAG = {"nav", "header", "footer", "aside"}
_ITEM_TAG = {"li", "tr", "dd", "dt", "p"}


#: Headings over tables two and three, in every report of the 2019 and 2021 forms.
_TABLE_HEADINGS = ("主动公开政府信息情况", "收到和处理政府信息公开申请情况")
_ICON = re.compile(r"(?i)(icon|logo|qrcode|ewm|erweima|share|weixin|wechat|dzjg|red\.png|jiucuo|banner|blue\.png|/ico|\.ico|\.svg)")


@dataclass(frozen=True, slots=True)
class ReportLink:
    """A link of an index page to a report."""

    url: str
    text: str
    title: ReportTitle
    published_on: str | None


@dataclass(frozen=True, slots=True)
class IndexPage:
    """An index page: reports, further pages of the listing, and a signature of what it lists (equal for equal listings)."""

    reports: list[ReportLink]
    pages: list[str]
    signature: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A link of a report page to a document that belongs to it. `year` is what its own text says."""

    url: str
    text: str | None
    year: int | None


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A report page: its own title, the date it states, and what is attached to it."""

    title: str | None
    published_on: str | None
    attachments: list[Attachment]


@dataclass(frozen=True, slots=True)
class _Html:
    """A page ready to be searched: its text, its tree, and what relative links are relative to."""

    text: str
    root: Element
    base: str
    encoding: str

    def address(self, href: str) -> str | None:
        """The absolute address of a link, percent-encoded as a browser would.

        None where it leads to no page (javascript:, mailto:, #).
        """
        href = href.strip()
        if not href or href.startswith("#"):
            return None
        try:
            joined = urldefrag(urljoin(self.base, href)).url
            parts = urlsplit(joined)
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        return safe_url_string(joined, encoding=self.encoding)

    def anchors(self) -> Iterator[tuple[Element, str]]:
        for anchor in self.root.iter("a"):
            url = self.address(anchor.get("href") or "")
            if url is not None:
                yield anchor, url


def decode(body: bytes) -> tuple[str, str]:
    """A page as text, and the encoding it was in.

    A byte order mark decides; then strict UTF-8, a declared encoding outside the GB family (Big5), and last GB18030, the
    superset of GB2312 and GBK: pages that declare `gb2312` hold characters outside it (engineering.md §0.7).
    """
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if body.startswith(mark):
            return body.decode(encoding, "replace"), "utf-8"
    declared = _CHARSET.search(body[:4096])
    names = ["utf-8"] + ([declared[1].decode("ascii")] if declared and not declared[1].lower().startswith(b"gb") else [])
    for name in names:
        try:
            return body.decode(name), name
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("gb18030", "replace"), "gb18030"


def _open(body: bytes, url: str) -> _Html:
    text, encoding = decode(body)
    text = _XML_DECLARATION.sub("", text)
    records = "".join(match[2] for match in _HANWEB_RECORDS.finditer(text))
    root = Selector(text=text + records or "<html></html>", type="html").root
    return _Html(text, root, get_base_url(text, url, encoding), encoding)


def read_index(body: bytes, url: str) -> IndexPage:
    """What an index page lists.

    A report is recognised by its title: the link text, its `title` attribute or the text of its picture, or the list item
    where the link text was cut off. A title without a year counts only with a date beside it or on a document: navigation
    names columns so.
    """
    html = _open(body, url)
    reports: dict[str, ReportLink] = {}
    for anchor, target in html.anchors():
        link = _report_link(anchor, target)
        if link is not None and target not in reports:
            reports[target] = link
    pages = list(dict.fromkeys(p for p in _further_pages(html, url) if p not in reports and p != url))
    listed = sorted({target for _, target in html.anchors()} - set(pages) - {url})
    return IndexPage(list(reports.values()), pages, hash(tuple(listed)))


def _report_link(anchor: Element, url: str) -> ReportLink | None:
    for text in _wordings(anchor):
        title = report_title(text)
        if title is None:
            continue
        published = _date_beside(anchor)
        if title.year is None and published is None and not is_document(url):
            return None
        return ReportLink(url, text, title, published)
    return None


def _wordings(anchor: Element) -> Iterator[str]:
    """What a link says, best first."""
    text = _text(anchor)
    cut = is_truncated(text)
    attribute = _SPACE.sub(" ", anchor.get("title") or "").strip()
    if not cut and text:
        yield text
    if attribute:
        yield attribute
    yield from (alt for alt in (_SPACE.sub(" ", image.get("alt") or "").strip() for image in anchor.iter("img")) if alt)
    if cut:
        item = _item(anchor)
        if item is not None:
            yield from (t for t in _texts(item) if t != text)
        yield text


def _text(element: Element) -> str:
    """The text of an element without that of comments, on one line."""
    return _SPACE.sub(" ", str(element.xpath("string()"))).strip()


def _texts(element: Element) -> list[str]:
    """The pieces of text within an element, without scripts, styles and comments."""
    found = element.xpath(".//text()[not(ancestor::script or ancestor::style)]")
    assert isinstance(found, list)
    return [text for piece in found if (text := _SPACE.sub(" ", str(piece)).strip())]


def _item(anchor: Element) -> Element | None:
    """The list item around a link: the nearest li, tr, dd, dt or p; else its parent."""
    for ancestor in anchor.iterancestors():
        if ancestor.tag in _ITEM_TAG:
            return ancestor
    return anchor.getparent()


def _date_beside(anchor: Element) -> str | None:
    """The date of the list item, where it has just one; a date inside the link text counts only where there is no other."""
    item = _item(anchor)
    if item is None:
        return None
    own = _text(anchor)
    around = _dates(_text(item).replace(own, " ", 1)) or _dates(own)
    return around.pop() if len(around) == 1 else None


def _dates(text: str) -> set[str]:
    return {found for match in _DATE.finditer(text) if (found := _iso(match)) is not None}


def _iso(match: re.Match[str]) -> str | None:
    """The date of a match of `_DATE`; None for a date that does not exist. 2024126, without separators, never matches."""
    year, _, month, day, c_month, c_day = match.groups()[-6:]
    try:
        return date(int(year), int(month or c_month), int(day or c_day)).isoformat()
    except ValueError:
        return None


def _further_pages(html: _Html, url: str) -> Iterator[str]:
    host = urlsplit(url).netloc
    sibling = _sibling_pattern(url)
    for link in html.root.iter("link"):
        if "next" in (link.get("rel") or "").lower().split() and (target := html.address(link.get("href") or "")):
            yield target
    for anchor, target in html.anchors():
        if urlsplit(target).netloc == host and (_is_pager_link(anchor) or sibling.fullmatch(target)):
            yield target
    yield from _trs_pages(html, url)


def _is_pager_link(anchor: Element) -> bool:
    text = _SPACE.sub("", _text(anchor)).lower()
    if "next" in (anchor.get("rel") or "").lower().split() or text in _NEXT:
        return True
    return bool(_PAGE_NUMBER.match(text)) and _in_pager(anchor)


def _in_pager(anchor: Element) -> bool:
    """Whether a numbered link stands in a pager: within three levels there is a pager's name or its words."""
    for level, ancestor in enumerate(anchor.iterancestors()):
        if level == 3:
            return False
        if _PAGER_NAME.search(_name(ancestor)) or _PAGER_WORDS.search(_text(ancestor)[:400]):
            return True
    return False


def _name(element: Element) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}"


def _sibling_pattern(url: str) -> re.Pattern[str]:
    """Static listings number their pages index.html, index_1.html, index_2.html."""
    folder, _, name = url.partition("?")[0].rpartition("/")
    match = re.fullmatch(r"(.+?)(?:_\d{1,4})?\.(s?html?|jhtml)", name)
    stem, suffix = (re.escape(match[1]), re.escape(match[2])) if match else ("(?:index|list)", "(?:s?html?|jhtml)")
    return re.compile(rf"{re.escape(folder)}/{stem}_\d{{1,4}}\.{suffix}")


def _trs_pages(html: _Html, url: str) -> Iterator[str]:
    """The pages a TRS pager would draw: createPageHTML(count, current, "index", "html") stands for index.html, index_1.html …"""
    for match in _TRS_PAGER.finditer(html.text):
        for number in range(1, min(int(match[1]), MAX_TRS_PAGES)):
            yield urljoin(url, f"{match[2]}_{number}.{match[3]}")


def read_report(body: bytes, url: str) -> ReportPage:
    """A report page's title, date and attachments.

    An attachment is a link to a document (by its extension), or one that says 附件 or has a report's title, inside the
    content: not in navigation, header, footer or side bar, not the previous or next article, and not a guide, catalogue or
    form.
    """
    html = _open(body, url)
    found: dict[str, Attachment] = {}
    for anchor, target in html.anchors():
        text = _text(anchor) or _SPACE.sub(" ", anchor.get("title") or "").strip()
        if target not in found and _is_attachment(anchor, target, text) and target != url:
            title = report_title(text) or report_title(anchor.get("title") or "")
            found[target] = Attachment(target, text or None, title.year if title else None)
    for target in [*_embedded(html), *_pictured_tables(html)]:
        found.setdefault(target, Attachment(target, None, None))
    return ReportPage(_own_title(html), _published_on(html), list(found.values()))


def _is_attachment(anchor: Element, url: str, text: str) -> bool:
    if is_other_document(text) or _is_neighbour(anchor, text) or _outside_content(anchor):
        return False
    if is_document(url) or DOCUMENT_EXTENSION.search(text):
        return True
    if _ATTACHED.match(text):
        return True
    return report_title(text) is not None and not PAGE_EXTENSION.search(urlsplit(url).path)


def is_document(url: str) -> bool:
    """Whether the path, or a value of the query (`?file=x.pdf`), ends like a document's name."""
    parts = urlsplit(url)
    values = (pair.partition("=")[2] for pair in parts.query.split("&"))
    return any(DOCUMENT_EXTENSION.search(unquote(v)) for v in (parts.path, *values))


def _is_neighbour(anchor: Element, text: str) -> bool:
    """Whether a link leads to the previous or next article."""
    parent = anchor.getparent()
    around = _text(parent) if parent is not None else ""
    return bool(_NEIGHBOUR.match(text) or _NEIGHBOUR.match(around))


def _outside_content(element: Element) -> bool:
    """Whether the nearest telling ancestor is navigation, header, footer or a side bar rather than content."""
    for ancestor in element.iterancestors():
        name = _name(ancestor)
        if ancestor.tag in _OUTSIDE_TAG or (ancestor.tag not in ("body", "html") and _OUTSIDE_NAME.search(name)):
            return True
        if _CONTENT_NAME.search(name):
            return False
    return False


def _embedded(html: _Html) -> Iterator[str]:
    """Documents shown in a frame: <iframe>, <embed>, <object>, and viewers that take the address as a parameter."""
    for tag, attribute in (("iframe", "src"), ("embed", "src"), ("object", "data")):
        for element in html.root.iter(tag):
            source = html.address(element.get(attribute) or "")
            if source is None or _outside_content(element):
                continue
            viewed = re.search(r"[?&](?:file|src|url)=([^&]+)", source)
            inner = html.address(unquote(viewed[1])) if viewed else None
            yield from [u for u in (inner, source) if u is not None and is_document(u)][:1]


def _pictured_tables(html: _Html) -> Iterator[str]:
    """Pictures that may be the report's tables (domain.md Q-46): in the content of a page that has the form's headings and no table."""
    text = _text(html.root)
    if not all(heading in text for heading in _TABLE_HEADINGS) or any(_is_data_table(t) for t in html.root.iter("table")):
        return
    for image in html.root.iter("img"):
        source = html.address(image.get("src") or "")
        if source and not _outside_content(image) and not _ICON.search(source) and not _is_small(image):
            yield source


def _is_data_table(table: Element) -> bool:
    return sum(sum(cell.tag in ("td", "th") for cell in row) >= 3 for row in table.iter("tr")) >= 3


def _is_small(image: Element) -> bool:
    """Whether the page itself says that a picture is an icon; one without a size may be anything."""
    sizes = [re.match(r"\s*(\d+)", image.get(name) or "") for name in ("width", "height")]
    return any(size is not None and int(size[1]) < 100 for size in sizes)


def _own_title(html: _Html) -> str | None:
    """The page's title: the metadata field government sites must carry, a heading, or <title>; the first that names a report."""
    metas = [m.get("content") or "" for m in html.root.iter("meta") if (m.get("name") or "").lower() == "articletitle"]
    texts = metas + [_text(e) for tag in ("h1", "h2", "title") for e in html.root.iter(tag)]
    named = [t for t in texts if t]
    return next((t for t in named if report_title(t)), named[0] if named else None)


def _published_on(html: _Html) -> str | None:
    """The date of publication the page states: its metadata, its 发布时间 line, or any other labelled date."""
    for meta in html.root.iter("meta"):
        if (meta.get("name") or meta.get("property") or "").lower() in _META_DATE:
            content = meta.get("content") or ""
            compact = re.fullmatch(r"(20\d{2})(\d{2})(\d{2})", content.strip())
            found = _dates("-".join(compact.groups()) if compact else content)
            if len(found) == 1:
                return found.pop()
    text = " ".join(_texts(html.root))
    for pattern in (_LABELLED_DATE, _PLAIN_LABELLED_DATE):
        match = pattern.search(text)
        if match and (iso := _iso(match)):
            return iso
    return None
