"""Ruled tables of a picture: Camelot's raster Lattice finds the grid, and what is ink in each of its cells is told from rules and dust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from extract.pdf_lattice import merged_regions
from extract.scan_image import DPI, Picture

#: The least length of an upright and of a level rule, in pixels at scan_image.DPI. One and a half times as long, and the upright rules of a
#: row of one line are lost; half as long, and strokes of characters are taken for rules.
UPRIGHT, LEVEL = 39, 28
POINTS_PER_PIXEL = 72 / DPI


@dataclass(frozen=True, slots=True)
class Region:
    """A printed cell of a picture: grid position, spans, and its box in pixels."""

    row: int
    col: int
    row_span: int
    col_span: int
    x0: float
    top: float
    x1: float
    bottom: float


@dataclass(frozen=True, slots=True)
class RuledTable:
    """A grid found in a picture; `edges` are the x-coordinates of its column rules in pixels."""

    regions: list[Region]
    n_rows: int
    n_cols: int
    edges: list[float]

    @property
    def box(self) -> tuple[float, float, float, float]:
        return (
            min(r.x0 for r in self.regions),
            min(r.top for r in self.regions),
            max(r.x1 for r in self.regions),
            max(r.bottom for r in self.regions),
        )


@dataclass(frozen=True, slots=True)
class _Backend:
    """What Camelot asks for a picture of the page."""

    picture: Picture

    def convert(self, *_: object, **__: object) -> None:
        raise NotImplementedError("the picture is in memory")

    def to_array(self, *_: object, **__: object) -> Any:
        return cv2.cvtColor(self.picture, cv2.COLOR_GRAY2BGR)


def ruled_tables(gray: Picture) -> list[RuledTable]:
    """Tables with rules on a level picture, top to bottom."""
    from camelot.parsers.lattice import Lattice  # slow to import: once per worker, and only where a table is read

    class Ruled(Lattice):  # type: ignore[misc]
        """Lattice over a picture alone: there are no words yet, so there is neither data nor a share of empty cells to drop a table by."""

        def _document_has_no_text(self) -> bool:
            return False

        def record_parse_metadata(self, table: Any) -> None:
            table.df = None

    canvas, line_scale = _canvas(gray)
    height, width = canvas.shape
    parser = Ruled(engine="raster", line_scale=line_scale, backend=_Backend(canvas))
    size = (width * POINTS_PER_PIXEL, height * POINTS_PER_PIXEL)
    parser.prepare_page_parse("", None, size, 1, [], [], [], "", {})
    tables = [_table(t, height) for t in parser.extract_tables()]
    return sorted((t for t in tables if t.n_rows > 1 or t.n_cols > 1), key=lambda t: t.box[1])


def _canvas(gray: Picture) -> tuple[Picture, int]:
    """The picture, softened, on white paper of such a size that Camelot's `line_scale`, a share of each side, means the lengths wanted."""
    height, width = gray.shape
    line_scale = max(-(-height // UPRIGHT), -(-width // LEVEL)) + 1
    paper = np.full((line_scale * UPRIGHT, line_scale * LEVEL), 250, np.uint8)
    paper[:height, :width] = cv2.GaussianBlur(gray, (3, 3), 0)
    return paper, line_scale


def _table(table: Any, height: int) -> RuledTable:
    n_rows, n_cols = len(table.rows), len(table.cols)
    regions = []
    for positions in merged_regions(table, n_rows, n_cols):
        rows, cols = [r for r, _ in positions], [c for _, c in positions]
        r0, r1, c0, c1 = min(rows), max(rows), min(cols), max(cols)
        x0, x1 = table.cols[c0][0] / POINTS_PER_PIXEL, table.cols[c1][1] / POINTS_PER_PIXEL
        top, bottom = height - table.rows[r0][0] / POINTS_PER_PIXEL, height - table.rows[r1][1] / POINTS_PER_PIXEL
        regions.append(Region(r0, c0, r1 - r0 + 1, c1 - c0 + 1, x0, top, x1, bottom))
    edges = [table.cols[0][0], *(c[1] for c in table.cols)]
    return RuledTable(regions, n_rows, n_cols, [x / POINTS_PER_PIXEL for x in edges])
