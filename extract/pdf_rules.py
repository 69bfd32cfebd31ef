"""Tables whose rules are incomplete: the missing ones are made from where words stand, and Camelot's Lattice reads the grid as if printed.

Only pages with rows of figures that no ruled cell explains are looked at. Where the cells are not certain (UnsureError) there is no grid,
but a problem `unruled_table` that names the page and the reason.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pypdfium2 as pdfium

from extract.grid import BBox, Grid
from extract.pdf import grid_box
from extract.pdf_lattice import DAMAGE, camelot_page, lattice, to_grid
from extract.pdf_page import PageScan, scan_page
from extract.pdf_places import Rules, Table, UnsureError
from extract.pdf_tiling import Tiling, tile
from extract.pdf_words import Line, Word, read_lines
from extract.problem import Problem

METHOD = "camelot-lattice-vector+rules"
#: Figures that must stand alone and outside of ruled cells for a page to be looked at.
MIN_LOOSE = 3
#: A ruled grid is left as it is where it explains at least this share of a table's figures.
EXPLAINED = 0.85
#: Rows of figures further apart than this, in ems, belong to two tables; lines above the first row further apart than this to no table.
ROW_GAP, LINE_GAP = 16.0, 2.5

_SECTION = re.compile(r"[一二三四五六七八九十]{1,2}、")
#: A number between blanks with another number or the end of the line behind it.
_LONE_NUMBER = re.compile(r"\d(?<!\S\d)[\d,，.．]*(?=[^\S\n]*(?:\n|\Z)|[^\S\n]+\d[\d,，.．]*(?!\S))")


def loose_figures(scan: PageScan, grids: Iterable[Grid]) -> int:
    """How many numbers of a page stand as in a row of figures and are not the only text of a ruled cell: cheap, for every page."""
    boxes: dict[str, list[BBox]] = {}
    for cell in (c for g in grids for c in g.cells if c.bbox and c.second):
        boxes.setdefault(cell.second or "", []).append(cell.bbox or (0, 0, 0, 0))
    ink = scan.ink
    return sum(
        not _is_held(ink.x[found.start()], ink.y[found.start()], boxes.get(found[0], [])) for found in _LONE_NUMBER.finditer(ink.text)
    )


def _is_held(x: float, y: float, boxes: list[BBox]) -> bool:
    """Whether one of the boxes holds a place; it is taken out, since numbers and cells come in nearly the same order."""
    for i, (x0, top, x1, bottom) in enumerate(boxes):
        if top <= y < bottom and x0 <= x < x1:
            del boxes[i]
            return True
    return False


def complete_rules(data: bytes, scans: list[PageScan], grids: dict[int, list[Grid]]) -> list[Problem]:
    """Read the tables of the pages in `scans` whose rules are incomplete, into `grids`; one problem for each that could not be read."""
    import playa  # slow to import: only where a page needs it

    problems: list[Problem] = []
    edges: list[float] | None = None
    shown = pdfium.PdfDocument(data)
    with warnings.catch_warnings(), playa.parse(data, space="page") as pdf:
        warnings.simplefilter("ignore")
        for scan in scans:
            try:
                lines = read_lines(shown[scan.number - 1])
                if not find_tables(lines, Rules(), scan.width):
                    continue
                scan = scan_page(shown[scan.number - 1], scan.number, whole=True)
                page = camelot_page(pdf.pages[scan.number - 1])
                tables = find_tables(lines, _rules(page[0], scan), scan.width)
            except (playa.PDFException, *DAMAGE) as error:
                problems.append(Problem("extract", "unruled_table", f"page {scan.number}: could not be laid out: {error!r}"))
                continue
            edges = _read_tables(page, scan, tables, edges, grids, problems)
    shown.close()
    return problems


def _read_tables(
    page: tuple[Any, ...],
    scan: PageScan,
    tables: list[Table],
    edges: list[float] | None,
    grids: dict[int, list[Grid]],
    problems: list[Problem],
) -> list[float] | None:
    """Read the tables of a page; `edges` are the columns of the last table before it, returned are those of its last."""
    for table in tables:
        if _explained(table, grids.get(scan.number, [])):
            continue
        table.header_edges = edges
        try:
            tiling = tile(table)
            _place(grids.setdefault(scan.number, []), _grid(page, scan, tiling))
            edges = tiling.xs
        except UnsureError as error:
            problems.append(_unruled(scan, table, str(error)))
        except (LookupError, ValueError) as error:  # words that are no table at all
            problems.append(_unruled(scan, table, repr(error)))
    return edges


def _unruled(scan: PageScan, table: Table, reason: str) -> Problem:
    start = " ".join(w.text for w in table.rows[0])[:60]
    return Problem(
        "extract", "unruled_table", f"page {scan.number}: {len(table.rows)} rows of figures from {start!r} without a grid: {reason}"
    )


def _explained(table: Table, grids: list[Grid]) -> bool:
    figures = [w for row in table.rows for w in row if w.is_figure]
    cells = [(c.bbox, c.second) for g in grids for c in g.cells if c.bbox]
    alone = sum(any(b[0] <= (w.x0 + w.x1) / 2 < b[2] and b[1] <= w.mid < b[3] and text == w.text for b, text in cells) for w in figures)
    return alone >= EXPLAINED * len(figures)


def _place(grids: list[Grid], grid: Grid) -> None:
    """Put a grid in the place of those it covers, top to bottom."""
    _, top, _, bottom = grid_box(grid)
    kept = [g for g in grids if (box := grid_box(g))[3] <= top + 4 or box[1] >= bottom - 4]
    grids[:] = sorted([*kept, grid], key=lambda g: grid_box(g)[1])


# --- where tables are


def find_tables(lines: list[Line], rules: Rules, width: float) -> list[Table]:
    """Tables of a page: rows of figures with the lines of their labels and heads."""
    tables: list[Table] = []
    rows = [i for i, line in enumerate(lines) if _is_row(line, width)]
    stops = [i for i, line in enumerate(lines) if _is_stop(line, [lines[r] for r in rows], width)]
    for part in _parts(rows, stops, lines):
        if _is_table([lines[i] for i in part]):
            first = _top(lines, part[0], stops, rules, tables)
            last = _bottom(lines, part[-1], stops)
            tables.append(Table(lines[first : last + 1], [lines[i] for i in part], _near(rules, lines, first, last)))
    return tables


def _is_row(line: Line, width: float) -> bool:
    """Whether a line is a row of figures: several, or a label with one behind it; not a sentence with numbers."""
    figures = [w for w in line if w.is_figure]
    extent = line[-1].x1 - line[0].x0
    prose = sum(w.x1 - w.x0 for w in line) > 0.8 * extent and extent > 0.4 * width
    if not any(c.isdigit() for w in figures for c in w.text) or prose:
        return False
    return len(figures) >= 2 or (line[-1] is figures[0] and len(line) > 1 and line[-1].x0 - line[-2].x1 > line[-1].size)


def _is_stop(line: Line, rows: list[Line], width: float) -> bool:
    """A section's heading or a line of prose, away from figures: no table goes past it."""
    word = line[0]
    if len(line) > 1 or any(abs(row[-1].mid - word.mid) < 1.6 * word.size for row in rows):
        return False
    return _SECTION.match(word.text) is not None or word.x1 - word.x0 > 0.6 * width


