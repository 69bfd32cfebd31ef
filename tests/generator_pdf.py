"""Reports as PDF: tables that run over page ends anywhere, rules of every kind; and the same pages as pictures."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from forms import lay_out
from generator import Report, Sheet, column_shares, quirk
from generator_paper import changed
from generator_structure import _copies, free_rows
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from extract.grid import Cell, Grid
from sources.sample import as_pdf

PDF, PAGED = ("pdf",), ("pdf", "scan")
SIZE, LEADING = 8.0, 10.5

#: Looks that say nothing of what is printed; each is a quirk of its own.
STYLES = (
    "rules_thin",
    "rules_thick",
    "rules_dashed",
    "rules_double",
    "rules_light",
    "rules_as_fills",
    "rules_once",
    "no_outer_rules",
    "landscape",
    "running_head",
    "page_numbers",
    "small_print",
    "large_print",
    "text_touches_rules",
    "text_at_top",
    "rotated_90",
    "rotated_180",
    "rotated_270",
    "crop_box",
    "zero_metrics",
    "each_glyph_apart",
    "narrow_columns",
)
for _name in STYLES:

    def _apply(rng: random.Random, report: Report, name: str = _name) -> None:
        report.style.add(name)

    _apply.__name__ = _name
    quirk(4, media=PAGED if not _name.startswith(("rotated", "crop", "zero")) else PDF)(_apply)


@quirk(4, media=PAGED, seen="Q-65", annex=False)
def page_break(rng: random.Random, report: Report) -> None:
    """A page ends between two rows."""
    for sheet in rng.sample(report.sheets(), min(2, len(report.sheets()))):
        sheet.breaks.append(rng.randint(1, len(sheet.rows) - 1))


@quirk(4, media=PAGED, seen="Q-65", annex=False)
def page_breaks(rng: random.Random, report: Report) -> None:
    """Table three over three pages."""
    for sheet in report.sheets("requests"):
        sheet.breaks += rng.sample(range(1, len(sheet.rows)), min(2, len(sheet.rows) - 1))


@quirk(4, media=PAGED, seen="corpus shanghai2024", annex=False)
def header_on_every_page(rng: random.Random, report: Report) -> None:
    """Pages end where no group goes on, and the header stands on each."""
    report.style.add("repeat_header")
    for sheet in report.sheets("requests"):
        places = [r for r in free_rows(sheet) if r > 3]
        sheet.breaks += rng.sample(places, min(2, len(places)))


@quirk(4, media=PAGED, seen="Q-65", annex=False)
def label_whole_above(rng: random.Random, report: Report) -> None:
    """A page ends within a group, and the group's label stands wholly above."""
    report.style.add("whole_label_above")
    for sheet in report.sheets("requests"):
        sheet.breaks.append(rng.randint(8, 14))


@quirk(4, media=PAGED, seen="Q-65")
def torn_row(rng: random.Random, report: Report) -> None:
    """A page ends within a row: lines of its cells above and below."""
    for sheet in rng.sample(report.sheets(), min(1, len(report.sheets()))):
        sheet.torn = (rng.randint(1, len(sheet.rows) - 1), rng.choice((0.34, 0.5, 0.67)))


@quirk(4, media=PAGED, harmless=False)
def no_rules(rng: random.Random, report: Report) -> None:
    report.style.add("no_rules")


@quirk(4, media=PAGED, harmless=False)
def no_inner_vertical_rules(rng: random.Random, report: Report) -> None:
    report.style.add("no_inner_vertical_rules")


def fonts() -> str:
    """The name of the font reports are set in: WenQuanYi where it is installed, else reportlab's own CID font."""
    return _fonts()


@cache
def _fonts() -> str:
    if as_pdf.font_installed():
        as_pdf._font()
        return as_pdf.FONT
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    return "STSong-Light"


