"""Words of a PDF page by the advance of their characters: what stands apart from what, where no rule says it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from extract.pdf_turn import page_frame, turned

#: Characters further apart than this, in ems, are two words: more than a space between Chinese and Latin, less than the room around a cell.
WORD_GAP = 0.55
#: Characters whose middles are this close, in ems, stand on one line.
LINE_TOLERANCE = 0.25
#: The em box above the baseline, as a share of the size.
ASCENT = 0.88

_FIGURE = re.compile(r"[-+−＋－±]?[\d０-９]+([,，.．][\d０-９]+)*[%％]?|[/／—–\-]{1,2}|无")


@dataclass(slots=True)
class Word:
    """Characters that stand together on one line; the box is of em height, in points from the upper left corner of the page as shown."""

    text: str
    x0: float
    top: float
    x1: float
    bottom: float

    @property
    def size(self) -> float:
        return self.bottom - self.top

    @property
    def mid(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def is_figure(self) -> bool:
        """A number, or what is printed in place of one."""
        return _FIGURE.fullmatch(self.text) is not None


Line = list[Word]


def read_lines(page: pdfium.PdfPage) -> list[Line]:
    """The upright words of a page as shown, by line, top to bottom and left to right."""
    chars = sorted(_chars(page), key=lambda c: c.mid)
    lines: list[Line] = []
    for char in chars:
        if lines and char.mid - lines[-1][-1].mid <= LINE_TOLERANCE * min(char.size, lines[-1][-1].size):
            lines[-1].append(char)
        else:
            lines.append([char])
    return [list(_words(sorted(line, key=lambda c: c.x0))) for line in lines]


def _words(chars: list[Word]) -> Iterator[Word]:
    word: Word | None = None
    for char in chars:
        if word is not None and char.x0 - word.x1 <= WORD_GAP * max(char.size, word.size):
            word.text += char.text
            word.x1 = max(word.x1, char.x1)
            word.top, word.bottom = min(word.top, char.top), max(word.bottom, char.bottom)
        else:
            if word is not None:
                yield word
            word = char
    if word is not None:
        yield word


def _chars(page: pdfium.PdfPage) -> Iterator[Word]:
    box, turns = page_frame(page)
    textpage = page.get_textpage()
    loose, matrix = pdfium_c.FS_RECTF(), pdfium_c.FS_MATRIX()
    x, y = pdfium_c.c_double(), pdfium_c.c_double()
    for i in range(textpage.count_chars()):
        char = chr(pdfium_c.FPDFText_GetUnicode(textpage, i))
        if char.isspace() or char in "\0\ufffe\uffff":
            continue
        pdfium_c.FPDFText_GetLooseCharBox(textpage, i, loose)
        pdfium_c.FPDFText_GetCharOrigin(textpage, i, x, y)
        pdfium_c.FPDFText_GetMatrix(textpage, i, matrix)
        if abs((math.degrees(math.atan2(matrix.b, matrix.a)) - 90 * turns + 180) % 360 - 180) > 5:
            continue
        size = pdfium_c.FPDFText_GetFontSize(textpage, i) * math.hypot(matrix.c, matrix.d)
        x0, _, x1, _ = turned((loose.left, loose.bottom, loose.right, loose.top), box, turns)
        baseline = turned((x.value, y.value, x.value, y.value), box, turns)[1]
        if size > 0:
            yield Word(char, x0, baseline - ASCENT * size, max(x1, x0), baseline + (1 - ASCENT) * size)
    textpage.close()
