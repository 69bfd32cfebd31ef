"""The characters of a PDF page from pdfium: where their ink is, and how they are drawn, as Camelot needs them near rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from ctypes import create_string_buffer
from dataclasses import dataclass
from itertools import compress, repeat
from math import inf

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from extract import pdfium_calls as call
from extract.grid import BBox
from extract.pdf_model import Advance, Drawn, Floats, Glyphs, Ink, PageScan
from extract.pdf_paths import bounds, matrix
from extract.pdf_turn import turned

#: Lowest and highest place on a page.
Zone = tuple[float, float]
#: Modes of text that is painted (ISO 32000-1 table 106).
PAINTED = frozenset((0, 1, 2, 4, 5, 6))
#: How far, in ems, the middle of a character may stand below and above its baseline where pdfium's places are believed.
BELOW, ABOVE = 0.35, 1.1
#: No character is wider than this, in ems; the middle of an em box stands half of this above the baseline.
WIDEST, MIDDLE = 2.1, 0.76
#: Figures and what stands in place of them are below this code.
HAN = 0x3400
#: What pdfium has for a character that it can't name.
MEANINGLESS = frozenset((0, 0xFFFE, 0xFFFF))
#: Its text as a whole has other characters in place of these, or none.
UNNAMED = frozenset((*map(chr, MEANINGLESS), *map(chr, range(0xD800, 0xE000))))
#: Characters further above and below a page's rules than this, in points, are in none of its tables.
NEAR = 40.0


@dataclass(frozen=True, slots=True)
class Places:
    """Numbers of a page's characters in pdfium, what they are, and their ink in the page's own coordinates (left, right, bottom, top)."""

    numbers: Sequence[int]
    text: str
    ink: Floats
    has_unnamed: bool = False


# --- ink


def scan_glyphs(textpage: pdfium.PdfTextPage, scan: PageScan, box: BBox, turns: int) -> Places:
    """Put the glyphs of a page into its scan; `box` and `turns` are those of `page_frame`."""
    raw, count = call.address(textpage.raw), max(textpage.count_chars(), 0)
    places = _named(raw, _boxes(raw, count))
    if places.has_unnamed:
        scan.doubted("it has characters without a meaning")
    scan.glyphs = Glyphs(Ink.of(places.text, _shown(places.ink, box, turns)))
    return places


def _named(textpage: int, ink: Floats) -> Places:
    """The characters that have a meaning: pdfium's text, where it has one place for each; else asked one by one."""
    count = len(ink)
    found = create_string_buffer(4 * count + 4)
    units = call.text(textpage, 0, count, found) - 1
    text = found.raw[: 2 * units].decode("utf-16-le", "surrogatepass")
    if units == count == len(text) and UNNAMED.isdisjoint(text):
        return Places(range(count), text, ink)
    codes = list(map(call.text_unicode, repeat(textpage), range(count)))
    known = [i for i, code in enumerate(codes) if code not in MEANINGLESS]
    halves = any(0xD800 <= code < 0xE000 for code in codes)  # of a character: no text can hold them
    text = "".join(chr(0xFFFD if 0xD800 <= codes[i] < 0xE000 else codes[i]) for i in known)
    return Places(known, text, ink[known], halves or len(known) < count)


def _shown(ink: Floats, box: BBox, turns: int) -> Floats:
    """Ink as x0, top, x1, bottom on the page as shown."""
    if turns:
        return np.array([turned((x0, y0, x1, y1), box, turns) for x0, x1, y0, y1 in ink.tolist()]).reshape(-1, 4)
    x0, x1, y0, y1 = ink.T
    return np.stack((x0 - box[0], box[3] - y1, x1 - box[0], box[3] - y0), axis=1)


def _boxes(textpage: int, count: int) -> Floats:
    """Left, right, bottom and top of the ink of every character."""
    found = np.zeros((count, 4))
    at = found.ctypes.data
    columns = (range(at + n, at + n + 32 * count, 32) for n in (0, 8, 16, 24))
    deque(map(call.char_box, repeat(textpage), range(count), *columns), 0)
    return found


# --- as drawn


def scan_drawn(
    textpage: pdfium.PdfTextPage, scan: PageScan, places: Places, corner: tuple[float, float], texts: Mapping[int, int], whole: bool
) -> None:
    """Put the characters near a page's rules (`whole`: all) into `scan.drawn`, as long as there is no doubt about any of them.

    `corner` is that of the MediaBox; `texts` are the page's text objects with their order.
    """
    assert scan.drawn
    zone = (-inf, inf) if whole else _zone(scan.drawn)
    page = _Objects.of(call.address(textpage.raw), places, texts)
    if any(_is_near(obj, zone) for obj in texts.keys() - set(page.handles)):
        scan.doubted("pdfium leaves out text")  # printed twice, or in a damaged font
    if page.is_turned.any():
        scan.doubted("text is turned")
    near = page.near(zone)
    sizes = _sizes(page, near, scan)
    chars = _advances(page, near, sizes, corner, scan) if scan.drawn else []
    if scan.drawn:
        scan.drawn.chars = chars
        # pdfium puts what stands on one line together; playa, for Camelot, does not
        scan.drawn.starts = (np.flatnonzero(np.diff(np.flatnonzero(near)) > 1) + 1).tolist()


def _zone(drawn: Drawn) -> Zone:
    """How far up and down the characters of tables can stand."""
    heights = [y for _, y0, _, y1 in drawn.lines for y in (y0, y1)]
    return (min(heights) - NEAR, max(heights) + NEAR) if heights else (inf, -inf)


def _is_near(obj: int, zone: Zone) -> bool:
    a, b, c, d, _, baseline = matrix(obj)
    _, y0, _, y1 = bounds(obj)
    return abs(b) > 0.01 * abs(a) or abs(c) > 0.5 * abs(d) or (min(y0, baseline) < zone[1] and max(y1, baseline) > zone[0])


