"""Ruled tables of PDF pages: Camelot's Lattice over lines and characters, every cell read again by where pdfium sees its characters.

Camelot's parts are composed (rather than `camelot.read_pdf`). Where pdfium's first look at a page leaves no doubt (`PageScan.drawn`),
Lattice works on pdfium's own lines and characters, and the page is interpreted once. Where there is any doubt, or the two readings of any
cell differ, playa interprets the page anew, and what it sees is held against pdfium's reading (docs/decisions.md).
"""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np

from extract.grid import Cell, Grid
from extract.pdf_cells import fill, lines_in, ruled_boxes
from extract.pdf_model import Advance
from extract.pdf_page import Drawn, PageScan, PdfError
from extract.pdf_paths import Segment

METHOD = "camelot-lattice-vector"
#: Font metrics, in thousandths of an em, for descriptors that can't be right: the usual CJK em box.
CJK_ASCENT, CJK_DESCENT = 880, -120

#: Advances closer than this, in ems, meet.
MEETING = 0.3
_PARTED = re.compile(r"\d\s+\d")
#: What playa and Camelot raise, besides playa's own exceptions, for files that pdfium still opens.
DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, StopIteration, TypeError, ValueError, struct.error, zlib.error)


def lattice_grids(data: bytes, scans: list[PageScan]) -> dict[int, list[Grid]]:
    """Ruled tables of the pages in `scans`, by page number, top to bottom. Raises PdfError where playa can't read the file."""
    if not scans:
        return {}
    import playa  # slow to import: once per worker, and only where a PDF is read

    out: dict[int, list[Grid]] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with playa.parse(data, space="page") as pdf:
                for scan in scans:
                    page = pdf.pages[scan.number - 1]
                    out[scan.number] = _from_pdfium(scan, page) or _from_playa(scan, page)
    except (playa.PDFException, *DAMAGE) as error:
        raise PdfError("broken_document", f"playa: {error!r}") from error
    return out


# --- Lattice over what pdfium sees


def _from_pdfium(scan: PageScan, page: Any) -> list[Grid]:
    """Tables of a page that needs no second interpreter; none where there is a doubt."""
    if scan.drawn is None or not _names_characters(page):
        return []
    width, height = scan.width, scan.height
    tables = lattice(scan.drawn.lines, (width, height), *_text_lines(scan.drawn, width, height), scan.number)
    grids = [to_grid(table, scan) for table in tables]
    alike = all(_is_sure(cell) for grid in grids for cell in grid.cells)
    return grids if alike and not any(_cuts_number(grid, scan) for grid in grids) else []


def _is_sure(cell: Cell) -> bool:
    """Whether both readings of a cell are alike, and no number in it falls apart."""
    return re.sub(r"\s", "", cell.text) == cell.second and not _PARTED.search(cell.text)


def _cuts_number(grid: Grid, scan: PageScan) -> bool:
    """Whether a rule, the outer ones too, stands between two digits whose advances meet: neither reading by place has that number whole."""
    edges = grid.col_edges or []
    cuts = []
    for a, b in _pairs_of_digits(scan):
        if b[2] - a[3] < MEETING * a[5] and abs(a[4] - b[4]) < a[5] / 2:
            left, right = (a[2] + a[3]) / 2 - scan.left, (b[2] + b[3]) / 2 - scan.left
            if left < right and bisect_right(edges, left) != bisect_right(edges, right):
                cuts.append(a)
    top, bottom = grid.cells[0].bbox, grid.cells[-1].bbox
    assert top and bottom
    height = scan.height + scan.bottom
    return any(top[1] <= height - a[4] - a[5] / 3 <= bottom[3] for a in cuts)


def _pairs_of_digits(scan: PageScan) -> Iterator[tuple[Advance, Advance]]:
    """Digits that follow each other in the order of the page's content."""
    if scan.drawn:
        for first, end in scan.drawn.digits():
            yield from pairwise(scan.drawn.chars[first:end])


def _names_characters(page: Any) -> bool:
    """Whether every font of a page says itself which characters its codes are: no reader has to guess (ISO 32000-1 9.10.2)."""
    from playa.pdftypes import resolve1

    fonts: Any = resolve1(page.resources.get("Font")) or {}
    return all(_names_its_characters(resolve1(font)) for font in fonts.values())


def _names_its_characters(font: Any) -> bool:
    from playa.pdftypes import resolve1

    encoding = getattr(resolve1(font.get("Encoding")), "name", "")
    return "ToUnicode" in font or encoding.startswith("Uni") or ("FontDescriptor" not in font and "DescendantFonts" not in font)


