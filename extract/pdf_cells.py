"""Lines of text put into the cells of a Camelot table, as Camelot puts them: most lines lie in one cell and need not be split."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

#: How far the middle of a line may stand outside of a table (camelot.utils.text_in_bbox).
OUTSIDE = 2
#: Share of a line that a longer one of the same text must cover to stand for both (camelot.utils.text_in_bbox).
COVERED = 0.8

#: Lines that stop this short of each other cross, and a table has more crossings than these (camelot.image_processing).
CROSSING, FEWEST = 2.0, 4

Box = tuple[float, float, float, float]
#: From row and column to row and column.
Home = Callable[[int, int], tuple[int, int]]


def lines_in(box: Box, lines: Iterable[Any]) -> list[Any]:
    """Lines of text whose middle is in a table's box, as camelot.utils.text_in_bbox gives them, without its matrix of all pairs."""
    left, bottom, right, top = box[0] - OUTSIDE, box[1] - OUTSIDE, box[2] + OUTSIDE, box[3] + OUTSIDE
    found: list[tuple[Box, Any]] = []
    for line in lines:
        x0, y0, x1, y1 = at = line.bbox
        if bottom <= (y0 + y1) * 0.5 <= top and left <= (x0 + x1) * 0.5 <= right:
            found.append((at, line))
    texts = [line.get_text().strip() for _, line in found]
    boxes = [at for at, _ in found]
    covered = {i for group in _alike(texts) for i in _covered(group, boxes)}
    if "" in texts:  # a blank line is covered by any
        everything = range(len(boxes))
        covered.update(i for i in _covered(everything, boxes) if not texts[i])
    return [line for i, (_, line) in enumerate(found) if i not in covered]


def _alike(texts: Sequence[str]) -> Iterator[list[int]]:
    """Places of texts that are printed more than once."""
    places: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        places.setdefault(text, []).append(i)
    return (found for text, found in places.items() if text and len(found) > 1)


def _covered(group: Iterable[int], boxes: Sequence[Box]) -> Iterator[int]:
    """Those of a group that a longer one of it covers."""
    ordered = sorted((boxes[i], i) for i in group)  # by their left edge: a box that covers another starts before the middle of it
    lefts = [box[0] for box, _ in ordered]
    widest = max((box[2] - box[0] for box, _ in ordered), default=0.0)
    for (x0, y0, x1, y1), i in ordered:
        y, width = (y0 + y1) / 2, x1 - x0
        for (a0, b0, a1, b1), _ in ordered[bisect_left(lefts, x0 - widest) : bisect_left(lefts, x1)]:
            if b0 <= y <= b1 and a1 - a0 > width and a1 > x0:
                common = (min(a1, x1) - max(a0, x0)) * (min(b1, y1) - max(b0, y0))
                if common > COVERED * width * (y1 - y0):
                    yield i
                    break


def ruled_boxes(level: Sequence[Box], erect: Sequence[Box]) -> dict[Box, list[tuple[float, float]]]:
    """Boxes of lines that cross each other, with the crossings, as camelot.image_processing.find_joints_from_lines gives them."""
    group = list(range(len(erect)))  # of each upright line: another of its group, or itself

    def head(of: int) -> int:
        while group[of] != of:
            of = group[of]
        return of

    crossed: list[tuple[Box, list[int]]] = []
    for line in level:
        x0, y, x1, _ = line
        left, right = x0 - CROSSING, x1 + CROSSING
        met = [i for i, (x, low, _, high) in enumerate(erect) if left <= x <= right and low - CROSSING <= y <= high + CROSSING]
        if met:
            crossed.append((line, met))
            first = head(met[0])
            for i in met[1:]:
                group[head(i)] = first
    tables: dict[int, list[tuple[Box, list[int]]]] = {}
    for line, met in crossed:
        tables.setdefault(head(met[0]), []).append((line, met))
    return dict(_boxed(rows, erect) for rows in tables.values() if sum(len(met) for _, met in rows) > FEWEST)


def _boxed(rows: list[tuple[Box, list[int]]], erect: Sequence[Box]) -> tuple[Box, list[tuple[float, float]]]:
    """The box around the lines of a group, and where they cross."""
    lines = [line for line, _ in rows] + [erect[i] for i in {i for _, met in rows for i in met}]
    x0, y0, x1, y1 = zip(*lines, strict=True)
    return (min(x0), min(y0), max(x1), max(y1)), [(erect[i][0], line[1]) for line, met in rows for i in met]


def fill(table: Any, level: Iterable[Any], upright: Iterable[Any], home: Home) -> None:
    """Put lines of text into a table's cells, as BaseParser.compute_parse_errors does, without the errors that it measures.

    `home` gives the cell that stands for a cell and those merged with it.
    """
    from camelot.utils import split_textline

    lines = [*((line, "vertical") for line in upright), *((line, "horizontal") for line in level)]
    lines.sort(key=lambda pair: (-pair[0].y0, pair[0].x0))
    place, home = _Places(table), cache(home)
    for line, direction in lines:
        row = place.row(line)
        if row is None or line.is_empty():  # blank, too
            continue
        col = place.only_column(line, row) if direction == "horizontal" else None
        found = split_textline(table, line, direction) if col is None else [(row, col, line.get_text())]
        if found and found[0][:2] != (-1, -1):
            for r, c, text in found:
                to_row, to_col = home(r, c)
                table.cells[to_row][to_col].text = text


class _Places:
    """The cells of a table, found by where a line stands."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.depths = [-low for _, low in table.rows]
        self.lefts, self.rights = [x0 for x0, _ in table.cols], [x1 for _, x1 in table.cols]

    def row(self, line: Any) -> int | None:
        """The row that the middle of a line is in, between its rules."""
        y = (line.y0 + line.y1) * 0.5
        row = bisect_left(self.depths, -y)
        if row == len(self.depths):
            return None
        high, low = self.table.rows[row]
        return row if low < y < high else None

    def only_column(self, line: Any, row: int) -> int | None:
        """The column of a level line that lies in one cell with all of its characters; None where it must be split to know."""
        x0, y0, x1, y1 = line.bbox
        high, low = self.table.rows[row]
        if not (low <= y0 < y1 <= high and x0 < x1):
            return None
        first, end = bisect_left(self.rights, x0), bisect_right(self.lefts, x1)
        cells = self.table.cells[row]
        closed = [c for c in range(first, end) if cells[c].right]
        if not closed:
            return first if first < end and x1 <= self.rights[-1] else None
        return closed[0] if len(closed) == 1 and x1 <= self.rights[closed[0]] else None
