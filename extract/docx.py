"""Word file to text and grids, walking the real `w:tc` cells (ECMA-376 part 1, 17.4: gridSpan, vMerge, gridBefore)."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial

import docx
from docx.opc.exceptions import PackageNotFoundError
from lxml import etree
from lxml.etree import _Element as Element

from extract.docx_again import read_docx_again
from extract.grid import PICTURE, Cell, Document, Grid, Text

METHOD = "docx"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
#: Wrappers whose content counts as if it stood in their place. Deleted text (w:del, w:moveFrom) is not among them.
_WRAPPERS = frozenset(
    _W + n for n in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml", "hyperlink", "fldSimple", "dir", "bdo", "r", "p")
) | {_MC + "AlternateContent", _MC + "Choice"}


#: What zipfile and python-docx raise, besides their own exceptions, for damaged files: encrypted or unknown members, parts that lack.
_DAMAGE = (KeyError, ValueError, EOFError, OSError, RuntimeError, AttributeError, TypeError, IndexError)
#: Unpacked size above which a file is refused; reports have some 1 MB of XML.
MAX_UNPACKED = 256 * 1024 * 1024


_PICTURES = [_W + n for n in ("drawing", "pict", "object")]


class DocxError(Exception):
    """A Word file that can't be opened."""


def read_docx(data: bytes) -> Document:
    """Read a Word file's paragraphs and tables, in order. Cells have no page and no box. Raises DocxError for a damaged file."""
    try:
        _refuse_bomb(data)
        package = docx.Document(io.BytesIO(data))
    except (zipfile.BadZipFile, zlib.error, PackageNotFoundError, *_DAMAGE, etree.XMLSyntaxError) as error:
        raise DocxError(f"not a readable Word file: {error!r}") from error
    blocks = list(_blocks(package.element.body))
    title = (package.core_properties.title or "").strip() or None
    return Document("docx", blocks, title, again=partial(read_docx_again, data))


def _refuse_bomb(data: bytes) -> None:
    """Raise ValueError for a zip that would unpack to more than MAX_UNPACKED bytes (zipfile reads no more of a member than it declares)."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        size = sum(member.file_size for member in package.infolist())
    if size > MAX_UNPACKED:
        raise ValueError(f"unpacks to {size} bytes")


def _blocks(body: Element) -> Iterator[Text | Grid]:
    for child in body:
        if child.tag == _W + "p":
            for line in _text(child).split("\n"):
                if line.strip():
                    yield Text(line.strip())
        elif child.tag == _W + "tbl" and child.find(f".//{_W}tbl") is None:
            yield _grid(child)
        elif child.tag == _W + "tbl":  # a table around tables is layout
            for row in _children(child, "tr"):
                for cell in _children(row, "tc"):
                    yield from _blocks(cell)
        elif child.tag in _WRAPPERS:
            yield from _blocks(child)


def _text(element: Element) -> str:
    """Visible text of a paragraph or cell; paragraphs and breaks end a line, superscripts and struck text stand apart (3² is "3 2")."""
    parts: list[str] = []
    for child in element:
        if child.tag == _W + "r" and _has(child, "vanish"):
            continue
        if child.tag == _W + "r" and (_has(child, "strike") or _has(child, "dstrike") or _raised(child)):
            parts.append(f" {_text(child)} ")
        elif child.tag == _W + "t":
            parts.append(child.text or "")
        elif child.tag == _W + "tab":
            parts.append(" ")
        elif child.tag in (_W + "br", _W + "cr"):
            parts.append("\n")
        elif child.tag == _W + "noBreakHyphen":
            parts.append("-")
        elif child.tag in _WRAPPERS:
            parts.append(_text(child) + ("\n" if child.tag == _W + "p" else ""))
    return "".join(parts)


def _has(run: Element, name: str) -> bool:
    """Whether a toggle property is set (17.3.2: no value means on)."""
    found = run.find(f"{_W}rPr/{_W}{name}")
    return found is not None and found.get(_W + "val", "1") not in ("0", "false", "off")


def _raised(run: Element) -> bool:
    found = run.find(f"{_W}rPr/{_W}vertAlign")
    return found is not None and found.get(_W + "val") in ("superscript", "subscript")


def _cell_text(cell: Element) -> str:
    """Text of a cell; PICTURE where it has nothing but a picture: it is not blank."""
    lines = (re.sub(r"[ \u00a0\u3000\u200b\ufeff]+", " ", line).strip() for line in _text(cell).split("\n"))
    text = "\n".join(line for line in lines if line)
    return PICTURE if not text and next(cell.iter(*_PICTURES), None) is not None else text


def _grid(table: Element) -> Grid:
    rows = list(_children(table, "tr"))
    cells: list[Cell] = []
    open_merges: dict[int, int] = {}  # column at which a vertical merge started -> index of its cell
    n_cols = 0
    for r, row in enumerate(rows):
        col = _number(row, "trPr/gridBefore", 0)
        for element in _children(row, "tc"):
            span = _number(element, "tcPr/gridSpan", 1)
            merge = element.find(f"{_W}tcPr/{_W}vMerge")
            goes_on = merge is not None and merge.get(_W + "val", "continue") == "continue"
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


def _children(element: Element, name: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, through content controls and tracked insertions."""
    for child in element:
        if child.tag == _W + name:
            if child.find(f"{_W}trPr/{_W}del") is None:
                yield child
        elif child.tag in _WRAPPERS:
            yield from _children(child, name)


def _number(element: Element, path: str, default: int) -> int:
    found = element.find("/".join(_W + p for p in path.split("/")))
    value = found.get(_W + "val", "") if found is not None else ""
    return int(value) if value.isdigit() else default