def _text_lines(drawn: Drawn, width: float, height: float) -> tuple[list[Any], list[Any]]:
    """Level and upright lines of text, grouped by playa as Camelot has it do, over the em boxes of pdfium's characters."""
    from playa.miner import LTChar, LTPage, LTTextLineHorizontal

    parameters, page, lines = _parameters(), LTPage(1, (0, 0, width, height)), []
    for run in drawn.runs():
        chars = []
        for _order, text, x0, x1, baseline, em in run:
            char = LTChar()
            bottom = baseline + CJK_DESCENT / 1000 * em
            char.set_bbox((x0, bottom, x1, bottom + em))
            char._text = text
            chars.append(char)
        lines += [line for line in page.group_objects(parameters, chars) if not line.is_empty()]
    for line in lines:
        line.analyze(parameters)
    level = [line for line in lines if isinstance(line, LTTextLineHorizontal)]
    return level, [line for line in lines if not isinstance(line, LTTextLineHorizontal)]


@cache
def _parameters() -> Any:
    """Those of camelot.utils.get_page_layout."""
    from playa.miner import LAParams

    return LAParams(line_overlap=0.5, char_margin=1.0, line_margin=0.5, word_margin=0.1, boxes_flow=None, detect_vertical=True)


# --- Lattice over what playa sees


def _from_playa(scan: PageScan, page: Any) -> list[Grid]:
    from camelot.image_processing import find_lines_from_layout

    layout, dimensions, _images, horizontal, upright = camelot_page(page)
    if not horizontal:
        return []
    lines = [*find_lines_from_layout(layout, "horizontal"), *find_lines_from_layout(layout, "vertical")]
    return [to_grid(table, scan) for table in lattice(lines, dimensions, horizontal, upright, scan.number)]


def camelot_page(page: Any) -> tuple[Any, Any, Any, Any, Any]:
    """What Camelot's parsers ask of a page of playa: layout, dimensions, images, level and upright lines of text."""
    from camelot.utils import get_image_char_and_text_objects, get_page_layout

    mend_font_metrics(page)
    layout, dimensions = get_page_layout(page, boxes_flow=None)
    images, _chars, horizontal, vertical = get_image_char_and_text_objects(layout)
    return layout, dimensions, images, horizontal, vertical


def mend_font_metrics(page: Any) -> None:
    """Give fonts with impossible vertical metrics the usual CJK ones, in place, before the page is laid out.

    Descriptors with Ascent = Descent = 0 (LibreOffice, CJK CFF fonts) make playa fall back to the font's bounding box, which is nearly
    three em high: text would land in the row below.
    """
    for font in page.fonts.values():
        if font.descent < -400 or font.ascent > 1300 or font.ascent == font.descent == 0:
            font.ascent, font.descent = CJK_ASCENT, CJK_DESCENT


# --- Camelot


def lattice(
    lines: Sequence[Segment],
    dimensions: tuple[float, float],
    horizontal: list[Any],
    upright: list[Any],
    number: int,
    keep_all: bool = False,
) -> list[Any]:
    """The tables that Camelot's Lattice makes of lines and lines of text, top to bottom; `keep_all`: also those without any text."""
    if not horizontal:
        return []
    parser = _parser()(lines, keep_all)
    parser.prepare_page_parse("", None, dimensions, number, [], horizontal, upright, "", {})
    return sorted(parser.extract_tables(), key=lambda t: -t._bbox[3])


@cache
def _parser() -> Any:
    """Camelot's Lattice over lines that are given to it, without the data frames nobody asks for."""
    from camelot.core import Cell as TableCell
    from camelot.core import Table
    from camelot.image_processing import coalesce_collinear_lines
    from camelot.parsers.lattice import Lattice
    from camelot.utils import compute_whitespace

    class Bare(Table):  # type: ignore[misc]
        """A table's cells, without its data frame."""

        def __init__(self, cols: list[tuple[float, float]], rows: list[tuple[float, float]]) -> None:
            self.cols, self.rows = cols, rows
            self.cells = [[TableCell(x0, low, x1, high) for x0, x1 in cols] for high, low in rows]

    class Given(Lattice):  # type: ignore[misc]
        horizontal_text: list[Any]
        vertical_text: list[Any]

        def __init__(self, lines: Sequence[Segment], keep_all: bool) -> None:
            super().__init__(engine="vector", split_text=True)
            level = [(min(x0, x1), y0, max(x0, x1), y0) for x0, y0, x1, y1 in lines if abs(y1 - y0) <= 0.5 and x0 != x1]
            erect = [(x0, min(y0, y1), x0, max(y0, y1)) for x0, y0, x1, y1 in lines if abs(x1 - x0) <= 0.5 and y0 != y1]
            self.horizontal_segments = coalesce_collinear_lines(level, "horizontal")
            self.vertical_segments = coalesce_collinear_lines(erect, "vertical")
            self.keep_all = keep_all

        def _generate_table_bbox(self) -> None:
            found = ruled_boxes(self.horizontal_segments, self.vertical_segments)
            self.table_bbox_parses = {box: {"joints": joints} for box, joints in found.items()}
            self.pdf_image = self.threshold = None
            self._compute_table_anchors()
            self.level, self.upright = self.horizontal_text, self.vertical_text
            self.horizontal_text, self.vertical_text = [], []  # for Camelot's own search

        def _initialize_new_table(self, _index: int, box: Any, cols: Any, rows: Any) -> Any:
            table = Bare(cols, rows)
            table._bbox = box
            return table

        def record_parse_metadata(self, table: Any) -> None:
            fill(table, lines_in(table._bbox, self.level), lines_in(table._bbox, self.upright), partial(self._home, table))
            table.whitespace = compute_whitespace(table.data)

        def _home(self, table: Any, row: int, col: int) -> tuple[int, int]:
            ((to_row, to_col, _text),) = self._reduce_index(table, [(row, col, "")], self.shift_text)
            return to_row, to_col

        def _reject_table(self, table: Any) -> bool:
            return not self.keep_all and super()._reject_table(table)

    return Given


