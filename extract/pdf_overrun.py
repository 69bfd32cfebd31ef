"""Numbers printed across a rule: no reading by cells has them whole, so the cells on both sides are put in doubt."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from extract.grid import Cell, Grid
from extract.pdf_model import Advance, Glyph, Glyphs, Ink, PageScan, digit_runs

#: Middles of the digits of one number are closer than this share of their height.
PITCH = 0.95
#: Advances of characters of one text that are closer than this, in ems, join.
JOINED = 0.05


def doubt_overruns(grid: Grid, glyphs: Sequence[Glyph], scan: PageScan | None = None) -> None:
    """Make the whole number the second reading of every cell that has a part of it, in place."""
    edges = grid.col_edges or []
    for run in [*_crossing(glyphs, edges), *(_cut(scan, edges) if scan else ())]:
        text = "".join(g.char for g in run)
        grid.cells = [replace(c, second=text) if any(_in(g, c) for g in run) else c for c in grid.cells]


def _cut(scan: PageScan, edges: list[float]) -> Iterator[list[Glyph]]:
    """Runs of digits of one text whose advances join and that a rule, the outer ones too, stands within: digits may be set wide apart."""
    chars = scan.drawn.chars if scan.drawn else []
    height = scan.height + scan.bottom
    for first, end in scan.drawn.digits() if scan.drawn else ():
        for run in _joined(chars[first:end]):
            if bisect(edges, _middle(run[0], scan.left)) != bisect(edges, _middle(run[-1], scan.left)):
                yield [_glyph(c, scan.left, height) for c in run]


def _middle(char: Advance, left: float) -> float:
    return (char[2] - left + (char[3] - left)) / 2


def _joined(chars: list[Advance]) -> Iterator[list[Advance]]:
    """Two characters and more of one text whose advances join."""
    run = chars[:1]
    for last, char in pairwise(chars):
        if last[0] == char[0] and abs(char[2] - last[3]) < JOINED * char[5]:
            run.append(char)
            continue
        if len(run) > 1:
            yield run
        run = [char]
    if len(run) > 1:
        yield run


def _glyph(char: Advance, left: float, height: float) -> Glyph:
    _order, text, x0, x1, baseline, em = char
    return Glyph(text, x0 - left, height - baseline - 0.75 * em, x1 - left, height - baseline)


def _in(glyph: Glyph, cell: Cell) -> bool:
    x, y = glyph.center
    return cell.bbox is not None and cell.bbox[0] <= x < cell.bbox[2] and cell.bbox[1] <= y < cell.bbox[3]


def _crossing(glyphs: Sequence[Glyph], edges: list[float]) -> Iterator[list[Glyph]]:
    """Runs of digits that a column's edge cuts where they stand as close as the digits of one number do."""
    ink = glyphs.ink if isinstance(glyphs, Glyphs) else Ink.of_glyphs(glyphs)
    columns = np.searchsorted(edges, ink.x, "right").tolist()
    for first, end in digit_runs(ink.text):
        run = glyphs[first:end] if len(set(columns[first:end])) > 1 else []
        if any(_is_cut(a, b, edges) for a, b in pairwise(run)):
            yield list(run)


def _is_cut(left: Glyph, right: Glyph, edges: list[float]) -> bool:
    (x0, y0), (x1, y1) = left.center, right.center
    near = x1 - x0 < PITCH * (left.bottom - left.top) and abs(y1 - y0) < (left.bottom - left.top) / 3
    return near and bisect(edges, x0) != bisect(edges, x1)
