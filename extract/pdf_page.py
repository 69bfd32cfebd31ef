"""The first look at every page of a PDF, with pdfium: its characters, its rules, its pictures; each page is interpreted once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from ctypes import addressof, c_double, c_float
from dataclasses import dataclass, field
from operator import itemgetter

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from extract import pdfium_calls as call
from extract.grid import BBox
from extract.pdf_paths import THIN, Segment, bounds, modes, segments
from extract.pdf_turn import page_frame, text_turns, turned
from extract.problem import Problem

MAX_PAGES = 200
#: A line through text is at most this thick, in points.
STROKE = 2.0
#: A rule is at most this thick and at least this long, in points, and at least three times as long as thick.
RULE_THICKNESS, RULE_LENGTH = 6.0, 10.0
MIN_TEXT = 30
#: A picture smaller than this share of its page has no table of the form in it.
PICTURE_AREA = 0.04
#: Modes of text that is painted (ISO 32000-1 table 106).
PAINTED = (0, 1, 2, 4, 5, 6)
#: How far, in ems, the middle of a character may stand below and above its baseline where pdfium's places are believed.
BELOW, ABOVE = 0.35, 1.1
#: No character is wider than this, in ems; the middle of an em box stands half of this above the baseline.
WIDEST, MIDDLE = 2.1, 0.76
#: Figures and what stands in place of them are below this code.
HAN = 0x3400


class PdfError(Exception):
    """A PDF that can't be opened; `kind` is the problem kind (broken_document, encrypted)."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


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


@dataclass(slots=True)
class Drawn:
    """What Camelot needs of a page, from pdfium: in points from the lower left corner of its MediaBox.

    `chars` are characters in the order of the page's content, with the number of their text object, the extent of their advance, their
    baseline and their size (order, char, x0, x1, baseline, em); `lines` what its paths draw (x0, y0, x1, y1).
    """

    chars: list[tuple[int, str, float, float, float, float]] = field(default_factory=list)
    lines: list[Segment] = field(default_factory=list)


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
    glyphs: list[Glyph] = field(default_factory=list)
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
        return sum(1 for g in self.glyphs if not g.char.isspace())

    def doubted(self, why: str) -> None:
        """Leave the page to playa."""
        self.drawn, self.doubt = None, self.doubt or why


def scan_pages(data: bytes) -> tuple[list[PageScan], list[Problem]]:
    """Glyphs and rules of every page (the first MAX_PAGES). Raises PdfError where pdfium can't open the file."""
    try:
        pdf = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        # pdfium's last error can be that of an earlier file: only a file that names its encryption needs a password
        kind = "encrypted" if "password" in str(error).lower() and b"/Encrypt" in data else "broken_document"
        raise PdfError(kind, f"pdfium: {error}") from error
    problems: list[Problem] = []
    try:
        if len(pdf) == 0:
            raise PdfError("broken_document", "the PDF has no pages")
        if len(pdf) > MAX_PAGES:
            problems.append(Problem("extract", "broken_document", f"{len(pdf)} pages; only the first {MAX_PAGES} were read"))
        return [_scan_page(pdf[i], i + 1) for i in range(min(len(pdf), MAX_PAGES))], problems
    except pdfium.PdfiumError as error:
        raise PdfError("broken_document", f"pdfium: {error}") from error
    finally:
        pdf.close()


def _scan_page(page: pdfium.PdfPage, number: int) -> PageScan:
    media = page.get_mediabox()
    box, turns = page_frame(page)
    width, height = page.get_size()
    # from left, bottom, right and top: what the CropBox cuts off, turned with the page
    cut = (box[0] - media[0], box[1] - media[1], media[2] - box[2], media[3] - box[3])
    scan = PageScan(number, width, height, cut[turns], cut[(turns + 1) % 4])
    textpage = page.get_textpage()
    scan.sideways = (text_turns(textpage) - turns) % 4
    if turns or scan.sideways:
        scan.doubted("it is turned")
    else:
        scan.drawn = Drawn()
    thin, texts = _scan_objects(page, scan, box, turns)
    _scan_text(textpage, scan, (media[0], media[1]), box, turns, texts)
    _leave_out_struck(scan, [turned(b, box, turns) for b in thin])
    if scan.drawn:
        x, y = media[0], media[1]
        scan.drawn.lines = [(x0 - x, y0 - y, x1 - x, y1 - y) for x0, y0, x1, y1 in scan.drawn.lines]
    textpage.close()
    page.close()
    return scan


