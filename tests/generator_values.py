"""Quirks of cells and labels: what domain.md §6.1 and §6.2 list, and their kin."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from decimal import Decimal

from forms import table
from generator import MONEY, P, Report, quirk

FULL = str.maketrans("0123456789", "０１２３４５６７８９")
HALF_BRACKETS = str.maketrans("（）", "()")
FULL_BRACKETS = str.maketrans("()", "（）")
WRONG = "办理公开申清数呈机关信总行正共八"


def few(rng: random.Random, cells: list[P], most: int = 6) -> list[P]:
    """One to `most` of the cells."""
    return rng.sample(cells, min(len(cells), rng.randint(1, most)))


def many(rng: random.Random, cells: list[P]) -> list[P]:
    """A few of the cells, or all of one row, or most of them."""
    share = rng.choice((0.02, 0.1, 0.5, 0.9))
    return [c for c in cells if rng.random() < share] or few(rng, cells)


def counts(report: Report) -> list[P]:
    return [c for c in report.figures() if c.key and c.key[0] not in MONEY and not c.key[0].endswith("_change")]


def changes(report: Report) -> list[P]:
    return [c for c in report.figures("proactive") if c.key and c.key[0].endswith("_change")]


def money(report: Report) -> list[P]:
    return [c for c in report.figures("proactive") if c.key and c.key[0] in MONEY]


def states_unit(report: Report) -> bool:
    return report.forms[0] == 2021


def _replaced(rng: random.Random, report: Report, status: str, *texts: str) -> None:
    text = rng.choice(texts)
    for cell in many(rng, report.figures()):
        report.say(cell, text, status)


# --- nothing printed


@quirk(0, seen="Q-1, Q-2")
def slash(rng: random.Random, report: Report) -> None:
    _replaced(rng, report, "not_applicable", "/", "／", "\\")


@quirk(0, seen="Q-2, Q-3, Q-17")
def blank(rng: random.Random, report: Report) -> None:
    _replaced(rng, report, "blank", "")


@quirk(0, seen="Q-11")
def nbsp_blank(rng: random.Random, report: Report) -> None:
    _replaced(rng, report, "blank", "\u00a0", "\u3000", " ")


@quirk(0, seen="Q-6")
def dash(rng: random.Random, report: Report) -> None:
    _replaced(rng, report, "not_applicable", "-", "—", "——", "－", "–", "--")


@quirk(0, seen="§6.7")
def none_word(rng: random.Random, report: Report) -> None:
    _replaced(rng, report, "not_applicable", "无", "不涉及", "…")


@quirk(0, seen="Q-3, Q-4")
def blank_table(rng: random.Random, report: Report) -> None:
    """Every cell of a table but one or two."""
    sheet = rng.choice(report.sheets())
    cells = [c for c in sheet.cells() if c.key]
    kept = few(rng, cells, 2)
    for cell in cells:
        if cell not in kept:
            report.say(cell, "", "blank")


@quirk(0, seen="Q-2", annex=False)
def only_totals(rng: random.Random, report: Report) -> None:
    for cell in report.figures("requests"):
        if cell.key and cell.key[1] != "total":
            report.say(cell, "", "blank")


@quirk(0, seen="Q-11", annex=False)
def no_totals(rng: random.Random, report: Report) -> None:
    for cell in report.figures("requests"):
        if cell.key and cell.key[1] == "total":
            report.say(cell, "", "blank")


# --- numbers


def _written(report: Report, cells: list[P], how: Callable[[Decimal], str]) -> None:
    for cell in cells:
        value = report.value(cell)
        if value is not None:
            report.say(cell, how(value), value=value)


@quirk(0, seen="Q-8", annex=False)
def thousands(rng: random.Random, report: Report) -> None:
    for cell in few(rng, [c for c in report.figures("proactive") if c not in changes(report)]):
        report.say(cell, "", value=rng.randint(1000, 99_999_999))
    mark = rng.choice((",", "，"))
    _written(report, [c for c in report.figures() if (report.value(c) or 0) >= 1000], lambda v: f"{int(v):,}".replace(",", mark))


@quirk(0, seen="§6.7")
def full_width_digits(rng: random.Random, report: Report) -> None:
    _written(report, many(rng, report.figures()), lambda v: str(v).translate(FULL))


@quirk(0, seen="Q-15, Q-16", annex=False)
def plus(rng: random.Random, report: Report) -> None:
    _written(report, changes(report), lambda v: rng.choice(("+", "增", "增加", "＋")) + str(v))


@quirk(0, seen="Q-14", annex=False)
def minus_word(rng: random.Random, report: Report) -> None:
    for cell in changes(report):
        value = rng.randint(1, 99)
        report.say(cell, rng.choice(("减", "减少", "-", "－", "−")) + str(value), value=-value)


@quirk(0, harmless=False, seen="§7", annex=False)
def double_minus(rng: random.Random, report: Report) -> None:
    for cell in changes(report):
        value = rng.randint(1, 999)
        report.say(cell, f"--{value}", value=-value)


@quirk(0, seen="Q-7, Q-11, Q-64")
def unit_in_cell(rng: random.Random, report: Report) -> None:
    unit = rng.choice(("件", "条", "个", "宗", "项", " 件"))
    _written(report, many(rng, counts(report)), lambda v: f"{v}{unit}")


@quirk(0, seen="Q-7, Q-9, Q-10, Q-18", annex=False)
def money_decimals(rng: random.Random, report: Report) -> None:
    for cell in money(report):
        text = rng.choice(("0.092", "18.8710", "477.35", "2.02", "0.00", "1,234.5", "52.15"))
        report.say(cell, text, value=Decimal(text.replace(",", "")))


@quirk(0, seen="Q-7, Q-11", annex=False)
def money_unit(rng: random.Random, report: Report) -> None:
    for cell in money(report):
        text, value = rng.choice((("43.788万元", "43.788"), ("251000元", "25.1"), ("1.5亿元", "15000"), ("8040元", "0.804"), ("0元", "0")))
        report.say(cell, text, value=Decimal(value))


@quirk(1, seen="Q-12, Q-13", annex=False)
def money_header(rng: random.Random, report: Report) -> None:
    """The header's unit of money is another, or not there: then the figure stays as printed."""
    heads = [c for c in report.labels("head", section="proactive") if "金额" in c.text]
    unit = rng.choice(("元", "万元", "亿元", ""))
    for head in heads:
        head.text = head.text.split("（")[0] + (f"（单位：{unit}）" if unit else "")
    factor = {"元": Decimal("0.0001"), "亿元": Decimal(10000)}.get(unit, Decimal(1))
    for cell in money(report):
        value = Decimal(rng.randint(0, 99999))
        report.say(cell, str(value), value=value * factor)


