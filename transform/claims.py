"""Counts in the text of a report: numbers with a unit (新收申请五十八件, 170余条, 100%), with the words they stand in.

Dates, document numbers, ordinals, law articles, ranges and numbers within quotation marks or titles are no counts, and what can't be read
for certain is left out: `1，234件` may be one number or two. What is a unit or a qualifier is data (claims.yml).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from transform.narrative import Section

Bound = Literal["exact", "lower", "upper", "about"]

#: Half-width signs of the same length; the comma stays, as ，between digits is no thousands separator.
_FOLD = {0xFF01 + i: 0x21 + i for i in range(94) if chr(0xFF01 + i) != "，"} | {ord(c): " " for c in "\u3000\xa0\t"}
_FULL_WIDTH_GROUP = re.compile(r"(?<=[０-９])，(?=[０-９]{3}(?![０-９]))")
#: Titles, quotations and document numbers; a quotation of a whole sentence is none of these.
_MASKED = re.compile(r"《[^《》\n]*》|“[^“”\n]{0,24}”|\"[^\"\n]{0,24}\"|〔[^〔〕\n]*〕|【[^【】\n]*】")
_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_HAN = "零〇一二两三四五六七八九十廿卅百千万亿"
_SCALES = {"百": 10**2, "千": 10**3, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8, "万亿": 10**12}
_SENTENCE_END = re.compile(r"[。！!?？\n]")
_SENTENCE_ENDS = "。！!?？\n"
_STOP = re.compile(r"\s*(?:[，。；、,;)）]|$)", re.MULTILINE)
_RANGE = re.compile(r"[-~—–至到]\s*[\d" + _HAN + "]")
_HANGING = re.compile(rf"(?:[\d.,/:~—–-]|[\d{_HAN}]\s*(?:[件条次个项份])?\s*[至到])$")
_FILLERS = re.compile(r"^[，,、;；:：。.()（）\s]+|(?:共计|共有|总计|合计|共|有|为|达到?|计|:|：|\s)+$")
_BRACKET_END = re.compile(r"^\s*[(（]?[^(（]*[)）]")
_AFTER = re.compile(r"\s*((?:(?![，。；、,;:：()（）\n\d]).){1,16})")
#: DECIMAL(18,4) of the warehouse.
_LIMIT = Decimal(10) ** 14


@dataclass(frozen=True, slots=True)
class Claim:
    """A count in the text. `start` and `end` are offsets of the number and of its last word (unit, 以上) in the section's text."""

    section_no: int
    what: str
    value: Decimal
    unit: str | None
    qualifier: str | None
    bound: Bound
    sentence: str
    start: int
    end: int
    begin: int  # of the number with the words that qualify it


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of claims.yml, compiled."""

    number: re.Pattern[str]
    bounds: dict[str, Bound]
    measures: frozenset[str]
    quantities: re.Pattern[str]
    not_before: tuple[re.Pattern[str], ...]
    not_before_chinese: re.Pattern[str]
    small_after: re.Pattern[str]
    small_not_after: re.Pattern[str]
    small_units: frozenset[str]


@cache
def settings() -> dict[str, Any]:
    """claims.yml as it is."""
    return dict(yaml.safe_load((files("transform") / "claims.yml").read_text("utf-8")))


@cache
def vocabulary() -> Vocabulary:
    """The words of claims.yml. Raises KeyError for a word list that is missing and re.error for a pattern that is none."""
    raw = settings()
    before, after = raw["qualifiers"]["before"], raw["qualifiers"]["after"]
    units = "|".join(re.escape(u) + (f"(?!{no})" if no else "") for u, no in raw["units"])
    starts = re.escape("".join(sorted({word[0] for word in before})))  # nearly no place has one of these: looked at first
    number = re.compile(
        rf"(?=[\s\d百{_HAN}{starts}])(?P<before>{_any(before)})?\s*"
        rf"(?:百分之(?P<percent>[{_HAN}]+)|(?P<number>{_DIGITS}|[{_HAN}]+)\s*(?P<mid>[余多])?\s*(?P<scale>(?:百万|千万|万亿|[百千万亿])(?!元))?"
        rf"\s*(?P<late>[余多])?\s*(?P<unit>{units})?)(?P<after>{_any(after)})?"
    )
    return Vocabulary(
        number,
        before | after,
        frozenset(raw["measures"]),
        re.compile(f"(?:{raw['quantities']})$"),
        tuple(re.compile(p) for p in raw["not_before"]),
        re.compile(raw["not_before_chinese"]),
        re.compile(raw["small_numeral_after"]),
        re.compile(raw["small_numeral_not_after"]),
        frozenset(raw["small_numeral_units"]),
    )


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


@lru_cache(64)
def fold(text: str) -> str:
    """The text with half-width signs, of the same length: an offset in one is the same place in the other."""
    return _FULL_WIDTH_GROUP.sub(",", text).translate(_FOLD)


def read_claims(sections: Iterable[Section]) -> list[Claim]:
    """The counts in the text of a report, in reading order. Headings are not read."""
    return [claim for section in sections for claim in _in_section(section)]


def _in_section(section: Section) -> Iterator[Claim]:
    text = fold(section.text)
    plain = _MASKED.sub(lambda m: "\x00" * len(m.group()), text)
    last = 0
    for found in vocabulary().number.finditer(plain):
        claim = _claim(section, text, plain, found, last)
        if claim:
            last = claim.end
            yield claim


def _claim(section: Section, text: str, plain: str, found: re.Match[str], last: int) -> Claim | None:
    value = _value(found)
    if value is None or not _counts(plain, found, value):
        return None
    words = [w for w in (found["before"], found["mid"], found["late"], found["after"]) if w]
    bounds = {vocabulary().bounds[w] for w in words}
    bound: Bound = bounds.pop() if len(bounds) == 1 else "about" if bounds else "exact"
    start = found.start("percent") if found["percent"] else found.start("number")
    first, end = _sentence(text, found.start(), found.end())
    return Claim(
        section.number,
        _what(section.text, text, max(first, last), found),
        value,
        "%" if found["percent"] else found["unit"],
        "".join(words) or None,
        bound,
        section.text[first:end].strip(),
        start,
        found.end(),
        found.start(),
    )


def chinese_number(text: str) -> int | None:
    """The whole number a Chinese numeral writes; None for what is none or has two readings (三百二: 302 or 320).

    >>> chinese_number("二十三"), chinese_number("两千零五"), chinese_number("三百二")
    (23, 2005, None)
    """
    if "两十" in text or "十两" in text or "零两" in text or "〇" in text.strip("〇"):
        return None
    import cn2an  # slow to import, and few texts need it

    try:
        return int(cn2an.cn2an(text.replace("两", "二").replace("〇", "零"), "strict"))
    except ValueError:
        return None


def _value(found: re.Match[str]) -> Decimal | None:
    digits = found["percent"] or found["number"]
    if digits[0] in _HAN:
        number = chinese_number(digits)
        value = None if number is None else Decimal(number)
    else:
        value = Decimal(digits.replace(",", ""))
    if value is None or value.as_tuple().exponent < -4:  # type: ignore[operator]  # finite: made of digits
        return None
    value *= _SCALES[found["scale"]] if found["scale"] else 1
    whole = value == value.to_integral_value()
    if value >= _LIMIT or not (whole or found["percent"] or found["unit"] in vocabulary().measures):
        return None
    return value.to_integral_value() if whole else value


def _counts(plain: str, found: re.Match[str], value: Decimal) -> bool:
    """Whether the words around a number leave no other reading than a count."""
    words = vocabulary()
    before, rest = plain[max(0, found.start() - 16) : found.start()].rstrip(" "), plain[found.end() : found.end() + 8]
    if _HANGING.search(before) or _RANGE.match(rest.lstrip()) or rest.startswith("/") or any(p.search(before) for p in words.not_before):
        return False
    if re.search(r"(?<!\d)\d{1,3}，$", before) and re.fullmatch(r"\d{3}", found["number"] or ""):
        return False
    if not found["unit"] and not found["percent"]:
        return bool(words.quantities.search(before) and _STOP.match(rest)) and not found["after"]
    if not found["percent"] and found["number"][0] in _HAN:
        return not words.not_before_chinese.search(before) and (value > 10 or _small_counts(before, found["unit"], rest))
    return True


def _small_counts(before: str, unit: str | None, rest: str) -> bool:
    words = vocabulary()
    if unit not in words.small_units:
        return False
    if words.small_after.search(before):
        return True
    return bool(_STOP.match(rest)) and not words.small_not_after.search(before)


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    first = max(text.rfind(mark, 0, start) for mark in _SENTENCE_ENDS) + 1
    last = _SENTENCE_END.search(text, end)
    return first, last.end() if last else len(text)


def _what(printed: str, text: str, since: int, found: re.Match[str]) -> str:
    """The words of the clause before the number, and those behind its unit where the number stands within them."""
    before = printed[since : found.start()]
    clause = re.split(r"[，,;；:：。]", before.rstrip("，,：: "))[-1]
    before = _FILLERS.sub("", _BRACKET_END.sub("", clause))
    after = _AFTER.match(text, found.end())
    tail = printed[after.start(1) : after.end(1)].strip() if after else ""
    return (before + tail) or (found["unit"] or "")
