"""The one shape every reader gives: a document of text and grids of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from extract.problem import Problem

BBox = tuple[float, float, float, float]

#: Text of a cell that shows nothing but a picture (Unicode's object replacement character): it is no blank.
PICTURE = "\ufffc"


@dataclass(frozen=True, slots=True)
class Cell:
    """One printed cell, at the grid position of its upper left corner.

    `page` counts from 1 and is None where the medium has no pages. `bbox` is (x0, top, x1, bottom) in PDF points from the upper left
    corner of the page as shown, None where the medium has no geometry. `second` is an independent reading of the same cell, None where
    there was none: a reader sets it only where it has one, and `text` stays the first reading. `certainty` (0 to 1) is what a recogniser of
    pictures says of its own reading, None where the text was not recognised from a picture.
    """

    text: str
    row: int
    col: int
    row_span: int = 1
    col_span: int = 1
    page: int | None = None
    bbox: BBox | None = None
    second: str | None = None
    certainty: float | None = None

    def __hash__(self) -> int:
        return hash((self.row, self.col, self.text))

    @property
    def row_end(self) -> int:
        return self.row + self.row_span

    @property
    def col_end(self) -> int:
        return self.col + self.col_span

    def moved(self, rows: int = 0, cols: int = 0) -> Cell:
        return replace(self, row=self.row + rows, col=self.col + cols)


@dataclass(slots=True)
class Grid:
    """A table as printed: origin cells in reading order; a covered position has no cell of its own.

    `method` names what read it (`html`, `docx`, `camelot-lattice-vector`). `breaks` are the rows at which a new page starts, after joining.
    `col_edges` are the x-coordinates of the column rules where the medium has geometry.
    """

    cells: list[Cell]
    n_rows: int
    n_cols: int
    method: str
    breaks: list[int] = field(default_factory=list)
    col_edges: list[float] | None = None

    def rows(self) -> list[list[Cell]]:
        """Origin cells by row, left to right."""
        out: list[list[Cell]] = [[] for _ in range(self.n_rows)]
        for cell in self.cells:
            out[cell.row].append(cell)
        for row in out:
            row.sort(key=lambda c: c.col)
        return out


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph between tables. `level` is the heading level where the markup names one."""

    text: str
    page: int | None = None
    level: int | None = None


@dataclass(slots=True)
class Document:
    """What a reader got out of the bytes of one document, in reading order.

    `published_on` is the date the page itself states (ISO), `title` the document's own title; both None where it has none.
    `again` reads the same bytes once more, independently (another parser, another engine): called only where a check fails; None
    where there is no other way.
    """

    media: str
    blocks: list[Text | Grid]
    title: str | None = None
    published_on: str | None = None
    problems: list[Problem] = field(default_factory=list)
    again: Callable[[], Document] | None = None

    def grids(self) -> Iterator[Grid]:
        return (b for b in self.blocks if isinstance(b, Grid))

    def texts(self) -> Iterator[Text]:
        return (b for b in self.blocks if isinstance(b, Text))
