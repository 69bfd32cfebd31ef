"""The heads of a form's columns as a grid prints them: looked for once for all forms that have the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from extract.grid import Cell, Grid
from transform.labels import Vocabulary
from transform.layout import Table
from transform.match import Found, is_value
from transform.view import View

#: Grid columns of each key of a form's columns, and the cells that name them.
Columns = tuple[dict[str, list[int]], list[Cell]]

#: The figures of a row, and the identities of their cells.
Placed = tuple[list[Found], list[int]]


@dataclass(slots=True)
class Frame:
    """Where the figures of a matrix stand: grid columns of each key, the column at which labels end (None where the header does not fit the
    rows), whether the header has the form's order, and where most rows end.

    `placed` keeps the rows that were read so, by row, end of the label and indicator: forms that are alike read alike.
    """

    columns: dict[str, list[int]]
    label_end: int | None
    ordered: bool
    end: int
    placed: dict[tuple[int, int, str], Placed] = field(default_factory=dict)
    keys: dict[int, str] = field(init=False)  # of the columns

    def __post_init__(self) -> None:
        self.keys = {col: key for key, cols in self.columns.items() for col in cols}

    def by_key(self, cells: Sequence[Cell]) -> dict[str, list[Cell]]:
        """The cells that cover the columns of each key."""
        keys = self.keys
        out: dict[str, list[Cell]] = {key: [] for key in self.columns}
        for cell in cells:
            if cell.col_span == 1:
                if cell.col in keys:
                    out[keys[cell.col]].append(cell)
            else:
                for key in dict.fromkeys(keys[col] for col in range(cell.col, cell.col_end) if col in keys):
                    out[key].append(cell)
        return out


class Sheet(View):
    """A grid under recognition, with the heads that were looked for in it."""

    def __init__(self, grid: Grid) -> None:
        super().__init__(grid)
        self._heads: dict[tuple[Vocabulary[str], Vocabulary[str]], Heads] = {}
        self._frames: dict[tuple[int, int | None, bool, int], Frame] = {}

    def heads(self, table: Table) -> Heads:
        """The heads of a table's columns in this grid."""
        words = table.column_words, table.furniture_words
        if words not in self._heads:
            self._heads[words] = Heads(self, *words)
        return self._heads[words]

    def frame(self, columns: dict[str, list[int]], label_end: int | None, ordered: bool, end: int) -> Frame:
        """One frame for all forms whose columns are found in the same places; `columns` are those of `Heads.columns`."""
        return self._frames.setdefault((id(columns), label_end, ordered, end), Frame(columns, label_end, ordered, end))

    def known(self, words: Vocabulary[str]) -> int:
        """How many cells have a wording of the form."""
        find = words.find
        return sum(find(text) is not None for text in self.wordings)

    def rows_known(self, words: Vocabulary[str]) -> int:
        """How many rows have a label with a wording of the form."""
        find = words.find
        return sum(any(find(c.text) is not None for c in row) for row in self.labels)


class Heads:
    """Heads with these words (and furniture between them) in one grid. What is asked again is not looked for again."""

    def __init__(self, view: View, words: Vocabulary[str], furniture: Vocabulary[str]) -> None:
        self._view, self._words, self._furniture = view, words, furniture
        self._columns: dict[tuple[int, ...], Columns] = {}

    def is_furniture(self, cell: Cell) -> bool:
        """Whether a cell is printed in the table without being a figure or the label of one, misprints allowed."""
        return self._furniture.is_like(cell.text)

    def is_head(self, cell: Cell) -> bool:
        """Whether a cell is blank, a head, or furniture."""
        return not cell.text.strip() or self._words.find(cell.text) is not None or self.is_furniture(cell)

    @cached_property
    def repeated(self) -> frozenset[int]:
        """The rows that repeat the header, as tables do on every page."""
        return frozenset(r for r in range(self._view.grid.n_rows) if self._repeats(r))

    def _repeats(self, row: int) -> bool:
        view, find = self._view, self._words.find
        worded = view.worded[row]
        if len(worded) >= 3 and len({k for c in worded if (k := find(c.text)) and not is_value(c)}) >= 3:
            return True
        inked = view.inked[row]
        # one head among blanks is the row （七）总计 or 3.其他, left empty
        return bool(inked) and (len(inked) > 1 or len(inked) == len(view.starting(row))) and all(map(self.is_head, inked))

    def columns(self, rows: Sequence[int]) -> Columns:
        """Grid columns of each key of the form's columns, from the texts stacked above them in `rows`, and the cells that name them."""
        key = tuple(rows)
        if key not in self._columns:
            self._columns[key] = self._find_columns(rows)
        return self._columns[key]

    def _find_columns(self, rows: Sequence[int]) -> Columns:
        columns: dict[str, list[int]] = {}
        named: list[Cell] = []
        for col, stack in enumerate(self._view.stacks(rows)):
            key, cells = stacked_key([c for c in stack if not self.is_furniture(c)], self._words)
            if key:
                columns.setdefault(key, []).append(col)
                named += cells
        return {key: cols for key, cols in columns.items() if cols[-1] - cols[0] == len(cols) - 1}, named


def stacked_key(stack: list[Cell], words: Vocabulary[str]) -> tuple[str | None, list[Cell]]:
    """The key that the lowest cells of a stack spell, together or one alone."""
    for first in range(len(stack)):
        cells = stack[first:]
        key = words.find("".join(c.text for c in cells))
        if key:
            return key, cells
    return next(((k, [c]) for c in reversed(stack) if (k := words.find(c.text))), (None, []))
