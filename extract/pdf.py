"""PDF with a text layer to grids: pdfium finds the table pages, Camelot's Lattice reads the grid, pdfium reads every cell again.

Camelot's parts are composed over one page layout (rather than `camelot.read_pdf`), so that broken font metrics can be mended before the
layout is made: a font whose descriptor says Ascent = Descent = 0 moves its text by nearly one row (docs/decisions.md).
"""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from extract.grid import BBox, Cell, Document, Grid, Text
from extract.join import join_pages
from extract.pdf_turn import page_frame, text_turns, turn_back, turn_pages, turned
from extract.problem import Problem

METHOD = "camelot-lattice-vector"
MAX_PAGES = 200
#: A line through text is at most this thick, in points.
STROKE = 2.0
#: A rule is at most this thick and at least this long, in points, and at least three times as long as thick.
RULE_THICKNESS, RULE_LENGTH = 6.0, 10.0
#: Font metrics, in thousandths of an em, for descriptors that can't be right: the usual CJK em box.
CJK_ASCENT, CJK_DESCENT = 880, -120
MIN_TEXT = 30
#: A picture smaller than this share of its page has no table of the form in it.
PICTURE_AREA = 0.04
#: Running heads and feet stand within this share of the page's height from its upper or lower edge.
MARGIN = 0.12

#: What playa and Camelot raise, besides playa's own exceptions, for files that pdfium still opens.
DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, StopIteration, TypeError, ValueError, struct.error, zlib.error)

