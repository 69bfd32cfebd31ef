"""Tables of one long list (the statistical annex of 2014 to 2018): label, unit, figure; a row is known by its path, never by its number."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from extract.grid import Cell
from transform.labels import compact
from transform.layout import Table
from transform.list_words import Node
from transform.numbers import looks_like_figure
from transform.view import View, overlapping

#: Rows that make a table this list: with a head that names its columns, and without one (a part on a further page).
MIN_ROWS, MIN_ROWS_WITHOUT_HEAD = 3, 5

_DIGIT = re.compile(r"\d")
_SCALE = re.compile(r"[百千万亿]")
_FIGURE_HEAD = re.compile(r"[数量计]")
_SECTION, _PART = re.compile(r"^[一二三四五六七八九十]+、"), re.compile(r"^\([一二三四五六七八九十]+\)")


@dataclass(frozen=True, slots=True)
class Place:
    """The cell of a figure. `header` has the words that may state its unit; `doubt` says why the place is not certain."""

    indicator: str
    cell: Cell
    header: str
    doubt: str | None


@dataclass(slots=True)
class ListTable:
    """What the form explains of a grid: figures, cells that it knows, labels taken by similarity."""

    places: list[Place] = field(default_factory=list)
    used: set[Cell] = field(default_factory=set)
    variants: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Head:
    """Grid columns by what their head says. `values` is empty where there is no one column of figures."""

    rows: frozenset[int]
    units: frozenset[int]
    values: frozenset[int]
    first: int  # the first column that is no label
    text: str = ""


def read_list(view: View, table: Table) -> ListTable | None:
    """Read a grid as the list of `table`; None where it is no such list.

    Only one column of figures can be the form's: where the head divides them (区政府统计数, 区直单位统计数, 乡镇街道统计数), the column of
    the total is read, and none where there is no total: a sum is never made. What else the columns hold stays unexplained.
    """
    out = ListTable()
    if sum(bool(table.list_words.find(text)) for text in view.wordings) < MIN_ROWS:
        return None
    head = _find_head(view, table)
    rows = _match_rows(view, table, head, out)
    if len(rows) - len(out.variants) < (MIN_ROWS if head else MIN_ROWS_WITHOUT_HEAD):
        return None
    head = head or _head_from_figures(view, rows)
    for r in head.rows:
        out.used.update(c for c in view.starting(r) if _is_head_word(table, c))
    for r in range(min(head.rows, default=min(rows))):
        out.used.update(c for c in view.starting(r) if not _DIGIT.search(c.text) or not looks_like_figure(c.text))
    for r, (label, node) in rows.items():
        _read_row(view, head, out, r, label, node)
    return out


# --- columns


def _find_head(view: View, table: Table) -> _Head | None:
    """The head: the rows that name at least two of label, unit and value, and those below it that name no row."""
    words = table.column_words
    named = {r: {words.find(c.text) for c in view.starting(r)} - {None} for r in range(view.grid.n_rows)}
    rows = [r for r, keys in named.items() if len(keys) >= 2 or ("label" in keys and _divides(view, r))]
    if not rows:
        return None
    top = [rows[0]]
    while top[-1] + 1 < view.grid.n_rows and any(c.row <= top[-1] < c.row_end - 1 for c in view.rows[top[-1]] if words.find(c.text)):
        top.append(top[-1] + 1)
    return _head(view, table, top, rows)


def _divides(view: View, row: int) -> bool:
    return sum(bool(_FIGURE_HEAD.search(c.text)) and not _DIGIT.search(c.text) for c in view.starting(row)) >= 2


def _head(view: View, table: Table, top: list[int], rows: list[int]) -> _Head:
    words = table.column_words
    lowest = {col: stack[-1] for col in range(view.grid.n_cols) if (stack := view.stack(top, col))}
    labels = {col for col, c in lowest.items() if words.find(c.text) == "label"}
    units = frozenset(col for col, c in lowest.items() if words.find(c.text) == "unit")
    others = {col: c for col, c in lowest.items() if col not in labels | units and col > min(labels | units | {0})}
    values = {col for col, c in others.items() if words.find(c.text) == "value"} or _only_figures(others)
    first = min({*units, *others}, default=view.grid.n_cols)
    text = " ".join(c.text for col in sorted(values)[:1] for c in view.stack(top, col))
    return _Head(frozenset([*top, *rows]), units, frozenset(values), first, text)


def _only_figures(others: dict[int, Cell]) -> set[int]:
    """The columns of figures, where one head stands over all of them."""
    figures = {col: c for col, c in others.items() if _FIGURE_HEAD.search(c.text)}
    return set(figures) if len(set(figures.values())) == 1 else set()


def _head_from_figures(view: View, rows: dict[int, tuple[Cell, Node]]) -> _Head:
    """Columns of a part that has no head: the only one with figures behind the labels."""
    behind = [c for r, (label, _) in rows.items() for c in view.starting(r) if c.col >= label.col_end]
    values = {c.col for c in behind if _DIGIT.search(c.text) and looks_like_figure(c.text)}
    value = frozenset(values) if len(values) == 1 else frozenset()
    first = min((c.col for c in behind), default=view.grid.n_cols)
    return _Head(frozenset(), frozenset(range(first, min(values, default=first))), value, first)


def _is_head_word(table: Table, cell: Cell) -> bool:
    return not cell.text.strip() or table.column_words.find(cell.text) is not None or table.furniture_words.find(cell.text) is not None


# --- rows


def _match_rows(view: View, table: Table, head: _Head | None, out: ListTable) -> dict[int, tuple[Cell, Node]]:
    """The innermost label of each row with its place in the list. A label alone says which row it is, or its parent's does."""
    labels = table.list_words
    cells = [c for r in range(view.grid.n_rows) if not head or r not in head.rows for c in _label_cells(view, r, head)]
    exact = frozenset(m[0] for c in cells if len(m := labels.find(c.text)) == 1)
    rows: dict[int, tuple[Cell, Node]] = {}
    taken: set[int] = set()
    path: tuple[int, ...] = ()
    for cell in cells:
        meanings, wording = labels.find(cell.text), ""
        if not meanings:
            meanings, wording = labels.similar(cell.text, exact | taken)
        index = labels.under(meanings, path, taken)
        if index is None:
            path = _closed(cell.text, path)
            continue
        taken.add(index)
        path = labels.nodes[index].path
        rows[cell.row] = (cell, labels.nodes[index])
        out.used.add(cell)
        if wording:
            out.variants.append(f"{cell.text!r} read as {wording!r}")
    return rows


