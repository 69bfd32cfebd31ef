"""What a tool found, held against the truth: its cells as a grid, read by our own recogniser of labels, so that no tool loses by layout.

Tools give cells with boxes. Edges that nearly meet are one edge of the grid; fragments on consecutive pages are joined as ours are; rows
and columns are then known by their labels and heads, never by position. The year is given: tools read tables only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from benchmarks.samples import Truth
from extract.grid import Cell, Document, Grid, Text
from extract.join import join_pages
from transform.frames import Rows
from transform.tidy import Context, tidy

#: Edges nearer than this many points are one; grid positions of media without geometry are whole numbers, 1 apart.
NEAR = 2.5
CONTEXT = Context("bench", "330302", "urn:bench", "00" * 32, "2026-01-01T00:00:00Z", "bench")


@dataclass(frozen=True, slots=True)
class Score:
    """Cells of a truth that were read as printed, and those given as figures that are not what is printed (the rest is missing)."""

    cells: int = 0
    right: int = 0
    wrong: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.cells + other.cells, self.right + other.right, self.wrong + other.wrong)


def score(found: Truth, truth: Truth) -> Score:
    """Hold what was found against what is printed. Cells that are said to be unreadable are neither right nor wrong."""
    right = sum(found.get(key) == printed for key, printed in truth.items())
    given = {key: read for key, read in found.items() if read[0] != "unreadable"}
    wrong = sum(truth[key] != read if key in truth else read[0] == "reported" for key, read in given.items())
    return Score(len(truth), right, wrong)


def from_answer(answer: dict[str, Any], year: int) -> Truth:
    """The figures of a tool's answer: its own observations, or its tables read by labels."""
    if "observations" in answer:
        return {(s, i, a): (status, None if v is None else Decimal(v)) for s, i, a, status, v in answer["observations"]}
    return as_given(tidy(document(answer["tables"], year), replace(CONTEXT, year=year)))


def figures(rows: Rows) -> Truth:
    """The observations of tidy rows."""
    return {(r["section"], r["indicator"], r["applicant"]): (r["value_status"], r["value"]) for r in rows["observation"]}


def as_given(rows: Rows) -> Truth:
    """The same for another tool's cells: a number that only our caution withholds counts as read."""
    found = figures(rows)
    for r in rows["observation"]:
        if r["value_status"] == "unreadable" and r["raw_text"].strip().isdecimal():
            found[r["section"], r["indicator"], r["applicant"]] = ("reported", Decimal(r["raw_text"].strip()))
    return found


def document(tables: Sequence[dict[str, Any]], year: int) -> Document:
    """Tables of a tool as a document; a title stands before them."""
    grids = [g for t in tables if t["cells"] and (g := grid(t["cells"], t["page"])).cells]
    grids.sort(key=lambda g: (g.cells[0].page or 0, g.cells[0].bbox[1] if g.cells[0].bbox else 0))
    return join_pages(Document("pdf", [Text(f"{year}年政府信息公开工作年度报告"), *grids]))


def grid(cells: Sequence[Sequence[Any]], page: int | None) -> Grid:
    """Boxes with texts as a grid of origin cells with spans."""
    near = NEAR if page is not None else 0.0
    columns = edges([x for c in cells for x in (c[0], c[2])], near)
    rows = edges([y for c in cells for y in (c[1], c[3])], near)
    out = []
    for x0, top, x1, bottom, text in cells:
        row, col = place(top, rows), place(x0, columns)
        height, width = place(bottom, rows) - row, place(x1, columns) - col
        if height > 0 and width > 0:  # else a sliver between two strokes of one rule
            out.append(Cell(text, row, col, height, width, page=page, bbox=(x0, top, x1, bottom) if page is not None else None))
    out.sort(key=lambda c: (c.row, c.col))
    return Grid(out, len(rows) - 1, len(columns) - 1, "bench", col_edges=columns if page is not None else None)


def edges(values: Sequence[float], near: float) -> list[float]:
    """Sorted values without those that follow the one before them by `near` or less."""
    out: list[float] = []
    for value in sorted(values):
        if not out or value - out[-1] > near:
            out.append(value)
    return out


def place(value: float, lines: Sequence[float]) -> int:
    """The number of the nearest edge."""
    return min(range(len(lines)), key=lambda i: abs(lines[i] - value))


def with_words(ours: Document, words: dict[int, list[list[Any]]]) -> Document:
    """Our document of a scan with other words in its cells: those whose middle lies in a cell's box, in their lines. `words` by page."""
    blocks = [replace(b, cells=[_refilled(c, words) for c in b.cells]) if isinstance(b, Grid) else b for b in ours.blocks]
    return replace(ours, blocks=blocks, again=None)


def _refilled(cell: Cell, words: dict[int, list[list[Any]]]) -> Cell:
    if cell.bbox is None or cell.page is None:
        return cell
    x0, top, x1, bottom = cell.bbox
    mine = [w for w in words.get(cell.page, []) if x0 <= (w[0] + w[2]) / 2 <= x1 and top <= (w[1] + w[3]) / 2 <= bottom]
    lines = [[w for w in mine if w[5] == number] for number in {w[5] for w in mine}]
    lines.sort(key=lambda line: sum(w[1] + w[3] for w in line) / len(line))
    text = "".join(w[4] for line in lines for w in sorted(line, key=lambda w: w[0]))
    return replace(cell, text=text, second=None, certainty=None)
