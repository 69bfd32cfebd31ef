"""What the search for the cells of a table without rules works on: its words, the rules it has, and what makes it give up."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from extract.pdf_words import Line, Word

#: Most a label may stand off the height of its figures, in ems; lines of one label are more than twice as far apart.
OFF = 0.45
#: Lines of one cell are at most this far apart, in ems from the bottom of the one to the top of the next.
LEADING = 0.5
#: Columns of figures from which on a table is taken to be a matrix, each column with a head of its own.
WIDE = 5
#: How a numbered label starts.
ORDINAL = re.compile(r"[（(]?[一二三四五六七八九十]{1,3}[）)、]|\d{1,2}[.．、]|第.{1,4}条")


class UnsureError(Exception):
    """The reason why a table's cells can't be told with certainty."""


@dataclass(slots=True)
class Rules:
    """The rules of a page: horizontal ones as (x0, x1, y), upright ones as (x, top, bottom)."""

    horizontal: list[tuple[float, float, float]] = field(default_factory=list)
    upright: list[tuple[float, float, float]] = field(default_factory=list)

    def across(self, x: float, top: float, bottom: float) -> list[float]:
        """Heights at which a rule crosses the upright line x between top and bottom; the two lines of a double rule count once."""
        found = sorted(y for x0, x1, y in self.horizontal if x0 - 1 <= x <= x1 + 1 and top < y < bottom)
        return [y for i, y in enumerate(found) if i == 0 or y - found[i - 1] > 4]

    def down(self, left: float, right: float, top: float, bottom: float) -> list[float]:
        """Places of the upright rules between left and right that stand for a part of top..bottom."""
        return sorted(x for x, y0, y1 in self.upright if left < x < right and y0 < bottom and y1 > top)


@dataclass(slots=True)
class Table:
    """The words of a table by line, and which of the lines are rows of figures; `columns` are upper bounds known from an earlier page."""

    lines: list[Line]
    rows: list[Line]
    rules: Rules
    header_edges: list[float] | None = None

    @property
    def words(self) -> list[Word]:
        return [w for line in self.lines for w in line]


def figures_of(row: Line) -> Line:
    """The figures of a row, from the first that has no label behind it."""
    last = max((i for i, w in enumerate(row) if not w.is_figure and not _is_remark(row, i)), default=-1)
    return [w for w in row[last + 1 :] if w.is_figure]


def _is_remark(row: Line, index: int) -> bool:
    return index > 0 and row[index].text[0] in "（(" and row[index - 1].is_figure