# --- paths and pictures


def _scan_objects(page: pdfium.PdfPage, scan: PageScan, box: BBox, turns: int) -> tuple[list[BBox], dict[int, int]]:
    """Count rules, note pictures and collect lines; returns the boxes of thin paths and the page's text objects with their order."""
    thin: list[BBox] = []
    texts: dict[int, int] = {}
    for kind, obj in _objects(page, scan):
        if kind == pdfium_c.FPDF_PAGEOBJ_TEXT:
            texts[obj] = len(texts)
        elif kind == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            scan.images += 1
            x0, top, x1, bottom = turned(bounds(obj), box, turns)
            if (x1 - x0) * (bottom - top) >= PICTURE_AREA * scan.width * scan.height:
                scan.pictures.append((x0, top, x1, bottom))
        elif kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            found = bounds(obj)
            _scan_path(scan, obj, found)
            if found[3] - found[1] <= STROKE:
                thin.append(found)
    return thin, texts


def _objects(page: pdfium.PdfPage, scan: PageScan) -> Iterator[tuple[int, int]]:
    """Kind and address of the page's objects; those of forms with it, where there are any."""
    raw = call.address(page.raw)
    found = [(call.object_type(obj), obj) for i in range(call.object_count(raw)) if (obj := call.page_object(raw, i))]
    if any(kind == pdfium_c.FPDF_PAGEOBJ_FORM for kind, _ in found):
        scan.doubted("it has forms")
        found = [(obj.type, call.address(obj.raw)) for obj in page.get_objects(max_depth=8)]
    return iter(found)


def _scan_path(scan: PageScan, obj: int, found: BBox) -> None:
    width, height = found[2] - found[0], found[3] - found[1]
    low, high = min(width, height), max(width, height)
    filled, stroked = modes(obj)
    stroked_box = low > RULE_THICKNESS and stroked
    is_rule = low <= RULE_THICKNESS and high >= RULE_LENGTH and high >= 3 * low
    scan.horizontal_rules += stroked_box or (is_rule and width >= height)
    scan.vertical_rules += stroked_box or (is_rule and height > width)
    if scan.drawn:
        lines = segments(obj, filled, stroked, low <= THIN)
        if lines is None:
            scan.doubted("it has a path of very many points")
        else:
            scan.drawn.lines += lines


# --- characters

_box, _loose, _origin, _matrix, _size = (c_double * 4)(), (c_float * 4)(), (c_double * 2)(), (c_float * 6)(), (c_float * 1)()
_B, _L, _O, _M, _S = (addressof(b) for b in (_box, _loose, _origin, _matrix, _size))


