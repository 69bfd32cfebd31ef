"""Recognise a disclosure report (政府信息公开工作年度报告) by its title."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

FIRST_YEAR, LAST_YEAR = 2003, 2099

CHINESE_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | dict.fromkeys("〇○◯OoО0", 0)
_ZERO, _DIGIT = "[零〇○◯OoО0]", f"[{''.join(CHINESE_DIGITS)}]"
_CJK_YEAR = re.compile(rf"(?<![\d零一二三四五六七八九〇])二{_ZERO}{_DIGIT}{{2}}(?=年|政府|信息|政务|度)")
_SPACE = re.compile(r"[\s\u200b\u200c\u200d\ufeff\u00ad]+")
_SPACE_IN_NUMBERS = re.compile(rf"(?<=\d){_SPACE.pattern}(?=\d)")
_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d{2}(?:[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|年(?:0?[1-9]|1[0-2])月(?:\d{1,2}日)?)"
)
_DOCUMENT_NUMBER = re.compile(r"[〔\[(]20\d{2}[〕\])]第?\d+号")
_RANGE = re.compile(r"20\d{2}年?(?:度)?[-—–~至到]+20\d{2}")
_YEAR = re.compile(r"(?<!\d)(20\d{2})(?!\d)")
_YEAR_OF_REPORT = re.compile(r"(?<!\d)(20\d{2})年度?")

_SUBJECT = r"(?:(?<!环境)(?<!企业)(?<!财务)(?<!村务)(?<!项目)信息公开|政务公开)"
_FILLER = r"(?:及?政务公开|和政务公开|和?信息公开|工作|情况|实施|执行|贯彻|的|年度|全年|\d{4}年?|年|[(（《]|[)）》])"
_REPORT = re.compile(rf"{_SUBJECT}{_FILLER}{{0,8}}?(?:年报|报告)")
_TRUNCATED = re.compile(rf"{_SUBJECT}(?:工作|情况|的){{0,3}}(?:\d{{4}}年?|年)度?(?:报|工|工作|工作报)?$")
_ELLIPSIS = re.compile(r"(?:\.{2,}|…+|⋯+)$")

_REJECTED = re.compile(
    r"指南|目录|制度|要点|方案|预算|决算|法治政府|统计年报|申请表|申请书|流程|须知|模板|格式|样式|规范|办法|细则|通报|第三方|评估|考核|培训|测评|审查"
    r"|季度|半年|月报|历年|栏目|专栏|规划|清单|网站(?:工作)?年度|填报|填写|征求意见|调查|报告制度|监督检查|工作会议|述职|评议|更正说明"
)
_PREPARING = re.compile(r"编制|编写|撰写|报送|上报|做好|开展|起草|准备")
_NOTICE = re.compile(r"通知|的函$|公函")
_PUBLISHING_NOTICE = re.compile(r"关于(?:印发|公布)[^编报]*(?:年报|报告)》?的通知")
_GRAPHIC = re.compile(r"图解|图文解读|图片版|图文版|一图|长图|漫画|图说|图示|图表|视频|动漫|H5|解读|读懂", re.I)

Kind = Literal["disclosure", "affairs"]
Edition = Literal["text", "graphic"]


@dataclass(frozen=True, slots=True)
class ReportTitle:
    """What a title says of a report.

    `year` is the year reported on, None where the title names none or more than one. `kind` is `disclosure`
    (政府信息公开) or `affairs` (政务公开). `edition` is `graphic` for a parallel edition in pictures, or in words about
    the report (图解, 图片版, 解读).
    """

    year: int | None
    kind: Kind
    edition: Edition = "text"


def normalise(text: str) -> str:
    """NFKC, without dates and white space (a bar where it kept two numbers apart); years in Chinese numerals in Arabic ones."""
    plain = _DATE.sub(" ", unicodedata.normalize("NFKC", text))
    return _CJK_YEAR.sub(_arabic, _SPACE.sub("", _SPACE_IN_NUMBERS.sub("|", plain)))


def _arabic(match: re.Match[str]) -> str:
    return "2" + "".join(str(CHINESE_DIGITS[c]) for c in match.group()[1:])


def report_title(text: str) -> ReportTitle | None:
    """What a link text or headline says, None where it is not the title of a yearly disclosure report.

    Instructions for reports (通知 about compiling them), guides, catalogues, rules, plans, budgets and other yearly
    reports are not. A text cut off with … is accepted only where what is left can hardly be anything else.
    """
    plain = normalise(text)
    if not _is_report(plain) or _REJECTED.search(plain) or _is_instruction(plain):
        return None
    kind: Kind = "disclosure" if "信息公开" in plain else "affairs"
    return ReportTitle(_year(plain), kind, "graphic" if _GRAPHIC.search(plain) else "text")


def _is_report(plain: str) -> bool:
    if is_truncated(plain):
        return bool(_TRUNCATED.search(_ELLIPSIS.sub("", plain)))
    found = _REPORT.search(plain)
    return bool(found) and ("年报" in plain or "年度" in plain or bool(_YEAR.search(plain)))


def _is_instruction(plain: str) -> bool:
    if _NOTICE.search(plain):
        return not _PUBLISHING_NOTICE.search(plain)
    return bool(_PREPARING.search(plain))


def title_year(text: str) -> int | None:
    """The one year a text names, whether or not it is a report's title."""
    return _year(normalise(text))


def is_truncated(text: str) -> bool:
    """Whether a link text was cut off by the site (ends in … or ...)."""
    return bool(_ELLIPSIS.search(text.strip()))


def is_other_document(text: str) -> bool:
    """Whether a text names a document that is certainly no part of a report (guide, catalogue, form, rule, budget …)."""
    plain = normalise(text)
    return bool(_REJECTED.search(plain)) and report_title(text) is None


def _year(plain: str) -> int | None:
    if _RANGE.search(plain):
        return None
    plain = _DOCUMENT_NUMBER.sub("", plain)
    for pattern in (_YEAR_OF_REPORT, _YEAR):
        years = {int(y) for y in pattern.findall(plain) if FIRST_YEAR <= int(y) <= LAST_YEAR}
        if years:
            return years.pop() if len(years) == 1 else None
    return None
