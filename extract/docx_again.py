"""The second, independent reading of a Word file: python-docx's own paragraphs and its own grid of cells."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from lxml import etree

from extract.grid import PICTURE, Cell, Document, Grid, Text

METHOD = "docx-again"
_DAMAGE = (KeyError, ValueError, EOFError, OSError, RuntimeError, AttributeError, TypeError, IndexError)
#: What python-docx leaves out of a cell's text: a table with any of it would be read in part.
_BEYOND = ".//w:ins | .//w:moveTo | .//w:sdt | .//w:tbl"
_GAPS = re.compile(r"[ \t\u00a0\u3000\u200b\ufeff]+")


def read_docx_again(data: bytes) -> Document:
    """Read a Word file's paragraphs and tables once more.

    A table with content controls, tracked insertions or tables inside is not in it. Nothing is raised: what this reading can't make
    sense of is not in it, and so confirms nothing.
    """
    try:
        return Document("docx", list(_blocks(docx.Document(io.BytesIO(data)))))
    except (zipfile.BadZipFile, zlib.error, PackageNotFoundError, etree.XMLSyntaxError, *_DAMAGE):
        return Document("docx", [])


def _blocks(package: docx.document.Document) -> Iterator[Text | Grid]:
    for item in package.iter_inner_content():
        if isinstance(item, Paragraph):
            yield from (Text(line.strip()) for line in item.text.split("\n") if line.strip())
        elif not item._tbl.xpath(_BEYOND):
            yield _grid(item)


def _grid(table: Table) -> Grid:
    """Merged cells come from python-docx once for each position they cover."""
    places: dict[int, list[tuple[int, int]]] = {}
    cells: dict[int, _Cell] = {}
    width = 0
    for r, row in enumerate(table.rows):
        start = row.grid_cols_before
        for c, cell in enumerate(row.cells, start):
            places.setdefault(id(cell._tc), []).append((r, c))
            cells[id(cell._tc)] = cell
            width = max(width, c + 1)
    origins = [_origin(cells[key], covered) for key, covered in places.items()]
    return Grid(sorted(origins, key=lambda c: (c.row, c.col)), len(table.rows), width, METHOD)


def _origin(cell: _Cell, covered: list[tuple[int, int]]) -> Cell:
    top, left = min(r for r, _ in covered), min(c for _, c in covered)
    bottom, right = max(r for r, _ in covered), max(c for _, c in covered)
    return Cell(_text(cell), top, left, bottom - top + 1, right - left + 1)


def _text(cell: _Cell) -> str:
    lines = (_GAPS.sub(" ", line).strip() for line in cell.text.split("\n"))
    text = "\n".join(line for line in lines if line)
    pictures = cell._tc.xpath(".//w:drawing | .//w:pict | .//w:object")
    return PICTURE if not text and pictures else text
