"""Quirks of tables and of the document around them: domain.md §6.2 to §6.5, and what property tests found."""

from __future__ import annotations

import random

from generator import HEADINGS, P, Printed, Report, Sheet, quirk

#: Media in which a row may lack a cell: on paper every place is a cell.
FLOWING = ("html", "docx")


def width(row: list[P]) -> int:
    return sum(c.cols for c in row)


def full_width(sheet: Sheet) -> int:
    return max(width(row) for row in sheet.rows)


def any_sheet(rng: random.Random, report: Report) -> Sheet:
    """Table three more often than the others: it has most to break."""
    return rng.choice([*report.sheets(), *report.sheets("requests")])


def header_rows(sheet: Sheet) -> int:
    return {"proactive": 0, "legacy": 1}.get(sheet.section or "", 3)


def free_rows(sheet: Sheet) -> list[int]:
    """Rows before which no cell that spans rows goes on."""
    out, open_until = [], 0
    for r, row in enumerate(sheet.rows):
        if r >= open_until:
            out.append(r)
        open_until = max([open_until, *(r + c.rows for c in row)])
    return out


def insert_row(sheet: Sheet, at: int, cells: list[P]) -> None:
    """Insert a row; cells that span over its place grow."""
    for r, row in enumerate(sheet.rows[:at]):
        for c in row:
            if r + c.rows > at:
                c.rows += 1
    sheet.rows.insert(at, cells)


def open_columns(sheet: Sheet, at: int) -> int:
    """How many columns spanning cells from above take of row `at`."""
    return sum(c.cols for r, row in enumerate(sheet.rows[:at]) for c in row if r + c.rows > at)


def body_row(rng: random.Random, sheet: Sheet) -> int:
    return rng.choice([r for r, row in enumerate(sheet.rows) if any(c.key for c in row)])


# --- blanks


@quirk(2, seen="Q-19, Q-23, Q-62")
def empty_first_column(rng: random.Random, report: Report) -> None:
    for row in any_sheet(rng, report).rows:
        row.insert(0, P(""))


@quirk(2, seen="Q-9")
def empty_last_column(rng: random.Random, report: Report) -> None:
    for row in any_sheet(rng, report).rows:
        row.append(P(""))


