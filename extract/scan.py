"""Scanned pages and pictures of tables to grids: Camelot finds the rules, RapidOCR reads every cell twice.

The two readings of a figure are of different crops of its cell; `Cell.text` is the first, `Cell.second` the other, and `Cell.certainty` the
lesser of their certainties. A cell with ink in which nothing is read has the text `extract.grid.PICTURE`: it is no blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from statistics import median

import cv2
import numpy as np
import pypdfium2 as pdfium
from PIL import Image, ImageOps, UnidentifiedImageError

from extract.grid import PICTURE, BBox, Cell, Document, Grid
from extract.pdf import grid_box, page_blocks
from extract.pdf_page import Glyph, PageScan, PdfError
from extract.problem import Problem
from extract.scan_grid import Region, RuledTable, ruled_tables
from extract.scan_image import A4_WIDTH, DPI, Picture, Upright, upright
from extract.scan_ink import Box, around, faint_marks, ink_mask, inner, is_upended, marks, text_lines
from extract.scan_words import SURE, Line, Reading, looks_like_figure, looks_like_label, recogniser

METHOD = "rapidocr+camelot-lattice-raster"
#: A page on which more than this share of the figures (and at least DISAGREEMENTS) is read in two ways can't be trusted where the readings
#: agree either: on pages spoilt so far (JPEG at 100 dpi, fax, noise) 1 to 10 % of the figures are misread alike by both.
DISAGREEMENT, DISAGREEMENTS = 0.03, 3
UNTRUSTED = 0.5
#: Ink narrower than this many line heights, in one line, can be a figure.
FIGURE_LENGTH = 9.0
MAX_PIXELS = 60_000_000
#: A page read worse than this is tried turned by quarters: upright ones came to 0.96 and more, turned ones to 0.
MIN_QUALITY = 0.7

_HAN = re.compile(r"[\u4e00-\u9fff]")
_DASH = re.compile(r"[\s\-－—–―一_ー]+$")


@dataclass(frozen=True, slots=True)
class Way:
    """How to read: resolution, and the room around the ink of a crop, above and beside, as shares of its height, for both readings.

    Measured on 382 figures under 14 kinds of damage: no figure was misread alike by both readings down to 120 dpi, only below, and under
    damage that DISAGREEMENT tells. With more room beside than above, `0` becomes `O`.
    """

    dpi: int
    first: tuple[float, float]
    second: tuple[float, float]


ONE = Way(DPI, (0.3, 0.3), (0.1, 0.15))
#: For a second reading of the whole document.
ANOTHER = Way(240, (0.2, 0.3), (0.3, 0.45))


#: Labels get more room beside: a thin bracket may be too faint to be ink.
LABEL = (0.3, 0.7)


@dataclass(slots=True)
class PicturePage:
    """What a picture of a page says: tables, and the glyphs of the text around them, placed evenly within their lines.

    `quality` (0 to 1) is how much of its words is read with certainty along level lines; None where there is no text.
    """

    grids: list[Grid] = field(default_factory=list)
    glyphs: list[Glyph] = field(default_factory=list)
    quality: float | None = None


@dataclass(slots=True)
class _Inked:
    """A cell with its lines of ink, and what was read in them."""

    region: Region
    lines: list[Box]
    first: list[Reading] = field(default_factory=list)
    second: Reading | None = None


def read_picture_pages(data: bytes, scans: Iterable[PageScan], grids: dict[int, list[Grid]], way: Way = ONE) -> None:
    """Read the pictures on pages of a PDF, and add to `grids` the tables in them by page number.

    A page that is a picture gets its glyphs from it; on a page with text only the tables in its pictures are read that `grids` does not
    have yet. Raises PdfError where a page can't be rendered.
    """
    try:
        pdf = pdfium.PdfDocument(data)
        for scan in scans:
            gray, known = _rendered(pdf[scan.number - 1], way.dpi), grids.setdefault(scan.number, [])
            if scan.is_picture:
                page = read_picture(gray, 72 / way.dpi, scan.number, way)
                scan.glyphs = page.glyphs
            else:
                pictures = _only(gray, way.dpi / 72, scan.pictures, [grid_box(g) for g in known])
                page = _read(pictures, 72 / way.dpi, scan.number, way, text=False)
            grids[scan.number] = [*known, *page.grids]
        pdf.close()
    except pdfium.PdfiumError as error:
        raise PdfError("broken_document", f"pdfium: {error}") from error


def _rendered(page: pdfium.PdfPage, dpi: int) -> Picture:
    array = page.render(scale=dpi / 72, grayscale=True).to_numpy()
    return np.ascontiguousarray(array.reshape(array.shape[:2]))


def _only(gray: Picture, scale: float, kept: list[BBox], dropped: list[BBox]) -> Picture:
    """The page with nothing on it but its pictures, without the tables known already."""
    out = np.full_like(gray, 255)
    for boxes, source in ((kept, gray), (dropped, np.full_like(gray, 255))):
        for box in boxes:
            x0, top, x1, bottom = (max(int(v * scale), 0) for v in box)
            out[top : bottom + 1, x0 : x1 + 1] = source[top : bottom + 1, x0 : x1 + 1]
    return out


def read_image(data: bytes) -> Document:
    """Read a picture file (PNG, JPEG, GIF, TIFF, BMP, WebP) as one page; boxes are in its own pixels.

    Raises ValueError for a broken one, or one too large.
    """
    try:
        with Image.open(BytesIO(data)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise ValueError(f"a picture of {opened.width} x {opened.height} pixels")
            gray = np.asarray(ImageOps.exif_transpose(opened).convert("L"))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"the picture can't be read: {error}") from error
    scale = _reading_scale(gray)
    enlarged = np.asarray(cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
    page = read_picture(enlarged, 1 / scale, 1)
    scan = PageScan(1, gray.shape[1], gray.shape[0], glyphs=page.glyphs, images=1)
    document = Document("image", page_blocks(scan, page.grids, set()))
    if not document.blocks:
        document.problems.append(Problem("extract", "needs_ocr", "a picture in which neither text nor a table was found"))
    return document


def _reading_scale(gray: Picture) -> float:
    """What brings a picture of unknown resolution to the width of an A4 page at DPI; a small detail is enlarged threefold at most."""
    return float(np.clip(A4_WIDTH * DPI / 72 / gray.shape[1], 0.25, 3.0))


def read_picture(gray: Picture, points_per_pixel: float, number: int, way: Way = ONE) -> PicturePage:
    """Tables and text of the picture of a page, upright or turned by quarters; `number` is the page's."""
    page = _read(gray, points_per_pixel, number, way)
    if page.quality is None or page.quality >= MIN_QUALITY:
        return page
    turned = [_read(gray, points_per_pixel, number, way, turns) for turns in (1, 2, 3)]
    return max([page, *turned], key=lambda p: p.quality or 0.0)


