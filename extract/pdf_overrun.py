"""Numbers printed across a rule: no reading by cells has them whole, so the cells on both sides are put in doubt."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, pairwise

from extract.grid import Cell, Grid
from extract.pdf import Glyph

#: Middles of the digits of one number are closer than this share of their height.
PITCH = 0.95


def doubt_overruns(grid: Grid, glyphs: list[Glyph]) -> None:
    """Make the whole number the second reading of every cell that has a part of it, in place."""
    for run in _crossing(glyphs, grid.col_edges or []):
        text = "".join(g.char for g in run)
        grid.cells = [replace(c, second=text) if any(_in(g, c) for g in run) else c for c in grid.cells]


def _in(glyph: Glyph, cell: Cell) -> bool:
    x, y = glyph.center
    return cell.bbox is not None and cell.bbox[0] <= x < cell.bbox[2] and cell.bbox[1] <= y < cell.bbox[3]


def _crossing(glyphs: list[Glyph], edges: list[float]) -> Iterator[list[Glyph]]:
    """Runs of digits that a column's edge cuts where they stand as close as the digits of one number do."""
    for is_digits, group in groupby(glyphs, key=lambda g: g.char.isdigit()):
        run = list(group)
        if is_digits and any(_is_cut(a, b, edges) for a, b in pairwise(run)):
            yield run


def _is_cut(left: Glyph, right: Glyph, edges: list[float]) -> bool:
    (x0, y0), (x1, y1) = left.center, right.center
    near = x1 - x0 < PITCH * (left.bottom - left.top) and abs(y1 - y0) < (left.bottom - left.top) / 3
    return near and bisect(edges, x0) != bisect(edges, x1)