_PAGE_NUMBER = re.compile(r"^[\s\-—–－·]*(第\s*)?\d{1,3}(\s*页)?(\s*[/／]\s*\d{1,3})?[\s\-—–－·]*$")
_NEW_PARAGRAPH = re.compile(r"^\s*([一二三四五六七八九十]+、|[（(][一二三四五六七八九十]+[）)]|第[一二三四五六七八九十]+[条章])")


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
class PageScan:
    """What the first look at a page gives: its glyphs in reading order (a glyph "\\n" ends a line), and how many rules it has.

    `pictures` are the boxes of its images that are large enough for a table, in points from the upper left corner of the page as shown.
    `sideways`: by how many quarters clockwise the page must be turned for most of its text to stand upright.
    `left` and `bottom` are the corner of the page as shown (CropBox) from that of its MediaBox, where Camelot's coordinates start.
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


def read_pdf(data: bytes, anew: bool = False) -> Document:
    """Read a PDF's text and ruled tables; `anew`: its pictures at another resolution and from other crops, for `Document.again`.

    `data` is the whole file; junk before `%PDF` is allowed. Cells carry their page (from 1), their box in points from the upper left
    corner, Camelot's reading as `text` and pdfium's as `second`. Pages that are pictures are read by `extract.scan`.
    Raises PdfError where the file can't be opened.
    """
    data = data[max(data.find(b"%PDF-"), 0) :]
    scans, problems = scan_pages(data)
    sideways = {s.number: s.sideways for s in scans if s.sideways and s.text_length >= MIN_TEXT}
    if sideways:
        try:
            data = turn_pages(data, sideways)
        except pdfium.PdfiumError as error:
            raise PdfError("broken_document", f"pdfium: {error}") from error
        scans, problems = scan_pages(data)
    pictures = [s for s in scans if s.is_picture or s.pictures]
    if not pictures and not any(s.text_length >= MIN_TEXT for s in scans):
        problems.append(Problem("extract", "needs_ocr", f"{len(scans)} pages with neither text nor pictures"))
        return Document("pdf", [], problems=problems)
    grids = lattice_grids(data, [s for s in scans if s.ruled and not s.is_picture])
    problems += _unruled_tables(data, scans, grids)
    if pictures:
        from extract.scan import ANOTHER, ONE, read_picture_pages  # slow to import: only where there is a picture

        read_picture_pages(data, pictures, grids, ANOTHER if anew else ONE)
    running = _running_lines(scans)
    blocks: list[Text | Grid] = []
    for scan in scans:
        blocks.extend(page_blocks(scan, grids.get(scan.number, []), running))
        turn_back(grids.get(scan.number, []), sideways.get(scan.number, 0), scan.width, scan.height)
    recognised = any(c.certainty is not None for found in grids.values() for g in found for c in g.cells)
    again = (lambda: join_pages(read_pdf(data, anew=True))) if recognised and not anew else None
    return Document("pdf", blocks, problems=problems, again=again)


# --- the first look, with pdfium


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
    thin: list[BBox] = []
    for obj in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_PATH, pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=8):
        if obj.type == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            scan.images += 1
            x0, top, x1, bottom = turned(obj.get_bounds(), box, turns)
            if (x1 - x0) * (bottom - top) >= PICTURE_AREA * width * height:
                scan.pictures.append((x0, top, x1, bottom))
        else:
            _count_rule(scan, obj)
            if obj.get_bounds()[3] - obj.get_bounds()[1] <= STROKE:
                thin.append(obj.get_bounds())
    textpage = page.get_textpage()
    scan.sideways = (text_turns(textpage) - turns) % 4
    strokes = [turned(b, box, turns) for b in thin]
    scan.glyphs = [g for g in _glyphs(textpage, box, turns) if not is_struck(g, strokes)]
    textpage.close()
    page.close()
    return scan


def _count_rule(scan: PageScan, obj: pdfium.PdfObject) -> None:
    x0, y0, x1, y1 = obj.get_bounds()
    width, height = x1 - x0, y1 - y0
    thin, long = min(width, height), max(width, height)
    stroked_box = thin > RULE_THICKNESS and _is_stroked(obj)
    if stroked_box or (thin <= RULE_THICKNESS and long >= RULE_LENGTH and long >= 3 * thin and width >= height):
        scan.horizontal_rules += 1
    if stroked_box or (thin <= RULE_THICKNESS and long >= RULE_LENGTH and long >= 3 * thin and height > width):
        scan.vertical_rules += 1


def is_struck(glyph: Glyph, strokes: list[BBox]) -> bool:
    """Whether a line is drawn through the middle of a character: struck-out text (an exported tracked deletion) is no printed text."""
    x, height = glyph.center[0], glyph.bottom - glyph.top
    low, high = glyph.top + 0.25 * height, glyph.bottom - 0.2 * height
    return height > 2 * STROKE and any(s[0] <= x <= s[2] and low <= (s[1] + s[3]) / 2 <= high for s in strokes)


def _is_stroked(obj: pdfium.PdfObject) -> bool:
    fill, stroke = pdfium_c.c_int(), pdfium_c.FPDF_BOOL()
    pdfium_c.FPDFPath_GetDrawMode(obj, fill, stroke)
    return bool(stroke.value)


def _glyphs(textpage: pdfium.PdfTextPage, page: BBox, turns: int) -> Iterator[Glyph]:
    l, r, b, t = (pdfium_c.c_double() for _ in range(4))  # noqa: E741
    for i in range(textpage.count_chars()):
        code = pdfium_c.FPDFText_GetUnicode(textpage, i)
        if code in (0, 0xFFFE, 0xFFFF):
            continue
        pdfium_c.FPDFText_GetCharBox(textpage, i, l, r, b, t)
        yield Glyph(chr(code), *turned((l.value, b.value, r.value, t.value), page, turns))


# --- the grid, with Camelot


def lattice_grids(data: bytes, scans: list[PageScan]) -> dict[int, list[Grid]]:
    """Ruled tables of the pages in `scans`, by page number, top to bottom."""
    if not scans:
        return {}
    import playa  # slow to import: once per worker, and only where a PDF is read

    out: dict[int, list[Grid]] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with playa.parse(data, space="page") as pdf:
                for scan in scans:
                    tables = _camelot_tables(pdf.pages[scan.number - 1], scan.number)
                    out[scan.number] = [to_grid(table, scan) for table in tables]
    except (playa.PDFException, *DAMAGE) as error:
        raise PdfError("broken_document", f"playa: {error!r}") from error
    return out


def _camelot_tables(page: Any, number: int) -> list[Any]:
    from camelot.parsers.lattice import Lattice

    layout, dimensions, images, horizontal, vertical = camelot_page(page)
    if not horizontal:
        return []
    parser = Lattice(engine="vector", split_text=True)
    parser.prepare_page_parse("", layout, dimensions, number, images, horizontal, vertical, "", {})
    return sorted(parser.extract_tables(), key=lambda t: -t._bbox[3])


def camelot_page(page: Any) -> tuple[Any, Any, Any, Any, Any]:
    """What Camelot's parsers ask of a page of playa: layout, dimensions, images, level and upright lines of text."""
    from camelot.utils import get_image_char_and_text_objects, get_page_layout

    mend_font_metrics(page)
    layout, dimensions = get_page_layout(page, boxes_flow=None)
    images, _chars, horizontal, vertical = get_image_char_and_text_objects(layout)
    return layout, dimensions, images, horizontal, vertical


