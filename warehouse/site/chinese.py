"""Chinese for what the warehouse says in English: definitions of indicators, formulas and notes of metrics, patterns of reasons.

The words of the form and the articles are those of the definition itself (`English. 本年制发的规章件数. Art. 20(1).`); remarks, formulas,
notes and reasons are in chinese.yml.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_DEFINITION = re.compile(r"\. (?P<words>[^A-Za-z.]+)\. (?P<law>(?:Art\. |Named ).*?)\.?$")
_BY_THE_FORM = "条例未列，仅见于报告格式。"
_REGULATION = "政府信息公开条例"
#: Articles whose bracketed number is a paragraph (款); of the others it is an item (项).
_PARAGRAPHS = {"16", "39"}
_DIGITS = "零一二三四五六七八九"
_SIGNS = {" / ": " ÷ ", " * ": " × ", " + ": "＋", " - ": " － ", "(": "（", ")": "）", ", ": "，"}
_SOURCE = re.compile(r"^source: (?:domain\.md (?:[\d.]+(?:, )?)+[;.]? ?)?")


@cache
def _texts() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((files(__package__) / "chinese.yml").read_bytes(), yaml.CSafeLoader)
    return found


def definition(indicator: str, english: str) -> str | None:
    """The definition of an indicator in Chinese: words of the form, remark, source. None where it has no words of the form."""
    found = _DEFINITION.search(english)
    if found is None:
        return None
    return f"{found['words']}。{_texts()['remarks'].get(indicator, '')}{_law(found['law'])}"


def _law(text: str) -> str:
    if text.startswith("Named"):
        return _BY_THE_FORM
    return "依据：" + "；".join(_source(part) for part in text.split("; ")) + "。"


def _source(text: str) -> str:
    """`Art. 14, 36(3)` or `行政复议法 Art. 23(1)(4)` or the number of a notice."""
    name, _, articles = text.rpartition("Art. ")
    if not articles or "Art. " not in text:
        return text
    law = name.strip() or _REGULATION
    return f"《{law}》" + "、".join(_article(a, law == _REGULATION) for a in articles.split(", "))


def _article(text: str, regulation: bool) -> str:
    number, *parts = re.findall(r"\d+", text)
    article = f"第{numeral(int(number))}条"
    if not parts:
        return article
    if len(parts) == 2 and "-" in text:
        return f"{article}第（{numeral(int(parts[0]))}）至（{numeral(int(parts[1]))}）项"
    if len(parts) == 2 and not regulation:
        return f"{article}第{numeral(int(parts[0]))}款第（{numeral(int(parts[1]))}）项"
    if regulation and number in _PARAGRAPHS:
        return article + "".join(f"第{numeral(int(p))}款" for p in parts)
    return article + "、".join(f"第（{numeral(int(p))}）项" for p in parts)


def numeral(n: int) -> str:
    """1 to 99 in Chinese."""
    tens, ones = divmod(n, 10)
    return ("" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十") + ("" if ones == 0 else _DIGITS[ones])


def formula(english: str, labels: dict[str, str]) -> str:
    """The formula of a metric in Chinese: `labels` are those of the indicators."""
    words = {**labels, **_texts()["formula_words"]}
    pattern = "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))
    made = re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", lambda m: words[m[0]], english)
    for sign, chinese in _SIGNS.items():
        made = made.replace(sign, chinese)
    return made


def plain(english: str) -> str:
    """The note of a metric without its source."""
    return _SOURCE.sub("", english)


def note(english: str) -> str | None:
    """The note of a metric in Chinese, without its source; None where it has not been put into Chinese."""
    found: str | None = _texts()["notes"].get(plain(english))
    return found


def reasons() -> list[list[str]]:
    """Pattern and Chinese of reasons and cautions, in the order in which they are tried."""
    found: list[list[str]] = _texts()["reasons"]
    return found
