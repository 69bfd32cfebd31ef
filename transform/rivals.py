"""Two tables of one section in one report that can't both be its own: last year's, another body's, a copy that differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from extract.grid import Grid
from transform.check import Key
from transform.layout import Layout, Table
from transform.numbers import Figure

#: Section and number of a table.
Place = tuple[str, int]
#: Tables are rivals where they share at least this part of the figures of the smaller one, and any of these differs.
SHARED = 0.5
#: A table that could not be read is a rival where it names at least this part of the figures of one that could.
NAMED = 0.6


def rivals(tables: Mapping[Place, Mapping[Key, Figure]], unread: Iterable[frozenset[str]]) -> set[Place]:
    """The tables that another table of the same section contradicts.

    `tables` are the figures of each table, `unread` the indicators that tables name by their row labels although they could not be read.
    Parts of one table cut in several share no figures, and are no rivals.
    """
    found: set[Place] = set()
    for (one, figures), (two, others) in combinations(tables.items(), 2):
        shared = figures.keys() & others.keys()
        differ = any((figures[k].value, figures[k].status) != (others[k].value, others[k].status) for k in shared)
        if one[0] == two[0] and differ and len(shared) >= SHARED * min(len(figures), len(others)):
            found |= {one, two}
    for place, figures in tables.items():
        named = {indicator for indicator, _ in figures}
        if any(len(named & names) >= NAMED * len(named) for names in unread):
            found.add(place)
    return found


def named_rows(grid: Grid, forms: Sequence[Layout]) -> frozenset[str]:
    """Indicators of the rows that a grid names in the words of any form."""
    texts = [c.text for c in grid.cells if c.text.strip()]
    return frozenset(i for form in forms for table in form.tables for text in texts for i in _indicators(table, text))


def _indicators(table: Table, text: str) -> Iterable[str]:
    if table.shape not in ("matrix", "blocks") or (key := table.row_words.find(text)) is None:
        return ()
    if table.shape == "matrix":
        return (key,)
    return [i for block in table.blocks for row in block.rows if row.label[0] == key for i in row.cells.values()]
