"""The text of a report by its numbered parts, and the places its title, preface and part one stand at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from extract.grid import Text

_HEADING = re.compile(r"^\s*([一二三四五六七八九十]{1,2})\s*、\s*(\S.{1,40})$")
_NUMERALS = {n: i for i, n in enumerate("一二三四五六七八九十", 1)}
#: Headings of the form and wordings seen in print: they name their part where the numeral is wrong or lost (domain.md Q-7, Q-39).
_FORM = (
    r"总体情况|概述",
    r"(?:行政机关)?(?:主动公开政府信息|政府信息主动公开)(?:的)?情况",
    r"(?:行政机关)?收到和处理政府信息公开申请(?:的)?情况",
    r"(?:因)?政府信息公开(?:工作)?(?:被申请|被提起|引发的?)?行政复议[、和及](?:被?提起)?行政诉讼(?:的)?情况",
    r"(?:政府信息公开工作)?存在的?(?:主要)?问题[及和与]改进(?:情况|措施)",
    r"其他需要报告的?事项",
)
_WORDED = "|".join(f"({p})" for p in _FORM)
_NAMED = re.compile(rf"^\s*([一二三四五六七八九十]{{0,2}})\s*、\s*(?:{_WORDED})(?:\s*[。：:]\s*(.*)|\s*)$", re.DOTALL)
_ENDS = tuple("。！？!?：:；;”）)")
_STARTS = re.compile(r"^\s*(?:[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．]|第[一二三四五六七八九十]+|[一二三四五六七八九]是)")
#: A line this long ends where the page does, not where its author ended it.
_FULL_LINE = 20


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part of the report; number 0 is what stands before the first heading."""

    number: int
    heading: str | None
    text: str


@dataclass(frozen=True, slots=True)
class _Heading:
    number: int
    text: str
    body: str  # what follows it on the same line


def split(texts: Iterable[str]) -> list[Section]:
    """Split paragraphs at the headings 一、 to 十、; a numeral that does not go up is part of the text.

    A heading worded as in the form has the number of its part, whatever numeral is printed. A table of contents is part of the preface.
    """
    parts: list[tuple[int, str | None, list[str]]] = [(0, None, [])]
    for text in texts:
        heading = _heading(text, parts[-1][0])
        if heading and heading.number == 1 and parts[-1][0] > 1:
            parts = [(0, None, parts[0][2] + [h for _, h, _ in parts[1:] if h])] if _is_contents(parts) else parts
        if heading and heading.number > parts[-1][0]:
            parts.append((heading.number, heading.text, [heading.body] if heading.body else []))
        else:
            parts[-1][2].append(text.strip())
    return [Section(n, h, "\n".join(lines)) for n, h, lines in parts if h or lines]


def _heading(text: str, last: int) -> _Heading | None:
    named = _NAMED.match(text)
    if named:
        number = next(i for i in range(1, len(_FORM) + 1) if named.group(i + 1))
        body = named.group(len(_FORM) + 2) or ""
        printed = _NUMERALS.get(named.group(1), 0)
        return _Heading(printed if printed > last else number, text[: len(text) - len(body)].strip(), body.strip())
    found = _HEADING.match(text)
    if not found or found.group(2).endswith("。"):
        return None
    return _Heading(_NUMERALS.get(found.group(1), 0), text.strip(), "")


def _is_contents(parts: Sequence[tuple[int, str | None, list[str]]]) -> bool:
    """Headings one below the other with nothing between, before the first heading comes again."""
    return len(parts) > 3 and not any(lines for _, _, lines in parts[1:])


def paragraphs(texts: Iterable[Text]) -> list[str]:
    """The paragraphs of a document; one that a page end cuts in two is joined where its first half ends in the middle of a sentence."""
    out: list[str] = []
    page: int | None = None
    for text in texts:
        turned = page is not None and text.page is not None and text.page > page
        if turned and out and _goes_on(out[-1], text.text):
            out[-1] = out[-1].rstrip() + text.text.lstrip()
        else:
            out.append(text.text)
        page = text.page
    return out


def _goes_on(above: str, below: str) -> bool:
    cut = len(above) >= _FULL_LINE and not above.rstrip().endswith(_ENDS)
    return cut and not _heading(above, 0) and not _heading(below, 0) and not _STARTS.match(below)


def title_lines(texts: Sequence[str]) -> str:
    """The title as the text itself prints it: the lines before the first long paragraph, sentence or heading."""
    lines: list[str] = []
    for text in texts[:8]:
        if len(text) > 60 or (lines and text.rstrip().endswith("。")) or _HEADING.match(text):
            break
        lines.append(text)
    return "".join(lines)
