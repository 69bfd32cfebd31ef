"""Web page to text and grids: rowspan and colspan are laid out as browsers do (HTML Living Standard, "forming a table")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import takewhile

from lxml import html
from lxml.etree import ErrorLevels
from lxml.html import HtmlElement

from extract.grid import PICTURE, Cell, Document, Grid, Text
from extract.problem import Problem

METHOD = "html"
MAX_SPAN, MAX_AREA = 1000, 2_000_000

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_CELLS, _ROW_GROUPS = ("td", "th"), ("thead", "tbody", "tfoot")
#: Elements whose text does not run on from the text before.
_APART = frozenset(["sup", "sub", "s", "strike", "del"])
_FIELDS = frozenset(["select", "option", "textarea"])
_PICTURES = ("img", "svg", "canvas", "object", "embed")
_SKIPPED = frozenset(["script", "style", "noscript", "template", "head", "title", "select", "option", "textarea"])
_SPACES = re.compile(r"[ \t\r\f\v\u00a0\u3000\u200b\ufeff]+")
_HEADING = re.compile(r"^\s*[一二三四五六]\s*、")
_PUBLISHED = re.compile(
    r"(?<![\u4e00-\u9fff])(?:发布|发文|公开|成文|更新|生成)?(?:日期|时间)\s*[:：]\s*\[?\s*(\d{4})\s*[-年/.]\s*(\d{1,2})\s*[-月/.]\s*(\d{1,2})(?!\d)"
)
_BIG5 = re.compile(rb"charset\s*=\s*[\"']?\s*big5", re.I)
_META_DATES = ("pubdate", "publishdate", "publish_time", "publicationdate")
_META_TITLES = ("articletitle", "article_title")


@dataclass(slots=True)
class _Table:
    """A table under construction: where the next cells go, and which positions are covered."""

    cells: list[Cell] = field(default_factory=list)
    covered: set[tuple[int, int]] = field(default_factory=set)
    n_rows: int = 0
    n_cols: int = 0


def decode(data: bytes) -> tuple[str, list[Problem]]:
    """Bytes of a page as text: a byte order mark, else UTF-8, GB18030 or Big5, whichever loses least.

    Declared character sets are wrong too often, and lxml cuts the text silently at a byte that is not in the declared one; only a declared
    Big5 is listened to. A page that no encoding reads without loss comes with a warning.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), []
    readings = []
    # nearly every Big5 text also decodes as GB18030, to nonsense
    chinese = ("big5", "gb18030") if _BIG5.search(data[:4096]) else ("gb18030", "big5")
    for encoding in ("utf-8", *chinese):
        text = data.decode(encoding, errors="replace")
        if "\ufffd" not in text:
            return text, []
        readings.append((text.count("\ufffd"), encoding, text))
    lost, encoding, text = min(readings, key=lambda r: r[0])
    message = f"no encoding reads the page whole; {encoding} loses {lost} characters"
    return text, [Problem("extract", "broken_document", message, severity="warning")]


def read_html(data: bytes) -> Document:
    """Read a page's text and its innermost tables.

    Cells have no page and no box. Tables around tables are layout: their text is text, not cells. Raises ValueError for a page without any
    element.
    """
    text, problems = decode(data)
    parser = html.HTMLParser(huge_tree=True)  # what nests deeper than 2,048 elements (else 256) is dropped by libxml2
    tree = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text.replace("\x00", "")), parser=parser)
    cut = [e.message for e in parser.error_log if e.level == ErrorLevels.FATAL]
    problems.extend(Problem("extract", "broken_document", f"the page was read in part: {message}") for message in cut[:1])
    body = tree.find("body")
    blocks = list(_blocks(body if body is not None else tree))
    return Document("html", _report_part(blocks), _title(tree), _published_on(tree, blocks), problems)


def _title(tree: HtmlElement) -> str | None:
    metas = {(m.get("name") or "").lower(): (m.get("content") or "").strip() for m in tree.iter("meta")}
    for name in _META_TITLES:
        if metas.get(name):
            return metas[name]
    title = tree.findtext(".//title")
    return _SPACES.sub(" ", title).strip() or None if title else None


