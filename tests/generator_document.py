"""Quirks of whole documents: other tables and reports in them, years, headings (domain.md §6.3 to §6.5)."""

from __future__ import annotations

import copy
import random
from decimal import Decimal

from generator import HEADINGS, LAYOUTS, P, Report, Sheet, plain, quirk
from generator_structure import any_sheet
from generator_values import few

UNRELATED: dict[str, list[list[str]]] = {
    "contacts": [["机构名称", "地址", "电话"], ["办公室", "人民路1号", "0577-88891234"], ["政务服务中心", "解放街22号", "88880000"]],
    "topics": [["类别", "数量", "占比"], ["教育", "12", "40%"], ["住房", "18", "60%"], ["总计", "30", "100%"]],
    "channels": [["公开渠道", "2020年", "2021年"], ["政府网站", "1022", "988"], ["政务微信", "352", "410"], ["其他", "3", "4"]],
    "outcome": [["类型", "结果维持", "结果纠正", "总计"], ["行政复议", "3", "1", "4"]],
    "licences": [["事项", "数量"], ["行政许可", "120"], ["行政处罚", "7"], ["行政强制", "0"]],
    "requests": [["处理结果", "件数"], ["予以公开", "12"], ["部分公开", "4"], ["不予公开", "3"], ["无法提供", "5"], ["总计", "24"]],
    "single": [["说明"]],
}


@quirk(3, harmless=False, seen="issue 3")
def unrelated_tables(rng: random.Random, report: Report) -> None:
    for name in rng.sample(sorted(UNRELATED), 2):
        sheet = Sheet([[P(t) for t in row] for row in UNRELATED[name]])
        at = rng.choice([report.place(s) for s in report.sheets()] + [3, len(report.blocks)])
        report.blocks[at:at] = [sheet, "以上为有关情况。"] if rng.random() < 0.8 else [sheet]


@quirk(3, harmless=False, annex=False)
def last_years_table(rng: random.Random, report: Report) -> None:
    """A table of the form with other figures in the same report."""
    section = rng.choice(("proactive", "requests", "litigation"))
    layout = "2019" if report.forms[0] == 2019 else "2021"
    other = plain(layout, rng.randint(0, 10**6)).sheets(section)[0]
    for cell in other.cells():
        cell.key = None
    other.section = None
    at = rng.choice((3, len(report.blocks)))
    report.blocks[at:at] = ["上一年度有关情况如下：", other]


@quirk(3)
def duplicated_table(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    twin = Sheet(copy.deepcopy(sheet.rows))
    report.blocks[report.place(sheet) + 1 : report.place(sheet) + 1] = [rng.choice(("表格如下：", "（同上）")), twin]


@quirk(3, harmless=False)
def contradicting_copy(rng: random.Random, report: Report) -> None:
    sheet = any_sheet(rng, report)
    twin = Sheet(copy.deepcopy(sheet.rows))
    for cell in few(rng, [c for c in twin.cells() if c.key], 3):
        report.say(cell, str((report.value(cell) or Decimal(0)) + 7), "unreadable")
    report.blocks[report.place(sheet) + 1 : report.place(sheet) + 1] = ["另：", twin]


@quirk(3, annex=False)
def swapped_tables(rng: random.Random, report: Report) -> None:
    if len(report.sheets()) < 2:
        return
    one, two = rng.sample(report.sheets(), 2)
    i, j = report.place(one), report.place(two)
    report.blocks[i], report.blocks[j] = two, one


@quirk(3, harmless=False)
def lost_table(rng: random.Random, report: Report) -> None:
    gone = {c.key for c in any_sheet(rng, report).cells() if c.key}
    for key in gone:
        report.truth.pop(key, None)
    report.blocks = [b for b in report.blocks if not (isinstance(b, Sheet) and any(c.key in gone for c in b.cells()))]


@quirk(3, harmless=False, seen="Q-51")
def wrong_year_in_title(rng: random.Random, report: Report) -> None:
    report.blocks[0] = str(report.blocks[0]).replace(str(report.year), str(report.year - 1))


@quirk(3, seen="Q-36, Q-37, Q-38")
def lost_year_mark(rng: random.Random, report: Report) -> None:
    y = report.year
    old = f"自{y}年1月1日起至{y}年12月31日止"
    report.blocks[1] = str(report.blocks[1]).replace(old, rng.choice((f"从{y}11日到1231日", f"自{y}1月1日起至{y}12月31日止")))


@quirk(3, seen="Q-39")
def lost_heading_numbers(rng: random.Random, report: Report) -> None:
    report.blocks = [b.split("、", 1)[1] if isinstance(b, str) and b[1:2] == "、" else b for b in report.blocks]


@quirk(3, annex=False)
def no_headings(rng: random.Random, report: Report) -> None:
    report.blocks = [b for b in report.blocks if b not in HEADINGS.values()]


@quirk(3, seen="Q-19, Q-26, Q-63")
def text_before_tables(rng: random.Random, report: Report) -> None:
    for sheet in report.sheets():
        text = rng.choice(
            ("该部分以表格形式报告。表格如下：", f"单位：{report.publisher} {report.year}年度", "2021年共收到申请34件，办结30件。")
        )
        report.blocks.insert(report.place(sheet), text)


@quirk(3, seen="Q-25, Q-40")
def title_twice(rng: random.Random, report: Report) -> None:
    report.blocks.insert(0, report.blocks[0])


@quirk(3, harmless=False, seen="issue 3")
def two_reports(rng: random.Random, report: Report) -> None:
    """Another body's report, or another year's, behind this one."""
    layout = next(name for name, forms in LAYOUTS.items() if forms == report.forms)
    other = plain(layout, rng.randint(0, 10**6))
    for sheet in other.sheets():
        for cell in sheet.cells():
            cell.key = None
        sheet.section = None
    year = rng.choice((report.year, report.year - 1))
    text = [b.replace(str(other.year), str(year)) if isinstance(b, str) else b for b in other.blocks]
    report.blocks = [*report.blocks, *text]
    report.others.append((year, other.truth))


@quirk(3, seen="Q-52, Q-60")
def figures_in_text(rng: random.Random, report: Report) -> None:
    report.blocks[3] = f"{report.blocks[3]}{report.year - 1}年收到申请3件，{report.year}年共收到176件，办理规范性文件12件，同比增长31.2%。"


@quirk(3)
def cited_years(rng: random.Random, report: Report) -> None:
    text = f"根据国办公开办函〔2021〕30号要求，对照{report.year - 1}年度报告提出的问题逐项整改，{report.year + 1}年将继续推进。"
    report.blocks.insert(4, text)
