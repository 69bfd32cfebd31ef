"""Tables made of div, ul or span elements: found by their structure, never by their style."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lxml.etree import _Element as Element

from extract.grid import Cell, Grid

METHOD = "html-div"
MAX_TEXT = 80
MIN_ROWS, MIN_FIGURES = 3, 2
MAX_DEPTH = 3

#: Heads of the official tables: without one of them, rows of boxes are menus and lists.
_HEADS = re.compile("信息内容|现行有效件|本年处理决定数量|自然人|结果维持|信息內容|現行有效件|本年處理決定數量|結果維持")
_HEADING = re.compile(r"^[一二三四五六]、")
_FIGURE = re.compile(r"^(?:[+\-]?[\d,.]*\d|[-—－/]+)$")
_ROWS = frozenset(["div", "section", "article", "ul", "ol", "li", "dl"])
_CELLS = frozenset(["div", "span", "p", "li", "dt", "dd", "label"])
_NO_LEAF = _ROWS | {"p", "dt", "dd", "table", "form", "h1", "h2", "h3", "h4", "h5", "h6", "img", "iframe"}
_Row = list[Element]


def div_grids(root: Element, text_of: Callable[[Element], str]) -> dict[Element, Grid]:
    """Containers that print a table of the form without a table element, with their grids; `text_of` gives a cell's text.

    A table is a container of nothing but rows, a row one of nothing but short texts. Rows have as many cells as the widest row, or one
    cell, or as many as a row beside them: what has no sure place makes no table.
    """
    found: dict[Element, Grid] = {}
    for element in _candidates(root):
        if not any(a in found for a in element.iterancestors()) and (grid := _grid(element, text_of)):
            found[element] = grid
    return found


def _candidates(root: Element) -> list[Element]:
    """Containers around a head of the form that stands in no table, outermost first."""
    heads = [e for e in root.iter(*_CELLS) if e.text and _HEADS.search(e.text) and next(e.iterancestors("table"), None) is None]
    around = {a: None for head in heads for a in head.iterancestors(*_ROWS)}
    return sorted(around, key=lambda e: sum(1 for _ in e.iterancestors()))


def _grid(element: Element, text_of: Callable[[Element], str]) -> Grid | None:
    rows = _rows(element)
    if rows is None or len(rows) < MIN_ROWS:
        return None
    widths = [len(row) for row in rows]
    texts = [[text_of(cell) for cell in row] for row in rows]
    if max(widths) < 2 or not all(_has_place(widths, r) for r in range(len(rows))) or not _is_form(texts):
        return None
    cells = [cell for r, row in enumerate(texts) for cell in _placed(row, r, max(widths))]
    return Grid(cells, len(rows), max(widths), METHOD)


def _rows(element: Element, depth: int = 0) -> list[_Row] | None:
    """The rows of a container, None where it holds anything else."""
    out: list[_Row] = []
    if depth > MAX_DEPTH or element.tag not in _ROWS or _loose_text(element):
        return None
    for child in _shown(element):
        inside: list[_Row] | None
        if _is_row(child):
            inside = [list(_shown(child))]
        elif _is_leaf(child):
            inside = [[child]]
        else:
            inside = _rows(child, depth + 1)
        if inside is None:
            return None
        out.extend(inside)
    return out


def _shown(element: Element) -> Iterator[Element]:
    for child in element:
        style = re.sub(r"\s", "", child.get("style") or "").lower()
        if isinstance(child.tag, str) and child.get("hidden") is None and "display:none" not in style:
            yield child


def _loose_text(element: Element) -> bool:
    return any(text and text.strip() for text in (element.text, *(child.tail for child in element)))


def _is_leaf(element: Element) -> bool:
    """Whether an element can be one cell: text, with marks inside at most."""
    blocks = any(isinstance(e.tag, str) and e.tag in _NO_LEAF for e in element.iterdescendants())
    return element.tag in _CELLS and not blocks and not _is_row(element)


def _is_row(element: Element) -> bool:
    children = list(_shown(element))
    same = len({c.tag for c in children}) == 1
    return element.tag in _ROWS and len(children) > 1 and same and not _loose_text(element) and all(map(_is_leaf, children))


def _has_place(widths: list[int], row: int) -> bool:
    beside = [widths[r] for r in (row - 1, row + 1) if 0 <= r < len(widths)]
    return widths[row] in (1, max(widths)) or widths[row] in beside


def _is_form(texts: list[list[str]]) -> bool:
    every = [text for row in texts for text in row]
    short = all(len(text) <= MAX_TEXT for text in every)
    headings = any(len(row) == 1 and _HEADING.match(row[0]) for row in texts)
    figures = sum(bool(_FIGURE.match(re.sub(r"\s", "", text))) for text in every)
    return short and not headings and figures >= MIN_FIGURES and any(_HEADS.search(text) for text in every)


def _placed(row: list[str], r: int, width: int) -> list[Cell]:
    """Cells of a row; where there are fewer than columns, the first is as much wider, as labels are in the forms."""
    first = width - len(row)
    return [Cell(text, r, i + (first if i else 0), 1, 1 + (0 if i else first)) for i, text in enumerate(row)]
