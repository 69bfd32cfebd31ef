"""Tables of stacked blocks under changing headers (table two) and of one row of figures under two rows of heads (table four)."""

from __future__ import annotations

from extract.grid import Cell
from transform.heads import Sheet, stacked_key
from transform.layout import Table
from transform.match import Found, Match
from transform.view import overlapping

# --- blocks: table two


def match_blocks(view: Sheet, table: Table, number: int) -> Match | None:
    """What a table of blocks explains of a grid; None where nothing of it is there."""
    match = Match(table, number)
    rows, find, headed = table.row_words, table.column_words.find, view.heads(table)
    if not any(rows.find(text) is not None for text in view.wordings):
        return None
    heads: list[int] = []
    body = False  # whether a row of figures has followed the present header
    for r, labels in enumerate(view.labels):
        if not labels:
            continue
        label, inked = labels[0], view.inked[r]
        key = rows.find(label.text)
        if key and heads and label is inked[0]:
            _read_block_row(view, match, table.block_cells[key], heads, r, label)
            body = True
        elif headed.is_furniture(label) or any(find(c.text) for c in inked) or (heads and not body and len(labels) == len(inked)):
            heads = [r] if body else [*heads, r]
            body = False
            match.use(c for c in inked if headed.is_furniture(c))
    return match if match.found else None


def _read_block_row(view: Sheet, match: Match, cells_of: dict[str, str], heads: list[int], row: int, label: Cell) -> None:
    columns, named = view.heads(match.table).columns(heads)
    match.use(named)
    behind = [c for c in view.rows[row] if c.col >= label.col_end]
    wanted = {key: overlapping(behind, columns[key]) for key in cells_of if key in columns}
    if not wanted:
        return
    match.used.add(id(label))
    for key, cells in wanted.items():
        inked = [c for c in cells if c.text.strip()]
        if not cells:
            continue
        cell = (inked or cells)[0]
        doubt = "several cells stand under one header" if len(inked) > 1 else None
        if cell.col_span > 1 and cell.text.strip() and sum(cell in other for other in wanted.values()) > 1:
            doubt = "the cell spans several figures"
        header = " ".join(c.text for c in view.stack(heads, columns[key][0]))
        match.found.append(Found(cells_of[key], None, cell, header, doubt))
        match.use(inked)


# --- columns: table four


def match_columns(view: Sheet, table: Table, number: int) -> Match | None:
    """What a table of one row of figures explains of a grid; None where fewer than two of its heads stand in one row."""
    match = Match(table, number)
    find, headed = table.column_words.find, view.heads(table)
    if view.known(table.column_words) < 2:
        return None
    heads = [r for r, row in enumerate(view.worded) if len(row) >= 2 and sum(find(c.text) is not None for c in row) >= 2]
    if not heads:
        return None
    above = range(heads[-1] + 1)
    places = _outcome_columns(view, table, above, match)
    if len(places) < 2 * len(table.columns):
        return None
    for r in above:
        match.use(c for c in view.inked[r] if table.group_words.find(c.text) or headed.is_head(c))
    _read_figures(view, match, places, heads[-1] + 1)
    return match


def _outcome_columns(view: Sheet, table: Table, heads: range, match: Match) -> dict[int, str]:
    """Indicator of each grid column: the outcome named lowest above it, under the group that covers it.

    By order where a group's cell does not.
    """
    words, groups = table.column_words, table.group_words
    prefixes = {g.label[0]: g.prefix for g in table.groups}
    found: list[tuple[int, str, str | None]] = []
    for col, stack in enumerate(view.stacks(heads)):
        key, cells = stacked_key([c for c in stack if not groups.find(c.text)], words)
        if key and not (found and cells[-1].col < col and cells[-1].col_span > 1):
            group = next((g for c in reversed(stack) if (g := groups.find(c.text))), None)
            found.append((col, key, prefixes[group] if group else None))
            match.use(cells)
    expected = [(g.prefix, key) for g in table.groups for key in table.columns]
    if [key for _, key, _ in found] == [key for _, key in expected] and all(
        p in (None, e) for (_, _, p), (e, _) in zip(found, expected, strict=True)
    ):
        return {col: f"{prefix}_{key}" for (col, _, _), (prefix, key) in zip(found, expected, strict=True)}
    return {col: f"{prefix}_{key}" for col, key, prefix in found if prefix}


def _read_figures(view: Sheet, match: Match, places: dict[int, str], start: int) -> None:
    repeated = view.heads(match.table).repeated
    rows = [r for r in range(start, view.grid.n_rows) if r not in repeated]
    filled = [r for r in rows if len(view.labels[r]) < len(view.inked[r])]
    chosen = filled[:1] or rows[:1]
    doubt = "several rows of figures under one header" if len(filled) > 1 else None
    for r in chosen:
        for col, indicator in places.items():
            for cell in overlapping(view.rows[r], [col]):
                shared = cell.col_span > 1 and sum(cell.col <= c < cell.col_end for c in places) > 1 and bool(cell.text.strip())
                match.found.append(Found(indicator, None, cell, doubt=doubt or ("the cell spans several figures" if shared else None)))
                match.used.add(id(cell))