def mend_font_metrics(page: Any) -> None:
    """Give fonts with impossible vertical metrics the usual CJK ones, in place, before the page is laid out.

    Descriptors with Ascent = Descent = 0 (LibreOffice, CJK CFF fonts) make playa fall back to the font's bounding box, which is nearly
    three em high: text would land in the row below.
    """
    for font in page.fonts.values():
        if font.descent < -400 or font.ascent > 1300 or font.ascent == font.descent == 0:
            font.ascent, font.descent = CJK_ASCENT, CJK_DESCENT


def to_grid(table: Any, scan: PageScan, method: str = METHOD) -> Grid:
    """A table of Camelot as a grid, every cell read again by pdfium."""
    from extract.pdf_overrun import doubt_overruns

    n_rows, n_cols = len(table.rows), len(table.cols)
    cells = []
    for positions in merged_regions(table, n_rows, n_cols):
        rows, cols = [r for r, _ in positions], [c for _, c in positions]
        r0, r1, c0, c1 = min(rows), max(rows), min(cols), max(cols)
        text = "\n".join(t for r, c in sorted(positions) if (t := table.cells[r][c].text.strip()))
        bbox = _shown(scan, (table.cols[c0][0], table.rows[r0][0], table.cols[c1][1], table.rows[r1][1]))
        second = _text_in(scan.glyphs, bbox)
        cells.append(Cell(_label(text, second), r0, c0, r1 - r0 + 1, c1 - c0 + 1, scan.number, bbox, second))
    edges = [round(x - scan.left, 2) for x in (table.cols[0][0], *(c[1] for c in table.cols))]
    grid = Grid(cells, n_rows, n_cols, method, col_edges=edges)
    doubt_overruns(grid, scan.glyphs)
    return grid


def _shown(scan: PageScan, box: BBox) -> BBox:
    """A box from the lower left corner of the MediaBox to one from the upper left corner of the page as shown."""
    x0, y1, x1, y0 = box
    height = scan.height + scan.bottom
    return round(x0 - scan.left, 2), round(height - y1, 2), round(x1 - scan.left, 2), round(height - y0, 2)


def merged_regions(table: Any, n_rows: int, n_cols: int) -> list[list[tuple[int, int]]]:
    """Positions of a Camelot table grouped into printed cells.

    Neighbours without a rule between them belong together, as long as they form a rectangle.
    """
    taken: set[tuple[int, int]] = set()
    regions = []
    for row in range(n_rows):
        for col in range(n_cols):
            if (row, col) in taken:
                continue
            right = col
            while right + 1 < n_cols and not table.cells[row][right].right and (row, right + 1) not in taken:
                right += 1
            down = row
            while down + 1 < n_rows and _open_below(table, down, col, right, taken):
                down += 1
            region = [(r, c) for r in range(row, down + 1) for c in range(col, right + 1)]
            taken.update(region)
            regions.append(region)
    return regions


def _open_below(table: Any, row: int, left: int, right: int, taken: set[tuple[int, int]]) -> bool:
    """Whether the cell (row, left..right) goes on in the row below: no rule under it, and none between its columns there."""
    below = table.cells[row + 1]
    return (
        all(not table.cells[row][c].bottom and (row + 1, c) not in taken for c in range(left, right + 1))
        and all(not below[c].right for c in range(left, right))
        and (right + 1 >= len(below) or below[right].right)
    )