def _label_cells(view: View, row: int, head: _Head | None) -> list[Cell]:
    end = head.first if head else view.grid.n_cols
    return [c for c in view.starting(row) if c.text.strip() and c.col < end and not looks_like_figure(c.text)]


def _closed(text: str, path: tuple[int, ...]) -> tuple[int, ...]:
    """What stays open below a row that is not in the list: what follows an unknown section is none of the last one's."""
    plain = compact(text)
    return () if _SECTION.match(plain) else path[:1] if _PART.match(plain) else path


def _read_row(view: View, head: _Head, out: ListTable, row: int, label: Cell, node: Node) -> None:
    behind = [c for c in view.rows[row] if c.col >= label.col_end]
    units = [c for c in overlapping(behind, head.units) if not overlapping([c], head.values)]
    cells = overlapping(behind, head.values)
    indicator = node.item.indicator
    if indicator is None:
        out.used.update(c for c in [*units, *cells] if not _DIGIT.search(c.text))
        return
    out.used.update(units)
    if not cells:
        return
    inked = [c for c in cells if c.text.strip()]
    cell, unit = (inked or cells)[0], " ".join(c.text.strip() for c in units)
    out.places.append(Place(indicator, cell, f"{unit} {head.text}", _doubt(cell, inked, unit)))
    out.used.update(inked)


def _doubt(cell: Cell, inked: list[Cell], unit: str) -> str | None:
    if len(inked) > 1:
        return "several cells stand under one header"
    if cell.row_span > 1:
        return "the cell spans several figures"
    if _SCALE.search(unit) and "元" not in unit:
        return f"the unit is {unit!r}"
    return None