@dataclass(slots=True)
class Page:
    """Where the pen is."""

    canvas: Canvas
    style: set[str]
    rng: random.Random
    width: float
    height: float
    y: float = 0.0
    number: int = 0

    left = 52.0

    @property
    def size(self) -> float:
        return 6.0 if "small_print" in self.style else 9.5 if "large_print" in self.style else SIZE

    @property
    def leading(self) -> float:
        return self.size * LEADING / SIZE

    def start(self) -> None:
        if self.number:
            self.canvas.showPage()
        self.number += 1
        self.y = self.height - 60
        if "running_head" in self.style:
            self.put(self.left, self.height - 36, "政府信息公开工作年度报告　某区政府网")
            self.put(self.left, 24, f"第 {self.number} 页 共 9 页")
        elif "page_numbers" in self.style:
            self.put(self.width / 2 - 10, 30, f"- {self.number} -")

    def put(self, x: float, y: float, text: str, size: float | None = None) -> None:
        self.canvas.setFont(fonts(), size or self.size)
        if "each_glyph_apart" in self.style:
            for char in text:
                self.canvas.drawString(x, y, char)
                x += pdfmetrics.stringWidth(char, fonts(), size or self.size)
        else:
            self.canvas.drawString(x, y, text)

    def room(self) -> float:
        return self.y - 50


def pdf(report: Report, seed: int) -> bytes:
    """The file's bytes."""
    out = io.BytesIO()
    wide = "landscape" in report.style
    width, height = (842.0, 595.0) if wide else (595.0, 842.0)
    canvas = Canvas(out, pagesize=(width, height), invariant=1)
    page = Page(canvas, report.style, random.Random(f"pdf {seed}"), width, height)
    page.start()
    for block in report.blocks:
        if isinstance(block, Sheet):
            _table(page, block)
        else:
            _text(page, block)
    canvas.save()
    return changed(out.getvalue(), report.style)


def _text(page: Page, text: str) -> None:
    size = page.size + 2
    for line in _lines("　　" + text, page.width - 2 * page.left, size):
        if page.room() < 2 * size:
            page.start()
        page.y -= size * 1.6
        page.put(page.left, page.y, line, size)
    page.y -= 6


def _lines(text: str, width: float, size: float) -> list[str]:
    lines: list[str] = []
    for part in text.split("\n"):
        line = ""
        for char in part:
            if line and pdfmetrics.stringWidth(line + char, fonts(), size) > width:
                lines.append(line)
                line = ""
            line += char
        lines.append(line)
    return lines


# --- tables


@dataclass(slots=True)
class Drawn:
    """A grid cell with its text broken into lines."""

    cell: Cell
    lines: list[str]


def _table(page: Page, sheet: Sheet) -> None:
    rows, breaks = _with_headers(page, sheet)
    grid = lay_out(rows)  # type: ignore[arg-type]
    edges = _edges(page, grid)
    boxes = [Drawn(c, _lines(c.text, edges[c.col_end] - edges[c.col] - 4, page.size)) for c in grid.cells]
    if sheet.torn:
        boxes, breaks = _tear(boxes, sheet.torn, breaks)
    heights = _heights(page, boxes)
    start = 0
    while start < len(heights):
        end = start
        while end < len(heights) and sum(heights[start : end + 1]) <= page.room() and (end == start or end not in breaks):
            end += 1
        if end == start:
            if page.y > page.height - 80:
                end = start + 1  # higher than a page
            else:
                page.start()
                continue
        _fragment(page, boxes, edges, heights, start, end)
        start = end
        if start < len(heights):
            page.start()
    page.y -= 14


def _with_headers(page: Page, sheet: Sheet) -> tuple[list[list[object]], list[int]]:
    """Rows with the header once more after each page break, where the style wants it and no cell goes on."""
    rows, breaks = [list(r) for r in sheet.rows], sorted(set(sheet.breaks))
    if "repeat_header" not in page.style or sheet.section != "requests":
        return rows, breaks  # type: ignore[return-value]
    breaks = [b for b in breaks if b in free_rows(sheet) and b > 3]
    for i, at in enumerate(breaks):
        rows[at + 3 * i : at + 3 * i] = [list(r) for r in _copies(sheet.rows[:3])]
    return rows, [b + 3 * i for i, b in enumerate(breaks)]  # type: ignore[return-value]


def _edges(page: Page, grid: Grid) -> list[float]:
    """Column rules across the page."""
    shares = column_shares(grid, 2.6 if "narrow_columns" in page.style else 9.0)
    total = page.width - 2 * page.left
    edges = [page.left]
    for share in shares:
        edges.append(edges[-1] + total * share / sum(shares))
    return edges


