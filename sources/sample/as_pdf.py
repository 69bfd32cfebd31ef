"""Draws a report as a PDF: ruled tables with merged cells that run over page ends, the same bytes for the same figures."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import CondPageBreak, Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from sources.sample.figures import Report
from sources.sample.form import Box, Form, forms
from sources.sample.layouts import REQUESTS
from sources.sample.prose import HEADINGS, footer, prose

FONT = "WenQuanYi Micro Hei"
FONT_FILE = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
FONT_PACKAGE = "fonts-wqy-microhei"

SIZE, LEADING, PAD = 9, 11, 2
MARGIN = 72
HEADING_ROOM = 110  # a heading never stands alone at the foot of a page
NOT_FIRST = "，。、）”；：》"
WIDTHS = {"proactive": (142, 103, 103, 103), "requests": (16, 42, 142, *[35] * 5, 38, 38), "litigation": (30,) * 15}
ROOM = {"proactive": 10, "requests": 11, "litigation": 8}
"""What a row is higher than its text, in points."""
TALLER = 12  # fills the page above the cut


class FontMissingError(RuntimeError):
    """The font that the PDFs are set in is not installed; the message names its package."""


def font_installed() -> bool:
    """Whether PDFs can be made on this machine."""
    return FONT_FILE.is_file()


def pdf(report: Report) -> bytes:
    """The file's bytes; half of them for a report that the portal serves truncated. Raises FontMissingError."""
    _font()
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        invariant=1,
        title=report.title,
        author=report.publisher.name,
        subject=footer(report),
    )

    def page(canvas: Any, _: Any) -> None:
        canvas.setFont(FONT, 8)
        canvas.drawCentredString(A4[0] / 2, 40, f"- {canvas.getPageNumber()} -")
        canvas.drawCentredString(A4[0] / 2, 26, footer(report))

    document.build(list(_story(report)), onFirstPage=page, onLaterPages=page)
    made = out.getvalue()
    return made[: len(made) // 2] if report.truncated else made


@cache
def _font() -> None:
    if not font_installed():
        raise FontMissingError(f"the PDFs of the sample portal are set in {FONT}: install the Debian package {FONT_PACKAGE}")
    pdfmetrics.registerFont(TTFont(FONT, str(FONT_FILE), subfontIndex=0))


def _styles() -> dict[str, ParagraphStyle]:
    text = ParagraphStyle("text", fontName=FONT, fontSize=13, leading=23, firstLineIndent=26, wordWrap="CJK")
    return {
        "text": text,
        "heading": ParagraphStyle("heading", text, fontSize=14, spaceBefore=6, spaceAfter=6),
        "title": ParagraphStyle("title", text, fontSize=18, leading=30, firstLineIndent=0, alignment=TA_CENTER, spaceAfter=12),
    }


def _story(report: Report) -> Iterator[Flowable]:
    styles = _styles()
    text = prose(report)
    yield Paragraph(report.title, styles["title"])
    yield Paragraph(text.preface, styles["text"])
    parts: tuple[tuple[str, ...] | Form, ...] = (text.overview, *forms(report), (text.problems,), (text.closing,))
    for heading, part in zip(HEADINGS, parts, strict=True):
        cut = _cut(report) if isinstance(part, Form) and part.section == "requests" else None
        yield PageBreak() if cut else CondPageBreak(HEADING_ROOM)
        yield Paragraph(heading, styles["heading"])
        if isinstance(part, Form):
            yield Ruled(_sheet(part, TALLER if cut else 0), cut=cut, repeat=report.repeat_header)
            yield Spacer(1, 8)
        else:
            yield from (Paragraph(line, styles["text"]) for line in part)


def _cut(report: Report) -> int | None:
    """The row before which table three goes on to the next page, None where the page's height decides."""
    return REQUESTS[report.layout].index(report.cut_after) + 4 if report.cut_after else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table, or what of it stands on one page, with the text of every box already broken into lines."""

    boxes: tuple[Box, ...]
    heights: tuple[float, ...]
    widths: tuple[float, ...]
    n_header: int


def _sheet(form: Form, taller: float = 0) -> Sheet:
    widths = WIDTHS[form.section]
    boxes = tuple(replace(box, text="\n".join(_lines(box.text, _width(box, widths)))) for box in form.boxes)
    heights = [float(LEADING)] * form.n_rows
    for box in boxes:
        if box.rows == 1:
            heights[box.row] = max(heights[box.row], LEADING * (box.text.count("\n") + 1))
    return Sheet(boxes, tuple(height + ROOM[form.section] + taller for height in heights), widths, form.n_header)


def _width(box: Box, widths: Sequence[float]) -> float:
    return sum(widths[box.col : box.last_col + 1]) - 2 * PAD


def _lines(text: str, width: float) -> list[str]:
    """Breaks a text between any two characters, as Chinese is set, but not before closing punctuation."""
    lines = [""]
    for char in text:
        fits = pdfmetrics.stringWidth(lines[-1] + char, FONT, SIZE) <= width
        if fits or not lines[-1]:
            lines[-1] += char
        elif char in NOT_FIRST and len(lines[-1]) > 1:
            lines[-1], carried = lines[-1][:-1], lines[-1][-1]
            lines.append(carried + char)
        else:
            lines.append(char)
    return lines


class Ruled(Flowable):  # type: ignore[misc]
    """A sheet that breaks over pages as a word processor breaks it: a merged cell goes on, its text runs over line by line."""

    def __init__(self, sheet: Sheet, cut: int | None = None, repeat: bool = False) -> None:
        super().__init__()
        self.sheet, self.cut, self.repeat = sheet, cut, repeat
        self.hAlign = "CENTER"

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        self.width, self.height = sum(self.sheet.widths), sum(self.sheet.heights)
        return self.width, (self.height if self.cut is None else max(self.height, height + 1))

    def split(self, width: float, height: float) -> list[Flowable]:
        fitting = _fitting(self.sheet.heights, height)
        row = min(fitting, self.cut or fitting)
        if row <= self.sheet.n_header:
            return []
        top, bottom = _torn(self.sheet, row)
        if self.repeat and self.sheet.n_header:
            bottom = _headed(self.sheet, bottom)
        rest = Ruled(replace(bottom, n_header=bottom.n_header if self.repeat else 0), repeat=self.repeat)
        return [Ruled(top), PageBreak(), rest]

    def draw(self) -> None:
        table = _platypus(self.sheet)
        table.wrapOn(self.canv, self.width, self.height)
        table.drawOn(self.canv, 0, 0)


def _fitting(heights: Sequence[float], room: float) -> int:
    rows = 0
    while rows < len(heights) and sum(heights[: rows + 1]) <= room:
        rows += 1
    return rows


def _torn(sheet: Sheet, row: int) -> tuple[Sheet, Sheet]:
    """The parts of a sheet above and below the upper edge of a row."""
    above, below = [], []
    for box in sheet.boxes:
        if box.last_row < row:
            above.append(box)
        elif box.row >= row:
            below.append(replace(box, row=box.row - row))
        else:
            first, rest = _overflow(box.text, row - box.row)
            above.append(replace(box, rows=row - box.row, text=first))
            below.append(replace(box, row=0, rows=box.last_row - row + 1, text=rest))
    top = replace(sheet, boxes=tuple(above), heights=sheet.heights[:row])
    return top, replace(sheet, boxes=tuple(below), heights=sheet.heights[row:])


def _overflow(text: str, rows: int) -> tuple[str, str]:
    """What of a merged cell's text stands above a page end that leaves it so many rows: one line a row."""
    lines = text.split("\n")
    return "\n".join(lines[:rows]), "\n".join(lines[rows:])


def _headed(sheet: Sheet, rest: Sheet) -> Sheet:
    """The rest of a sheet below its header rows once more."""
    rows = sheet.n_header
    header = tuple(box for box in sheet.boxes if box.row < rows)
    moved = tuple(replace(box, row=box.row + rows) for box in rest.boxes)
    return replace(rest, boxes=header + moved, heights=sheet.heights[:rows] + rest.heights)


def _platypus(sheet: Sheet) -> Table:
    cells = [["" for _ in sheet.widths] for _ in sheet.heights]
    style: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, -1), FONT, SIZE, LEADING),
        ("GRID", (0, 0), (-1, -1), 0.6, "black"),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("ALIGN", (0, 0), (-1, -1), "CENTER"),
        *((side, (0, 0), (-1, -1), PAD) for side in ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")),
    ]
    for box in sheet.boxes:
        cells[box.row][box.col] = box.text
        style.append(("SPAN", (box.col, box.row), (box.last_col, box.last_row)))
        if box.kind == "label" and box.last_col > 0:
            style.append(("ALIGN", (box.col, box.row), (box.col, box.row), "LEFT"))
    return Table(cells, colWidths=sheet.widths, rowHeights=sheet.heights, style=style)
