"""Pages that pdfium's reading is enough for, and pages that it is not: what is drawn decides, and both ways give the same cells."""

from __future__ import annotations

import re
from collections.abc import Callable

import playa
import pytest
from pdfs import EMBEDDED, Report, Truth, report
from pikepdf import Array, Dictionary, Name, Page, Pdf
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from test_pdf import assert_never_silently_wrong, assert_whole, edited, read

from extract import pdf_lattice
from extract.pdf_page import PageScan, scan_pages

Change = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def embedded() -> tuple[bytes, Truth]:
    return report(2021, 3, 2022, 17, figures=EMBEDDED)


def drawn(change: Change, page: int = 1) -> Callable[[Pdf], None]:
    """Change what one page draws."""

    def edit(pdf: Pdf) -> None:
        pdf.pages[page].contents_coalesce()
        before = pdf.pages[page].Contents.read_bytes()
        after = change(before)
        assert after != before
        pdf.pages[page].Contents = pdf.make_stream(after)

    return edit


def each_text(before: bytes, after: bytes = b"") -> Change:
    """Put operators before and behind the first 40 texts."""
    return lambda data: re.sub(rb"(BT [^\n]*? ET)", before + rb" \1 " + after, data, count=40)


def in_text(operators: bytes) -> Change:
    return lambda data: re.sub(rb"\bBT ", b"BT " + operators + b" ", data, count=40)


def as_form(pdf: Pdf) -> None:
    for page in pdf.pages:
        page.contents_coalesce()
        form = pdf.make_stream(page.Contents.read_bytes())
        form.Type, form.Subtype, form.BBox, form.Resources = Name.XObject, Name.Form, page.MediaBox, page.Resources
        page.obj.Resources = Dictionary(XObject=Dictionary(F0=form))
        page.Contents = pdf.make_stream(b"/F0 Do")


def fonts(pdf: Pdf, page: Page) -> list[Dictionary]:
    return [f for f in page.Resources.Font.values() if "/ToUnicode" in f]


def without_map(pdf: Pdf) -> None:
    [font, *_] = fonts(pdf, pdf.pages[1])
    del font["/ToUnicode"]


def wide(pdf: Pdf) -> None:
    """Digits so far apart that those of one number run over the rule."""
    [font, *_] = fonts(pdf, pdf.pages[1])
    font.Widths = Array([1500] * len(font.Widths))