# --- grids


def to_grid(table: Any, scan: PageScan, method: str = METHOD) -> Grid:
    """A table of Camelot as a grid, every cell read again by pdfium."""
    from extract.pdf_overrun import doubt_overruns

    n_rows, n_cols = len(table.rows), len(table.cols)
    xs = [round(x - scan.left, 2) for x in (table.cols[0][0], *(c[1] for c in table.cols))]
    ys = [round(scan.height + scan.bottom - y, 2) for y in (table.rows[0][0], *(r[1] for r in table.rows))]
    places, glyphs = _by_place(scan, xs, ys), scan.ink.text
    cells = []
    for positions in merged_regions(table, n_rows, n_cols):
        (r0, c0), (r1, c1) = positions[0], positions[-1]
        if len(positions) == 1:
            text, found = table.cells[r0][c0].text.strip(), places.get(positions[0], [])
        else:
            text = "\n".join(t for r, c in positions if (t := table.cells[r][c].text.strip()))
            found = sorted(g for p in positions for g in places.get(p, ()))
        second = "".join([glyphs[i] for i in found])
        box = xs[c0], ys[r0], xs[c1 + 1], ys[r1 + 1]
        cells.append(Cell(_label(text, second), r0, c0, r1 - r0 + 1, c1 - c0 + 1, scan.number, box, second))
    grid = Grid(cells, n_rows, n_cols, method, col_edges=xs)
    doubt_overruns(grid, scan.glyphs, scan)
    return grid


def _by_place(scan: PageScan, xs: list[float], ys: list[float]) -> dict[tuple[int, int], list[int]]:
    """Numbers of the glyphs whose middle is at each row and column."""
    ink = scan.ink
    inside = ink.is_inked & (ys[0] <= ink.y) & (ink.y < ys[-1]) & (xs[0] <= ink.x) & (ink.x < xs[-1])
    numbers = np.flatnonzero(inside)
    rows, cols = np.searchsorted(ys, ink.y[numbers], "right") - 1, np.searchsorted(xs, ink.x[numbers], "right") - 1
    out: dict[tuple[int, int], list[int]] = {}
    for row, col, i in zip(rows.tolist(), cols.tolist(), numbers.tolist(), strict=True):
        out.setdefault((row, col), []).append(i)
    return out


def merged_regions(table: Any, n_rows: int, n_cols: int) -> list[list[tuple[int, int]]]:
    """Positions of a Camelot table grouped into printed cells.

    Neighbours without a rule between them belong together, as long as they form a rectangle.
    """
    taken: set[tuple[int, int]] = set()
    regions = []
    for row in range(n_rows):
        for col in range(n_cols):
            if (row, col) in taken:
                continue
            if table.cells[row][col].right and table.cells[row][col].bottom:
                regions.append([(row, col)])
                continue
            right = col
            while right + 1 < n_cols and not table.cells[row][right].right and (row, right + 1) not in taken:
                right += 1
            down = row
            while down + 1 < n_rows and _open_below(table, down, col, right, taken):
                down += 1
            region = [(r, c) for r in range(row, down + 1) for c in range(col, right + 1)]
            taken.update(region)
            regions.append(region)
    return regions


def _open_below(table: Any, row: int, left: int, right: int, taken: set[tuple[int, int]]) -> bool:
    """Whether the cell (row, left..right) goes on in the row below: no rule under it, and none between its columns there."""
    below = table.cells[row + 1]
    return (
        all(not table.cells[row][c].bottom and (row + 1, c) not in taken for c in range(left, right + 1))
        and all(not below[c].right for c in range(left, right))
        and (right + 1 >= len(below) or below[right].right)
    )


def _label(text: str, second: str) -> str:
    """Camelot's reading; pdfium's where Camelot has nothing of words that run from rule to rule. Figures are never replaced."""
    lost = not text and re.search(r"[\u4e00-\u9fff]{2}", second) and not re.search(r"\d", second[2:])
    return second if lost else text