@quirk(0, harmless=False, seen="§6 of issue 3")
def remark_in_cell(rng: random.Random, report: Report) -> None:
    _written(report, few(rng, counts(report)), lambda v: f"{v}{rng.choice(('（其中修订16件）', '（含重复3件）', '(含上年2)'))}")


@quirk(0, harmless=False)
def double_zero(rng: random.Random, report: Report) -> None:
    _written(report, [c for c in counts(report) if report.value(c) == 0][:9], lambda v: rng.choice(("00", "000")))


@quirk(0, harmless=False, seen="examples.md 5")
def space_in_digits(rng: random.Random, report: Report) -> None:
    _written(report, few(rng, [c for c in counts(report) if len(c.text) > 1]), lambda v: f"{str(v)[0]} {str(v)[1:]}")


@quirk(0, harmless=False)
def point_zero(rng: random.Random, report: Report) -> None:
    _written(report, few(rng, counts(report)), lambda v: f"{v}.{rng.choice(('0', '00', ''))}")


@quirk(0, harmless=False)
def letter_for_digit(rng: random.Random, report: Report) -> None:
    cells = [c for c in counts(report) if set(c.text) & set("01")]
    _written(report, few(rng, cells), lambda v: str(v).replace("0", "O").replace("1", "l"))


@quirk(0, harmless=False)
def chinese_number(rng: random.Random, report: Report) -> None:
    cells = [c for c in counts(report) if (report.value(c) or 99) < 10]
    _written(report, few(rng, cells), lambda v: "〇一二三四五六七八九"[int(v)])


@quirk(0, harmless=False)
def two_numbers(rng: random.Random, report: Report) -> None:
    for cell in few(rng, report.figures(), 3):
        report.say(cell, rng.choice(("3/5", "3\n5", "3、5", "3-5", "3 5", "3+2", "约5", "5余", "≥5", "5%", "12?", "(5)")), "unreadable")


@quirk(0, harmless=False)
def wrong_thousands(rng: random.Random, report: Report) -> None:
    for cell in few(rng, counts(report), 3):
        report.say(cell, rng.choice(("12,34", "1,2345", "1.234", "1,113,", "1，23")), "unreadable")


@quirk(0, harmless=False)
def leading_zero(rng: random.Random, report: Report) -> None:
    _written(report, few(rng, counts(report)), lambda v: f"0{v}")


@quirk(0, seen="corpus hongze2023")
def wrong_totals(rng: random.Random, report: Report) -> None:
    """The publisher's own error: figures stay as printed."""
    for cell in few(rng, [c for c in report.figures() if c.key and (c.key[1] == "total" or c.key[0].endswith("_total"))], 4):
        value = (report.value(cell) or 0) + rng.randint(1, 20)
        report.say(cell, str(value), value=value)


@quirk(0, seen="Q-26, Q-54", annex=False)
def huge(rng: random.Random, report: Report) -> None:
    for cell in few(rng, [c for c in report.figures("proactive") if c not in changes(report)], 3):
        value = rng.randint(10**6, 10**10)
        report.say(cell, str(value), value=value)


# --- labels


def _slip(rng: random.Random, text: str) -> str:
    """One character wrong, lost, extra or doubled, not in the ordinal."""
    at = rng.randint(min(2, len(text) - 1), len(text) - 1)
    return rng.choice(
        (text[:at] + rng.choice(WRONG) + text[at + 1 :], text[:at] + text[at + 1 :], text[:at] + rng.choice(WRONG) + text[at:])
    )


