"""What the first look at a page of a PDF gives: its characters, its lines, and what stands where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import compress, pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

from extract.grid import BBox
from extract.pdf_paths import Segment

MIN_TEXT = 30
_END = re.compile(r"[\r\n]")
Floats = NDArray[np.float64]
#: A character as drawn: the number of its text object, itself, the extent of its advance, its baseline and its size.
Advance = tuple[int, str, float, float, float, float]


@dataclass(slots=True)
class Glyph:
    """One character as pdfium places it; coordinates in points from the upper left corner of the page."""

    char: str
    x0: float
    top: float
    x1: float
    bottom: float

    @property
    def center(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class Ink:
    """Where the glyphs of a page stand, in arrays as long as its `text` (one character a glyph): edges, middles, and what is no blank."""

    text: str
    edges: Floats  # x0, top, x1, bottom
    x: Floats
    y: Floats
    is_inked: NDArray[np.bool_]

    @staticmethod
    def of(text: str, edges: Floats) -> Ink:
        """`edges` has a row for each character."""
        x0, top, x1, bottom = edges.T
        return Ink(text, edges, (x0 + x1) / 2, (top + bottom) / 2, ~np.fromiter(map(str.isspace, text), np.bool_, len(text)))

    @staticmethod
    def of_glyphs(glyphs: Sequence[Glyph]) -> Ink:
        edges = [(g.x0, g.top, g.x1, g.bottom) for g in glyphs]
        return Ink.of("".join(g.char for g in glyphs), np.array(edges, np.float64).reshape(-1, 4))

    def only(self, kept: NDArray[np.bool_]) -> Ink:
        text = "".join(compress(self.text, kept.tolist()))
        return Ink(text, self.edges[kept], self.x[kept], self.y[kept], self.is_inked[kept])

    def outside(self, boxes: Iterable[BBox]) -> Ink:
        """The glyphs whose middle is in none of the boxes, and the ends of lines."""
        kept = np.ones(len(self.text), np.bool_)
        for x0, top, x1, bottom in boxes:
            kept &= (self.x < x0) | (self.x >= x1) | (self.y < top) | (self.y >= bottom)
        kept[[found.start() for found in _END.finditer(self.text)]] = True
        return self.only(kept)


class Glyphs(Sequence[Glyph]):
    """The glyphs of an Ink, each made when it is asked for: few are."""

    def __init__(self, ink: Ink) -> None:
        self.ink = ink

    def __len__(self) -> int:
        return len(self.ink.text)

    @overload
    def __getitem__(self, at: int) -> Glyph: ...
    @overload
    def __getitem__(self, at: slice) -> list[Glyph]: ...
    def __getitem__(self, at: int | slice) -> Glyph | list[Glyph]:
        if isinstance(at, slice):
            return list(map(Glyph, self.ink.text[at], *self.ink.edges[at].T.tolist()))
        return Glyph(self.ink.text[at], *self.ink.edges[at].tolist())

    def __iter__(self) -> Iterator[Glyph]:
        return iter(self[:])


@cache
def _digit_run() -> re.Pattern[str]:
    """Two digits and more, as str.isdigit has it: decimal ones, and those set high, low or in circles."""
    others = "".join(char for char in map(chr, range(0x20000)) if char.isdigit() and not char.isdecimal())
    return re.compile(rf"[\d{others}]{{2,}}")


def digit_runs(text: str) -> list[tuple[int, int]]:
    """Where two digits and more follow each other."""
    return [found.span() for found in _digit_run().finditer(text)]


@dataclass(slots=True)
class Drawn:
    """What Camelot needs of a page, from pdfium: in points from the lower left corner of its MediaBox.

    `chars` are the characters near the page's rules in the order of its content, `starts` the places in it in front of which others were
    left out; `lines` what its paths draw (x0, y0, x1, y1).
    """

    chars: list[Advance] = field(default_factory=list)
    lines: list[Segment] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    _digits: list[tuple[int, int]] | None = None

    def digits(self) -> list[tuple[int, int]]:
        """Where two digits and more follow each other in `chars`, which is complete when this is first asked."""
        if self._digits is None:
            self._digits = digit_runs("".join([c[1] for c in self.chars]))
        return self._digits

    def runs(self) -> Iterator[list[Advance]]:
        """The characters, parted where others were left out."""
        places = [0, *self.starts, len(self.chars)]
        return (self.chars[a:b] for a, b in pairwise(places) if a < b)


@dataclass(slots=True)
class PageScan:
    """What the first look at a page gives: its glyphs in reading order (a glyph "\\n" ends a line), and how many rules it has.

    `pictures` are the boxes of its images that are large enough for a table, in points from the upper left corner of the page as shown.
    `sideways`: by how many quarters clockwise the page must be turned for most of its text to stand upright.
    `left` and `bottom` are the corner of the page as shown (CropBox) from that of its MediaBox, where Camelot's coordinates start.
    `drawn` is None where pdfium alone can't be relied on for what is drawn, and `doubt` says why.
    """

    number: int
    width: float
    height: float
    left: float = 0.0
    bottom: float = 0.0
    glyphs: Sequence[Glyph] = ()
    horizontal_rules: int = 0
    vertical_rules: int = 0
    images: int = 0
    pictures: list[BBox] = field(default_factory=list)
    sideways: int = 0
    drawn: Drawn | None = None
    doubt: str = ""

    @property
    def is_picture(self) -> bool:
        """Whether the page is a picture and nothing else."""
        return self.images > 0 and self.text_length < MIN_TEXT

    @property
    def ruled(self) -> bool:
        return self.horizontal_rules >= 2 and self.vertical_rules >= 2

    @property
    def text_length(self) -> int:
        return int(np.count_nonzero(self.ink.is_inked))

    @property
    def ink(self) -> Ink:
        """The glyphs in arrays."""
        if not isinstance(self.glyphs, Glyphs):
            self.glyphs = Glyphs(Ink.of_glyphs(self.glyphs))
        return self.glyphs.ink

    def doubted(self, why: str) -> None:
        """Leave the page to playa."""
        self.drawn, self.doubt = None, self.doubt or why
