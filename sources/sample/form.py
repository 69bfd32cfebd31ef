"""Lays a report's figures out as the three tables of the printed form, for any medium to draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sources.sample.figures import Report
from sources.sample.layouts import (
    APPLICANTS,
    BLOCKS,
    FIRST_ROWS,
    GROUPS,
    LAST_ROW,
    LITIGATION,
    OUTCOMES,
    RECONCILIATION,
    RESULTS,
    REVIEWS,
    Block,
    Group,
)

N_COLS = {"proactive": 4, "requests": 10, "litigation": 15}
N_HEADER = {"proactive": 0, "requests": 3, "litigation": 3}


@dataclass(frozen=True, slots=True)
class Box:
    """A cell of the form with its spans. `kind` is header, label or value; an empty value cell has the text ''."""

    text: str
    row: int
    col: int
    rows: int = 1
    cols: int = 1
    kind: str = "value"

    @property
    def last_row(self) -> int:
        return self.row + self.rows - 1

    @property
    def last_col(self) -> int:
        return self.col + self.cols - 1


@dataclass(frozen=True, slots=True)
class Form:
    """A table of the form: its cells in reading order and how many rows are header."""

    section: str
    boxes: tuple[Box, ...]

    @property
    def n_cols(self) -> int:
        return N_COLS[self.section]

    @property
    def n_rows(self) -> int:
        return max(box.last_row for box in self.boxes) + 1

    @property
    def n_header(self) -> int:
        return N_HEADER[self.section]

    def by_row(self) -> list[list[Box]]:
        rows: list[list[Box]] = [[] for _ in range(self.n_rows)]
        for box in self.boxes:
            rows[box.row].append(box)
        return rows


def forms(report: Report) -> tuple[Form, Form, Form]:
    """Tables two, three and four of a report, with its own wording where it departs from the form."""
    return tuple(_relabelled(report, make(report)) for make in (_proactive, _requests, _litigation))  # type: ignore[return-value]


def _relabelled(report: Report, form: Form) -> Form:
    boxes = tuple(replace(box, text=report.relabel.get(box.text, box.text)) if box.kind != "value" else box for box in form.boxes)
    return Form(form.section, tuple(sorted(boxes, key=lambda box: (box.row, box.col))))


def _value(report: Report, section: str, indicator: str, applicant: str | None = None) -> str:
    return report.cells[section, indicator, applicant] or ""


def _proactive(report: Report) -> Form:
    boxes: list[Box] = []
    row = 0
    for block in BLOCKS[report.layout]:
        boxes.extend(_block(report, block, row))
        row += 2 + len(block[2])
    return Form("proactive", tuple(boxes))


def _block(report: Report, block: Block, row: int) -> Iterator[Box]:
    heading, header, rows = block
    yield Box(heading, row, 0, cols=4, kind="header")
    yield from _spread(header, row + 1, "header", "header")
    for offset, (label, codes) in enumerate(rows, start=2):
        values = tuple(_value(report, "proactive", code) for code in codes)
        yield from _spread((label, *values), row + offset, "label", "value")


def _spread(texts: tuple[str, ...], row: int, first: str, others: str) -> Iterator[Box]:
    """A row of a block; its last cell takes the columns that the block does not use."""
    last = len(texts) - 1
    for col, text in enumerate(texts):
        yield Box(text, row, col, cols=4 - last if col == last else 1, kind=others if col else first)


def _requests(report: Report) -> Form:
    n_results = sum(len(rows) for _, rows in GROUPS[report.layout])
    boxes = [*_requests_header()]
    for row, (code, label) in enumerate(FIRST_ROWS, start=3):
        boxes += [Box(label, row, 0, cols=3, kind="label"), *_request_values(report, code, row)]
    boxes.append(Box(RESULTS, 5, 0, rows=n_results, kind="label"))
    row = 5
    for group in GROUPS[report.layout]:
        boxes.extend(_group(report, group, row))
        row += len(group[1])
    boxes += [Box(LAST_ROW[1], row, 0, cols=3, kind="label"), *_request_values(report, LAST_ROW[0], row)]
    return Form("requests", tuple(boxes))


def _requests_header() -> Iterator[Box]:
    names = list(APPLICANTS.values())
    yield Box(RECONCILIATION, 0, 0, rows=3, cols=3, kind="header")
    yield Box("申请人情况", 0, 3, cols=7, kind="header")
    yield Box(names[0], 1, 3, rows=2, kind="header")
    yield Box("法人或其他组织", 1, 4, cols=5, kind="header")
    yield Box(names[-1], 1, 9, rows=2, kind="header")
    for col, name in enumerate(names[1:-1], start=4):
        yield Box(name, 2, col, kind="header")


def _group(report: Report, group: Group, row: int) -> Iterator[Box]:
    name, rows = group
    if name is not None:
        yield Box(name, row, 1, rows=len(rows), kind="label")
    for offset, (code, label) in enumerate(rows):
        col, cols = (1, 2) if name is None else (2, 1)
        yield Box(label, row + offset, col, cols=cols, kind="label")
        yield from _request_values(report, code, row + offset)


def _request_values(report: Report, code: str, row: int) -> Iterator[Box]:
    for col, applicant in enumerate(APPLICANTS, start=3):
        yield Box(_value(report, "requests", code, applicant), row, col)


def _litigation(report: Report) -> Form:
    boxes = [Box(REVIEWS["reconsideration"], 0, 0, cols=5, kind="header"), Box("行政诉讼", 0, 5, cols=10, kind="header")]
    boxes += [Box(REVIEWS["litigation_direct"], 1, 5, cols=5, kind="header")]
    boxes += [Box(REVIEWS["litigation_after_reconsideration"], 1, 10, cols=5, kind="header")]
    for col in range(len(LITIGATION)):
        text = list(OUTCOMES.values())[col % 5]
        boxes.append(Box(text, 1 if col < 5 else 2, col, rows=2 if col < 5 else 1, kind="header"))
    boxes += [Box(_value(report, "litigation", code), 3, col) for col, code in enumerate(LITIGATION)]
    return Form("litigation", tuple(boxes))
