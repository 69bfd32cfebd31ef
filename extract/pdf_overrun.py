"""Numbers printed across a rule: no reading by cells has them whole, so the cells on both sides are put in doubt."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from extract.grid import Cell, Grid
from extract.pdf_page import Glyph, PageScan

#: Middles of the digits of one number are closer than this share of their height.
PITCH = 0.95
#: Advances of characters of one text that are closer than this, in ems, join.
JOINED = 0.05


def doubt_overruns(grid: Grid, glyphs: list[Glyph], scan: PageScan | None = None) -> None:
    """Make the whole number the second reading of every cell that has a part of it, in place."""
    edges = grid.col_edges or []
    for run in [*_crossing(glyphs, edges), *(_cut(scan, edges) if scan else ())]:
        text = "".join(g.char for g in run)
        grid.cells = [replace(c, second=text) if any(_in(g, c) for g in run) else c for c in grid.cells]


def _cut(scan: PageScan, edges: list[float]) -> Iterator[list[Glyph]]:
    """Runs of digits of one text whose advances join and that a rule, the outer ones too, stands within: digits may be set wide apart."""
    height, run = scan.height + scan.bottom, list[Glyph]()
    last: tuple[int, str, float, float, float, float] | None = None
    for char in [*(scan.drawn.chars if scan.drawn else ()), None]:
        if char and char[1].isdigit() and last and last[0] == char[0] and abs(char[2] - last[3]) < JOINED * char[5]:
            run.append(_glyph(char, scan.left, height))
        else:
            if len(run) > 1 and bisect(edges, run[0].center[0]) != bisect(edges, run[-1].center[0]):
                yield run
            run = [_glyph(char, scan.left, height)] if char and char[1].isdigit() else []
        last = char


def _glyph(char: tuple[int, str, float, float, float, float], left: float, height: float) -> Glyph:
    _order, text, x0, x1, baseline, em = char
    return Glyph(text, x0 - left, height - baseline - 0.75 * em, x1 - left, height - baseline)


def _in(glyph: Glyph, cell: Cell) -> bool:
    x, y = glyph.center
    return cell.bbox is not None and cell.bbox[0] <= x < cell.bbox[2] and cell.bbox[1] <= y < cell.bbox[3]


def _crossing(glyphs: list[Glyph], edges: list[float]) -> Iterator[list[Glyph]]:
    """Runs of digits that a column's edge cuts where they stand as close as the digits of one number do."""
    for run in _digits(glyphs):
        if any(_is_cut(a, b, edges) for a, b in pairwise(run)):
            yield run


def _digits(glyphs: list[Glyph]) -> Iterator[list[Glyph]]:
    """Two digits and more that follow each other."""
    run: list[Glyph] = []
    for glyph in glyphs:
        if glyph.char.isdigit():
            run.append(glyph)
        elif run:
            if len(run) > 1:
                yield run
            run = []
    if len(run) > 1:
        yield run


def _is_cut(left: Glyph, right: Glyph, edges: list[float]) -> bool:
    (x0, y0), (x1, y1) = left.center, right.center
    near = x1 - x0 < PITCH * (left.bottom - left.top) and abs(y1 - y0) < (left.bottom - left.top) / 3
    return near and bisect(edges, x0) != bisect(edges, x1)