@quirk(1, harmless=False, seen="Q-7, Q-19, Q-62")
def typo(rng: random.Random, report: Report) -> None:
    cell = rng.choice(report.labels("label"))
    cell.text = _slip(rng, cell.text)


@quirk(1, harmless=False, seen="Q-62")
def typos(rng: random.Random, report: Report) -> None:
    for cell in report.labels("label", "head"):
        if rng.random() < 0.2:
            cell.text = _slip(rng, cell.text)


@quirk(1, harmless=False, seen="Q-7, Q-24")
def header_typo(rng: random.Random, report: Report) -> None:
    cell = rng.choice(report.labels("head"))
    cell.text = _slip(rng, cell.text)


@quirk(1, seen="Q-39")
def lost_ordinals(rng: random.Random, report: Report) -> None:
    mark = rng.choice(("", r"\1\2"))
    for cell in report.labels("label"):
        cell.text = re.sub(r"^(\s*（?)[一二三四五六七八九十\d]+([、.）])", mark, cell.text)


@quirk(1, harmless=False, annex=False)
def wrong_ordinals(rng: random.Random, report: Report) -> None:
    """Counted wrongly: 3. stands twice, 4. is not there."""
    for cell in few(rng, [c for c in report.labels("label", section="requests") if c.text[0].isdigit()], 4):
        cell.text = str(rng.randint(1, 9)) + cell.text[1:]


@quirk(1, seen="Q-68")
def brackets(rng: random.Random, report: Report) -> None:
    for cell in report.labels("label", "head", "title"):
        cell.text = cell.text.translate(rng.choice((HALF_BRACKETS, FULL_BRACKETS)))


@quirk(1, seen="Q-18, Q-23, Q-70")
def spaced_labels(rng: random.Random, report: Report) -> None:
    gap = rng.choice((" ", "  ", "\u00a0", "\u3000"))
    for cell in report.labels("label", "head", "title"):
        for mark in (".", "、", "）", "条"):
            cell.text = cell.text.replace(mark, mark + gap, 1)
        if len(cell.text) == 2:
            cell.text = gap.join(cell.text)


@quirk(1, seen="Q-20, Q-22, Q-25", annex=False)
def worded_otherwise(rng: random.Random, report: Report) -> None:
    """Other wordings that the layouts list."""
    for form, section in zip(report.forms, ("proactive", "requests", "litigation"), strict=True):
        spec = table(form, section)
        words = [*spec.columns.values(), *(r.label for r in spec.rows), *(r.label for b in spec.blocks for r in b.rows)]
        for cell in report.labels("label", "head", section=section):
            known = next((w for w in words if w[0] == cell.text), None)
            if known:
                cell.text = rng.choice(known)


@quirk(1, seen="Q-19", annex=False)
def cumulative_note(rng: random.Random, report: Report) -> None:
    for cell in report.labels("head", section="proactive"):
        if cell.text in ("现行有效件数", "对外公开总数量"):
            cell.text += rng.choice((" (历史累计)", "（历年累计）"))


@quirk(1, seen="Q-6, Q-24", annex=False)
def long_remarks(rng: random.Random, report: Report) -> None:
    for cell in report.labels("label", section="proactive"):
        cell.text += rng.choice(("（指本机关制发的决定、公告、通告、意见、通知等具有普遍约束力的文件）", "（含上级委托事项）", ""))
    for cell in report.labels("head", section="proactive"):
        if cell.text == "本年增/减":
            cell.text += "（减用负值表示，如-8）"


@quirk(1, seen="Q-15")
def broken_headers(rng: random.Random, report: Report) -> None:
    """Lines broken inside words."""
    for cell in report.labels("head", "label"):
        if 3 <= len(cell.text) <= 12 and rng.random() < 0.7:
            at = rng.randint(1, len(cell.text) - 1)
            cell.text = cell.text[:at] + "\n" + cell.text[at:]


@quirk(1, harmless=False, seen="Q-15", annex=False)
def cut_headers(rng: random.Random, report: Report) -> None:
    """The second line of each header cell is lost."""
    for cell in report.labels("head", section="proactive"):
        cell.text = cell.text[:3] if len(cell.text) > 4 else cell.text


@quirk(1, harmless=False, annex=False)
def other_applicant_names(rng: random.Random, report: Report) -> None:
    names = {
        "商业企业": "企业",
        "科研机构": "科研单位",
        "社会公益组织": "公益组织",
        "法律服务机构": "律师事务所",
        "其他": "其它",
        "总计": "合计",
    }
    for cell in report.labels("head", section="requests"):
        cell.text = names.get(cell.text, cell.text)


@quirk(1, harmless=False, seen="Q-7, Q-44")
def glued_label(rng: random.Random, report: Report) -> None:
    """A footnote's number or a page number behind a label."""
    for cell in few(rng, report.labels("label"), 3):
        cell.text += rng.choice(("①", "*", "1", " - 3 -", "[1]"))


@quirk(1, seen="Q-42")
def question_marks(rng: random.Random, report: Report) -> None:
    for cell in report.labels("label"):
        if rng.random() < 0.4:
            cell.text = "??" + cell.text
