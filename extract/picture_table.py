"""Draws a grid of cells as a picture: the table of a web page or a Word file, which have no page of their own to show."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from xml.sax.saxutils import escape

import pypdfium2 as pdfium
from PIL import Image
from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, Paragraph, Spacer, Table
from reportlab.platypus.doctemplate import LayoutError

from extract.grid import PICTURE, BBox, Cell, Grid

FONT_PACKAGE = "fonts-wqy-microhei"
FONT_NAME = "gongkai-cjk"
#: Where Debian's packages put TrueType fonts with Chinese characters; reportlab can't embed OpenType fonts with CFF outlines.
FONT_FILES = (
    "wqy/wqy-microhei.ttc",
    "wqy/wqy-zenhei.ttc",
    "arphic/uming.ttc",
    "arphic/ukai.ttc",
    "droid/DroidSansFallbackFull.ttf",
)
SIZE, LEADING, PAD, MARGIN = 9, 12, 3, 18
NARROWEST, WIDEST = 26, 230
SCALE = 2.0


class FontMissingError(Exception):
    """No font with Chinese characters is installed; the message names a package."""


def draw_table(grid: Grid, marked: Cell, caption: Sequence[str] = ()) -> bytes:
    """A PNG of the whole table with one cell marked. Raises FontMissingError."""
    left = ParagraphStyle("caption", parent=_paragraph(), alignment=0)
    widths = column_widths(grid)
    heads: list[Flowable] = [Paragraph(escape(line), left) for line in caption]
    story = [*heads, Spacer(1, PAD if heads else 0.1), _table(grid, widths, _marks(marked))]
    picture = BytesIO()
    table_image(_pdf(story, max(sum(widths), 360) + 2 * MARGIN)).save(picture, "PNG", optimize=True)
    return picture.getvalue()


def draw_plain(grid: Grid) -> tuple[bytes, tuple[float, float], dict[tuple[int, int], BBox]]:
    """A PDF page of the table, its size in points, and the box of each cell by row and column, counted from 1. Raises FontMissingError."""
    widths = column_widths(grid)
    table = _table(grid, widths, [])
    table.wrap(sum(widths), 1e6)
    size = (sum(widths) + 2 * MARGIN, sum(table._rowHeights) + 1 + 2 * MARGIN)
    xs, ys = _edges(widths), _edges(table._rowHeights)
    cells = {(c.row + 1, c.col + 1): (xs[c.col], ys[c.row], xs[c.col_end], ys[c.row_end]) for c in grid.cells}
    return _pdf([table], size[0]), size, cells


def _edges(lengths: Sequence[float]) -> list[float]:
    """Where columns or rows begin and end, with the margin before them."""
    return list(accumulate(lengths, initial=float(MARGIN)))


def _paragraph() -> ParagraphStyle:
    return ParagraphStyle("cell", fontName=_font(), fontSize=SIZE, leading=LEADING, wordWrap="CJK", alignment=1)


def _table(grid: Grid, widths: list[float], marks: list[tuple[object, ...]]) -> Table:
    return Table(_values(grid, _paragraph()), colWidths=widths, style=_style(grid) + marks, splitByRow=0)


def _values(grid: Grid, style: ParagraphStyle) -> list[list[object]]:
    values: list[list[object]] = [[""] * grid.n_cols for _ in range(grid.n_rows)]
    for cell in grid.cells:
        values[cell.row][cell.col] = Paragraph(escape(cell.text.replace(PICTURE, "[picture]")), style)
    return values


def _marks(marked: Cell) -> list[tuple[object, ...]]:
    first, last = (marked.col, marked.row), (marked.col_end - 1, marked.row_end - 1)
    return [
        ("BACKGROUND", first, last, colors.Color(1, 0.97, 0.62)),
        ("BOX", first, last, 2, colors.Color(0.84, 0.15, 0.16)),
    ]


def _style(grid: Grid) -> list[tuple[object, ...]]:
    spans = [c for c in grid.cells if c.row_span > 1 or c.col_span > 1]
    return [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        *((name, (0, 0), (-1, -1), PAD) for name in ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")),
        *(("SPAN", (c.col, c.row), (c.col_end - 1, c.row_end - 1)) for c in spans),
    ]


def column_widths(grid: Grid) -> list[float]:
    """Widths in points: of the longest text of the cells that stand in one column alone, within bounds."""
    widths = [float(NARROWEST)] * grid.n_cols
    for cell in grid.cells:
        if cell.col_span == 1:
            need = text_width(cell.text) / (2 if cell.row_span == 1 and len(cell.text) > 30 else 1) + 2 * PAD + 1
            widths[cell.col] = max(widths[cell.col], min(need, WIDEST))
    for cell in grid.cells:
        have = sum(widths[cell.col : cell.col_end])
        need = min(text_width(cell.text) / 3, WIDEST)
        if cell.col_span > 1 and have < need:
            for col in range(cell.col, cell.col_end):
                widths[col] += (need - have) / cell.col_span
    return widths


def text_width(text: str) -> float:
    """About how wide a text is, in points: a Chinese character is as wide as it is high, a Latin one half of that."""
    return SIZE * sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.56 for c in text)


def _pdf(story: Sequence[Flowable], width: float) -> bytes:
    """The flowables on one PDF page that is as high as they are."""
    inner = width - 2 * MARGIN
    height = sum(f.wrap(inner, 1e6)[1] for f in story) + 1
    out = BytesIO()
    canvas = Canvas(out, pagesize=(width, height + 2 * MARGIN))
    frame = Frame(MARGIN, MARGIN, inner, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    for flowable in story:
        if not frame.add(flowable, canvas):
            raise LayoutError(f"{flowable!r} does not fit a page that was made for it")
    canvas.save()
    return out.getvalue()


def table_image(pdf: bytes) -> Image.Image:
    """The first page of a PDF as a picture."""
    picture: Image.Image = pdfium.PdfDocument(pdf)[0].render(scale=SCALE).to_pil().convert("RGB")
    return picture


@cache
def _font() -> str:
    for path, index in _font_files():
        try:
            pdfmetrics.registerFont(TTFont(FONT_NAME, path, subfontIndex=index))
        except (TTFError, OSError):
            continue
        return FONT_NAME
    raise FontMissingError(f"no TrueType font with Chinese characters is installed: install the Debian package {FONT_PACKAGE}")


def _font_files() -> list[tuple[str, int]]:
    """Font files to try: what fontconfig knows, then where Debian puts them."""
    found: list[tuple[str, int]] = []
    if program := shutil.which("fc-list"):
        query = [program, ":lang=zh-cn:fontformat=TrueType", "-f", "%{file}\t%{index}\n"]
        lines = subprocess.run(query, capture_output=True, text=True, check=False, timeout=20).stdout.splitlines()
        found = sorted({(file, int(index)) for file, _, index in (line.partition("\t") for line in lines) if index.isdigit()})
    folder = Path("/usr/share/fonts/truetype")
    return found + [(str(folder / name), 0) for name in FONT_FILES if (folder / name).is_file()]
