"""The official forms laid out as tables, for the site's report pages: from the layouts of `transform` to plain rows of cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from transform.layout import Item, MatrixRow, Table, layouts
from warehouse.site.model import FormTable

Cell = dict[str, Any]
Rows = list[list[Cell]]

#: A row of the first order: 一、 二、 …; rows of table three without it belong to the group that no row names as its own.
_FIRST_ORDER = re.compile("[一二三四五六七八九十]+、")


def forms() -> list[FormTable]:
    """Every table of every form, newest form first."""
    return [FormTable(table.section, layout.format, _rows(table)) for layout in layouts() for table in layout.tables]


def _rows(table: Table) -> Rows:
    match table.shape:
        case "matrix":
            return _matrix(table)
        case "blocks":
            return _blocks(table)
        case "columns":
            return _columns(table)
        case "list":
            return [row for item in table.items for row in _item(item, 0)]


def _head(text: str, scope: str, columns: int = 1, rows: int = 1, **more: Any) -> Cell:
    return {"t": text, "s": scope, **({"c": columns} if columns > 1 else {}), **({"r": rows} if rows > 1 else {}), **more}


def _figure(indicator: str, applicant: str | None = None, columns: int = 1) -> Cell:
    return {"k": [indicator, applicant], **({"c": columns} if columns > 1 else {})}


def _matrix(table: Table) -> Rows:
    """Table three: rows by applicants; three columns of labels, as deep as the groups go."""
    note, situation, bodies = table.furniture
    inner = [a for a in table.columns if a not in ("natural_person", "total")]
    rows: Rows = [
        [_head(f"（{note}）", "col", 3, 3), _head(situation, "colgroup", len(table.columns))],
        [
            _head(table.columns["natural_person"][0], "col", rows=2, a="natural_person"),
            _head(bodies, "colgroup", len(inner)),
            _head(table.columns["total"][0], "col", rows=2, a="total"),
        ],
        [_head(table.columns[a][0], "col", a=a) for a in inner],
    ]
    outer = next(g.label[0] for g in table.groups if all(r.group != g.label[0] for r in table.rows))
    for first, group in groupby(table.rows, lambda r: _FIRST_ORDER.match(r.label[0]) is not None):
        members = list(group)
        rows += [_matrix_row(r, table, 3) for r in members] if first else _grouped(members, table, outer)
    return rows


def _matrix_row(row: MatrixRow, table: Table, columns: int) -> list[Cell]:
    return [_head(row.label[0], "row", columns, i=row.indicator), *(_figure(row.indicator, a) for a in table.columns)]


def _grouped(found: Sequence[MatrixRow], table: Table, outer: str) -> Rows:
    """The rows of 三、本年度办理结果: its label beside all of them, the label of each inner group beside its own."""
    rows: Rows = []
    for group, some in groupby(found, lambda r: r.group):
        members = list(some)
        made = [_matrix_row(r, table, 1 if group else 2) for r in members]
        if group:
            made[0].insert(0, _head(group, "rowgroup", rows=len(members)))
        rows += made
    rows[0].insert(0, _head(outer, "rowgroup", rows=len(found)))
    return rows


def _blocks(table: Table) -> Rows:
    """Table two: blocks with heads of their own, as wide as the widest."""
    width = max(len(row.cells) for block in table.blocks for row in block.rows)
    rows: Rows = []
    for block in table.blocks:
        names = list(dict.fromkeys(column for row in block.rows for column in row.cells))
        spans = _spread(width, len(names))
        rows.append([_head(block.heading, "colgroup", width + 1)])
        rows.append([_head("信息内容", "col"), *(_head(table.columns[n][0], "col", c) for n, c in zip(names, spans, strict=True))])
        for row in block.rows:
            cells = [_figure(row.cells[n], None, c) if n in row.cells else _head("", "") for n, c in zip(names, spans, strict=True)]
            rows.append([_head(row.label[0], "row"), *cells])
    return rows


def _spread(width: int, parts: int) -> list[int]:
    """`parts` spans that fill `width` columns, the last ones wider."""
    base, more = divmod(width, parts)
    return [base + (i >= parts - more) for i in range(parts)]


def _columns(table: Table) -> Rows:
    """Table four: one row of figures under heads of two or three rows; suits stand under a head of their own."""
    suits = [g for g in table.groups if (g.prefix or "").startswith("litigation")]
    others = [g for g in table.groups if g not in suits]
    wide = len(table.columns)
    return [
        [*(_head(g.label[0], "colgroup", wide, 2) for g in others), _head(table.furniture[0], "colgroup", wide * len(suits))],
        [_head(g.label[0], "colgroup", wide) for g in suits],
        [_head(words[0], "col") for _ in table.groups for words in table.columns.values()],
        [_figure(f"{g.prefix}_{key}") for g in [*others, *suits] for key in table.columns],
    ]


def _item(item: Item, depth: int) -> Rows:
    """A row of a list and those below it; `d` is how deep it stands."""
    label = _head(item.label[0], "row", **({"i": item.indicator} if item.indicator else {"c": 2}), **({"d": depth} if depth else {}))
    row = [label, _figure(item.indicator)] if item.indicator else [label]
    return [row, *(inner for below in item.items for inner in _item(below, depth + 1))]
