"""Tables inside tables: which of them is layout, and where the figures of a table in a cell belong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from typing import cast

from lxml.etree import _Element as Element

from extract.grid import Cell, Grid

#: A cell with a table has no more text than this of its own, if the table around it is one of data.
MAX_LABEL = 60
#: So many rows with so many figures each make a table with tables inside one of data.
MIN_ROWS, MIN_FIGURES = 3, 3
#: A cell with more text than this, alone in its table, is the report itself or a part of it.
MAX_ARTICLE = 120
_HEADING = re.compile("[一二三四五六]、")
_SPACES = re.compile(r"[\s\u200b\ufeff]+")
_FIGURE = re.compile(r"^(?:[+\-]?[\d,.]*\d|[-—－/]+)$")


def is_data_table(table: Element) -> bool:
    """Whether a table is one of data: the innermost ones, and those with a table inside some of their cells only (domain.md Q-14).

    A table of figures has rows of figures of its own; a layout table has cells with tables, text and headings, or one cell with an article.
    A table of one cell that is all there is in its cell is no table inside.
    """
    inner = [t for t in table.iterdescendants("table") if not _is_wrapper(t)]
    if not inner:
        return not _holds_an_article(table)
    if any(next(t.iterdescendants("table"), None) is not None for t in inner):
        return False
    hosts = {host for t in inner if (host := _host(t)) is not None}
    return all(len(own_text(h)) <= MAX_LABEL for h in hosts) and _rows_of_figures(table) >= MIN_ROWS


def _holds_an_article(table: Element) -> bool:
    """Whether all the text of a table is in one cell, and is more than a figure or label."""
    texts = (text for cell in table.iter("td", "th") if (text := _whole_text(cell)))
    only, other = next(texts, ""), next(texts, None)
    return other is None and (len(only) > MAX_ARTICLE or bool(_HEADING.match(only)))


def _is_wrapper(table: Element) -> bool:
    host = _host(table)
    if host is None or next(table.iterdescendants("table"), None) is not None:
        return False
    cells = list(table.iter("td", "th"))
    text = _whole_text(table)
    return len(cells) == 1 and len(text) <= MAX_LABEL and text == _whole_text(host)


def _host(table: Element) -> Element | None:
    return next(table.iterancestors("td", "th", "table"), None)


def own_text(cell: Element) -> str:
    """Text of a cell without that of the tables in it, without white space."""
    parts: list[str] = []
    stack: list[Element | str] = [cell]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
        elif item is cell or (isinstance(item.tag, str) and item.tag != "table"):
            stack.extend(reversed([item.text or "", *(part for child in item for part in (child, child.tail or ""))]))
    return _squeezed("".join(parts))


def _rows_of_figures(table: Element) -> int:
    return sum(_figures(row) >= MIN_FIGURES for row in table.iter("tr") if _own_table(row) is table)


def _own_table(row: Element) -> Element | None:
    return next(row.iterancestors("table"), None)


def _figures(row: Element) -> int:
    cells = (c for c in row.iter("td", "th") if next(takewhile(lambda a: a is not row, c.iterancestors("tr")), None) is None)
    return sum(bool(_FIGURE.match(_whole_text(c))) for c in cells)


def _whole_text(element: Element) -> str:
    """All text in an element, that of the tables in it too, without white space."""
    return _squeezed("".join(cast("Iterator[str]", element.itertext())))


def _squeezed(text: str) -> str:
    return _SPACES.sub("", text)


# --- laying out


def expand(grid: Grid, hosts: list[tuple[Cell, Grid]]) -> Grid:
    """The grid with the cells of the tables inside in the place of the cells that hold them.

    Only where the place is certain: the inner table is as wide as its cell, and all inner tables of a row have as many rows. Elsewhere
    the cell stays, with all text of the inner table as its own, which is no figure.
    """
    by_row: dict[int, list[tuple[Cell, Grid]]] = {}
    for host, inner in hosts:
        by_row.setdefault(host.row, []).append((host, inner))
    for row in sorted(by_row, reverse=True):
        if _fits(by_row[row]):
            grid = _opened(grid, row, by_row[row])
    return grid


def _fits(hosts: list[tuple[Cell, Grid]]) -> bool:
    same = len({inner.n_rows for _, inner in hosts}) == 1
    return same and all(inner.n_cols == host.col_span and host.row_span in (1, inner.n_rows) for host, inner in hosts)


def _opened(grid: Grid, row: int, hosts: list[tuple[Cell, Grid]]) -> Grid:
    """Cells of inner tables in place of their hosts; a host one row high gets as many rows as its table has."""
    height = hosts[0][1].n_rows
    more = height - 1 if hosts[0][0].row_span == 1 else 0
    if any((host.row_span == 1) != (more > 0 or height == 1) for host, _ in hosts):
        return grid
    held = {(host.row, host.col) for host, _ in hosts}
    cells = [_pushed(c, row, more) for c in grid.cells if (c.row, c.col) not in held]
    for host, inner in hosts:
        cells.extend(c.moved(host.row, host.col) for c in inner.cells)
    cells.sort(key=lambda c: (c.row, c.col))
    return replace(grid, cells=cells, n_rows=grid.n_rows + more)


def _pushed(cell: Cell, row: int, more: int) -> Cell:
    if cell.row > row:
        return cell.moved(rows=more)
    return replace(cell, row_span=cell.row_span + more) if cell.row_end > row else cell
