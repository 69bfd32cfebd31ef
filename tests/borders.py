"""Reports whose tables have some rules only: row heights fit the text and cells stand in their middle, as word processors print them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from forms import (
    Rows,
    full,
    lay_out,
    litigation_figures,
    litigation_rows,
    proactive_figures,
    proactive_rows,
    requests_figures,
    requests_rows,
)
from pdfs import EMBEDDED, FONT, HEADINGS, THREE, Truth
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from extract.grid import Cell, Grid

PAD = 4.0


@dataclass(frozen=True)
class Style:
    """How tables are drawn. `rules`: all, open (no outer uprights), rows (horizontal rules only), three (top, under the header, bottom),
    some (without the uprights numbered `without`), zebra, frame, none."""

    rules: str = "all"
    without: tuple[int, ...] = ()
    align: str = "center"
    valign: str = "middle"
    size: float = 9.0
    line: float = 0.5
    dash: tuple[float, ...] = ()
    gray: float = 0.0
    double: bool = False
    figures: str = FONT
    room: float = 3.0
    header: int = 3
    landscape: bool = False
    group: str = ""  # the first group's label of table three: "stacked" one character a line, or "turned" by a quarter


class Page:
    """A report under construction."""

    def __init__(self, style: Style) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
        pdfmetrics.registerFont(TTFont(EMBEDDED, "Vera.ttf"))
        self.style = style
        self.width, self.height = (842.0, 595.0) if style.landscape else (595.0, 842.0)
        self.left = 50.0
        self.out = io.BytesIO()
        self.canvas = Canvas(self.out, pagesize=(self.width, self.height), pageCompression=0)
        self.y = self.height - 60

    def new_page(self) -> None:
        self.canvas.showPage()
        self.y = self.height - 60

    def text(self, line: str, size: float = 11) -> None:
        self.canvas.setFont(FONT, size)
        self.canvas.drawString(self.left, self.y - size, line)
        self.y -= size * 2

    def bytes(self) -> bytes:
        self.canvas.save()
        return self.out.getvalue()

    def table(
        self, grid: Grid, first: int = 0, last: int | None = None, weights: Sequence[float] = (), header: int = 1, labels: int = 1
    ) -> None:
        last = grid.n_rows if last is None else last
        shares = list(weights) or [1.0] * grid.n_cols
        xs = [self.left]
        for share in shares:
            xs.append(xs[-1] + (self.width - 100) * share / sum(shares))
        cells = [c for c in grid.cells if max(c.row, first) < min(c.row_end, last)]
        ys = self._heights(cells, xs, first, last)
        self._rules(cells, xs, ys, first, last, header)
        for cell in cells:
            if cell.row >= first:
                top, bottom = ys[cell.row - first], ys[min(cell.row_end, last) - first]
                self._write(cell.text, xs[cell.col], xs[cell.col_end], top, bottom, cell.col < labels and cell.col_end <= labels)
        self.y = ys[-1] - 14

    def _lines(self, text: str, width: float) -> list[str]:
        lines = [""]
        for char in text:
            if pdfmetrics.stringWidth(lines[-1] + char, FONT, self.style.size) > width - 2 * self.style.room:
                lines.append("")
            lines[-1] += char
        return lines

    def _heights(self, cells: list[Cell], xs: list[float], first: int, last: int) -> list[float]:
        pitch = self.style.size * 1.25
        heights = [pitch + 2 * PAD] * (last - first)
        for cell in sorted(cells, key=lambda c: c.row_span):
            if cell.row < first or cell.row_end > last:
                continue
            own = range(cell.row - first, cell.row_end - first)
            need = len(self._lines(cell.text, xs[cell.col_end] - xs[cell.col])) * pitch + 2 * PAD
            short = need - sum(heights[r] for r in own)
            if short > 0:
                for r in own:
                    heights[r] += short / len(own)
        ys = [self.y]
        for height in heights:
            ys.append(ys[-1] - height)
        return ys

    def _write(self, text: str, x0: float, x1: float, top: float, bottom: float, label: bool) -> None:
        style, pitch = self.style, self.style.size * 1.25
        is_figure = text.isdigit()
        if style.group == "turned" and text.startswith("三、本年度"):
            self._write_turned(text, (x0 + x1) / 2, (top + bottom) / 2)
            return
        lines = self._lines(text, x1 - x0)
        y = top - PAD if style.valign == "top" else (top + bottom) / 2 + len(lines) * pitch / 2
        for i, line in enumerate(lines):
            font = style.figures if is_figure else FONT
            self.canvas.setFont(font, style.size)
            width = pdfmetrics.stringWidth(line, font, style.size)
            align = style.align if is_figure or x1 - x0 < 60 or not label else "left"
            x = {"left": x0 + style.room, "right": x1 - style.room - width, "center": (x0 + x1 - width) / 2}[align]
            self.canvas.drawString(x, y - i * pitch - style.size, line)

    def _write_turned(self, text: str, x: float, y: float) -> None:
        self.canvas.saveState()
        self.canvas.translate(x, y)
        self.canvas.rotate(-90)
        self.canvas.setFont(FONT, self.style.size)
        self.canvas.drawCentredString(0, -self.style.size / 3, text)
        self.canvas.restoreState()

    def _rules(self, cells: list[Cell], xs: list[float], ys: list[float], first: int, last: int, header: int) -> None:
        c, style = self.canvas, self.style
        if style.rules == "zebra":
            c.setFillGray(0.9)
            for r in range(0, len(ys) - 1, 2):
                c.rect(xs[0], ys[r + 1], xs[-1] - xs[0], ys[r] - ys[r + 1], fill=1, stroke=0)
            c.setFillGray(0)
        c.setLineWidth(style.line)
        c.setDash(list(style.dash))
        c.setStrokeGray(style.gray)
        if style.rules == "frame":
            c.rect(xs[0], ys[-1], xs[-1] - xs[0], ys[0] - ys[-1])
        if style.rules == "three":
            for y in (ys[0], ys[min(header, len(ys) - 1)], ys[-1]):
                c.line(xs[0], y, xs[-1], y)
        for cell in cells if style.rules in ("all", "open", "rows", "some") else ():
            x0, x1 = xs[cell.col], xs[cell.col_end]
            top, bottom = ys[max(cell.row, first) - first], ys[min(cell.row_end, last) - first]
            for d in (0.0, 2.0) if style.double else (0.0,):
                c.line(x0, top + d, x1, top + d)
                c.line(x0, bottom + d, x1, bottom + d)
                for col, x in ((cell.col, x0), (cell.col_end, x1)):
                    if self._upright(col, len(xs) - 1):
                        c.line(x + d, top, x + d, bottom)
        c.setDash([])
        c.setStrokeGray(0)

    def _upright(self, col: int, last: int) -> bool:
        match self.style.rules:
            case "rows":
                return False
            case "open":
                return 0 < col < last
            case "some":
                return col not in self.style.without
            case _:
                return True


#: What a figure is printed as, and what it then says: None where nothing is printed or it is no number.
Alter = Callable[[int], tuple[str, int | None]]


def altered(number: int, seed: int, alter: Alter) -> tuple[list[Rows], dict]:
    """The three tables of a form with figures printed otherwise."""
    truth: dict = {}

    def texts(figures: dict) -> dict:
        out = {}
        for key, value in figures.items():
            out[key], said = alter(value)
            truth[key if isinstance(key, tuple) else (key, None)] = said
        return out

    two, three, four = proactive_figures(number, seed), requests_figures(number, seed), litigation_figures(seed)
    return [proactive_rows(number, texts(two)), requests_rows(number, texts(three)), litigation_rows(texts(four))], truth


#: Where the header of each table ends.
HEADER = (2, 3, 3)


def report(
    style: Style,
    number: int = 2021,
    seed: int = 1,
    breaks: Sequence[int] = (),
    repeat: bool = False,
    spread: bool = True,
    alter: Alter | None = None,
) -> tuple[bytes, Truth]:
    """A whole report; table three is broken before the rows of `breaks`, with its header repeated where `repeat` says so."""
    (two, three, four), truth = altered(number, seed, alter) if alter else full(number, seed)
    pdf = Page(style)
    pdf.text("某区人民政府办公室2022年政府信息公开工作年度报告", 16)
    pdf.text("本报告所列数据的统计期限自2022年1月1日起至2022年12月31日止。")
    pdf.text("一、总体情况")
    pdf.text("2022年，全区主动公开政府信息1234条，同比增长5.6%，其中公开规范性文件12件，受理申请")
    pdf.text("56件，办结55件。")
    pdf.text(HEADINGS[0])
    pdf.table(lay_out(two), header=2)
    pdf.new_page()
    pdf.text(HEADINGS[1])
    at = [0, *breaks, len(three)]
    weights = (0.55, *THREE[1:]) if style.group == "stacked" else THREE
    for i, (first, last) in enumerate(pairwise(at)):
        if i:
            pdf.new_page()
        if i and repeat:
            pdf.table(lay_out(three), 0, 3, weights, 3, 3)
            pdf.y += 14
        pdf.table(lay_out(three), first, last, weights, 0 if i else 3, 3)
    if spread:
        pdf.new_page()
    pdf.text(HEADINGS[2])
    pdf.table(lay_out(four), header=3, labels=0)
    pdf.text("五、存在的主要问题及改进情况")
    pdf.text("2022年存在公开不够及时的问题，2023年将进一步改进，完成3项任务。")
    pdf.text("六、其他需要报告的事项")
    return pdf.bytes(), truth
