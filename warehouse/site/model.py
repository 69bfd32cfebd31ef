"""What the site is given besides the warehouse: forms, pictures and accuracy come from other packages as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Box = tuple[float, float, float, float]


class SiteError(Exception):
    """The site can't be made or put in its place. Nothing of it is left behind, and what was there before stays."""


@dataclass(frozen=True, slots=True)
class FormTable:
    """A table of an official form, laid out: rows of cells from left to right.

    A cell is `{"t": label}` or `{"k": [indicator, applicant]}` for a figure, with `c` and `r` for the columns and rows it spans where more
    than one, and `d` for the depth of a label in a list.
    """

    section: str
    format: int
    rows: list[list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report of which pictures are wanted: the pages (with boxes) and the tables (without) its figures stand on.

    `turns`: page -> degrees clockwise that set it upright, for pages whose rows do not run from left to right.
    """

    report_id: str
    publisher_id: str
    url: str
    document_sha256: str
    pages: tuple[int, ...] = ()
    tables: tuple[int, ...] = ()
    turns: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a page or of a table.

    `file`: its name in the folder it was drawn into. `width` and `height` in the unit of the boxes: that of `observation.bbox` for a
    page; for a table `cells` has the box of each cell by "row,column" (counted from 1). `turn`: by how many degrees clockwise the page was
    turned to set it upright; the size is that of the turned picture, boxes are those of the page as it lies.
    """

    file: str
    width: float
    height: float
    page: int | None = None
    table: int | None = None
    cells: dict[str, Box] = field(default_factory=dict)
    turn: int = 0


#: Draws what is wanted into a folder: for each report its pictures, or why there are none. Pictures already there need not be drawn again.
Draw = Callable[[Sequence[Wanted], Path], Iterable[tuple[str, list[Picture] | str]]]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What docs/accuracy.md measured: when, and for each medium documents, cells, right, flagged and silently wrong cells."""

    made_on: str
    media: list[tuple[str, int, int, int, int, int]]


@dataclass(frozen=True, slots=True)
class Site:
    """A finished site: its folder, and how many files of each kind, bytes and pictures it has."""

    path: Path
    counts: dict[str, int]