DOUBTS = {
    "invisible": (drawn(in_text(b"3 Tr")), "text is not painted"),
    "replaced": (drawn(each_text(b"/Span <</ActualText (7)>> BDC", b"EMC")), "text is replaced (ActualText)"),
    "slanted": (drawn(lambda data: b"0.98 0.17 -0.17 0.98 60 0 cm\n" + data), "text is turned"),
    "printed twice": (drawn(lambda data: re.sub(rb"(BT [^\n]*? ET)", rb"\1 \1", data, count=40)), "pdfium leaves out text"),
    "forms": (as_form, "it has forms"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_what_pdfium_can_not_vouch_for_is_left_to_playa(embedded: tuple[bytes, Truth], name: str) -> None:
    edit, doubt = DOUBTS[name]
    data = edited(embedded[0], edit)
    scan = scan_pages(data)[0][1]
    assert scan.drawn is None
    assert scan.doubt == doubt
    assert_never_silently_wrong(data, embedded[1])


def test_a_font_that_does_not_say_what_its_characters_are_is_left_to_playa(embedded: tuple[bytes, Truth]) -> None:
    data = edited(embedded[0], without_map)
    with playa.parse(data, space="page") as pdf:
        assert [pdf_lattice._names_characters(page) for page in pdf.pages][1] is False
    assert_never_silently_wrong(data, embedded[1])


def test_a_number_that_runs_over_the_outer_rule_is_not_cut_silently(embedded: tuple[bytes, Truth]) -> None:
    """Both readings by place have the same part of it."""
    data = edited(embedded[0], wide)
    rows = assert_never_silently_wrong(data, embedded[1])
    assert any(o["value_status"] == "unreadable" or str(o["method"]).endswith("+identity") for o in rows["observation"])


def test_sound_pages_are_interpreted_once(embedded: tuple[bytes, Truth], monkeypatch: pytest.MonkeyPatch) -> None:
    again: list[int] = []
    monkeypatch.setattr(pdf_lattice, "_from_playa", lambda scan, page: again.append(scan.number) or [])
    assert_whole(*embedded)
    assert_whole(*report(2019, 5, 2020, 9))
    assert not again
    read(edited(embedded[0], as_form))
    assert again


SAME = {
    "as it is": lambda d: b"\n" + d,
    "scaled": lambda d: b"0.9 0 0 0.9 20 30 cm\n" + d,
    "thick rules": lambda d: d.replace(b" .5 w", b" 1.4 w") + b"\n",
}


@pytest.mark.parametrize("name", SAME)
def test_both_ways_give_the_same_cells(embedded: tuple[bytes, Truth], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = edited(embedded[0], drawn(SAME[name]))
    scans: list[PageScan] = scan_pages(data)[0]
    assert all(scan.drawn for scan in scans)
    once = pdf_lattice.lattice_grids(data, scans)
    monkeypatch.setattr(pdf_lattice, "_from_pdfium", lambda scan, page: [])
    twice = pdf_lattice.lattice_grids(data, scans)
    assert sum(map(len, once.values())) >= 4
    for number, grids in once.items():
        assert [_shape(g) for g in grids] == [_shape(g) for g in twice[number]]


def _shape(grid: pdf_lattice.Grid) -> list[tuple[object, ...]]:
    return [
        (c.row, c.col, c.row_span, c.col_span, re.sub(r"\s", "", c.text), c.second, *(round(v, 1) for v in c.bbox or ()))
        for c in grid.cells
    ]


PATHS = {
    "box": b"0.5 w 100 600 80 40 re S",
    "lines": b"100 600 m 180 600 l S 100 640 m 100 600 l S",
    "one path": b"100 600 m 180 600 l 100 640 m 180 640 l 120 600 m 120 640 l S",
    "thin fills": b"100 600 80 0.5 re f 100 600 0.5 40 re f 100 640 80 1.4 re 150 600 1.5 40 re f",
    "closed line": b"100 600 m 180 600 l h S",
    "filled and stroked": b"100 600 80 1 re B",
    "scaled": b"q 0.5 0 0 -2 30 700 cm 100 20 80 10 re S Q",
    "no rules": b"100 600 80 40 re f 100 600 m 140 640 l S 100 600 m 120 620 140 640 180 600 c S 100 600 m 120 640 l 180 600 l h S",
}


@pytest.mark.parametrize("name", PATHS)
def test_lines_are_told_from_other_paths_as_playa_tells_them(name: str) -> None:
    from camelot.image_processing import _ruled_lines_from_layout
    from playa.miner import extract_page

    page = Report()
    page.text("某区")
    data = edited(page.bytes(), drawn(lambda d: d + b"\nq " + PATHS[name] + b" Q", 0))
    [scan] = scan_pages(data)[0]
    with playa.parse(data, space="page") as pdf:
        expected = _ruled_lines_from_layout(extract_page(pdf.pages[0]))
    assert scan.drawn is not None
    assert _sorted(scan.drawn.lines) == _sorted(expected)
    assert bool(_level(scan.drawn.lines)) is (name != "no rules")


def _sorted(lines: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    ends = [sorted(((round(x0, 2), round(y0, 2)), (round(x1, 2), round(y1, 2)))) for x0, y0, x1, y1 in lines]
    return sorted((*a, *b) for a, b in ends)


def _level(lines: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    return [line for line in lines if line[0] == line[2] or line[1] == line[3]]


def downwards(pdf: Pdf) -> None:
    for font in pdf.pages[0].Resources.Font.values():
        if str(font.get("/Encoding")) == "/UniJIS-UCS2-H":
            font.Encoding = Name("/UniJIS-UCS2-V")


@pytest.mark.parametrize("label", ["本年度公開", "本年2度公開"])
def test_text_written_downwards_stays_in_its_cell(label: str) -> None:
    """A vertical font's characters have no level advance."""
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    page = Report()
    canvas = page.canvas
    page.text("某区人民政府办公室年度报告，政府信息公开工作情况，收到和处理申请情况如下表所示")
    for line in ((40, 600, 40, 720), (60, 600, 60, 720), (160, 600, 160, 720), (260, 600, 260, 720)):
        canvas.line(*line)
    for line in ((40, 600, 260, 600), (60, 660, 260, 660), (40, 720, 260, 720)):
        canvas.line(*line)
    for y, text, figure in ((690, "予以公开", "12"), (630, "不予公开", "7")):
        canvas.drawString(65, y, text)
        canvas.drawString(165, y, figure)
    canvas.setFont("HeiseiMin-W3", 8)
    canvas.drawString(50, 715, label)
    data = edited(page.bytes(), downwards)
    [scan] = scan_pages(data)[0]
    [grid] = pdf_lattice.lattice_grids(data, [scan])[1]
    texts = [re.sub(r"\s", "", c.text) for c in grid.cells]
    assert sorted(texts) == sorted([label, "予以公开", "12", "不予公开", "7"])
    assert texts == [c.second for c in grid.cells]


def test_half_a_character_is_no_error(embedded: tuple[bytes, Truth]) -> None:
    """A font that says a digit is one half of a pair of UTF-16."""

    def edit(pdf: Pdf) -> None:
        for font in fonts(pdf, pdf.pages[1]):
            known = font.ToUnicode.read_bytes()
            font.ToUnicode = pdf.make_stream(re.sub(rb"<0031>", b"<D85B>", known))

    rows = assert_never_silently_wrong(edited(embedded[0], edit), embedded[1])
    assert all(str(o["raw_text"]).encode() is not None for o in rows["observation"])
