"""Which table of which form a grid is, and which printed cell is which figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field

from extract.grid import Cell, Grid
from transform.labels import Vocabulary, normalise
from transform.layout import Layout, MatrixRow, Table
from transform.numbers import looks_like_figure
from transform.recognise_list import read_list
from transform.view import View, mend_page_breaks, overlapping


@dataclass(frozen=True, slots=True)
class Found:
    """A printed cell that a form explains. `header` is the text of its column's head; `doubt` says why the place is not certain."""

    indicator: str
    applicant: str | None
    cell: Cell
    header: str = ""
    doubt: str | None = None


@dataclass(slots=True)
class Match:
    """What one table of one form explains of a grid."""

    table: Table
    format: int
    found: list[Found] = field(default_factory=list)
    used: set[Cell] = field(default_factory=set)
    variants: list[str] = field(default_factory=list)

    @property
    def missing(self) -> dict[str, str]:
        """Indicators of the form's table that the grid does not have, with their labels."""
        have = {f.indicator for f in self.found}
        return {i: label for i, label in self.table.indicators().items() if i not in have}


def match_grid(grid: Grid, forms: Sequence[Layout]) -> tuple[Grid, list[list[Match]]]:
    """Recognise the tables of a grid.

    Returns the grid with page breaks mended, and for each section found the best matches, more than one where the table is the same
    in several forms (they explain the same cells).
    """
    tables = [(form.format, table) for form in forms for table in form.tables]
    grid = mend_page_breaks(grid, _knows([t for _, t in tables]))
    view = View(grid)
    by_section: dict[str, list[Match]] = {}
    for number, table in tables:
        match = _MATCHERS[table.shape](view, table, number)
        if match:
            by_section.setdefault(table.section, []).append(match)
    return grid, [_best(view, matches) for matches in by_section.values()]


def _best(view: View, matches: list[Match]) -> list[Match]:
    def score(m: Match) -> tuple[int, int]:
        return len({(f.indicator, f.applicant) for f in m.found}) - len(leftover(view.grid, m.used)), -len(m.missing)

    if len(matches) == 1:
        return matches
    scores = [score(m) for m in matches]
    return [m for m, reached in zip(matches, scores, strict=True) if reached == max(scores)]


def leftover(grid: Grid, used: Iterable[Cell]) -> list[Cell]:
    """Cells with text that nothing explains."""
    known = set(used)
    return [c for c in grid.cells if c.text.strip() and c not in known]


def _knows(tables: list[Table]) -> Callable[[str], bool]:
    words = [v for t in tables for v in (t.row_words, t.group_words, t.furniture_words, t.column_words)]
    return lambda text: any(v.find(text) is not None for v in words)


def is_value(cell: Cell) -> bool:
    """Whether a cell can be a figure and not a label."""
    return looks_like_figure(cell.text)


# --- matrix: table three


def _known(view: View, words: Vocabulary[str]) -> int:
    """How many cells have a wording of the form."""
    return sum(words.find(c.text) is not None for c in view.grid.cells)


def _match_matrix(view: View, table: Table, number: int) -> Match | None:
    match = Match(table, number)
    if _known(view, table.row_words) < 3:
        return None
    repeats = frozenset(r for r in range(view.grid.n_rows) if _repeats_header(view, table, r))
    rows = _matrix_rows(view, table, match, repeats)
    if len(rows) < 3:
        return None
    heads = [r for r in range(view.grid.n_rows) if r < min(rows) or r in repeats]
    columns = _header_columns(view, table, [r for r in heads if r < min(rows)], match)
    if len(columns) < 3:
        return None
    for r in heads:
        match.used.update(c for c in view.starting(r) if _is_head(table, c) or c in match.used)
    frame = _Frame(columns, _label_end(view, rows, columns), _in_form_order(columns, table), _common_end(view, rows))
    for r, (leaf, spec) in rows.items():
        if r not in heads:
            _read_row(view, match, frame, r, leaf, spec)
    return match


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the figures of a matrix stand: grid columns of each key, the column at which labels end (None where the header does not fit the
    rows), whether the header has the form's order, and where most rows end."""

    columns: dict[str, list[int]]
    label_end: int | None
    ordered: bool
    end: int