def _label(text: str, second: str) -> str:
    """Camelot's reading; pdfium's where Camelot has nothing of words that run from rule to rule. Figures are never replaced."""
    lost = not text and re.search(r"[\u4e00-\u9fff]{2}", second) and not re.search(r"\d", second[2:])
    return second if lost else text


def _text_in(glyphs: list[Glyph], bbox: BBox) -> str:
    x0, top, x1, bottom = bbox
    inside = (g for g in glyphs if not g.char.isspace() and x0 <= g.center[0] < x1 and top <= g.center[1] < bottom)
    return "".join(g.char for g in inside)


def _unruled_tables(data: bytes, scans: list[PageScan], grids: dict[int, list[Grid]]) -> list[Problem]:
    from extract.pdf_rules import MIN_LOOSE, complete_rules, loose_figures

    loose = [s for s in scans if loose_figures(s, grids.get(s.number, [])) >= MIN_LOOSE]
    return complete_rules(data, loose, grids) if loose else []


# --- text between the tables


def _running_lines(scans: list[PageScan]) -> set[tuple[str, int]]:
    """Running heads and feet: lines in a page's margin that most pages have at the same height, digits aside."""
    seen: Counter[tuple[str, int]] = Counter()
    for scan in scans:
        lines = {_line_key(text, top) for top, _, text in _lines(scan.glyphs, []) if not MARGIN < top / scan.height < 1 - MARGIN}
        seen.update(lines)
    return {key for key, pages in seen.items() if pages >= 2 and pages * 2 >= len(scans)}


def _line_key(text: str, top: float) -> tuple[str, int]:
    return re.sub(r"\d+", "#", re.sub(r"\s", "", text)), round(top / 4)


def page_blocks(scan: PageScan, grids: list[Grid], running: set[tuple[str, int]]) -> list[Text | Grid]:
    """The tables of a page and the paragraphs around them, top to bottom, without `running` heads and feet."""
    boxes = [(grid, grid_box(grid)) for grid in grids]
    placed: list[tuple[float, Text | Grid]] = [(box[1], grid) for grid, box in boxes]
    placed.extend((top, Text(text, scan.number)) for top, text in _paragraphs(scan, [box for _, box in boxes], running))
    return [block for _, block in sorted(placed, key=lambda p: p[0])]


def grid_box(grid: Grid) -> BBox:
    """The smallest box around the cells of a grid that has boxes."""
    boxes = [c.bbox for c in grid.cells if c.bbox]
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def _paragraphs(scan: PageScan, boxes: list[BBox], running: set[tuple[str, int]]) -> list[tuple[float, str]]:
    lines = [line for line in _lines(scan.glyphs, boxes) if not _PAGE_NUMBER.match(line[2]) and _line_key(line[2], line[0]) not in running]
    margin = min((x0 for _, x0, _ in lines), default=0.0)
    out: list[tuple[float, str]] = []
    last_top = 0.0
    for top, x0, text in lines:
        starts = not out or x0 > margin + 10 or _NEW_PARAGRAPH.match(text) or _between(boxes, last_top, top)
        if starts:
            out.append((top, text))
        else:
            out[-1] = (out[-1][0], out[-1][1] + text)
        last_top = top
    return out


def _between(boxes: list[BBox], above: float, below: float) -> bool:
    return any(above <= box[1] <= below for box in boxes)


def _lines(glyphs: list[Glyph], boxes: list[BBox]) -> Iterator[tuple[float, float, str]]:
    """Lines of text outside `boxes`: top, left edge, text."""
    line: list[Glyph] = []
    for glyph in [*glyphs, Glyph("\n", 0, 0, 0, 0)]:
        if glyph.char in "\r\n":
            if any(not g.char.isspace() for g in line):
                inked = [g for g in line if not g.char.isspace()]
                yield min(g.top for g in inked), inked[0].x0, "".join(g.char for g in line).strip()
            line = []
        elif not any(b[0] <= glyph.center[0] < b[2] and b[1] <= glyph.center[1] < b[3] for b in boxes):
            line.append(glyph)
