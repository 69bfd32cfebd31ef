"""Tables of rows by applicants (table three): which row of the form each row of a grid is, and which cell belongs to which column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set

from extract.grid import Cell
from transform.heads import Frame, Sheet
from transform.layout import MatrixRow, Table
from transform.match import Found, Match, is_value
from transform.view import View, overlapping


def match_matrix(view: Sheet, table: Table, number: int) -> Match | None:
    """What a table of rows by applicants explains of a grid; None where the grid has fewer than three of its rows or columns."""
    match = Match(table, number)
    if view.rows_known(table.row_words) < 3:
        return None
    headed = view.heads(table)
    rows = _matrix_rows(view, table, match, headed.repeated)
    if len(rows) < 3:
        return None
    top = range(min(rows))
    columns, named = headed.columns(top)
    if len(columns) < 3:
        return None
    match.use(named)
    heads = headed.repeated.union(top)
    for r in heads:
        match.use(c for c in view.inked[r] if headed.is_head(c))
    frame = view.frame(columns, _label_end(view, rows, columns), _in_form_order(columns, table), _common_end(view, rows))
    for r, (leaf, spec) in rows.items():
        if r not in heads:
            _read_row(view, match, frame, r, leaf, spec)
    return match


def _label_end(view: View, rows: dict[int, tuple[Cell, MatrixRow]], columns: dict[str, list[int]]) -> int | None:
    """Where the labels of most rows end, if the header's first column is there or only empty columns lie between."""
    end = Counter(leaf.col_end for leaf, _ in rows.values()).most_common(1)[0][0]
    first = min(min(cols) for cols in columns.values())
    between = range(end, first)
    empty = not between or all(not c.text.strip() for r in rows for c in overlapping(view.rows[r], between))
    return end if end <= first and empty else None


def _common_end(view: View, rows: Iterable[int]) -> int:
    return Counter(view.rows[r][-1].col_end for r in rows).most_common(1)[0][0]


def _in_form_order(columns: dict[str, list[int]], table: Table) -> bool:
    places = [columns[key][0] for key in table.columns if key in columns]
    return places == sorted(places)


def _matrix_rows(view: View, table: Table, match: Match, repeats: Set[int]) -> dict[int, tuple[Cell, MatrixRow]]:
    """The label cell and row of the form for each row of the grid that has one; exact wordings first, similar ones for what is left."""
    words, specs = table.row_words, table.by_indicator
    rows: dict[int, tuple[Cell, MatrixRow]] = {}
    for r in range(view.grid.n_rows):
        if r in repeats:
            continue
        for cell in reversed(view.labels[r]):
            key = words.find(cell.text)
            if key and _is_leaf(view, r, cell):
                rows[r] = (cell, specs[key])
                break
    if len(rows) < 3:
        return rows
    taken = {spec.indicator for _, spec in rows.values()}
    for r in range(min(rows), view.grid.n_rows):
        if r in rows or r in repeats or not (labels := view.labels[r]):
            continue
        hit = words.similar(labels[-1].text, frozenset(taken))
        if hit:
            rows[r] = (labels[-1], specs[hit.key])
            taken.add(hit.key)
            match.variants.append(f"{labels[-1].text!r} read as {hit.wording!r}")
    return rows


def _is_leaf(view: View, row: int, cell: Cell) -> bool:
    """A row label has figures (or blanks) behind it, not another label: a group's own row has its first leaf there."""
    behind = next((c for c in view.starting(row) if c.col >= cell.col_end), None)
    return behind is not None and is_value(behind)


def _read_row(view: View, match: Match, frame: Frame, row: int, leaf: Cell, spec: MatrixRow) -> None:
    _use_groups(view, match, row, leaf, spec)
    place = row, leaf.col_end, spec.indicator
    if place not in frame.placed:
        found = _place(view, frame, row, leaf, spec.indicator)
        frame.placed[place] = found, [id(f.cell) for f in found]
    found, cells = frame.placed[place]
    match.found += found
    match.used.add(id(leaf))
    match.used.update(cells)


def _place(view: View, frame: Frame, row: int, leaf: Cell, indicator: str) -> list[Found]:
    """The cells of a row by the columns of the header, or by its order."""
    behind = [c for c in view.rows[row] if c.col >= leaf.col_end]
    placed = frame.by_key(behind)
    figures = (_by_columns(placed) if leaf.col_end == frame.label_end else None) or _by_order(behind, frame.columns)
    doubt = None
    if not figures:
        doubt = "the row's cells do not stand under the columns of the header"
        figures = {k: cells[0] for k, cells in placed.items() if cells}
        shared: Counter[int] = Counter()
    else:
        shared = Counter(map(id, figures.values()))
        if not frame.ordered:
            doubt = "the header's columns are not in the order of the form"
        elif view.rows[row][-1].col_end < frame.end and not list(figures.values())[-1].text.strip():
            doubt = "the row lacks a cell, and what is under the last column is blank"
    return [Found(indicator, key, cell, "", doubt or _spread(cell, shared[id(cell)])) for key, cell in figures.items()]


def _spread(cell: Cell, shared: int) -> str | None:
    return "the cell spans several figures" if (cell.row_span > 1 or shared > 1) and cell.text.strip() else None


def _use_groups(view: View, match: Match, row: int, leaf: Cell, spec: MatrixRow) -> None:
    words = match.table.group_words
    for cell in view.rows[row]:
        if cell.col >= leaf.col:
            break
        if group := words.find(cell.text):
            match.used.add(id(cell))
            if spec.group and group in match.table.subgroups and group != spec.group and cell.row == row:
                match.variants.append(f"{leaf.text!r} stands under {cell.text!r}")


def _by_columns(placed: dict[str, list[Cell]]) -> dict[str, Cell] | None:
    """One cell for each column of the header; where a column has several, the only one with text. None where that does not work."""
    out: dict[str, Cell] = {}
    for key, cells in placed.items():
        inked = [c for c in cells if c.text.strip()] if len(cells) > 1 else cells
        if not cells or len(inked) > 1:
            return None
        out[key] = inked[0] if inked else cells[0]
    return out


def _by_order(behind: list[Cell], columns: dict[str, list[int]]) -> dict[str, Cell] | None:
    """The cells behind the label in the header's order, where there are exactly as many as the header has columns."""
    keys = sorted(columns, key=lambda k: columns[k][0])
    cells = [c for c in behind if c.row_span == 1]
    if len(cells) != len(keys) or not all(is_value(c) for c in cells):
        return None
    return dict(zip(keys, cells, strict=True))
