"""Where the report stands in its web page, and the title and date that the page gives it."""

from __future__ import annotations

import re
from datetime import date
from itertools import takewhile

from lxml.etree import _Element as Element

from extract.grid import Grid, Text
from extract.html_nested import is_data_table

#: So many of the six headings must be found, to know where the report stands in the page.
MIN_HEADINGS = 4
#: Stands in the text where the report ends; compared by identity.
END = Text("")

_SPACES = re.compile(r"[ \t\r\f\v\u00a0\u3000\u200b\ufeff]+")
_HEADING = re.compile(r"^\s*[一二三四五六]\s*、")
_TITLE = re.compile("报告|報告")
_PUBLISHED = re.compile(
    r"(?<![\u4e00-\u9fff])(?:发布|发文|公开|成文|更新|生成)?(?:日期|时间)\s*[:：]\s*\[?\s*(\d{4})\s*[-年/.]\s*(\d{1,2})\s*[-月/.]\s*(\d{1,2})(?!\d)"
)
_META_DATES = ("pubdate", "publishdate", "publish_time", "publicationdate")
_META_TITLES = ("articletitle", "article_title")


def title(tree: Element) -> str | None:
    """The title in the meta data, else that of the window."""
    metas = {(m.get("name") or "").lower(): (m.get("content") or "").strip() for m in tree.iter("meta")}
    for name in _META_TITLES:
        if metas.get(name):
            return metas[name]
    shown = tree.findtext(".//title")
    return _SPACES.sub(" ", shown).strip() or None if shown else None


def published_on(tree: Element, blocks: list[Text | Grid]) -> str | None:
    """The date of publication (ISO) in the meta data, else the first that the page prints as such."""
    for meta in tree.iter("meta"):
        if (meta.get("name") or "").lower() in _META_DATES:
            found = re.match(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})", meta.get("content") or "")
            if found:
                return _iso(found)
    for block in blocks:
        for line in [block.text] if isinstance(block, Text) else [c.text for c in block.cells]:
            if ("日期" in line or "时间" in line) and (found := _PUBLISHED.search(line)):
                return _iso(found)
    return None


def _iso(found: re.Match[str]) -> str | None:
    try:
        return date(*map(int, found.groups())).isoformat()
    except ValueError:
        return None


def report_element(body: Element) -> Element | None:
    """The innermost element with all numbered headings (一、 to 六、) of the report, None where fewer than four have kept their number."""
    numbers: set[str] = set()
    around: list[Element] | None = None
    data = {table for table in body.iter("table") if is_data_table(table)}
    for element in body.iter("*"):
        text = element.text
        found = _HEADING.match(text) if text and "、" in text else None
        if not found or any(t in data for t in element.iterancestors("table")):
            continue
        numbers.add(found.group().strip()[0])
        path = [*reversed(list(element.iterancestors())), element]
        around = path if around is None else [a for a, b in zip(around, path, strict=False) if a is b]
    return around[-1] if around and len(numbers) >= MIN_HEADINGS else None


#: The title stands at most this many paragraphs above the first numbered heading, whatever their length: the stated period may be short.
PREFACE = 12


def report_part(blocks: list[Text | Grid]) -> list[Text | Grid]:
    """Blocks without what stands far above the first numbered heading (menus) and what comes after the report (the site's own notices).

    Tables stay, wherever they are.
    """
    end = next((i for i, b in enumerate(blocks) if b is END), len(blocks))
    blocks = blocks[:end] + [b for b in blocks[end:] if isinstance(b, Grid)]
    first = next((i for i, b in enumerate(blocks) if isinstance(b, Text) and _HEADING.match(b.text)), None)
    if first is None:
        return blocks
    prefaces = list(takewhile(lambda b: isinstance(b, Grid) or len(b.text) > 40 or _TITLE.search(b.text), reversed(blocks[:first])))
    near = range(max(first - PREFACE, 0), first)
    titles = (i for i in near if isinstance(b := blocks[i], Text) and _TITLE.search(b.text))
    kept = min(first - len(prefaces), next(titles, first))
    return [b for b in blocks[:kept] if isinstance(b, Grid)] + blocks[kept:]