def _read(gray: Picture, points_per_pixel: float, number: int, way: Way, turns: int = 0, text: bool = True) -> PicturePage:
    page = upright(gray, points_per_pixel, turns)
    tables = ruled_tables(page.gray)
    if not (tables or text):
        return PicturePage()
    mask = ink_mask(page.gray)
    cells = [_read_cells(page.gray, mask, table, way) for table in tables]
    lines = _lines_around(page.gray, mask, tables) if text else []
    limit = _trust([i for inked in cells for i in inked])
    grids = [_grid(page, table, inked, number, limit) for table, inked in zip(tables, cells, strict=True)]
    return PicturePage(grids, [g for line in lines for g in _glyphs(page, line)], _quality(cells, lines))


def _trust(inked: list[_Inked]) -> float:
    """The most that any figure of a page can be certain: less where many of its figures are read in two ways.

    Dashes and words are not counted: what they are read as (`一—` and `_—`, `条` and `祭`) tells nothing of the digits.
    """
    figures = [i for i in inked if i.second]
    differ = sum(_differ(i) and not _is_no_number(i) for i in figures)
    return UNTRUSTED if differ >= DISAGREEMENTS and differ > DISAGREEMENT * len(figures) else 1.0


def _quality(cells: list[list[_Inked]], lines: list[Line]) -> float | None:
    read = [pair for inked in cells for i in inked for pair in zip(i.lines, i.first, strict=True)] + [(x.box, x.reading) for x in lines]
    words = [(len(r.text), r.certainty if b.height < 2 * b.width else 0.0) for b, r in read if len(r.text) > 2 or is_upended(b)]
    total = sum(n for n, _ in words)
    if total >= 12:
        return sum(n * c for n, c in words) / total
    return 0.0 if any(cells) else None


