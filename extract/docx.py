"""Word file to text and grids, walking the real `w:tc` cells (ECMA-376 part 1, 17.4: gridSpan, vMerge, gridBefore)."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial

from lxml import etree
from lxml.etree import _Element as Element

from extract.docx_package import open_word
from extract.grid import PICTURE, Cell, Document, Grid, Text

METHOD = "docx"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
#: Wrappers whose content counts as if it stood in their place. Deleted text (w:del, w:moveFrom) is not among them.
_WRAPPERS = frozenset(
    _W + n for n in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml", "hyperlink", "fldSimple", "dir", "bdo", "r", "p")
) | {_MC + "AlternateContent", _MC + "Choice"}
_P, _R, _T, _TABLE, _ROW, _CELL = (_W + n for n in ("p", "r", "t", "tbl", "tr", "tc"))
#: What stands for a sign.
_SIGNS = {_W + "tab": " ", _W + "br": "\n", _W + "cr": "\n", _W + "noBreakHyphen": "-"}
_VALUE, _RUN_LOOK = _W + "val", _W + "rPr"
_VANISH, _STRIKE, _DSTRIKE, _RAISED = (_W + n for n in ("vanish", "strike", "dstrike", "vertAlign"))
_CELL_PROPERTIES, _MERGE, _SPAN = _W + "tcPr", _W + "vMerge", _W + "gridSpan"
_ROW_PROPERTIES, _BEFORE, _DELETED = (_W + n for n in ("trPr", "gridBefore", "del"))
_PICTURES = [_W + n for n in ("drawing", "pict", "object")]
_SPACES = re.compile(r"[ \u00a0\u3000\u200b\ufeff]+")

#: What zipfile and lxml raise, besides their own exceptions, for damaged files: encrypted or unknown members, parts that lack.
_DAMAGE = (KeyError, ValueError, EOFError, OSError, RuntimeError, AttributeError, TypeError, IndexError)


class DocxError(Exception):
    """A Word file that can't be opened."""


def read_docx(data: bytes) -> Document:
    """Read a Word file's paragraphs and tables, in order. Cells have no page and no box. Raises DocxError for a damaged file."""
    try:
        body, title = open_word(data)
    except (zipfile.BadZipFile, zlib.error, *_DAMAGE, etree.XMLSyntaxError) as error:
        raise DocxError(f"not a readable Word file: {error!r}") from error
    return Document("docx", list(_blocks(body)), title, again=partial(_again, data))


def _again(data: bytes) -> Document:
    from extract.docx_again import read_docx_again  # slow to import, and few files are read again

    return read_docx_again(data)


def _blocks(body: Element) -> Iterator[Text | Grid]:
    for child in body:
        if child.tag == _P:
            for line in _text(child).split("\n"):
                if line.strip():
                    yield Text(line.strip())
        elif child.tag == _TABLE and next(child.iterdescendants(_TABLE), None) is None:
            yield _grid(child)
        elif child.tag == _TABLE:  # a table around tables is layout
            for row in _children(child, _ROW):
                for cell in _children(row, _CELL):
                    yield from _blocks(cell)
        elif child.tag in _WRAPPERS:
            yield from _blocks(child)


def _text(element: Element) -> str:
    """Visible text of a paragraph or cell; paragraphs and breaks end a line, superscripts and struck text stand apart (3² is "3 2")."""
    parts: list[str] = []
    for child in element:
        tag = child.tag
        if tag == _T:
            parts.append(child.text or "")
        elif tag == _RUN_LOOK:
            continue
        elif tag == _R:
            hidden, apart = _look(child)
            if not hidden:
                parts.append(f" {_text(child)} " if apart else _text(child))
        elif tag == _P:
            parts.append(_text(child) + "\n")
        elif tag in _SIGNS:
            parts.append(_SIGNS[tag])
        elif tag in _WRAPPERS:
            parts.append(_text(child))
    return "".join(parts)


def _look(run: Element) -> tuple[bool, bool]:
    """Whether a run is hidden, and whether it is struck out, raised or lowered (17.3.2: a toggle without a value is on)."""
    hidden = apart = False
    look = _first(run, _RUN_LOOK)
    if look is None:
        return False, False
    for mark in look.iterchildren(_VANISH, _STRIKE, _DSTRIKE, _RAISED):
        value = mark.get(_VALUE)
        if mark.tag == _RAISED:
            apart |= value in ("superscript", "subscript")
        elif value not in ("0", "false", "off"):
            hidden |= mark.tag == _VANISH
            apart |= mark.tag != _VANISH
    return hidden, apart


def _cell_text(cell: Element) -> str:
    """Text of a cell; PICTURE where it has nothing but a picture: it is not blank."""
    text = _text(cell).strip()
    if text.isalnum():
        return text
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    text = "\n".join(line for line in lines if line)
    return PICTURE if not text and next(cell.iter(*_PICTURES), None) is not None else text


def _grid(table: Element) -> Grid:
    rows = list(_children(table, _ROW))
    cells: list[Cell] = []
    open_merges: dict[int, int] = {}  # column at which a vertical merge started -> index of its cell
    n_cols = 0
    for r, row in enumerate(rows):
        col = _number(_of_row(row, _BEFORE), 0)
        for element in _children(row, _CELL):
            look = _first(element, _CELL_PROPERTIES)
            span = 1 if look is None else _number(_first(look, _SPAN), 1)
            merge = None if look is None else _first(look, _MERGE)
            goes_on = merge is not None and merge.get(_VALUE, "continue") == "continue"
            start = cells[open_merges[col]] if goes_on and col in open_merges else None
            if start and start.row_end == r and start.col_span == span:
                cells[open_merges[col]] = Cell(start.text, start.row, start.col, r - start.row + 1, start.col_span)
            else:
                open_merges.pop(col, None)
                if merge is not None:
                    open_merges[col] = len(cells)
                cells.append(Cell(_cell_text(element), r, col, 1, span))
            col += span
        n_cols = max(n_cols, col)
    return Grid(sorted(cells, key=lambda c: (c.row, c.col)), len(rows), n_cols, METHOD)


def _children(element: Element, tag: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, through content controls and tracked insertions."""
    for child in element:
        if child.tag == tag:
            if tag != _ROW or _of_row(child, _DELETED) is None:
                yield child
        elif child.tag in _WRAPPERS:
            yield from _children(child, tag)


def _first(element: Element, tag: str) -> Element | None:
    return next(element.iterchildren(tag), None)


def _of_row(row: Element, tag: str) -> Element | None:
    """A property of a row."""
    return next((found for look in row.iterchildren(_ROW_PROPERTIES) if (found := _first(look, tag)) is not None), None)


def _number(element: Element | None, default: int) -> int:
    value = element.get(_VALUE, "") if element is not None else ""
    return int(value) if value.isdigit() else default
