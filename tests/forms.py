"""The official forms as cell lists, to be changed at will: tests build tables from these, never from copied documents."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from extract.grid import Cell, Document, Grid, Text
from transform.frames import APPLICANTS
from transform.layout import Layout, Table, layouts

CONDITION = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）"
HEADS = ("自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计")


@dataclass(frozen=True)
class C:
    """A cell of a table under construction."""

    text: str
    rows: int = 1
    cols: int = 1


Rows = list[list[C]]


def form(number: int) -> Layout:
    return next(layout for layout in layouts() if layout.format == number)


def table(number: int, section: str) -> Table:
    return next(t for t in form(number).tables if t.section == section)


def requests_figures(number: int, seed: int = 1) -> dict[tuple[str, str], int]:
    """Figures of table three that keep R1, R2 and R3, every cell different from its neighbours as far as that goes."""
    rng = random.Random(seed)
    rows = [r.indicator for r in table(number, "requests").rows]
    grounds = rows[2:-2]
    out: dict[tuple[str, str], int] = {}
    for who in APPLICANTS[:-1]:
        for indicator in grounds:
            out[indicator, who] = rng.randint(0, 40)
        handled = sum(out[g, who] for g in grounds)
        out["processed_total", who] = handled
        out["carried_out", who] = rng.randint(0, 9)
        out["carried_in", who] = rng.randint(0, 9)
        out["new_received", who] = handled + out["carried_out", who] - out["carried_in", who]
    for indicator in rows:
        out[indicator, "total"] = sum(out[indicator, who] for who in APPLICANTS[:-1])
    return out


def requests_rows(number: int, figures: dict[tuple[str, str], int]) -> Rows:
    """Table three as the form prints it: three header rows, merged group cells."""
    spec = table(number, "requests")
    results = list(spec.rows[2:-1])
    rows: Rows = [
        [C(CONDITION, 3, 3), C("申请人情况", 1, 7)],
        [C("自然人", 2), C("法人或其他组织", 1, 5), C("总计", 2)],
        [C(h) for h in HEADS[1:6]],
    ]
    groups = [r.group for r in spec.rows]
    for i, row in enumerate(spec.rows):
        cells: list[C] = []
        if row.indicator == "granted":
            cells.append(C("三、本年度办理结果", len(results)))
        if row.group and groups.index(row.group) == i:
            cells.append(C(row.group, groups.count(row.group)))
        wide = 1 if row.group else 3 if row.indicator in ("new_received", "carried_in", "carried_out") else 2
        cells.append(C(row.label[0], 1, wide))
        cells.extend(C(str(figures[row.indicator, who])) for who in APPLICANTS)
        rows.append(cells)
    return rows


def proactive_figures(number: int, seed: int = 1) -> dict[str, int]:
    rng = random.Random(seed)
    return {i: rng.randint(0, 900) for i in table(number, "proactive").indicators()}


def proactive_rows(number: int, figures: dict[str, int]) -> Rows:
    spec = table(number, "proactive")
    rows: Rows = []
    for block in spec.blocks:
        keys = list(block.rows[0].cells)
        last = 4 - len(keys)
        money = "（单位：万元）" if keys == ["amount"] or "projects" in keys else ""
        heads = [C(spec.columns[k][0] + (money if k == "amount" else "")) for k in keys]
        heads[-1] = replace(heads[-1], cols=last)
        rows += [[C(block.heading, 1, 4)], [C("信息内容"), *heads]]
        for row in block.rows:
            cells = [C(str(figures[row.cells[k]])) for k in keys]
            cells[-1] = replace(cells[-1], cols=last)
            rows.append([C(row.label[0]), *cells])
    return rows


def litigation_figures(seed: int = 1) -> dict[str, int]:
    rng = random.Random(seed)
    out: dict[str, int] = {}
    for prefix in ("reconsideration", "litigation_direct", "litigation_after_reconsideration"):
        parts = {k: rng.randint(0, 30) for k in ("upheld", "corrected", "other", "pending")}
        out |= {f"{prefix}_{k}": v for k, v in parts.items()} | {f"{prefix}_total": sum(parts.values())}
    return out


def litigation_rows(figures: dict[str, int]) -> Rows:
    outcomes = ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"]
    return [
        [C("行政复议", 1, 5), C("行政诉讼", 1, 10)],
        [*(C(o, 2) for o in outcomes), C("未经复议直接起诉", 1, 5), C("复议后起诉", 1, 5)],
        [C(o) for o in outcomes * 2],
        [C(str(figures[i])) for i in table(2021, "litigation").indicators()],
    ]


def lay_out(rows: Rows, method: str = "test") -> Grid:
    """Cells at their grid positions, as a browser would."""
    taken: set[tuple[int, int]] = set()
    cells: list[Cell] = []
    width = 0
    for r, row in enumerate(rows):
        col = 0
        for c in row:
            while (r, col) in taken:
                col += 1
            height = min(c.rows, len(rows) - r)
            taken |= {(y, x) for y in range(r, r + height) for x in range(col, col + c.cols)}
            cells.append(Cell(c.text, r, col, height, c.cols))
            col += c.cols
            width = max(width, col)
    return Grid(sorted(cells, key=lambda c: (c.row, c.col)), len(rows), width, method)


def to_html(rows: Rows) -> str:
    def tag(c: C) -> str:
        spans = (f' rowspan="{c.rows}"' if c.rows > 1 else "") + (f' colspan="{c.cols}"' if c.cols > 1 else "")
        return f"<td{spans}>{c.text}</td>"

    return "<table>" + "".join("<tr>" + "".join(map(tag, row)) + "</tr>" for row in rows) + "</table>"


def document(*tables: Rows, year: int = 2021, preface: str = "") -> Document:
    """A report with these tables under its headings."""
    headings = ("二、主动公开政府信息情况", "三、收到和处理政府信息公开申请情况", "四、政府信息公开行政复议、行政诉讼情况")
    blocks: list[Text | Grid] = [
        Text(f"某区人民政府办公室{year}年政府信息公开工作年度报告"),
        Text(f"本报告所列数据的统计期限自{year}年1月1日起至{year}年12月31日止。{preface}"),
        Text("一、总体情况"),
    ]
    for heading, rows in zip(headings, tables, strict=False):
        blocks += [Text(heading), lay_out(rows)]
    return Document("html", blocks)


def full(number: int, seed: int = 1) -> tuple[list[Rows], dict[tuple[str, str | None], int]]:
    """The three tables of a form and all their figures."""
    two, three, four = proactive_figures(number, seed), requests_figures(number, seed), litigation_figures(seed)
    truth: dict[tuple[str, str | None], int] = {(i, None): v for i, v in (two | four).items()}
    truth |= dict(three.items())
    return [proactive_rows(number, two), requests_rows(number, three), litigation_rows(four)], truth