def _label_end(view: View, rows: dict[int, tuple[Cell, MatrixRow]], columns: dict[str, list[int]]) -> int | None:
    """Where the labels of most rows end, if the header's first column is there or only empty columns lie between."""
    end = Counter(leaf.col_end for leaf, _ in rows.values()).most_common(1)[0][0]
    first = min(min(cols) for cols in columns.values())
    between = range(end, first)
    empty = all(not c.text.strip() for r in rows for c in overlapping(view.rows[r], between))
    return end if end <= first and empty else None


def _common_end(view: View, rows: Iterable[int]) -> int:
    return Counter(view.rows[r][-1].col_end for r in rows).most_common(1)[0][0]


def _in_form_order(columns: dict[str, list[int]], table: Table) -> bool:
    places = [columns[key][0] for key in table.columns if key in columns]
    return places == sorted(places)


def _matrix_rows(view: View, table: Table, match: Match, repeats: Set[int]) -> dict[int, tuple[Cell, MatrixRow]]:
    """The label cell and row of the form for each row of the grid that has one; exact wordings first, similar ones for what is left."""
    words, specs = table.row_words, {s.indicator: s for s in table.rows}
    rows: dict[int, tuple[Cell, MatrixRow]] = {}
    for r in range(view.grid.n_rows):
        if r in repeats:
            continue
        for cell in reversed(_labels(view, r)):
            key = words.find(cell.text)
            if key and _is_leaf(view, r, cell):
                rows[r] = (cell, specs[key])
                break
    if len(rows) < 3:
        return rows
    taken = {spec.indicator for _, spec in rows.values()}
    for r in range(min(rows), view.grid.n_rows):
        if r in rows or r in repeats or not (labels := _labels(view, r)):
            continue
        hit = words.similar(labels[-1].text, frozenset(taken))
        if hit:
            rows[r] = (labels[-1], specs[hit.key])
            taken.add(hit.key)
            match.variants.append(f"{labels[-1].text!r} read as {hit.wording!r}")
    return rows


def _labels(view: View, row: int) -> list[Cell]:
    return [c for c in view.starting(row) if c.text.strip() and not is_value(c)]


def _is_leaf(view: View, row: int, cell: Cell) -> bool:
    """A row label has figures (or blanks) behind it, not another label: a group's own row has its first leaf there."""
    behind = [c for c in view.starting(row) if c.col >= cell.col_end]
    return bool(behind) and is_value(behind[0])


def _is_head(table: Table, cell: Cell) -> bool:
    return not cell.text.strip() or table.column_words.find(cell.text) is not None or _is_furniture(table, cell)


def _is_furniture(table: Table, cell: Cell) -> bool:
    words = table.furniture_words
    return words.find(cell.text) is not None or words.similar(cell.text) is not None


def _repeats_header(view: View, table: Table, row: int) -> bool:
    words, starting = table.column_words, view.starting(row)
    if len({k for c in view.rows[row] if (k := words.find(c.text)) and not is_value(c)}) >= 3:
        return True
    inked = [c for c in starting if c.text.strip()]
    # one head among blanks is the row （七）总计 or 3.其他, left empty
    return bool(inked) and (len(inked) > 1 or len(inked) == len(starting)) and all(_is_head(table, c) for c in inked)


def _header_columns(view: View, table: Table, heads: list[int], match: Match) -> dict[str, list[int]]:
    """Grid columns of each key of the form's columns, from the texts stacked above them."""
    words = table.column_words
    columns: dict[str, list[int]] = {}
    for col in range(view.grid.n_cols):
        stack = [c for c in view.stack(heads, col) if not _is_furniture(table, c)]
        key, cells = _stacked_key(stack, words)
        if key:
            columns.setdefault(key, []).append(col)
            match.used.update(cells)
    return {key: cols for key, cols in columns.items() if cols[-1] - cols[0] == len(cols) - 1}


