"""Several reports in one document: one for each title that is followed by tables of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from extract.grid import Document, Grid, Text
from extract.titles import report_title
from transform.figures import ANNEX, join_fragments, read_figures
from transform.layout import Layout
from transform.narrative import title_lines
from transform.period import decide, stated_years, title_year

MAX_TITLE = 60
#: Headings recur from report to report: what they say is kept.
_title_of = lru_cache(2048)(report_title)


@dataclass(frozen=True, slots=True)
class Part:
    """One report of a document: its blocks, its year, and how many tables stand before it."""

    document: Document
    year: int
    tables_before: int


def split_reports(document: Document, forms: Sequence[Layout]) -> list[Part]:
    """The reports of a document that holds more than one; [] where it holds one, or where they can't be told apart with certainty.

    Each has a title that names its year, a table of requests (or the annex of 2014), and states no other year; no two are on the same year.
    """
    starts = _title_blocks(document)
    if len(starts) < 2:
        return []
    bounds = [0, *starts[1:], len(document.blocks)]
    pieces = [replace(document, blocks=document.blocks[a:b], title=None, again=None) for a, b in pairwise(bounds)]
    merged = _merge(pieces, forms)
    years = [_year(piece) for piece in merged]
    if len(merged) < 2 or None in years or len(set(years)) < len(years):
        return []
    return [
        Part(replace(piece, problems=[], again=_again(document, forms, i)), year, _tables_before(merged[:i]))
        for i, (piece, year) in enumerate(zip(merged, years, strict=True))
        if year
    ]


def _title_blocks(document: Document) -> list[int]:
    """Blocks at which a title of a report stands that names its year."""
    found: list[int] = []
    for i, block in enumerate(document.blocks):
        if isinstance(block, Text) and _may_be_title(block.text) and (title := _title_of(block.text)) and title.year:
            found.append(i)
    return found


def _may_be_title(text: str) -> bool:
    """Whether a text is short enough and has a sign that every title of a report has (信息公开, 政务公开)."""
    return len(text) <= MAX_TITLE and "公" in text


def _merge(pieces: list[Document], forms: Sequence[Layout]) -> list[Document]:
    """Pieces without a table belong to the next one that has one (a cover, a list of contents), the last ones to the one before."""
    out: list[Document] = []
    waiting: list[Text | Grid] = []
    for piece in pieces:
        waiting = [*waiting, *piece.blocks]
        if {"requests", ANNEX} & read_figures(piece, forms).formats.keys():
            out.append(replace(piece, blocks=waiting))
            waiting = []
    if out and waiting:
        out[-1] = replace(out[-1], blocks=[*out[-1].blocks, *waiting])
    return out


def _year(piece: Document) -> int | None:
    texts = [t.text for t in piece.texts()]
    found = decide(stated_years(texts), [title_year(title_lines(texts))], None)
    return None if found.kind else found.year


def _tables_before(pieces: Sequence[Document]) -> int:
    return sum(1 for piece in pieces for _ in join_fragments(piece).grids())


def _again(document: Document, forms: Sequence[Layout], number: int) -> Callable[[], Document] | None:
    """The same report out of a second reading of the whole document; empty where that gives other reports."""
    reread = document.again
    if reread is None:
        return None

    def part() -> Document:
        parts = split_reports(reread(), forms)
        return parts[number].document if number < len(parts) else Document(document.media, [])

    return part
