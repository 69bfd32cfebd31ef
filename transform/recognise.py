"""Which table of which form a grid is, and which printed cell is which figure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from extract.grid import Cell, Grid
from transform.heads import Sheet
from transform.labels import normalise
from transform.layout import Layout, Table
from transform.match import Found, Match
from transform.recognise_blocks import match_blocks, match_columns
from transform.recognise_list import read_list
from transform.recognise_matrix import match_matrix
from transform.view import mend_page_breaks


def match_grid(grid: Grid, forms: Sequence[Layout]) -> tuple[Grid, list[list[Match]]]:
    """Recognise the tables of a grid.

    Returns the grid with page breaks mended, and for each section found the best matches, more than one where the table is the same
    in several forms (they explain the same cells).
    """
    tables = [(form.format, table) for form in forms for table in form.tables]
    grid = mend_page_breaks(grid, _knows([t for _, t in tables]))
    view = Sheet(grid)
    by_section: dict[str, list[Match]] = {}
    alike: dict[str, Match | None] = {}
    for number, table in tables:
        if table.content not in alike:
            alike[table.content] = _MATCHERS[table.shape](view, table, number)
        if match := alike[table.content]:
            by_section.setdefault(table.section, []).append(match if match.table is table else replace(match, table=table, format=number))
    return grid, [_best(grid, matches) for matches in by_section.values()]


def _best(grid: Grid, matches: list[Match]) -> list[Match]:
    if len(matches) == 1:
        return matches
    inked = {id(c) for c in grid.cells if c.text.strip()}

    def score(m: Match) -> tuple[int, int]:
        return len({f[:2] for f in m.found}) - len(inked - m.used), -len(m.missing)

    scores = [score(m) for m in matches]
    return [m for m, reached in zip(matches, scores, strict=True) if reached == max(scores)]


def leftover(grid: Grid, used: Collection[int]) -> list[Cell]:
    """Cells with text that nothing explains; `used` are the cells that something does, by their identity."""
    return [c for c in grid.cells if id(c) not in used and c.text.strip()]


def _knows(tables: list[Table]) -> Callable[[str], bool]:
    words = [v for t in tables for v in (t.row_words, t.group_words, t.furniture_words, t.column_words)]
    return lambda text: any(v.find(text) is not None for v in words)


def _match_list(view: Sheet, table: Table, number: int) -> Match | None:
    """The statistical annex."""
    read = read_list(view, table)
    if read is None:
        return None
    found = [Found(p.indicator, None, p.cell, p.header, p.doubt) for p in read.places]
    return Match(table, number, found, set(map(id, read.used)), read.variants)


_MATCHERS = {"matrix": match_matrix, "blocks": match_blocks, "columns": match_columns, "list": _match_list}


def form_labels(grid: Grid, forms: Sequence[Layout]) -> list[str]:
    """Texts of a grid that are row wordings of any form: a table that has them and matched nothing must not pass unseen."""
    words = [t.row_words for form in forms for t in form.tables if t.shape != "columns"]
    return [c.text for c in grid.cells if len(normalise(c.text)) >= 4 and any(w.find(c.text) for w in words)]
