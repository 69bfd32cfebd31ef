"""Small PDFs of the forms, made with reportlab's own CID font: no font file is needed, and every cell can be moved at will."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from forms import Rows, full, lay_out
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from extract.grid import Grid

#: Not embedded, and a TrueType font that ships with reportlab and is embedded with a font descriptor.
FONT, EMBEDDED = "STSong-Light", "Vera"
SIZE, ROW = 7, 20
WIDTH, HEIGHT = 595, 842
LEFT, TOP = 40, 80

Hook = Callable[[Canvas, int], None]


class Report:
    """A PDF under construction: text and tables run down the page, and on to the next at `new_page`."""

    def __init__(self, hook: Hook | None = None, figures: str = FONT) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
        pdfmetrics.registerFont(TTFont(EMBEDDED, "Vera.ttf"))
        self.figures = figures
        self.out = io.BytesIO()
        self.canvas = Canvas(self.out, pagesize=(WIDTH, HEIGHT), pageCompression=0)
        self.hook = hook
        self.page = 0
        self._start()

    def _start(self) -> None:
        self.page += 1
        self.y = HEIGHT - TOP
        self.canvas.setFont(FONT, SIZE)
        self.canvas.setLineWidth(0.5)
        if self.hook:
            self.hook(self.canvas, self.page)
            self.canvas.setFont(FONT, SIZE)

    def new_page(self) -> None:
        self.canvas.showPage()
        self._start()

    def text(self, line: str) -> None:
        self.canvas.drawString(LEFT, self.y - SIZE, line)
        self.y -= 16

    def table(self, rows: Rows | Grid, first: int = 0, last: int | None = None, width: float = 500, weights: Sequence[float] = ()) -> None:
        """Draw grid rows first..last; a cell that began above goes on empty, as Word prints it."""
        grid = rows if isinstance(rows, Grid) else lay_out(rows)
        last = grid.n_rows if last is None else last
        edges = _edges(grid.n_cols, width, weights)
        for cell in grid.cells:
            top, bottom = max(cell.row, first), min(cell.row_end, last)
            if top >= bottom:
                continue
            x0, x1 = edges[cell.col], edges[cell.col_end]
            y1, y0 = self.y - (top - first) * ROW, self.y - (bottom - first) * ROW
            self.canvas.rect(x0, y0, x1 - x0, y1 - y0)
            if cell.row >= first:
                self._write(cell.text, x0, x1, y1)
        self.y -= (last - first) * ROW

    def _write(self, text: str, x0: float, x1: float, y1: float) -> None:
        if pdfmetrics.stringWidth(text, FONT, SIZE) <= x1 - x0 - 2:
            self.canvas.setFont(self.figures if text.isdigit() else FONT, SIZE)
            self.canvas.drawString(x0 + 1, y1 - SIZE - 1, text)
            self.canvas.setFont(FONT, SIZE)
            return
        per_line = max(int((x1 - x0 - 2) // SIZE), 1)
        size = SIZE if len(text) <= 2 * per_line else SIZE * 2 * per_line / len(text)
        per_line = max(int((x1 - x0 - 2) // size), 1)
        self.canvas.setFont(FONT, size)
        for i in range(0, len(text), per_line):
            self.canvas.drawString(x0 + 1, y1 - (i // per_line + 1) * (size + 1), text[i : i + per_line])
        self.canvas.setFont(FONT, SIZE)

    def bytes(self) -> bytes:
        self.canvas.save()
        return self.out.getvalue()


def _edges(n_cols: int, width: float, weights: Sequence[float]) -> list[float]:
    shares = list(weights) or [1.0] * n_cols
    edges = [float(LEFT)]
    for share in shares:
        edges.append(edges[-1] + width * share / sum(shares))
    return edges


#: Table three: three columns of labels, seven of figures.
THREE = (2, 2, 6, 1, 1, 1, 1, 1, 1, 1)
HEADINGS = ("二、主动公开政府信息情况", "三、收到和处理政府信息公开申请情况", "四、政府信息公开行政复议、行政诉讼情况")

Truth = dict[tuple[str, str | None], int]


def report(
    number: int = 2021, seed: int = 1, year: int = 2022, break_at: int | None = None, hook: Hook | None = None, figures: str = FONT
) -> tuple[bytes, Truth]:
    """A whole report: table three on its own page, broken before its row `break_at` where that is given."""
    (two, three, four), truth = full(number, seed)
    pdf = Report(hook, figures)
    pdf.text(f"某区人民政府办公室{year}年政府信息公开工作年度报告")
    pdf.text(f"本报告所列数据的统计期限自{year}年1月1日起至{year}年12月31日止。")
    pdf.text("一、总体情况")
    pdf.text(HEADINGS[0])
    pdf.table(two)
    pdf.new_page()
    pdf.text(HEADINGS[1])
    pdf.table(three, 0, break_at, weights=THREE)
    if break_at is not None:
        pdf.new_page()
        pdf.table(three, break_at, weights=THREE)
    pdf.new_page()
    pdf.text(HEADINGS[2])
    pdf.table(four)
    pdf.text("五、存在的主要问题及改进情况")
    pdf.text("六、其他需要报告的事项")
    return pdf.bytes(), truth