def _parts(rows: list[int], stops: list[int], lines: list[Line]) -> list[list[int]]:
    parts: list[list[int]] = [[i] for i in rows[:1]]
    for above, below in pairwise(rows):
        far = lines[below][-1].mid - lines[above][-1].mid > ROW_GAP * lines[below][-1].size
        if far or any(above < s < below for s in stops):
            parts.append([below])
        else:
            parts[-1].append(below)
    return parts


def _is_table(rows: list[Line]) -> bool:
    figures = [sum(w.is_figure for w in row) for row in rows]
    return max(figures) >= 8 or len(rows) >= 3 or sum(n >= 3 for n in figures) >= 2


def _top(lines: list[Line], first: int, stops: list[int], rules: Rules, tables: list[Table]) -> int:
    """The first line of a table: up to the stop above it, a wide gap, or its uppermost rule."""
    top = first
    ends = [t.lines[-1][0].mid for t in tables]
    while top > 0 and top - 1 not in stops and not any(lines[top - 1][0].mid <= y for y in ends):
        above, below = lines[top - 1], lines[top]
        if min(w.top for w in below) - max(w.bottom for w in above) > LINE_GAP * below[0].size:
            break
        top -= 1
    x = lines[first][-1].x1
    ruled = rules.across(x, lines[top][0].top - 20, lines[first][-1].mid)
    while ruled and top < first and lines[top][0].mid < ruled[0]:
        top += 1
    return top


def _bottom(lines: list[Line], last: int, stops: list[int]) -> int:
    """The last line of a table: what follows its last row at once can be a line of that row's label."""
    bottom = last
    right = lines[last][0].x1
    while bottom + 1 < len(lines) and bottom + 1 not in stops:
        line = lines[bottom + 1]
        far = line[0].top - max(w.bottom for w in lines[bottom]) > 0.5 * line[0].size
        if far or (line[-1].x0 > right and not line[-1].is_figure):
            break
        bottom += 1
    return bottom


def _near(rules: Rules, lines: list[Line], first: int, last: int) -> Rules:
    top = min(w.top for w in lines[first]) - 20
    bottom = max(w.bottom for w in lines[last]) + 20
    return Rules(
        [r for r in rules.horizontal if top <= r[2] <= bottom], [r for r in rules.upright if r[1] < bottom - 20 and r[2] > top + 20]
    )


# --- Camelot


def _rules(layout: Any, scan: PageScan) -> Rules:
    from camelot.image_processing import find_lines_from_layout

    height = scan.height + scan.bottom
    across = [(x0 - scan.left, x1 - scan.left, height - y) for x0, y, x1, _ in find_lines_from_layout(layout, "horizontal")]
    down = [(x - scan.left, height - y1, height - y0) for x, y0, _, y1 in find_lines_from_layout(layout, "vertical")]
    return Rules([r for r in across if r[1] - r[0] > 10], [r for r in down if r[2] - r[1] > 6])


def _grid(page: tuple[Any, ...], scan: PageScan, tiling: Tiling) -> Grid:
    """The grid that Lattice reads from the tiling's edges. Raises UnsureError where it is not the tiling."""
    height = scan.height + scan.bottom
    lines = [(x0 + scan.left, height - y1, x1 + scan.left, height - y0) for x0, y0, x1, y1 in tiling.segments()]
    _, dimensions, _, horizontal, upright = page
    tables = lattice(lines, dimensions, horizontal, upright, scan.number, keep_all=True)
    if len(tables) != 1:
        raise UnsureError(f"{len(tables)} grids were found in its place")
    grid = to_grid(tables[0], scan, METHOD)
    if len(grid.cells) != len({n for row in tiling.owner for n in row}):
        raise UnsureError("the grid has other cells than were made out")
    alone = {(c.bbox, c.second) for c in grid.cells if c.bbox}
    for word in tiling.figures:
        if not any(_inside(word, box) and text and text.startswith(word.text) for box, text in alone):
            raise UnsureError(f"the figure {word.text!r} does not stand in a cell of its own")
    return grid


def _inside(word: Word, box: BBox) -> bool:
    return box[0] <= (word.x0 + word.x1) / 2 < box[2] and box[1] <= word.mid < box[3]