def _published_on(tree: HtmlElement, blocks: list[Text | Grid]) -> str | None:
    for meta in tree.iter("meta"):
        if (meta.get("name") or "").lower() in _META_DATES:
            found = re.match(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})", meta.get("content") or "")
            if found:
                return _iso(found)
    for block in blocks:
        for line in [block.text] if isinstance(block, Text) else [c.text for c in block.cells]:
            if found := _PUBLISHED.search(line):
                return _iso(found)
    return None


def _iso(found: re.Match[str]) -> str | None:
    try:
        return date(*map(int, found.groups())).isoformat()
    except ValueError:
        return None


def _report_part(blocks: list[Text | Grid]) -> list[Text | Grid]:
    """Blocks without what stands far above the first numbered heading: menus and page furniture. Tables stay, wherever they are."""
    first = next((i for i, b in enumerate(blocks) if isinstance(b, Text) and _HEADING.match(b.text)), None)
    if first is None:
        return blocks
    prefaces = list(takewhile(lambda b: isinstance(b, Grid) or len(b.text) > 40 or "报告" in b.text, reversed(blocks[:first])))
    kept = first - len(prefaces)
    return [b for b in blocks[:kept] if isinstance(b, Grid)] + blocks[kept:]


# --- walking the page


def _blocks(root: HtmlElement) -> Iterator[Text | Grid]:
    """Text and grids in reading order; a paragraph ends where a block element starts or ends."""
    buffer: list[str] = []
    for piece in _pieces(root):
        if isinstance(piece, str):
            buffer.append(piece)
            continue
        yield from _flush(buffer)
        if isinstance(piece, Grid):
            yield piece
    yield from _flush(buffer)


def _flush(buffer: list[str]) -> Iterator[Text]:
    for line in "".join(buffer).split("\n"):
        text = _SPACES.sub(" ", line).strip()
        if text:
            yield Text(text)
    buffer.clear()


def _pieces(element: HtmlElement, in_cell: bool = False) -> Iterator[str | Grid | None]:
    """Strings, grids, and None at each edge of a block element. Own stack: pages nest deeper than Python recurses."""
    skipped = _SKIPPED - _FIELDS if in_cell else _SKIPPED
    stack: list[HtmlElement | str | None] = [element]
    while stack:
        item = stack.pop()
        if item is None or isinstance(item, str):
            yield item
            continue
        tag = item.tag if isinstance(item.tag, str) else ""
        if tag == "br":
            yield "\n"
        elif tag == "table" and item.find(".//table") is None:
            yield None
            yield stray_text(item)
            yield None
            yield table_grid(item)
        elif tag == "input" and in_cell:
            yield _field_value(item)
        elif tag and tag not in skipped and not (in_cell and _is_hidden(item)):
            stack.extend(reversed(_inside(item, tag)))


def _field_value(item: HtmlElement) -> str:
    return item.get("value") or "" if (item.get("type") or "text").lower() in ("text", "number") else ""


def _inside(item: HtmlElement, tag: str) -> list[HtmlElement | str | None]:
    edge: list[HtmlElement | str | None] = [None] if tag in _BLOCKS else [" "] if tag in _APART else []
    inside = [*edge]
    inside.append((item.text or "").replace("\n", " "))
    for child in item:
        inside.append(child)
        inside.append((child.tail or "").replace("\n", " "))
    return inside + edge


# --- tables


@dataclass(slots=True)
class _Row:
    """A row of a table: its cells, and the row at which its row group (thead, tbody, tfoot) ends."""

    key: HtmlElement
    group: HtmlElement
    cells: list[HtmlElement] = field(default_factory=list)
    group_end: int = 0