@quirk(2, seen="Q-9, Q-18")
def empty_last_row(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    sheet.rows.append([P("") for _ in range(full_width(sheet))])


@quirk(2, seen="examples.md 3")
def empty_row(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    at = rng.randint(header_rows(sheet) + 1, len(sheet.rows) - 1) if sheet.section != "litigation" else 3
    insert_row(sheet, at, [P("") for _ in range(full_width(sheet) - open_columns(sheet, at))])


@quirk(2, seen="Q-19, Q-40")
def colspan_grid(rng: random.Random, report: Report) -> None:
    """A Word table saved as a page: every column a few grid columns wide."""
    for sheet in report.sheets():
        shares = [rng.randint(1, 4) for _ in range(full_width(sheet))]
        _multiply(sheet, shares)


def _multiply(sheet: Sheet, shares: list[int]) -> None:
    taken: set[tuple[int, int]] = set()
    for r, row in enumerate(sheet.rows):
        col = 0
        for cell in row:
            while (r, col) in taken:
                col += 1
            cols = range(col, min(col + cell.cols, len(shares)))
            taken |= {(y, x) for y in range(r, r + cell.rows) for x in cols}
            col += cell.cols
            cell.cols = sum(shares[x] for x in cols) or 1


# --- spans and cells that are wrong


@quirk(2, harmless=False, seen="Q-66")
def wrong_rowspan(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    cell = rng.choice([c for c in sheet.cells() if c.rows > 1 or rng.random() < 0.05] or list(sheet.cells()))
    cell.rows = max(1, cell.rows + rng.choice((-2, -1, 1, 2)))


@quirk(2, harmless=False)
def wrong_colspan(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    cell = rng.choice(list(sheet.cells()))
    cell.cols = max(1, cell.cols + rng.choice((-1, 1, 2)))


@quirk(2, harmless=False, media=FLOWING, seen="Q-66")
def lost_cell(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    row = rng.choice(sheet.rows)
    gone = row.pop(rng.randrange(len(row)))
    if gone.key:
        report.truth.pop(gone.key, None)


@quirk(2, harmless=False, media=FLOWING, seen="Q-66", annex=False)
def lost_leading_cells(rng: random.Random, report: Report) -> None:
    """Rows of table three without the cells before the label, as after a page break."""
    sheet = report.sheet("requests")
    at = body_row(rng, sheet)
    for row in sheet.rows[at : at + rng.randint(1, 6)]:
        labels = [c for c in row if c.kind == "label"]
        for cell in labels[:-1]:
            row.remove(cell)


@quirk(2, harmless=False, media=FLOWING, seen="Q-66")
def extra_cell(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    row = rng.choice(sheet.rows)
    row.insert(rng.randint(0, len(row)), P(rng.choice(("", "", "0", "1"))))


@quirk(2, harmless=False, media=FLOWING)
def extra_leading_cells(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    at = body_row(rng, sheet)
    for row in sheet.rows[at:]:
        row.insert(0, P(""))


@quirk(2, harmless=False)
def lost_header_cell(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    row = rng.choice([r for r in sheet.rows if any(c.kind == "head" for c in r)])
    row.pop(rng.randrange(len(row)))


@quirk(2, harmless=False)
def lost_header_row(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    sheet.rows.remove(rng.choice([r for r in sheet.rows if any(c.kind == "head" for c in r)]))


@quirk(2, harmless=False)
def blank_header_cell(rng: random.Random, report: Report) -> None:
    rng.choice(report.labels("head")).text = ""


@quirk(2, harmless=False)
def swapped_header_cells(rng: random.Random, report: Report) -> None:
    """Two heads in the wrong order: where they or the figures are wrong nobody can tell, so the truth is what is printed under each."""
    sheet = any_sheet(rng, report)
    heads = [c for c in sheet.cells() if c.kind == "head" and c.rows == c.cols == 1]
    one, two = rng.sample(heads, 2)
    one.text, two.text = two.text, one.text
    for cell in [c for c in sheet.cells() if c.key]:
        report.say(cell, cell.text, "doubtful")


@quirk(2, harmless=False)
def lost_row(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    at = body_row(rng, sheet)
    for cell in sheet.rows[at]:
        if cell.key:
            report.truth.pop(cell.key, None)
    sheet.rows.pop(at)


@quirk(2, harmless=False, annex=False)
def swapped_rows(rng: random.Random, report: Report) -> None:
    sheet = report.sheet("requests")
    at = rng.randint(7, len(sheet.rows) - 4)
    one, two = sheet.rows[at], sheet.rows[at + 1]
    sheet.rows[at : at + 2] = [two, one]


@quirk(2, harmless=False, seen="Q-14", annex=False)
def glued_cells(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    row = rng.choice([r for r in sheet.rows if len([c for c in r if c.key]) > 1])
    at = rng.choice([i for i in range(len(row) - 1) if row[i].key and row[i + 1].key])
    for cell in row[at : at + 2]:
        if cell.key:
            report.say(cell, cell.text, "unreadable")
    row[at : at + 2] = [
        row[at].like(f"{row[at].text}{rng.choice(('', ' ', chr(10)))}{row[at + 1].text}", cols=row[at].cols + row[at + 1].cols)
    ]


@quirk(2, harmless=False, seen="Q-14", annex=False)
def merged_block(rng: random.Random, report: Report) -> None:
    """（三）不予公开 followed by bare figures, the labels lost."""
    sheet = report.sheet("requests")
    for row in sheet.rows[7 : 7 + rng.randint(2, 8)]:
        for cell in [c for c in row if c.kind == "label"][-1:]:
            cell.text = ""
        for cell in row:
            if cell.key:
                report.say(cell, cell.text, "unreadable")


@quirk(2, seen="Q-67")
def unmerged_groups(rng: random.Random, report: Report) -> None:
    """Group labels on the first row only, empty cells below instead of a span."""
    for sheet in report.sheets("requests"):
        rows: Printed = [list(row) for row in sheet.rows]
        for r, row in enumerate(sheet.rows):
            for cell in row:
                if cell.kind == "label" and cell.rows > 1:
                    place = 0 if cell.text.startswith("三") else 1
                    for below in rows[r + 1 : r + cell.rows]:
                        below.insert(min(place, len(below)), P("", 1, cell.cols))
                    cell.rows = 1
        _order_leading(rows)
        sheet.rows = rows


def _order_leading(rows: Printed) -> None:
    """Blank group cells stand before everything else of their row."""
    for row in rows:
        blanks = [c for c in row if not c.text and not c.key and c.kind == "other"]
        row[:] = blanks + [c for c in row if c not in blanks]


# --- repeated headers, tables in pieces


def _copies(rows: Printed) -> Printed:
    return [[c.like(c.text, kind="other") for c in row] for row in rows]


@quirk(2, seen="corpus shanghai2024", annex=False)
def repeated_header(rng: random.Random, report: Report) -> None:
    """In the middle of table three, where no group goes on, or above one of its last rows."""
    sheet = report.sheet("requests")
    at = rng.choice([r for r in free_rows(sheet) if r > 3])
    sheet.rows[at:at] = _copies(sheet.rows[:3])


@quirk(2, harmless=False)
def header_anywhere(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    at = rng.randint(1, len(sheet.rows))
    sheet.rows[at:at] = _copies(sheet.rows[: rng.choice((1, 2, 3))])


@quirk(2, harmless=False, seen="Q-65, Q-66", annex=False)
def cut_in_two(rng: random.Random, report: Report) -> None:
    """One table in two tables, groups' labels on the first only."""
    sheet = report.sheet("requests")
    at = rng.randint(5, len(sheet.rows) - 1)
    lower = _cut(sheet, at, keep=rng.random() < 0.7)
    place = report.place(sheet)
    between: list[str | Sheet] = [rng.choice(("（续表）", "- 3 -", "注：本表续"))] if rng.random() < 0.3 else []
    if rng.random() < 0.3:
        lower.rows[:0] = _copies(sheet.rows[:3])
    lower.glued = not between
    report.blocks[place + 1 : place + 1] = [*between, lower]


def _cut(sheet: Sheet, at: int, keep: bool) -> Sheet:
    """Cut before row `at`; `keep`: cells that go on are there again, empty, in the lower part."""
    lower = Sheet(sheet.rows[at:], sheet.section)
    rest: list[P] = []
    for r, row in enumerate(sheet.rows[:at]):
        for cell in row:
            if r + cell.rows > at:
                rest.append(P("", r + cell.rows - at, cell.cols))
                cell.rows = at - r
    if keep and lower.rows:
        lower.rows[0][:0] = rest
    sheet.rows = sheet.rows[:at]
    return lower


@quirk(2, harmless=False, annex=False)
def columns_lost_below(rng: random.Random, report: Report) -> None:
    """Rows from one on have a column less: the page's edge cut it off."""
    sheet = report.sheet("requests")
    at = body_row(rng, sheet)
    for row in sheet.rows[at:]:
        cells = [c for c in row if c.key]
        if cells:
            gone = cells[-1]
            row.remove(gone)
            if gone.key:
                report.truth.pop(gone.key, None)


# --- rows and columns that are not of the form


@quirk(2, harmless=False, seen="Q-6, Q-24")
def unknown_row(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    if sheet.section in ("litigation", "legacy"):
        return
    at = body_row(rng, sheet) + 1
    above = sheet.rows[at - 1]
    text = rng.choice(("其他主动公开文件", "9.属于工作秘密", "行政确认", "其他行政权力", "4.其他情形"))
    cells = [c.like(str(rng.randint(0, 99))) if c.key else c.like(text, rows=1) for c in above if c.key or c.rows == 1]
    insert_row(sheet, at, cells)


@quirk(2, harmless=False, annex=False)
def subtotals(rng: random.Random, report: Report) -> None:
    """The group's own row with the sum of its rows."""
    sheet = report.sheet("requests")
    groups = [(r, c) for r, row in enumerate(sheet.rows) for c in row if c.kind == "label" and c.rows > 1 and c.text.startswith("（")]
    for r, group in reversed(groups):
        rows = sheet.rows[r : r + group.rows]
        sums = [
            sum(int(c.text) for c in column if c.text.isdigit())
            for column in zip(*([c for c in row if c.key] for row in rows), strict=False)
        ]
        inserted = [P(rng.choice(("小计", group.text, "合计")), 1, 1), *(P(str(s)) for s in sums)]
        at = r + group.rows
        insert_row(sheet, at, inserted)
        group.rows += 1


@quirk(2, harmless=False, seen="Q-19", annex=False)
def cumulative_column(rng: random.Random, report: Report) -> None:
    """Table two with a column 历年累计 at its right or between."""
    sheet = report.sheet("proactive")
    name = rng.choice(("历年累计", "历史累计", "上年数", "备注", "同比增长"))
    for row in sheet.rows:
        kind = "title" if len(row) == 1 else "figure" if any(c.key for c in row) else "head"
        if kind == "title":
            row[0].cols += 1
        else:
            row.append(P(name if kind == "head" else str(rng.randint(0, 999))))


@quirk(2, harmless=False, annex=False)
def last_year_row(rng: random.Random, report: Report) -> None:
    """Table four with last year's figures in another row."""
    sheet = report.sheet("litigation")
    sheet.rows.insert(rng.choice((3, 4)), [P(str(rng.randint(0, 9))) for _ in range(15)])


@quirk(2, seen="§1.4", annex=False)
def heading_inside(rng: random.Random, report: Report) -> None:
    """The section's heading, or the unit, as first row of the table."""
    for sheet in report.sheets():
        text = rng.choice((HEADINGS[sheet.section or "requests"], "单位：件", ""))
        if text:
            sheet.rows.insert(0, [P(text, 1, full_width(sheet))])


@quirk(2, harmless=False, annex=False)
def one_table(rng: random.Random, report: Report) -> None:
    """All three tables as one, headings as rows."""
    sheets = report.sheets()
    first = sheets[0]
    for sheet in sheets[1:]:
        if not sheet.section or not isinstance(report.blocks[report.place(sheet) - 1], str):
            return
    for sheet in sheets[1:]:
        place = report.place(sheet)
        first.rows += [[P(HEADINGS[sheet.section or "requests"], 1, 15)], *sheet.rows]
        del report.blocks[place - 1 : place + 1]