# --- tables


def _grid(page: Upright, table: RuledTable, inked: list[_Inked], number: int, limit: float) -> Grid:
    read = {(i.region.row, i.region.col): i for i in inked}
    cells = [_cell(page, region, read.get((region.row, region.col)), number, limit) for region in table.regions]
    _, top, _, bottom = table.box
    edges = [page.box(x, top, x, bottom) for x in table.edges]
    return Grid(cells, table.n_rows, table.n_cols, METHOD, col_edges=[round((e[0] + e[2]) / 2, 2) for e in edges])


def _read_cells(gray: Picture, mask: Picture, table: RuledTable, way: Way) -> list[_Inked]:
    """The cells of a table that have ink, read: labels once, what can be a figure twice."""
    found = [(r, marks(mask, r) or faint_marks(gray, r)) for r in table.regions]
    height = median([b.height for _, m in found if m for b in text_lines(m)] or [0])
    inked = [_Inked(r, text_lines(m, height)) for r, m in found if m]
    short = [i for i in inked if len(i.lines) == 1 and i.lines[0].width <= FIGURE_LENGTH * height]
    _take(short, recogniser().figures(_all_crops(gray, short, height, way.first)))
    long = [i for i in inked if not i.first]
    _take(long, recogniser().words(_all_crops(gray, long, height, LABEL)))
    figures = [i for i in short if not looks_like_label(i.first[0].text)]
    _take_second(figures, recogniser().figures(_all_crops(gray, figures, height, way.second)))
    _read_again(gray, [i for i in short if _in_doubt(i)], height, way)
    return inked


def _read_again(gray: Picture, doubtful: list[_Inked], height: float, way: Way) -> None:
    """Read cells of one line twice again, with more care, in place of the readings that leave a doubt."""
    _take(doubtful, recogniser().figures_again(_all_crops(gray, doubtful, height, way.first)))
    figures = [i for i in doubtful if not looks_like_label(i.first[0].text)]
    _take_second(figures, recogniser().figures_again(_all_crops(gray, figures, height, way.second)))


def _in_doubt(cell: _Inked) -> bool:
    return _differ(cell) or any(r.certainty < SURE for r in (*cell.first, *filter(None, [cell.second])))


def _differ(cell: _Inked) -> bool:
    return cell.second is not None and re.sub(r"\s", "", cell.first[0].text) != re.sub(r"\s", "", cell.second.text)


def _is_no_number(cell: _Inked) -> bool:
    """Whether both readings are of dashes or of words."""
    return cell.second is not None and all(_DASH.match(r.text) or _HAN.search(r.text) for r in (*cell.first, cell.second))


def _all_crops(gray: Picture, cells: list[_Inked], height: float, room: tuple[float, float]) -> list[Picture]:
    return [c for i in cells for c in _crops(gray, i, height, room)]


def _take(cells: list[_Inked], readings: list[Reading]) -> None:
    rest = iter(readings)
    for cell in cells:
        cell.first, cell.second = [next(rest) for _ in cell.lines], None