def table_grid(table: HtmlElement) -> Grid:
    """Lay out one table element: every td and th at the first free position of its row, with its spans.

    A rowspan goes to the end of its row group at most, one of 0 all the way. Cells keep line breaks as "\n". Raises ValueError where the
    spans of a table cover more than MAX_AREA positions.
    """
    rows = _rows(table)
    state = _Table(n_rows=len(rows))
    for r, row in enumerate(rows):
        col = 0
        for element in row.cells:
            while (r, col) in state.covered:
                col += 1
            col = _place(state, element, r, col, row.group_end)
    cells = sorted(state.cells, key=lambda c: (c.row, c.col))
    return Grid(cells, state.n_rows, state.n_cols, METHOD)


def _rows(table: HtmlElement) -> list[_Row]:
    """Rows as browsers see them: a form or div between table, tr and td does not count, and td outside any tr make a row of their own."""
    rows: list[_Row] = []
    for element in _table_elements(table):
        is_cell = element.tag in _CELLS
        if not is_cell and element.tag != "tr":
            continue
        key = _ancestor(element, ("tr",)) if is_cell else element
        if key is None:
            key = element.getparent()
        if not rows or rows[-1].key is not key:
            rows.append(_Row(key, _ancestor(element, _ROW_GROUPS)))
        if is_cell:
            rows[-1].cells.append(element)
    end = len(rows)
    for r in range(len(rows) - 1, -1, -1):
        if r + 1 < len(rows) and rows[r].group is not rows[r + 1].group:
            end = r + 1
        rows[r].group_end = end
    return rows


def _table_elements(table: HtmlElement) -> Iterator[HtmlElement]:
    """What is shown of a table down to its cells, in order, without what is inside the cells."""
    stack = list(reversed(table))
    while stack:
        element = stack.pop()
        if isinstance(element.tag, str) and not _is_hidden(element) and element.tag not in _SKIPPED:
            yield element
            if element.tag not in _CELLS:
                stack.extend(reversed(element))


def _ancestor(element: HtmlElement, names: tuple[str, ...]) -> HtmlElement | None:
    return next((a for a in takewhile(lambda a: a.tag != "table", element.iterancestors()) if a.tag in names), None)


def stray_text(table: HtmlElement) -> str:
    """Text of a table outside its cells: the caption, and what browsers show above the table."""
    parts = [table.text or ""]
    for element in _table_elements(table):
        parts.append("" if element.tag in _CELLS else element.text or "")
        parts.append(element.tail or "")
    return "\n".join(part.replace("\n", " ") for part in parts if part.strip())


def _place(state: _Table, element: HtmlElement, row: int, col: int, group_end: int) -> int:
    width, wanted = _span(element, "colspan"), _span(element, "rowspan", zero=state.n_rows)
    height = min(wanted, group_end - row)
    if len(state.covered) + width * height > MAX_AREA:
        raise ValueError(f"a table covers more than {MAX_AREA} positions")
    state.covered.update((r, c) for r in range(row, row + height) for c in range(col, col + width))
    state.cells.append(Cell(cell_text(element), row, col, height, width))
    state.n_cols = max(state.n_cols, col + width)
    return col + width


def _span(element: HtmlElement, name: str, zero: int = 1) -> int:
    found = re.match(r"\s*\+?(\d+)", element.get(name) or "1")
    number = int(found.group(1)[:9]) if found else 1
    return min(number, MAX_SPAN) or zero


def _is_hidden(element: HtmlElement) -> bool:
    return element.get("hidden") is not None or "display:none" in re.sub(r"\s", "", element.get("style") or "").lower()


def cell_text(element: HtmlElement) -> str:
    """Text of a cell as shown: runs of spaces are one, line breaks and paragraphs are "\n".

    Superscripts and struck text stand apart (3<sup>2</sup> is "3 2"), fields of a form show their value, and a cell with nothing but a
    picture is PICTURE: it is not blank.
    """
    parts = ["\n" if piece is None else piece for piece in _pieces(element, in_cell=True) if not isinstance(piece, Grid)]
    lines = (_SPACES.sub(" ", line).strip() for line in "".join(parts).split("\n"))
    text = "\n".join(line for line in lines if line)
    return PICTURE if not text and next(element.iter(*_PICTURES), None) is not None else text
