"""Cells of a recognised table that its form does not explain: what they stand under, and whether they are extras or a misreading."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from extract.grid import Cell, Grid
from transform.labels import compact
from transform.match import Match, is_value
from transform.recognise import leftover
from transform.view import View


@dataclass(frozen=True, slots=True)
class Leftover:
    """A cell that no form explains, with the texts of its row's first label and of the labels above it, joined by ` / `.

    `extra`: it stands in a row or under a head of its own that the form does not know.
    """

    table_no: int
    method: str
    cell: Cell
    row_label: str | None
    column_label: str | None
    extra: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """A cell with the first label of its row and the labels above it."""

    cell: Cell
    row: Cell | None
    above: list[Cell]


def find_leftovers(grid: Grid, matches: Sequence[Match], table_no: int, method: str) -> list[Leftover]:
    """The cells with text of a grid that none of its matches explains, in reading order."""
    unknown = leftover(grid, set[int]().union(*(m.used for m in matches)))
    if not unknown:
        return []
    view = View(grid)
    figures = {f.cell for m in matches for f in m.found}
    out: list[Leftover] = []
    for cell in unknown:
        here = _Place(cell, _row_label(view, cell), _labels_above(view, cell))
        extra = _is_extra(view, matches, figures, unknown, here)
        out.append(Leftover(table_no, method, cell, here.row.text.strip() if here.row else None, _joined(here.above), extra))
    return out


def without_labels(cells: Iterable[Leftover]) -> list[Leftover]:
    """The leftovers without those that only name others of them: an unknown label with its figures is told by the figures."""
    every = list(cells)
    rows = {(o.table_no, o.cell.row, o.row_label) for o in every if not _is_label(o)}
    heads = {(o.table_no, part) for o in every if not _is_label(o) and o.column_label for part in o.column_label.split(" / ")}
    return [
        o
        for o in every
        if not _is_label(o)
        or ((o.table_no, o.cell.row, o.cell.text.strip()) not in rows and (o.table_no, compact(o.cell.text)) not in heads)
    ]


def _is_label(found: Leftover) -> bool:
    return not is_value(found.cell)


def _row_label(view: View, cell: Cell) -> Cell | None:
    """The first label that starts in the cell's row, else the nearest that covers it from the left; a label has itself."""
    labels = [c for c in view.rows[cell.row] if c.text.strip() and not is_value(c) and (c is cell or c.col < cell.col)]
    return next((c for c in labels if c.row == cell.row), labels[-1] if labels else None)


def _labels_above(view: View, cell: Cell) -> list[Cell]:
    """The nearest labels above a cell, top to bottom: those with no figure between them."""
    found: list[Cell] = []
    for above in reversed(view.stack(range(cell.row), cell.col)):
        if above is cell or (is_value(above) and not found):
            continue
        if is_value(above):
            break
        found.insert(0, above)
    return found


def _joined(cells: Sequence[Cell]) -> str | None:
    return " / ".join(compact(c.text) for c in cells) or None


def _is_extra(view: View, matches: Sequence[Match], figures: Collection[Cell], unknown: Collection[Cell], here: _Place) -> bool:
    """Whether a cell is an unknown label, or stands behind one (or behind a group: a subtotal), or under an unknown head."""
    if not any(c in figures for c in view.rows[here.cell.row]):
        return not is_value(here.cell) or (here.row is not None and (here.row in unknown or _is_group(matches, here.row)))
    head = here.above[-1] if here.above else None
    return head in unknown and is_value(here.cell)


def _is_group(matches: Sequence[Match], label: Cell) -> bool:
    return any(m.table.group_words.find(label.text) for m in matches if m.table.shape in ("matrix", "list"))