def _take_second(cells: list[_Inked], readings: list[Reading]) -> None:
    for cell, reading in zip(cells, readings, strict=True):
        cell.second = reading


def _crops(gray: Picture, inked: _Inked, line_height: float, room: tuple[float, float]) -> list[Picture]:
    """The lines of a cell with some room around them, within its rules.

    Ink lower than a line (a dash) gets the room of a line; upended text is laid down.
    """
    cell = inner(gray, inked.region)
    out = []
    for box in inked.lines:
        upended = is_upended(box) and box.height > 2.5 * line_height
        height = round(line_height) if upended else max(box.height, round(0.7 * line_height))
        above = round(room[0] * height + max(height - box.height, 0) / 2)
        beside = round(room[1] * height)
        rows = slice(max(box.top - above, cell.top), min(box.bottom + above, cell.bottom))
        part = gray[rows, max(box.x0 - beside, cell.x0) : min(box.x1 + beside, cell.x1)]
        out.append(np.ascontiguousarray(np.rot90(part)) if upended else part)
    return out


def _cell(page: Upright, region: Region, inked: _Inked | None, number: int, limit: float) -> Cell:
    box = page.box(region.x0, region.top, region.x1, region.bottom)
    place = (region.row, region.col, region.row_span, region.col_span, number, box)
    if inked is None:
        return Cell("", *place)
    text = "\n".join(r.text.strip() for r in inked.first if r.text.strip()) or PICTURE
    certainty = min(limit, *(r.certainty for r in (*inked.first, *filter(None, [inked.second]))))
    if inked.second is None:
        return Cell(text, *place, certainty=round(certainty, 3))
    text, second = _two_readings(text, re.sub(r"\s", "", inked.second.text) or PICTURE)
    return Cell(text, *place, second=second, certainty=round(certainty, 3))


def _two_readings(first: str, second: str) -> tuple[str, str]:
    """`text` and `second` of a cell that can be a figure.

    What is neither figure nor word (`O`, `·`) can't stand as text, or its row would not be recognised as a row of figures: the other
    reading does, or else PICTURE; the two differ, so the figure is unreadable.
    """
    if first == PICTURE or looks_like_figure(first) or _HAN.search(first):
        return first, second
    return (second, first) if looks_like_figure(second) else (PICTURE, first)


# --- text around the tables


def _lines_around(gray: Picture, mask: Picture, tables: list[RuledTable]) -> list[Line]:
    """Lines of text above, between and below the tables."""
    out: list[Line] = []
    top = 0
    for bottom, below in [*((int(t.box[1]), int(t.box[3])) for t in tables), (gray.shape[0], gray.shape[0])]:
        band = Region(0, 0, 1, 1, 0, top, gray.shape[1], max(bottom, top))
        found = [b for b in marks(mask, band) if b.height > 8]
        if found:
            box = around(found)
            x0, y0 = max(box.x0 - 20, 0), max(box.top - 20, top)
            part = gray[y0 : min(box.bottom + 20, bottom), x0 : box.x1 + 20]
            out.extend(Line(_moved(line.box, x0, y0), line.reading) for line in recogniser().find(part))
        top = max(top, below)
    return out


def _moved(box: Box, x: int, y: int) -> Box:
    return Box(box.x0 + x, box.top + y, box.x1 + x, box.bottom + y)


def _glyphs(page: Upright, line: Line) -> list[Glyph]:
    """The characters of a line placed evenly within it, and the end of the line."""
    text, box = line.reading.text.strip(), line.box
    step = box.width / max(len(text), 1)
    places: list[BBox] = [page.box(box.x0 + i * step, box.top, box.x0 + (i + 1) * step, box.bottom) for i in range(len(text))]
    return [*(Glyph(c, *place) for c, place in zip(text, places, strict=True)), Glyph("\n", 0, 0, 0, 0)]
