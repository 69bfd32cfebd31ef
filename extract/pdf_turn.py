"""Pages shown on their side or upside down: they are turned so that their text stands upright, read, and the boxes turned back."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from ctypes import addressof, c_float
from dataclasses import replace

import pypdfium2 as pdfium

from extract import pdfium_calls as call
from extract.grid import BBox, Grid

#: Characters looked at on each page.
SAMPLE = 40


def text_turns(textpage: pdfium.PdfTextPage) -> int:
    """By how many quarters, counterclockwise, most of a page's text is turned in its own coordinates; 0 without text."""
    n, raw = textpage.count_chars(), call.address(textpage.raw)
    matrix = (c_float * 6)()
    at = addressof(matrix)
    seen: Counter[int] = Counter()
    looked_at = range(0, n, max(n // SAMPLE, 1))
    for i in looked_at:
        if not chr(call.text_unicode(raw, i)).isspace():
            call.char_matrix(raw, i, at)
            seen[_quarters(matrix[0], matrix[1])] += 1
            if 2 * seen[0] > len(looked_at):  # nothing can outnumber these
                return 0
    return seen.most_common(1)[0][0] if seen else 0


def _quarters(along: float, up: float) -> int:
    """The quarters that text is turned by whose advance goes so far along and up."""
    return 0 if abs(up) < along else round(math.degrees(math.atan2(up, along)) / 90) % 4


def turn_pages(data: bytes, turns: Mapping[int, int]) -> bytes:
    """The file with the pages in `turns` (from 1) shown a number of quarters further clockwise.

    Raises PdfiumError where it can't be written.
    """
    pdf = pdfium.PdfDocument(data)
    for number, quarters in turns.items():
        page = pdf[number - 1]
        page.set_rotation((page.get_rotation() + 90 * quarters) % 360)
        page.close()
    out = io.BytesIO()
    pdf.save(out)
    pdf.close()
    return out.getvalue()


def turn_back(grids: Iterable[Grid], quarters: int, width: float, height: float) -> None:
    """Boxes on a page that was turned, `width` by `height` then, to boxes on the page as it is, in place."""
    for grid in grids:
        grid.cells = [replace(c, bbox=_back(c.bbox, quarters, width, height)) if c.bbox else c for c in grid.cells]


def _back(box: BBox, quarters: int, width: float, height: float) -> BBox:
    x0, top, x1, bottom = box
    match quarters % 4:
        case 1:
            turned = top, width - x1, bottom, width - x0
        case 2:
            turned = width - x1, height - bottom, width - x0, height - top
        case 3:
            turned = height - bottom, x0, height - top, x1
        case _:
            turned = box
    return round(turned[0], 2), round(turned[1], 2), round(turned[2], 2), round(turned[3], 2)


def page_frame(page: pdfium.PdfPage) -> tuple[BBox, int]:
    """The part of a page that is shown (left, bottom, right, top, in its own coordinates), and its quarter turns clockwise."""
    media, crop = page.get_mediabox(), page.get_cropbox()
    box = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    return box, page.get_rotation() // 90


def turned(box: BBox, page: BBox, turns: int) -> BBox:
    """A box (left, bottom, right, top) in the page's own coordinates as x0, top, x1, bottom on the page as shown (/Rotate, clockwise)."""
    left, bottom, right, top = box[0] - page[0], box[1] - page[1], page[2] - box[2], page[3] - box[3]
    x0, x1 = box[0] - page[0], box[2] - page[0]
    match turns:
        case 0:
            return x0, top, x1, page[3] - box[1]
        case 1:
            return bottom, left, box[3] - page[1], x1
        case 2:
            return right, bottom, page[2] - box[0], box[3] - page[1]
        case _:
            return top, right, page[3] - box[1], page[2] - box[0]