def _stacked_key(stack: list[Cell], words: Vocabulary[str]) -> tuple[str | None, list[Cell]]:
    """The key that the lowest cells of a stack spell, together or one alone."""
    for first in range(len(stack)):
        cells = stack[first:]
        key = words.find("".join(c.text for c in cells))
        if key:
            return key, cells
    return next(((k, [c]) for c in reversed(stack) if (k := words.find(c.text))), (None, []))


def _read_row(view: View, match: Match, frame: _Frame, row: int, leaf: Cell, spec: MatrixRow) -> None:
    match.used.add(leaf)
    _use_groups(view, match, row, leaf, spec)
    behind = [c for c in view.rows[row] if c.col >= leaf.col_end]
    placed = {key: overlapping(behind, cols) for key, cols in frame.columns.items()}
    figures = (_by_columns(placed) if leaf.col_end == frame.label_end else None) or _by_order(behind, frame.columns)
    doubt = None
    if not figures:
        doubt = "the row's cells do not stand under the columns of the header"
    elif not frame.ordered:
        doubt = "the header's columns are not in the order of the form"
    elif view.rows[row][-1].col_end < frame.end and not list(figures.values())[-1].text.strip():
        doubt = "the row lacks a cell, and what is under the last column is blank"
    shared = Counter(id(cell) for cell in (figures or {}).values())
    for key, cell in (figures or {k: cells[0] for k, cells in placed.items() if cells}).items():
        spans = cell.row_span > 1 or shared[id(cell)] > 1
        spread = "the cell spans several figures" if spans and cell.text.strip() else None
        match.found.append(Found(spec.indicator, key, cell, doubt=doubt or spread))
        match.used.add(cell)


def _use_groups(view: View, match: Match, row: int, leaf: Cell, spec: MatrixRow) -> None:
    words = match.table.group_words
    for cell in view.rows[row]:
        if cell.col < leaf.col and (group := words.find(cell.text)):
            match.used.add(cell)
            if spec.group and _is_subgroup(match.table, group) and group != spec.group and cell.row == row:
                match.variants.append(f"{leaf.text!r} stands under {cell.text!r}")


def _is_subgroup(table: Table, group: str) -> bool:
    return any(r.group == group for r in table.rows)


def _by_columns(placed: dict[str, list[Cell]]) -> dict[str, Cell] | None:
    """One cell for each column of the header; where a column has several, the only one with text. None where that does not work."""
    out: dict[str, Cell] = {}
    for key, cells in placed.items():
        inked = [c for c in cells if c.text.strip()]
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


# --- blocks: table two


def _match_blocks(view: View, table: Table, number: int) -> Match | None:
    match = Match(table, number)
    rows, columns = table.row_words, table.column_words
    if not _known(view, rows):
        return None
    cells_of = {r.label[0]: r.cells for b in table.blocks for r in b.rows}
    heads: list[int] = []
    body = False  # whether a row of figures has followed the present header
    for r in range(view.grid.n_rows):
        inked = [c for c in view.starting(r) if c.text.strip()]
        label = next((c for c in inked if not is_value(c)), None)
        if label is None:
            continue
        key = rows.find(label.text)
        if key and heads and label is inked[0]:
            _read_block_row(view, match, cells_of[key], heads, r, label)
            body = True
        elif (
            _is_furniture(table, label)
            or any(columns.find(c.text) for c in inked)
            or (heads and not body and not any(map(is_value, inked)))
        ):
            heads = [r] if body else [*heads, r]
            body = False
            match.used.update(c for c in inked if _is_furniture(table, c))
    return match if match.found else None


