"""Rows and columns of a grid with its spans resolved: what the table matchers look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from operator import attrgetter

from extract.grid import Cell, Grid
from transform.labels import normalise
from transform.numbers import looks_like_figure

Known = Callable[[str], bool]

_COLUMN, _PLACE = attrgetter("col"), attrgetter("row", "col")


class View:
    """A grid by row: `rows[r]` are the cells that cover row r, left to right; `starting(r)` those whose upper edge is there."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.rows: list[list[Cell]] = [[] for _ in range(grid.n_rows)]
        self._starting: list[list[Cell]] = [[] for _ in range(grid.n_rows)]
        for cell in sorted(grid.cells, key=_COLUMN):
            if cell.row < grid.n_rows:
                self._starting[cell.row].append(cell)
                for row in self.rows[cell.row : cell.row + cell.row_span]:
                    row.append(cell)

    def starting(self, row: int) -> list[Cell]:
        return self._starting[row]

    @cached_property
    def inked(self) -> list[list[Cell]]:
        """By row: the cells with text whose upper edge is there."""
        return [[c for c in row if c.text.strip()] for row in self._starting]

    @cached_property
    def labels(self) -> list[list[Cell]]:
        """By row: the cells with text whose upper edge is there and that can't be a figure."""
        return [[c for c in row if c.row == r and not looks_like_figure(c.text)] for r, row in enumerate(self.worded)]

    @cached_property
    def worded(self) -> list[list[Cell]]:
        """By row: the cells that cover it and may have a wording of a form."""
        return [[c for c in row if may_be_wording(c.text)] for row in self.rows]

    @cached_property
    def wordings(self) -> list[str]:
        """The texts of all cells that may have a wording of a form."""
        return [c.text for r, row in enumerate(self.worded) for c in row if c.row == r]

    def stack(self, rows: Iterable[int], col: int) -> list[Cell]:
        """The cells with text that cover column `col` in `rows`, top to bottom, each once."""
        found: list[Cell] = []
        for r in rows:
            for cell in self.rows[r]:
                if cell.col <= col < cell.col_end and cell.text.strip() and cell not in found:
                    found.append(cell)
        return found

    def stacks(self, rows: Sequence[int]) -> list[list[Cell]]:
        """The stack of every column of the grid."""
        found: list[list[Cell]] = [[] for _ in range(self.grid.n_cols)]
        for r in rows:
            for cell in self.rows[r]:
                if cell.text.strip():
                    for stack in found[cell.col : cell.col_end]:
                        if cell not in stack:
                            stack.append(cell)
        return found


def may_be_wording(text: str) -> bool:
    """False for digits alone and for nothing: no form has a wording without words."""
    return bool(text) and not (text.isdigit() and text.isascii())


def overlapping(cells: Iterable[Cell], columns: Iterable[int]) -> list[Cell]:
    """The cells that cover any of `columns`."""
    wanted = set(columns)
    return [c for c in cells if (c.col in wanted if c.col_span == 1 else not wanted.isdisjoint(range(c.col, c.col_end)))]


def mend_page_breaks(grid: Grid, known: Known) -> Grid:
    """Put together what a page end cut in two: labels whose halves make a wording of the form, and rows of which one half is only a label.

    Nothing is put together where a half is a wording itself, or where both halves of a row hold figures.
    """
    for row in reversed(grid.breaks):
        grid = _mend_labels(grid, row, known)
        if _only_continues(grid, row):
            grid = _drop_into_above(grid, row)
    return grid


def _mend_labels(grid: Grid, row: int, known: Known) -> Grid:
    cells = list(grid.cells)
    upper = {(c.col, c.col_end): i for i, c in enumerate(cells) if c.row < row and c.row_end == row}
    for i, cell in enumerate(cells):
        j = upper.get((cell.col, cell.col_end))
        if cell.row != row or j is None or not normalise(cell.text) or not normalise(cells[j].text):
            continue
        whole = cells[j].text + cell.text
        if known(whole) and not known(cell.text):
            cells[j] = replace(cells[j], text=whole)
            cells[i] = replace(cell, text="")
    return replace_cells(grid, cells)


def _only_continues(grid: Grid, row: int) -> bool:
    """Whether the first row after a break has no label of its own,

    and holds figures only where the row above has none (or none at all).
    """
    below = [c for c in grid.cells if c.row == row and c.text.strip()]
    if not below or any(normalise(c.text) and not c.text.strip()[0].isdigit() for c in below):
        return False
    above = [c for c in grid.cells if c.row == row - 1 and c.text.strip()]
    return bool(above) and not overlapping(above, (col for c in below for col in range(c.col, c.col_end)))


def _drop_into_above(grid: Grid, row: int) -> Grid:
    cells: list[Cell] = []
    for cell in grid.cells:
        if cell.row == row and cell.text.strip():
            cells = [c for c in cells if (c.row, c.col) != (row - 1, cell.col)]
            cells.append(replace(cell, row=row - 1, row_span=1))
        else:
            cells.append(cell)
    return replace_cells(grid, cells)


def replace_cells(grid: Grid, cells: list[Cell]) -> Grid:
    """The grid with other cells."""
    return replace(grid, cells=sorted(cells, key=_PLACE))
