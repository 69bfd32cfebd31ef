"""The text of a report by its numbered parts, and the places its title, preface and part one stand at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEADING = re.compile(r"^\s*([一二三四五六七八九十]{1,2})\s*、\s*(\S.{1,40})$")
_NUMERALS = {n: i for i, n in enumerate("一二三四五六七八九十", 1)}


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part of the report; number 0 is what stands before the first heading."""

    number: int
    heading: str | None
    text: str


def split(texts: Iterable[str]) -> list[Section]:
    """Split paragraphs at the headings 一、 to 十、; a numeral that does not go up is part of the text."""
    parts: list[tuple[int, str | None, list[str]]] = [(0, None, [])]
    for text in texts:
        found = _HEADING.match(text)
        number = _NUMERALS.get(found.group(1), 0) if found else 0
        if found and number > parts[-1][0] and not found.group(2).endswith("。"):
            parts.append((number, text.strip(), []))
        else:
            parts[-1][2].append(text.strip())
    return [Section(n, h, "\n".join(lines)) for n, h, lines in parts if h or lines]


def title_lines(texts: Sequence[str]) -> str:
    """The title as the text itself prints it: the lines before the first long paragraph or heading."""
    lines: list[str] = []
    for text in texts[:8]:
        if len(text) > 60 or _HEADING.match(text):
            break
        lines.append(text)
    return "".join(lines)
