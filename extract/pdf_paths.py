"""Rules of a page from pdfium's paths, as playa tells lines and boxes from other paths, for Camelot's Lattice."""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import addressof, c_float, c_int
from struct import Struct

import pypdfium2.raw as pdfium_c

from extract import pdfium_calls as call

Point = tuple[float, float]
Segment = tuple[float, float, float, float]

#: A filled box this thin is a rule (camelot.image_processing._LINE_AS_THIN_RECT_TOL).
THIN = 1.5
#: A path of more points than this is no rule of a table.
MAX_POINTS = 2000

_bounds, _matrix, _point = (c_float * 4)(), (c_float * 6)(), (c_float * 2)()
_mode = (c_int * 2)()
_FOUR_FLOATS, _SIX_FLOATS, _TWO_FLOATS = Struct("4f"), Struct("6f"), Struct("2f")
_B, _M, _X, _MODE = (addressof(b) for b in (_bounds, _matrix, _point, _mode))


def bounds(obj: int) -> Segment:
    """Left, bottom, right and top of a page object, with the width of its stroke."""
    call.object_bounds(obj, _B, _B + 4, _B + 8, _B + 12)
    x0, y0, x1, y1 = _FOUR_FLOATS.unpack(_bounds)
    return x0, y0, x1, y1


def matrix(obj: int) -> tuple[float, float, float, float, float, float]:
    """How a page object is placed (a, b, c, d, e, f)."""
    call.object_matrix(obj, _M)
    a, b, c, d, e, f = _SIX_FLOATS.unpack(_matrix)
    return a, b, c, d, e, f


def modes(obj: int) -> tuple[bool, bool]:
    """Whether a path is filled, and whether it is stroked."""
    call.draw_mode(obj, _MODE, _MODE + 4)
    return bool(_mode[0]), bool(_mode[1])


def segments(obj: int, filled: bool, stroked: bool, thin: bool) -> list[Segment] | None:
    """The lines that a path draws, in the page's own coordinates; None for a path too long to tell.

    `thin`: its box is at most THIN wide or high. As in Camelot, a stroked box is its four edges, a filled one a line where it is thin.
    """
    count = call.segment_count(obj)
    if not (stroked or (filled and (thin or count > 5))):
        return []
    if count > MAX_POINTS:
        return None
    out: list[Segment] = []
    for points, closed in _subpaths(obj, count):
        out += _lines(points, closed, stroked)
    return out


def _subpaths(obj: int, count: int) -> Iterator[tuple[list[Point], bool]]:
    """Straight subpaths, and whether they are closed."""
    a, b, c, d, e, f = matrix(obj)
    points: list[Point] = []
    straight = closed = False
    for i in range(count):
        segment = call.path_segment(obj, i)
        kind = call.segment_type(segment)
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO:
            if points and straight:
                yield points, closed
            points, straight = [], True
        elif kind != pdfium_c.FPDF_SEGMENT_LINETO:
            straight = False
        call.segment_point(segment, _X, _X + 4)
        x, y = _TWO_FLOATS.unpack(_point)
        points.append((a * x + c * y + e, b * x + d * y + f))
        closed = bool(call.segment_close(segment))
    if points and straight:
        yield points, closed


def _lines(points: list[Point], closed: bool, stroked: bool) -> list[Segment]:
    if len(points) == 2 or (len(points) == 3 and closed and points[0] == points[2]):
        return [(*points[0], *points[1])] if stroked else []
    if len(points) != 5 or points[0] != points[4]:
        return []
    (x0, y0), (x1, y1), (x2, y2), (x3, y3), _ = points
    if not ((x0 == x1 and y1 == y2 and x2 == x3 and y3 == y0) or (y0 == y1 and x1 == x2 and y2 == y3 and x3 == x0)):
        return []
    return _box(min(x0, x2), min(y0, y2), max(x0, x2), max(y0, y2), stroked)


def _box(x0: float, y0: float, x1: float, y1: float, stroked: bool) -> list[Segment]:
    if stroked:
        return [(x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)]
    width, height = x1 - x0, y1 - y0
    if min(width, height) > THIN or max(width, height) <= THIN:
        return []
    if width >= height:
        return [(x0, (y0 + y1) / 2, x1, (y0 + y1) / 2)]
    return [((x0 + x1) / 2, y0, (x0 + x1) / 2, y1)]