def _scan_text(
    textpage: pdfium.PdfTextPage, scan: PageScan, corner: tuple[float, float], box: BBox, turns: int, texts: dict[int, int]
) -> None:
    """Glyphs of a page and, as long as there is no doubt, its characters as Camelot needs them."""
    raw = call.address(textpage.raw)
    frames: dict[int, tuple[int, float, float]] = {}
    left, top = box[0], box[3]
    x, y = corner
    glyphs, chars = scan.glyphs, scan.drawn.chars if scan.drawn else []
    for i in range(textpage.count_chars()):
        code = call.text_unicode(raw, i)
        if code in (0, 0xFFFE, 0xFFFF):
            scan.doubted("it has characters without a meaning")
            continue
        if 0xD800 <= code < 0xE000:  # half of a character: no text can hold it
            scan.doubted("it has characters without a meaning")
            code = 0xFFFD
        call.char_box(raw, i, _B, _B + 8, _B + 16, _B + 24)
        x0, x1, y0, y1 = _box
        char = chr(code)
        glyphs.append(
            Glyph(char, *turned((x0, y0, x1, y1), box, turns)) if turns else Glyph(char, x0 - left, top - y1, x1 - left, top - y0)
        )
        if scan.drawn is None or not (obj := call.text_object(raw, i)):
            continue  # what pdfium puts in between: spaces and ends of lines
        frame = frames.get(obj)
        if frame is None:
            frame = frames[obj] = (texts.get(obj, -1), *_frame(scan, raw, i, obj))
        order, baseline, em = frame
        call.loose_box(raw, i, _L)
        left_edge, right_edge = _loose[0], _loose[2]
        if right_edge - left_edge > WIDEST * em:  # a font for writing downwards: its advance is not level
            if char.isdigit():
                scan.doubted("a figure is written downwards")
            left_edge, right_edge, baseline = (x0 + x1 - em) / 2, (x0 + x1 + em) / 2, (y0 + y1 - MIDDLE * em) / 2
        if not char.isspace() and (code < 32 or not -BELOW * em <= (y0 + y1) / 2 - baseline <= ABOVE * em):
            scan.doubted("a character stands off its baseline")
        if 32 < code < HAN and call.map_error(raw, i):
            scan.doubted("its font does not say what a character means")
        chars.append((order, char, left_edge - x, right_edge - x, baseline - y, em))
    if texts.keys() - frames.keys():
        scan.doubted("pdfium leaves out text")  # printed twice, or in a damaged font
    chars.sort(key=itemgetter(0))  # pdfium puts what stands on one line together; playa, for Camelot, does not


def _frame(scan: PageScan, textpage: int, index: int, obj: int) -> tuple[float, float]:
    """Baseline and size of a text object, which must be upright, painted and read as it is drawn."""
    call.char_origin(textpage, index, _O, _O + 8)
    call.char_matrix(textpage, index, _M)
    call.font_size(obj, _S)
    a, b, c, d, _, _ = _matrix
    em = _size[0] * d
    if abs(b) > 0.01 * abs(a) or abs(c) > 0.5 * abs(d) or a <= 0 or em <= 0:
        scan.doubted("text is turned")
    if call.render_mode(obj) not in PAINTED:
        scan.doubted("text is not painted")
    if any(_replaces_text(call.mark(obj, n)) for n in range(call.mark_count(obj))):
        scan.doubted("text is replaced (ActualText)")
    return float(_origin[1]), em


def _replaces_text(mark: int) -> bool:
    return bool(call.mark_value_type(mark, b"ActualText") != pdfium_c.FPDF_OBJECT_UNKNOWN)


def _leave_out_struck(scan: PageScan, strokes: list[BBox]) -> None:
    """Leave out characters with a line drawn through their middle: struck-out text (an exported tracked deletion) is no printed text."""
    lines = sorted(((s[1] + s[3]) / 2, s[0], s[2]) for s in strokes)
    heights = [line[0] for line in lines]
    kept = []
    for glyph in scan.glyphs:
        height = glyph.bottom - glyph.top
        first = bisect_left(heights, glyph.top + 0.25 * height)
        if (
            first < len(lines)
            and height > 2 * STROKE
            and heights[first] <= glyph.bottom - 0.2 * height
            and _is_struck(glyph, lines[first:])
        ):
            scan.doubted("text is struck out")
        else:
            kept.append(glyph)
    scan.glyphs = kept


def _is_struck(glyph: Glyph, lines: list[tuple[float, float, float]]) -> bool:
    x, high = glyph.center[0], glyph.bottom - 0.2 * (glyph.bottom - glyph.top)
    return any(x0 <= x <= x1 for y, x0, x1 in lines if y <= high)
