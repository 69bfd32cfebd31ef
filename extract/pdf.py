"""PDF with a text layer: pdfium finds the table pages, Camelot's Lattice reads the grids, the text between them is made paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pypdfium2 as pdfium

from extract.grid import BBox, Document, Grid, Text
from extract.join import join_pages
from extract.pause import no_collection
from extract.pdf_lattice import lattice_grids
from extract.pdf_model import MIN_TEXT, Ink, PageScan
from extract.pdf_page import PdfError, scan_pages
from extract.pdf_turn import turn_back, turn_pages
from extract.problem import Problem

#: Running heads and feet stand within this share of the page's height from its upper or lower edge.
MARGIN = 0.12

_PAGE_NUMBER = re.compile(r"^[\s\-—–－·]*(第\s*)?\d{1,3}(\s*页)?(\s*[/／]\s*\d{1,3})?[\s\-—–－·]*$")
_LINE = re.compile(r"[^\r\n]+")
_NEW_PARAGRAPH = re.compile(r"^\s*([一二三四五六七八九十]+、|[（(][一二三四五六七八九十]+[）)]|第[一二三四五六七八九十]+[条章])")


def read_pdf(data: bytes, anew: bool = False) -> Document:
    """Read a PDF's text and ruled tables; `anew`: its pictures at another resolution and from other crops, for `Document.again`.

    `data` is the whole file; junk before `%PDF` is allowed. Cells carry their page (from 1), their box in points from the upper left
    corner, Camelot's reading as `text` and pdfium's as `second`. Pages that are pictures are read by `extract.scan`.
    Raises PdfError where the file can't be opened.
    """
    with no_collection():
        return _read(data[max(data.find(b"%PDF-"), 0) :], anew)


def _read(data: bytes, anew: bool) -> Document:
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
        if scan.number in sideways:
            turn_back(grids.get(scan.number, []), sideways[scan.number], scan.width, scan.height)
    recognised = any(c.certainty is not None for found in grids.values() for g in found for c in g.cells)
    again = (lambda: join_pages(read_pdf(data, anew=True))) if recognised and not anew else None
    return Document("pdf", blocks, problems=problems, again=again)


# --- tables without all their rules


def _unruled_tables(data: bytes, scans: list[PageScan], grids: dict[int, list[Grid]]) -> list[Problem]:
    from extract.pdf_rules import MIN_LOOSE, complete_rules, loose_figures

    loose = [s for s in scans if loose_figures(s, grids.get(s.number, [])) >= MIN_LOOSE]
    return complete_rules(data, loose, grids) if loose else []


# --- text between the tables


def _running_lines(scans: list[PageScan]) -> set[tuple[str, int]]:
    """Running heads and feet: lines in a page's margin that most pages have at the same height, digits aside."""
    seen: Counter[tuple[str, int]] = Counter()
    for scan in scans:
        lines = [line for line in _lines(scan.ink, []) if not MARGIN < line[0] / scan.height < 1 - MARGIN]
        seen.update({_line_key(text, top) for top, _, text in lines})
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
    lines = [line for line in _lines(scan.ink, boxes) if not _PAGE_NUMBER.match(line[2])]
    if running:
        lines = [line for line in lines if _line_key(line[2], line[0]) not in running]
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


def _lines(ink: Ink, boxes: list[BBox]) -> Iterator[tuple[float, float, str]]:
    """Lines of text outside `boxes` that have any ink: top, left edge, text."""
    ink = ink.outside(boxes) if boxes else ink
    tops, lefts = np.where(ink.is_inked, ink.edges[:, 1], np.inf).tolist(), ink.edges[:, 0].tolist()
    for line in _LINE.finditer(ink.text):
        text, (first, end) = line[0], line.span()
        if stripped := text.strip():
            yield min(tops[first:end]), lefts[first + len(text) - len(text.lstrip())], stripped