@dataclass(frozen=True, slots=True)
class _Objects:
    """Characters that are drawn, in the order of the page's content, and the text objects that draw them."""

    textpage: int
    numbers: NDArray[np.intp]  # in pdfium
    places: NDArray[np.intp]  # among the glyphs of the page
    ink: Floats
    owner: NDArray[np.intp]  # place of its object in `handles`
    handles: list[int]
    order: NDArray[np.intp]
    baseline: Floats
    upright: Floats  # how the matrix scales upwards
    is_turned: NDArray[np.bool_]

    @staticmethod
    def of(textpage: int, places: Places, texts: Mapping[int, int]) -> _Objects:
        numbers = np.fromiter(places.numbers, np.intp, len(places.numbers))
        owners = np.fromiter(map(call.text_object, repeat(textpage), places.numbers), np.uint64, len(numbers))
        drawn = np.flatnonzero(owners)  # pdfium puts spaces and ends of lines in between
        found, firsts, owner = np.unique(owners[drawn], return_index=True, return_inverse=True)
        handles = found.tolist()
        order = np.fromiter(map(texts.get, handles, repeat(-1)), np.intp, len(handles))
        first = numbers[drawn[firsts]].tolist()
        a, b, c, d, _, _ = _records(call.char_matrix, 6, repeat(textpage), first, count=len(first)).T
        is_turned = (abs(b) > 0.01 * abs(a)) | (abs(c) > 0.5 * abs(d)) | (a <= 0) | (d <= 0)
        content = np.argsort(order[owner], kind="stable")
        at = drawn[content]
        return _Objects(
            textpage, numbers[at], at, places.ink[at], owner[content], handles, order, _baselines(textpage, first), d, is_turned
        )

    def near(self, zone: Zone) -> NDArray[np.bool_]:
        """Which characters stand in a zone by their baseline or by their ink."""
        low, high = zone
        level, middle = self.baseline[self.owner], (self.ink[:, 2] + self.ink[:, 3]) / 2
        return ((low < level) & (level < high)) | ((low < middle) & (middle < high))


def _baselines(textpage: int, numbers: Sequence[int]) -> Floats:
    found = np.zeros((len(numbers), 2))
    at = found.ctypes.data
    end = at + 16 * len(numbers)
    deque(map(call.char_origin, repeat(textpage), numbers, range(at, end, 16), range(at + 8, end + 8, 16)), 0)
    return found[:, 1]


def _records(function: Callable[..., object], width: int, *arguments: Iterable[int], count: int) -> Floats:
    """What pdfium writes into `count` records of `width` floats, one for each of its `arguments`."""
    found = np.zeros((count, width), np.float32)
    at = found.ctypes.data
    deque(map(function, *arguments, range(at, at + 4 * width * count, 4 * width)), 0)
    return found.astype(np.float64)


def _sizes(page: _Objects, near: NDArray[np.bool_], scan: PageScan) -> Floats:
    """Sizes of the text objects near rules, 0 for the others; they must be painted and read as they are drawn."""
    which = np.unique(page.owner[near])
    objects = [page.handles[i] for i in which.tolist()]
    sizes = np.zeros(len(page.handles))
    sizes[which] = _records(call.font_size, 1, objects, count=len(objects))[:, 0] * page.upright[which]
    if (sizes[which] <= 0).any():
        scan.doubted("text is turned")
    if not PAINTED.issuperset(map(call.render_mode, objects)):
        scan.doubted("text is not painted")
    marks = zip(objects, map(call.mark_count, objects), strict=True)
    if any(_replaces_text(call.mark(obj, n)) for obj, count in marks for n in range(count)):
        scan.doubted("text is replaced (ActualText)")
    return sizes


def _replaces_text(mark: int) -> bool:
    return bool(call.mark_value_type(mark, b"ActualText") != pdfium_c.FPDF_OBJECT_UNKNOWN)


def _advances(page: _Objects, near: NDArray[np.bool_], sizes: Floats, corner: tuple[float, float], scan: PageScan) -> list[Advance]:
    """The characters near rules with the extent of their advance, their baseline and their size."""
    numbers, places, owner = page.numbers[near], page.places[near], page.owner[near]
    x0, x1, y0, y1 = page.ink[near].T
    em, baseline = sizes[owner], page.baseline[owner]
    found = _records(call.loose_box, 4, repeat(page.textpage), numbers.tolist(), count=len(numbers))
    left, right = found[:, 0], found[:, 2]
    text = [scan.ink.text[i] for i in places.tolist()]
    wide = right - left > WIDEST * em  # a font for writing downwards: its advance is not level
    if wide.any():
        if any(char.isdigit() for char in compress(text, wide.tolist())):
            scan.doubted("a figure is written downwards")
        left, right = np.where(wide, (x0 + x1 - em) / 2, left), np.where(wide, (x0 + x1 + em) / 2, right)
        baseline = np.where(wide, (y0 + y1 - MIDDLE * em) / 2, baseline)
    codes = np.fromiter(map(ord, text), np.intp, len(text))
    off = (y0 + y1) / 2 - baseline
    stands = (codes >= 32) & (-BELOW * em <= off) & (off <= ABOVE * em)
    if (scan.ink.is_inked[places] & ~stands).any():
        scan.doubted("a character stands off its baseline")
    if any(map(call.map_error, repeat(page.textpage), numbers[(codes > 32) & (codes < HAN)].tolist())):
        scan.doubted("its font does not say what a character means")
    columns = (left - corner[0], right - corner[0], baseline - corner[1], em)
    return list(zip(page.order[owner].tolist(), text, *(c.tolist() for c in columns), strict=True))
