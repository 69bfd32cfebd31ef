"""Which year a report is about: the stated period, cross-checked with the titles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from transform.labels import compact

_CHINESE = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_CHINESE_YEAR = re.compile(r"[二][〇○零][〇○零一二三四五六七八九]{2}(?=年)")
#: 2021年1月1日起至2021年12月31日; the 年 after the first year is lost on some sites (domain.md Q-37, Q-38).
_PERIOD = re.compile(r"(?<!\d)(20\d{2})年?0?1月?0?1日?起?(?:[至到~—–\-]+|以来至)(?:(20\d{2})年?|同年|当年)?(?:12月?(?:31|30)日?|年底)")
_STATED = re.compile(r"统计期限|统计时[限段间]|数据.{0,12}(?:期限|时间|截[至止])|所列数据")
#: The year next to the word report counts: a date of publication may stand before it.
_TITLE = re.compile(
    r"(?<!\d)(20\d{2})(?!\d)年?度?(?:(?!20\d{2})[^。；;]){0,40}?(?:年度报告|年报|工作报告|情况报告|情况的报告)"
    r"|(?:年度报告|年报)\(?(20\d{2})(?!\d)年?度?\)?"
)
_RANGE = re.compile(r"(?<!\d)20\d{2}年?度?[-—–~至到、和与及]+20\d{2}(?!\d)(?:年|度)")


@dataclass(frozen=True, slots=True)
class Year:
    """The year found and why; `kind` is None, or the problem kind: year_unknown, year_conflict.

    `year` is None where nothing may be loaded.
    """

    year: int | None
    evidence: str
    kind: str | None = None


def western(text: str) -> str:
    """Compact text with years in Chinese numerals (二〇二一年) as digits."""
    return _CHINESE_YEAR.sub(lambda m: m.group().translate(_CHINESE), compact(text))


def stated_years(texts: Iterable[str]) -> list[int]:
    """Years of the periods stated in a report's text, the one next to 统计期限 first; both years of a period over two years."""
    near: list[int] = []
    far: list[int] = []
    for text in map(western, texts):
        for found in _PERIOD.finditer(text):
            years = [int(g) for g in found.groups() if g]
            around = text[max(0, found.start() - 40) : found.start()]
            (near if _STATED.search(around) else far).extend(years)
    return list(dict.fromkeys(near or far))


def title_year(title: str) -> int | None:
    """The year a title of an annual report names, None where it names none or more than one."""
    text = western(title)
    if _RANGE.search(text):
        return None
    years = {int(g) for found in _TITLE.finditer(text) for g in found.groups() if g}
    return years.pop() if len(years) == 1 else None


def decide(period: list[int], titles: Iterable[int | None], declared: int | None) -> Year:
    """One year from the stated period, the titles and what the registry or the user declares.

    Agreement of all that is there gives the year. Where they differ, a declared year that the period or a title supports wins, with a
    `year_conflict` to look at; else nothing is loaded: a wrong year is worse than none.
    """
    named = sorted({t for t in titles if t})
    seen = sorted({*period, *named})
    evidence = f"period {_listed(period)}, title {_listed(named)}" + (f", declared {declared}" if declared else "")
    if declared:
        if seen in ([], [declared]):
            return Year(declared, evidence)
        return Year(declared if declared in seen else None, evidence, "year_conflict")
    if not seen:
        return Year(None, evidence, "year_unknown")
    return Year(seen[0], evidence) if len(seen) == 1 else Year(None, evidence, "year_conflict")


def _listed(years: list[int]) -> str:
    return "/".join(map(str, years)) or "-"