def _read_block_row(view: View, match: Match, cells_of: dict[str, str], heads: list[int], row: int, label: Cell) -> None:
    columns = _header_columns(view, match.table, heads, match)
    behind = [c for c in view.rows[row] if c.col >= label.col_end]
    wanted = {key: overlapping(behind, columns[key]) for key in cells_of if key in columns}
    if not wanted:
        return
    match.used.add(label)
    for key, cells in wanted.items():
        inked = [c for c in cells if c.text.strip()]
        if not cells:
            continue
        cell = (inked or cells)[0]
        doubt = "several cells stand under one header" if len(inked) > 1 else None
        if cell.text.strip() and sum(cell in other for other in wanted.values()) > 1:
            doubt = "the cell spans several figures"
        header = " ".join(c.text for c in view.stack(heads, columns[key][0]))
        match.found.append(Found(cells_of[key], None, cell, header, doubt))
        match.used.update(inked)


# --- columns: table four


def _match_columns(view: View, table: Table, number: int) -> Match | None:
    match = Match(table, number)
    words = table.column_words
    if _known(view, words) < 2:
        return None
    heads = [r for r in range(view.grid.n_rows) if sum(words.find(c.text) is not None for c in view.rows[r]) >= 2]
    if not heads:
        return None
    above = list(range(heads[-1] + 1))
    places = _outcome_columns(view, table, above, match)
    if len(places) < 2 * len(table.columns):
        return None
    for r in above:
        match.used.update(c for c in view.starting(r) if table.group_words.find(c.text) or _is_head(table, c))
    _read_figures(view, match, places, heads[-1] + 1)
    return match


def _outcome_columns(view: View, table: Table, heads: list[int], match: Match) -> dict[int, str]:
    """Indicator of each grid column: the outcome named lowest above it, under the group that covers it.

    By order where a group's cell does not.
    """
    words, groups = table.column_words, table.group_words
    prefixes = {g.label[0]: g.prefix for g in table.groups}
    found: list[tuple[int, str, str | None]] = []
    for col in range(view.grid.n_cols):
        stack = view.stack(heads, col)
        key, cells = _stacked_key([c for c in stack if not groups.find(c.text)], words)
        if key and not (found and cells[-1].col < col and cells[-1].col_span > 1):
            group = next((g for c in reversed(stack) if (g := groups.find(c.text))), None)
            found.append((col, key, prefixes[group] if group else None))
            match.used.update(cells)
    expected = [(g.prefix, key) for g in table.groups for key in table.columns]
    if [key for _, key, _ in found] == [key for _, key in expected] and all(
        p in (None, e) for (_, _, p), (e, _) in zip(found, expected, strict=True)
    ):
        return {col: f"{prefix}_{key}" for (col, _, _), (prefix, key) in zip(found, expected, strict=True)}
    return {col: f"{prefix}_{key}" for col, key, prefix in found if prefix}


def _read_figures(view: View, match: Match, places: dict[int, str], start: int) -> None:
    rows = [r for r in range(start, view.grid.n_rows) if not _repeats_header(view, match.table, r)]
    filled = [r for r in rows if any(c.text.strip() and is_value(c) for c in view.starting(r))]
    chosen = filled[:1] or rows[:1]
    doubt = "several rows of figures under one header" if len(filled) > 1 else None
    for r in chosen:
        for col, indicator in places.items():
            for cell in overlapping(view.rows[r], [col]):
                shared = sum(cell.col <= c < cell.col_end for c in places) > 1 and bool(cell.text.strip())
                match.found.append(Found(indicator, None, cell, doubt=doubt or ("the cell spans several figures" if shared else None)))
                match.used.add(cell)


# --- list: the statistical annex


def _match_list(view: View, table: Table, number: int) -> Match | None:
    read = read_list(view, table)
    if read is None:
        return None
    found = [Found(p.indicator, None, p.cell, p.header, p.doubt) for p in read.places]
    return Match(table, number, found, read.used, read.variants)


_MATCHERS = {"matrix": _match_matrix, "blocks": _match_blocks, "columns": _match_columns, "list": _match_list}


def form_labels(grid: Grid, forms: Sequence[Layout]) -> list[str]:
    """Texts of a grid that are row wordings of any form: a table that has them and matched nothing must not pass unseen."""
    words = [t.row_words for form in forms for t in form.tables if t.shape != "columns"]
    return [c.text for c in grid.cells if len(normalise(c.text)) >= 4 and any(w.find(c.text) for w in words)]