def _tear(boxes: list[Drawn], torn: tuple[int, float], breaks: Sequence[int]) -> tuple[list[Drawn], list[int]]:
    """Row `torn[0]` as two rows: the first lines of its cells above, the others below."""
    at, share = torn
    out: list[Drawn] = []
    for box in boxes:
        c = box.cell
        if c.row > at:
            out.append(Drawn(c.moved(rows=1), box.lines))
        elif c.row_end <= at:
            out.append(box)
        elif c.row_span > 1:
            out.append(Drawn(replace(c, row_span=c.row_span + 1), box.lines))
        else:
            k = max(1, round(len(box.lines) * share))
            out += [Drawn(c, box.lines[:k]), Drawn(replace(c, row=at + 1), box.lines[k:])]
    return out, [*(b + (b > at) for b in breaks), at + 1]


def _heights(page: Page, boxes: list[Drawn]) -> list[float]:
    pad = 2.0 if "text_touches_rules" in page.style else 7.0
    heights = [page.leading + pad] * max(b.cell.row_end for b in boxes)
    for box in sorted(boxes, key=lambda b: b.cell.row_span):
        c = box.cell
        lack = len(box.lines) * page.leading + pad - sum(heights[c.row : c.row_end])
        if lack > 0:
            heights[c.row_end - 1] += lack
    return heights


def _fragment(page: Page, boxes: list[Drawn], edges: list[float], heights: list[float], start: int, end: int) -> None:
    tops = [page.y - sum(heights[start:r]) for r in range(start, end + 1)]
    for box in boxes:
        first, last = max(box.cell.row, start), min(box.cell.row_end, end)
        if first >= last:
            continue
        x0, x1, y1, y0 = edges[box.cell.col], edges[box.cell.col_end], tops[first - start], tops[last - start]
        _rules(page, x0, y0, x1, y1, (edges[0], edges[-1]))
        _write(page, _part(page, box, heights, first, last), x0, y0, x1, y1)
    page.y = tops[-1]


def _part(page: Page, box: Drawn, heights: list[float], first: int, last: int) -> list[str]:
    """The lines of a cell that stand on this page: as many as there is room above a page end, the others below."""
    c = box.cell
    if (first, last) == (c.row, c.row_end):
        return box.lines
    if "whole_label_above" in page.style:
        return box.lines if first == c.row else []
    above = int(sum(heights[c.row : first]) // page.leading)
    here = int(sum(heights[first:last]) // page.leading)
    return box.lines[above:] if last == c.row_end else box.lines[above : above + here]


def _write(page: Page, lines: list[str], x0: float, y0: float, x1: float, y1: float) -> None:
    high = len(lines) * page.leading
    top = y1 - 1 if "text_at_top" in page.style else y1 - max((y1 - y0 - high) / 2, 0)
    for i, line in enumerate(lines):
        wide = pdfmetrics.stringWidth(line, fonts(), page.size)
        x = x0 + 0.5 if "text_touches_rules" in page.style else x0 + max((x1 - x0 - wide) / 2, 1)
        page.put(x, top - (i + 1) * page.leading + page.leading - page.size + 0.5, line)


def _rules(page: Page, x0: float, y0: float, x1: float, y1: float, outer: tuple[float, float]) -> None:
    canvas, style = page.canvas, page.style
    if "no_rules" in style:
        return
    canvas.saveState()
    canvas.setLineWidth(0.12 if "rules_thin" in style else 2.0 if "rules_thick" in style else 0.6)
    if "rules_light" in style:
        canvas.setStrokeGray(0.8)
    if "rules_dashed" in style:
        canvas.setDash(3, 2)
    lines = [(x0, y1, x1, y1), (x0, y0, x1, y0)]
    upright = [
        x
        for x in (x0, x1)
        if not ("no_outer_rules" in style and x in outer) and not ("no_inner_vertical_rules" in style and x not in outer)
    ]
    lines += [(x, y0, x, y1) for x in upright]
    if "rules_once" in style:
        lines = [line for line in lines if line not in ((x1, y0, x1, y1), (x0, y0, x1, y0)) or line[2] in outer or line[1] < 60]
        lines.append((x0, y0, x1, y0))
    for ax, ay, bx, by in lines:
        if "rules_as_fills" in style:
            canvas.rect(ax - 0.25, ay - 0.25, bx - ax + 0.5, by - ay + 0.5, stroke=0, fill=1)
            continue
        canvas.line(ax, ay, bx, by)
        if "rules_double" in style:
            shift = 1.5
            canvas.line(
                ax + (shift if ax == bx else 0),
                ay - (shift if ay == by else 0),
                bx + (shift if ax == bx else 0),
                by - (shift if ay == by else 0),
            )
    canvas.restoreState()
