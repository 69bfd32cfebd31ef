"""What a table of a form explains of a grid: printed cells as figures, the cells that it knows, labels taken by similarity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from extract.grid import Cell
from transform.layout import Table
from transform.numbers import looks_like_figure


class Found(NamedTuple):
    """A printed cell that a form explains. `header` is the text of its column's head; `doubt` says why the place is not certain."""

    indicator: str
    applicant: str | None
    cell: Cell
    header: str = ""
    doubt: str | None = None


@dataclass(slots=True)
class Match:
    """What one table of one form explains of a grid. `used` are the cells that it knows, by their identity."""

    table: Table
    format: int
    found: list[Found] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    variants: list[str] = field(default_factory=list)

    @property
    def missing(self) -> dict[str, str]:
        """Indicators of the form's table that the grid does not have, with their labels."""
        have = {f.indicator for f in self.found}
        return {i: label for i, label in self.table.indicators().items() if i not in have}

    def use(self, cells: Iterable[Cell]) -> None:
        """Take cells for known."""
        self.used.update(map(id, cells))


def is_value(cell: Cell) -> bool:
    """Whether a cell can be a figure and not a label."""
    return looks_like_figure(cell.text)
