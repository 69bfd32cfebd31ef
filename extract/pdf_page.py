"""The first look at every page of a PDF, with pdfium: its characters, its rules, its pictures; each page is interpreted once."""

from __future__ import annotations

from bisect import bisect_left
from itertools import repeat
from math import inf

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from extract import pdfium_calls as call
from extract.grid import BBox
from extract.pdf_chars import scan_drawn, scan_glyphs
from extract.pdf_model import MIN_TEXT as MIN_TEXT
from extract.pdf_model import Drawn as Drawn
from extract.pdf_model import Glyph as Glyph
from extract.pdf_model import Glyphs
from extract.pdf_model import PageScan as PageScan
from extract.pdf_paths import THIN, bounds, modes, segments
from extract.pdf_turn import page_frame, text_turns, turned
from extract.problem import Problem

MAX_PAGES = 200
#: A line through text is at most this thick, in points.
STROKE = 2.0
#: A rule is at most this thick and at least this long, in points, and at least three times as long as thick.
RULE_THICKNESS, RULE_LENGTH = 6.0, 10.0
#: A picture smaller than this share of its page has no table of the form in it.
PICTURE_AREA = 0.04


class PdfError(Exception):
    """A PDF that can't be opened; `kind` is the problem kind (broken_document, encrypted)."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


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
        return [scan_page(pdf[i], i + 1) for i in range(min(len(pdf), MAX_PAGES))], problems
    except pdfium.PdfiumError as error:
        raise PdfError("broken_document", f"pdfium: {error}") from error
    finally:
        pdf.close()


def scan_page(page: pdfium.PdfPage, number: int, whole: bool = False) -> PageScan:
    """The first look at a page, which is closed; `whole`: characters as drawn also where no rule is near."""
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
    places = scan_glyphs(textpage, scan, box, turns)
    if scan.drawn and (whole or scan.ruled):
        scan_drawn(textpage, scan, places, (media[0], media[1]), texts, whole)
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
    kinds, objects = _objects(page, scan)
    for kind, obj in zip(kinds, objects, strict=True):
        if kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            found = bounds(obj)
            _scan_path(scan, obj, found)
            if found[3] - found[1] <= STROKE:
                thin.append(found)
        elif kind == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            scan.images += 1
            x0, top, x1, bottom = turned(bounds(obj), box, turns)
            if (x1 - x0) * (bottom - top) >= PICTURE_AREA * scan.width * scan.height:
                scan.pictures.append((x0, top, x1, bottom))
    texts = [obj for kind, obj in zip(kinds, objects, strict=True) if kind == pdfium_c.FPDF_PAGEOBJ_TEXT]
    return thin, {obj: n for n, obj in enumerate(texts)}


def _objects(page: pdfium.PdfPage, scan: PageScan) -> tuple[list[int], list[int]]:
    """Kinds and addresses of the page's objects; those of forms with it, where there are any."""
    raw = call.address(page.raw)
    objects = [*filter(None, map(call.page_object, repeat(raw), range(call.object_count(raw))))]
    kinds = list(map(call.object_type, objects))
    if pdfium_c.FPDF_PAGEOBJ_FORM in kinds:
        scan.doubted("it has forms")
        found = list(page.get_objects(max_depth=8))
        return [obj.type for obj in found], [call.address(obj.raw) for obj in found]
    return kinds, objects


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


# --- struck-out text


def _leave_out_struck(scan: PageScan, strokes: list[BBox]) -> None:
    """Leave out characters with a line drawn through their middle: struck-out text (an exported tracked deletion) is no printed text."""
    if not strokes or not scan.glyphs:
        return
    lines = sorted(((s[1] + s[3]) / 2, s[0], s[2]) for s in strokes)
    ink = scan.ink
    _, top, _, bottom = ink.edges.T
    height = bottom - top
    heights = np.array([line[0] for line in lines] + [inf])
    crossed = (heights[np.searchsorted(heights, top + 0.25 * height)] <= bottom - 0.2 * height) & (height > 2 * STROKE)
    struck = [i for i in np.flatnonzero(crossed).tolist() if _is_struck(scan.glyphs[i], lines)]
    if struck:
        scan.doubted("text is struck out")
        kept = np.ones(len(scan.glyphs), np.bool_)
        kept[struck] = False
        scan.glyphs = Glyphs(ink.only(kept))


def _is_struck(glyph: Glyph, lines: list[tuple[float, float, float]]) -> bool:
    height, middle = glyph.bottom - glyph.top, glyph.center[0]
    low, high = glyph.top + 0.25 * height, glyph.bottom - 0.2 * height
    first = bisect_left(lines, (low,))
    return any(x0 <= middle <= x1 for y, x0, x1 in lines[first:] if y <= high)
