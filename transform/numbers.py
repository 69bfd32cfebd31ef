"""Printed cells to numbers, and nothing that is not certain."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from extract.grid import PICTURE
from transform.chinese import simplified

Status = Literal["reported", "blank", "not_applicable", "unreadable"]
Kind = Literal["count", "change", "money"]

_NOT_APPLICABLE = re.compile(r"^(?:[-‐‑‒–—―─－_/\\|]+|…+|\.{3,}|无|不涉及|不适用|无此项|N/?A)$", re.IGNORECASE)
_NUMBER = re.compile(
    r"^(?P<sign>[+-]|增加?|减少?)?(?P<digits>\d{1,3}(?:,\d{3})+|0+|[1-9]\d*)(?P<decimals>\.\d+)?"
    r"(?P<unit>件|条|个|宗|起|项|次|人|份|篇|家|例|户|元|万元|亿元|\((?:件|条|个|宗|起|项|次|元|万元|亿元)\))?$"
)
#: What follows a figure in brackets: words, with or without numbers of their own. 22（其中修订16件） is 22.
_REMARK = re.compile(r"^(?P<figure>[^()]*\d[^()]*)\((?P<remark>[^()]*[\u4e00-\u9fff][^()]*)\)$")
_DIGITS = re.compile(r"^[\d,.+\-%/²³¹⁰-⁹①-⑳]+(?:\(.*\))?$")
#: Not the tail of another unit: 千元, 百万元, 美元, 单元.
_MONEY_UNIT = re.compile(r"(?<![千百十万亿美港欧日单])(亿元|万元|元)")
#: Printed at the edge of a text without being seen.
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
#: Factor to 10,000 yuan, the unit of the form.
_TO_10K = {"元": Decimal("0.0001"), "万元": Decimal(1), "亿元": Decimal(10000)}
#: DECIMAL(18,4) of the warehouse.
_LIMIT = Decimal(10) ** 14
_STEP = Decimal("0.0001")
_SPACES = re.compile(r"\s+")
_BEFORE_UNIT = re.compile(r"\s+(?=[(件条个宗起项次人份篇家例户元万亿])|(?<=[+\-])\s+")
#: Texts of cells recur from report to report: what so many of them say is kept.
_KEPT = 8192


@dataclass(frozen=True, slots=True)
class Figure:
    """A cell as read: `value` is None unless `status` is reported; `unit` is the codebook's unit or `unknown`."""

    value: Decimal | None
    status: Status
    unit: str


def money_unit(header: str) -> str | None:
    """The unit of money a header names (元, 万元, 亿元), None where it names none or more than one."""
    found = set(_MONEY_UNIT.findall(simplified(_SPACES.sub("", header))))
    return found.pop() if len(found) == 1 else None


def _plain(text: str) -> str:
    """NFKC without white space around it, with one kind of minus.

    Superscripts, circled numbers and fractions (category No) stay as they are: NFKC makes digits of them, and 3² is not 32.
    """
    if text.isascii():
        return text.strip()
    kept = "".join(c if unicodedata.category(c) == "No" else unicodedata.normalize("NFKC", c) for c in text)
    return simplified(kept.strip().strip(_INVISIBLE).strip().replace("−", "-"))


@lru_cache(_KEPT)
def looks_like_figure(text: str) -> bool:
    """Whether a cell's text can be a figure rather than a label: nothing, a dash or its like, digits, digits with a remark, a picture."""
    clean = _SPACES.sub("", _plain(text))
    return not clean or clean == PICTURE or any(p.match(clean) for p in (_NOT_APPLICABLE, _NUMBER, _DIGITS))


@lru_cache(_KEPT)
def read_figure(text: str, unit: str, kind: Kind = "count", header: str = "") -> Figure:
    """Read a printed cell.

    `unit` is the codebook's unit; `kind` says what may stand there: a count (whole, not negative), a change (signed), or money (10,000 yuan
    in the codebook). Money is converted only where the cell or `header` names its unit; otherwise the unit is `unknown` and the value stays
    as printed. White space between digits, a wrong thousands group or any other text is unreadable: it is never guessed.
    """
    clean = _plain(text)
    stated = money_unit(header) if kind == "money" else None
    known = unit if kind != "money" or stated else "unknown"
    if not clean:
        return Figure(None, "blank", known)
    if _NOT_APPLICABLE.match(_SPACES.sub("", clean)):
        return Figure(None, "not_applicable", known)
    found = _NUMBER.match(_BEFORE_UNIT.sub("", _without_remark(clean, kind)))
    if not found:
        return Figure(None, "unreadable", known)
    unit_printed = (found["unit"] or "").strip("()") or None
    value = Decimal(found["digits"].replace(",", "") + (found["decimals"] or ""))
    if (found["sign"] or "")[:1] in ("-", "减"):
        value = -value
    if kind == "money":
        return _money(value, bool(found["sign"]), unit_printed, stated, unit)
    return _count(value, found, unit_printed, unit, kind)


def _without_remark(clean: str, kind: Kind) -> str:
    """The figure without a remark in brackets behind it; in a column of changes a remark with digits may be the change itself."""
    found = _REMARK.match(clean)
    if not found or _NUMBER.match(_SPACES.sub("", clean)) or (kind == "change" and re.search(r"\d", found["remark"])):
        return clean
    return found["figure"].strip()


def _count(value: Decimal, found: re.Match[str], printed: str | None, unit: str, kind: Kind) -> Figure:
    whole = value == value.to_integral_value() and not (found["decimals"] or "").strip(".0")
    signed = bool(found["sign"])
    if not whole or value >= _LIMIT or printed in _TO_10K or (signed and kind == "count"):
        return Figure(None, "unreadable", unit)
    return Figure(value, "reported", unit)


def _money(value: Decimal, signed: bool, printed: str | None, stated: str | None, unit: str) -> Figure:
    if signed or (printed and printed not in _TO_10K):
        return Figure(None, "unreadable", unit if stated else "unknown")
    source = printed or stated
    value = value * _TO_10K[source] if source else value
    if value >= _LIMIT or 0 < value < _STEP:
        return Figure(None, "unreadable", unit if source else "unknown")
    return Figure(value.quantize(_STEP), "reported", unit if source else "unknown")
