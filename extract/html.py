"""Web page to text and grids: rowspan and colspan are laid out as browsers do (HTML Living Standard, "forming a table")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

from lxml import html
from lxml.etree import ErrorLevels, HTMLParser, ParserError
from lxml.etree import _Element as Element

from extract.charset import decode
from extract.grid import PICTURE, Cell, Document, Grid, Text
from extract.html_again import read_html_again
from extract.html_divs import div_grids
from extract.html_nested import expand, is_data_table, own_text
from extract.html_report import END, published_on, report_element, report_part, title
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
_CELLS, _ROW_GROUPS = frozenset(["td", "th"]), frozenset(["thead", "tbody", "tfoot"])
#: Elements whose text does not run on from the text before.
_APART = frozenset(["sup", "sub", "s", "strike", "del"])
_FIELDS = frozenset(["select", "option", "textarea"])
_PICTURES = ("img", "svg", "canvas", "object", "embed")
_SKIPPED = frozenset(["script", "style", "noscript", "template", "head", "title", "select", "option", "textarea"])
_NOT_IN_CELLS = _SKIPPED - _FIELDS  # a field of a form shows its value
_SPACES = re.compile(r"[ \t\r\f\v\u00a0\u3000\u200b\ufeff]+")
_WHITE, _XML, _NUMBER = re.compile(r"\s+"), re.compile(r"^\s*<\?xml[^>]*\?>"), re.compile(r"\s*\+?(\d+)")
#: An element of a table with the tr and the row group around it.
_Placed = tuple[Element, Element | None, Element | None]


@dataclass(slots=True)
class _Table:
    """A table under construction: where the next cells go, and which positions are covered."""

    cells: list[Cell] = field(default_factory=list)
    covered: set[tuple[int, int]] = field(default_factory=set)
    hosts: list[tuple[Cell, Grid]] = field(default_factory=list)  # cells that hold a table, with it
    n_rows: int = 0
    n_cols: int = 0
    nested: bool = True  # whether there is a table inside it


def read_html(data: bytes) -> Document:
    """Read a page's text and its tables.

    Cells have no page and no box. Tables around tables are layout: their text is text, not cells, unless they have rows of figures of their
    own. Rows of boxes that print a table of the form are a table too. Raises ValueError for a page without any element.
    """
    text, problems = decode(data)
    parser = HTMLParser(huge_tree=True)  # what nests deeper than 2,048 elements (else 256) is dropped by libxml2
    try:
        tree = html.document_fromstring(_XML.sub("", text.replace("\x00", "")), parser=parser)
    except ParserError as error:
        raise ValueError(f"no element in the page: {error}") from error
    cut = [e.message for e in parser.error_log if e.level == ErrorLevels.FATAL]
    problems.extend(Problem("extract", "broken_document", f"the page was read in part: {message}") for message in cut[:1])
    _open_frames(tree, parser)
    found = tree.find("body")
    body = found if found is not None else tree
    kept = list(tree.iter())  # lxml makes the Python object of an element anew where none is kept
    blocks = list(_blocks(body, div_grids(body, cell_text), report_element(body)))
    document = Document("html", report_part(blocks), title(tree), published_on(tree, blocks), problems, partial(read_html_again, data))
    kept.clear()
    return document


def _open_frames(tree: Element, parser: HTMLParser) -> None:
    """Put the pages that frames carry in themselves (`srcdoc`) in their place; what stands inside a frame element is not shown."""
    for frame in list(tree.iter("iframe")):
        inside = frame.get("srcdoc")
        tail = frame.tail
        frame.clear()
        frame.tag, frame.tail = "div", tail
        if inside and inside.strip():
            frame.append(html.fragment_fromstring(inside, create_parent="div", parser=parser))


# --- walking the page


def _blocks(root: Element, boxes: Mapping[Element, Grid], end: Element | None) -> Iterator[Text | Grid]:
    """Text and grids in reading order; a paragraph ends where a block element starts or ends.

    `boxes` are the elements that are tables without being called so; after the element `end` stands END.
    """
    buffer: list[str] = []
    for piece in _pieces(root, boxes, end):
        if isinstance(piece, str):
            buffer.append(piece)
            continue
        yield from _flush(buffer)
        if piece is not None:
            yield piece
    yield from _flush(buffer)


def _flush(buffer: list[str]) -> Iterator[Text]:
    for line in "".join(buffer).split("\n"):
        text = _SPACES.sub(" ", line).strip()
        if text:
            yield Text(text)
    buffer.clear()


def _pieces(element: Element, boxes: Mapping[Element, Grid], end: Element | None) -> Iterator[str | Grid | Text | None]:
    """Strings, grids, and None at each edge of a block element. Own stack: pages nest deeper than Python recurses."""
    stack: list[Element | str | Text | None] = [element]
    while stack:
        item = stack.pop()
        if item is None or isinstance(item, (str, Text)):
            yield item
            continue
        tag = item.tag
        if not isinstance(tag, str):  # a comment
            continue
        if item is end:
            stack.append(END)
        if tag == "br":
            yield "\n"
        elif tag == "table" and is_data_table(item):
            yield from (None, *_data_table(item))
        elif boxes and item in boxes:
            yield from (None, boxes[item])
        elif tag not in _SKIPPED:
            stack.extend(reversed(_inside(item, tag)))


def _data_table(table: Element) -> tuple[str, None, Grid]:
    """A table of data: the text in it outside its cells, and its grid."""
    elements = list(_table_elements(table))
    return _stray_text(table, elements), None, _grid(table, elements)


def _field_value(item: Element) -> str:
    return item.get("value") or "" if (item.get("type") or "text").lower() in ("text", "number") else ""


def _inside(item: Element, tag: str) -> list[Element | str | None]:
    edge: list[Element | str | None] = [None] if tag in _BLOCKS else [" "] if tag in _APART else []
    inside = [*edge]
    if text := item.text:
        inside.append(text.replace("\n", " "))
    for child in item:
        inside.append(child)
        if text := child.tail:
            inside.append(text.replace("\n", " "))
    return inside + edge


# --- tables


@dataclass(slots=True)
class _Row:
    """A row of a table: its cells, and the row at which its row group (thead, tbody, tfoot) ends."""

    key: Element | None
    group: Element | None
    cells: list[Element] = field(default_factory=list)
    group_end: int = 0


def table_grid(table: Element) -> Grid:
    """Lay out one table element: every td and th at the first free position of its row, with its spans.

    A rowspan goes to the end of its row group at most, one of 0 all the way. Cells keep line breaks as "\n". A table inside a cell takes
    the cell's place where it fits. Raises ValueError where the spans of a table cover more than MAX_AREA positions.
    """
    return _grid(table, list(_table_elements(table)))


def _grid(table: Element, elements: Sequence[_Placed]) -> Grid:
    rows = _rows(elements)
    state = _Table(n_rows=len(rows), nested=next(table.iterdescendants("table"), None) is not None)
    for r, row in enumerate(rows):
        col = 0
        for element in row.cells:
            while (r, col) in state.covered:
                col += 1
            col = _place(state, element, r, col, row.group_end)
    cells = sorted(state.cells, key=lambda c: (c.row, c.col))
    return expand(Grid(cells, state.n_rows, state.n_cols, METHOD), state.hosts)


def _rows(elements: Sequence[_Placed]) -> list[_Row]:
    """Rows as browsers see them: a form or div between table, tr and td does not count, and td outside any tr make a row of their own."""
    rows: list[_Row] = []
    for element, tr, group in elements:
        is_cell = element.tag in _CELLS
        if not is_cell and element.tag != "tr":
            continue
        key = element if not is_cell else tr if tr is not None else element.getparent()
        if not rows or rows[-1].key is not key:
            rows.append(_Row(key, group))
        if is_cell:
            rows[-1].cells.append(element)
    end = len(rows)
    for r in range(len(rows) - 1, -1, -1):
        if r + 1 < len(rows) and rows[r].group is not rows[r + 1].group:
            end = r + 1
        rows[r].group_end = end
    return rows


def _table_elements(table: Element) -> Iterator[_Placed]:
    """What is shown of a table down to its cells, in order, not inside the cells; each with the tr and the row group around it."""
    stack: list[_Placed] = [(e, None, None) for e in reversed(table)]
    while stack:
        here = element, tr, group = stack.pop()
        tag = element.tag
        if not isinstance(tag, str) or tag in _SKIPPED or _is_hidden(element):
            continue
        yield here
        if tag in _CELLS:
            continue
        if tag == "table":
            tr = group = None
        elif tag == "tr":
            tr = element
        elif tag in _ROW_GROUPS:
            group = element
        stack.extend((e, tr, group) for e in reversed(element))


def _stray_text(table: Element, elements: Sequence[_Placed]) -> str:
    """Text of a table outside its cells: the caption, and what browsers show above the table."""
    parts = [table.text or ""]
    for element, _, _ in elements:
        parts.append("" if element.tag in _CELLS else element.text or "")
        parts.append(element.tail or "")
    return "\n".join(part.replace("\n", " ") for part in parts if part.strip())


def _place(state: _Table, element: Element, row: int, col: int, group_end: int) -> int:
    width, wanted = _span(element, "colspan"), _span(element, "rowspan", zero=state.n_rows)
    height = min(wanted, group_end - row)
    if len(state.covered) + width * height > MAX_AREA:
        raise ValueError(f"a table covers more than {MAX_AREA} positions")
    if width == height == 1:
        state.covered.add((row, col))
    else:
        state.covered.update((r, c) for r in range(row, row + height) for c in range(col, col + width))
    cell = Cell(cell_text(element), row, col, height, width)
    state.cells.append(cell)
    if state.nested:
        state.hosts.extend((cell, table_grid(inner)) for inner in _tables_inside(element))
    state.n_cols = max(state.n_cols, col + width)
    return col + width


def _tables_inside(cell: Element) -> list[Element]:
    """The one table that is all a cell holds."""
    inner = list(cell.iter("table"))
    return inner if len(inner) == 1 and not own_text(cell) and len(list(inner[0].iter("td", "th"))) > 1 else []


def _span(element: Element, name: str, zero: int = 1) -> int:
    value = element.get(name)
    if not value:
        return 1
    found = _NUMBER.match(value)
    number = int(found.group(1)[:9]) if found else 1
    return min(number, MAX_SPAN) or zero


def _is_hidden(element: Element) -> bool:
    style = element.get("style")
    return (style is not None and _hides(style)) or element.get("hidden") is not None


@lru_cache(1024)
def _hides(style: str) -> bool:
    return "display:none" in _WHITE.sub("", style).lower()


def cell_text(element: Element) -> str:
    """Text of a cell as shown: runs of spaces are one, line breaks and paragraphs are "\n".

    Superscripts and struck text stand apart (3<sup>2</sup> is "3 2"), fields of a form show their value, and a cell with nothing but a
    picture is PICTURE: it is not blank.
    """
    text = "".join(_cell_pieces(element)).strip()
    if text.isalnum():
        return text
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    text = "\n".join(line for line in lines if line)
    return PICTURE if not text and next(element.iter(*_PICTURES), None) is not None else text


def _cell_pieces(cell: Element) -> list[str]:
    """The strings of a cell as shown, line ends at the edges of block elements. Own stack, as for the page."""
    parts: list[str] = []
    stack: list[Element | str] = [cell]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        tag = item.tag
        if tag == "br":
            parts.append("\n")
        elif tag == "table" and is_data_table(item):
            text, _, grid = _data_table(item)
            parts += ("\n", text, "\n", *(f"\n{c.text}" for c in grid.cells), "\n")
        elif tag == "input":
            parts.append(_field_value(item))
        elif isinstance(tag, str) and tag not in _NOT_IN_CELLS and not _is_hidden(item):
            edge = "\n" if tag in _BLOCKS else " " if tag in _APART else ""
            parts += (edge, (item.text or "").replace("\n", " "))
            stack.append(edge)
            for child in item.iterchildren(reversed=True):
                stack += ((child.tail or "").replace("\n", " "), child)
    return parts
