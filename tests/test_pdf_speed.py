"""Short cuts taken for speed: each gives what the long way gives, which is asked here too."""

from __future__ import annotations

import gc
import io
import math
import re
from typing import Any

import pypdfium2 as pdfium
import pytest
from camelot.core import Table
from camelot.image_processing import find_joints_from_lines
from camelot.parsers.lattice import Lattice
from camelot.utils import text_in_bbox, text_in_bbox_per_axis
from hypothesis import given, settings
from hypothesis import strategies as st
from pdfs import EMBEDDED, report
from pikepdf import Pdf
from playa.miner import LTChar, LTTextLineHorizontal
from reportlab.pdfgen.canvas import Canvas
from test_pdf import boxes, edited
from test_pdf_pages import drawn

from extract import pdf, pdf_lattice, pdf_page, pdf_turn
from extract.grid import Cell, Grid
from extract.pause import no_collection
from extract.pdf import read_pdf
from extract.pdf_cells import lines_in, ruled_boxes
from extract.pdf_model import Drawn, Glyph, PageScan, digit_runs
from extract.pdf_page import PdfError, scan_pages
from extract.pdf_paths import Segment
from extract.pdf_rules import loose_figures


@pytest.fixture(scope="module")
def made() -> bytes:
    return report(2021, 3, 2022, 17, figures=EMBEDDED)[0]


# --- the collector


def test_the_collector_is_held_back_while_a_file_is_read(made: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    real = pdf.scan_pages
    monkeypatch.setattr(pdf, "scan_pages", lambda data: held.append(gc.isenabled()) or real(data))
    assert gc.isenabled()
    assert list(read_pdf(made).grids())
    assert held == [False]
    assert gc.isenabled()


def test_the_collector_is_back_after_a_file_that_can_not_be_read() -> None:
    with pytest.raises(PdfError):
        read_pdf(b"%PDF-1.7 nothing")
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        with no_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


# --- characters


def asked_one_by_one(data: bytes) -> list[list[tuple[str, float, float, float, float]]]:
    """Characters and boxes of the pages as pypdfium2 itself gives them, from the upper left corner."""
    out = []
    with pdfium.PdfDocument(data) as file:
        for page in file:
            text, height = page.get_textpage(), page.get_height()
            chars = []
            for i in range(text.count_chars()):
                x0, y0, x1, y1 = text.get_charbox(i)
                chars.append((chr(pdfium.raw.FPDFText_GetUnicode(text, i)), x0, height - y1, x1, height - y0))
            out.append(chars)
    return out


def test_characters_stand_where_each_call_for_one_says(made: bytes) -> None:
    scans, _ = scan_pages(made)
    expected = asked_one_by_one(made)
    assert sum(map(len, expected)) > 1000
    for scan, chars in zip(scans, expected, strict=True):
        assert "".join(g.char for g in scan.glyphs) == "".join(c[0] for c in chars)
        for glyph, char in zip(scan.glyphs, chars, strict=True):
            assert (glyph.x0, glyph.top, glyph.x1, glyph.bottom) == pytest.approx(char[1:], abs=1e-4)


def test_middles_are_those_of_glyphs_that_are_no_blanks(made: bytes) -> None:
    scan = scan_pages(made)[0][1]
    assert [g.center for g in scan.glyphs] == list(zip(scan.ink.x, scan.ink.y, strict=True))
    assert scan.ink.is_inked.tolist() == [not g.char.isspace() for g in scan.glyphs]
    scan.glyphs = [*scan.glyphs[:3], Glyph("　", 0, 0, 0, 0)]  # as a reader of pictures puts others in their place
    assert scan.ink.is_inked.tolist() == [True, True, True, False]


def inked(scan: PageScan) -> list[Glyph]:
    return [g for g in scan.glyphs if not g.char.isspace()]


def struck(scan: PageScan) -> list[Glyph]:
    """A line through the middle of every fifth inked glyph leaves these."""
    through = inked(scan)[::5]
    lines = [(x - 0.5, y - 0.1, x + 0.5, y + 0.1) for x, y in (g.center for g in through)]
    pdf_page._leave_out_struck(scan, lines)
    return scan.glyphs


def test_only_what_is_struck_out_is_left_out(made: bytes) -> None:
    scan = scan_pages(made)[0][1]
    middles = [g.center for g in inked(scan)[::5]]
    count = len(scan.glyphs)
    left = struck(scan)
    tall = [c for c in middles if any(g.center == c for g in left)]  # signs too flat to have a line through them
    assert count * 3 // 4 < len(left) < count * 9 // 10
    assert len(tall) < len(middles) // 10
    assert scan.drawn is None
    assert scan.doubt == "text is struck out"


def test_text_as_a_whole_is_that_of_its_characters() -> None:
    """pdfium gives a hyphen at the end of a line in two ways, and characters beyond the first plane in two units."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(300, 300))
    for at, text in ((250, "a num-"), (236, "ber, 12"), (150, "plain 34")):
        canvas.drawString(20, at, text)
    canvas.save()
    (scan,), ((*chars,),) = scan_pages(out.getvalue())[0], asked_one_by_one(out.getvalue())
    assert [g.char for g in scan.glyphs] == [c[0] for c in chars]
    assert "\x02" in scan.ink.text


# --- only what is near rules


def far_copies(data: bytes) -> bytes:
    """Every text again, far above, in between the texts of the table."""
    return re.sub(rb"(BT [^\n]*? ET)", rb"\1 q 1 0 0 1 0 900 cm \1 Q", data)


def copied(made: bytes) -> bytes:
    def edit(pdf: Pdf) -> None:
        drawn(far_copies)(pdf)
        boxes(MediaBox=[0, 0, 600, 1800])(pdf)

    return edited(made, edit)


def test_text_far_from_rules_is_not_laid_out_and_changes_no_line(made: bytes) -> None:
    data = copied(made)
    near = scan_pages(data)[0][1]
    with pdfium.PdfDocument(data) as file:
        whole = pdf_page.scan_page(file[1], 2, whole=True)
    assert near.drawn
    assert whole.drawn
    assert len(whole.drawn.chars) > 1.8 * len(near.drawn.chars)
    assert len(near.drawn.starts) > 100
    level, upright = ({line.bbox: line.get_text() for line in lines} for lines in pdf_lattice._text_lines(near.drawn, 600, 1800))
    assert len(level) > 100
    for found, all_lines in zip((level, upright), pdf_lattice._text_lines(whole.drawn, 600, 1800), strict=True):
        assert found == {line.bbox: line.get_text() for line in all_lines if line.y0 < 900}


@pytest.mark.parametrize(("up", "doubt"), [(b"900", ""), (b"1", "text is not painted")])
def test_a_doubt_about_text_far_from_rules_is_none(made: bytes, up: bytes, doubt: str) -> None:
    """Text that is not painted, and text that pdfium leaves out because it is there twice."""
    copy = re.compile(rb"(BT )([^\n]*? ET)")

    def change(data: bytes) -> bytes:
        return copy.sub(rb"\1\2 q 1 0 0 1 0 " + up + rb" cm \1 3 Tr \2 \1 3 Tr \2 Q", data)

    def edit(pdf: Pdf) -> None:
        drawn(change)(pdf)
        boxes(MediaBox=[0, 0, 600, 1800])(pdf)

    scan = scan_pages(edited(made, edit))[0][1]
    assert (scan.doubt or "") in (doubt, "pdfium leaves out text" if doubt else "")
    assert (scan.drawn is None) is bool(doubt)


def test_pages_without_rules_have_no_characters_as_drawn_until_they_are_asked_for(made: bytes) -> None:
    bare = edited(made, drawn(lambda data: re.sub(rb"[^\n]* (re|l) (S|f\*?)\b[^\n]*", b"", data)))
    scan = scan_pages(bare)[0][1]
    assert not scan.ruled
    assert scan.drawn
    assert not scan.drawn.chars
    with pdfium.PdfDocument(bare) as file:
        whole = pdf_page.scan_page(file[1], 2, whole=True)
    assert whole.drawn
    assert len(whole.drawn.chars) > 400


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("12 34\n", 2),
        ("12 34", 2),
        ("12 34 x\n", 1),
        ("a12 34\n", 1),
        ("12 a\n", 0),
        ("12\n34 5x", 1),
        ("1,200 \r\n", 1),
        ("１２　3.5\n", 2),
        ("12-3 4-\n", 0),
        ("共 7 件\n", 0),
    ],
)
def test_numbers_that_stand_as_in_a_row(text: str, count: int) -> None:
    glyphs = [Glyph(char, 5.0 * i, 10, 5.0 * i + 4, 18) for i, char in enumerate(text)]
    assert loose_figures(PageScan(1, 600, 800, glyphs=glyphs), []) == count
    held = [Cell(run[0], 0, 0, bbox=(5.0 * run.start(), 5, 5.0 * run.end(), 20), second=run[0]) for run in re.finditer(r"\S+", text)]
    assert loose_figures(PageScan(1, 600, 800, glyphs=glyphs), [Grid(held, 1, 1, "x")]) == 0


# --- Camelot's cells

EM = 10.0
LINES = [*((50.0, y, 350.0, y) for y in (500.0, 530.0, 545.0, 600.0)), *((x, 500.0, x, 600.0) for x in (50.0, 90.0, 200.0, 350.0))]
LINES += [(120.0, 530.0, 120.0, 545.0), (50.0, 570.0, 200.0, 570.0)]  # cells that others are merged beside and above
#: Characters in runs, level or downwards, over rules too: order, where it starts, its characters, whether it is upright.
RUNS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.floats(40, 360, width=16),
        st.floats(495, 605, width=16),
        st.text("0123 人年，", min_size=1, max_size=8),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def written(runs: list[tuple[int, float, float, str, bool]]) -> Drawn:
    chars = [
        (order, char, x + (0 if upright else i * EM), x + (0 if upright else i * EM) + EM, y - (i * EM if upright else 0), EM)
        for order, x, y, text, upright in runs
        for i, char in enumerate(text)
    ]
    return Drawn(sorted(chars, key=lambda c: c[0]), LINES)


def texts(table: Any) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.cells]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(RUNS)
def test_cells_are_filled_as_camelot_fills_them(runs: list[tuple[int, float, float, str, bool]]) -> None:
    """Level and upright lines together, text over rules, text outside, cells without rules between them."""
    page = written(runs)
    level, upright = pdf_lattice._text_lines(page, 400, 700)
    level.append(line_of((150.0, 535.0, 156.0, 543.0), " "))  # pages that playa has read have blank lines, too
    tables = pdf_lattice.lattice(page.lines, (400, 700), level, upright, 1, keep_all=True)
    assert len(tables) == 1
    for table in tables:
        again = Table(table.cols, table.rows).set_edges(*parsed(page.lines), joint_tol=2).set_border()
        camelots = Lattice(engine="vector", split_text=True)
        camelots.t_bbox = text_in_bbox_per_axis(table._bbox, level, upright)
        camelots.compute_parse_errors(again)
        assert texts(table) == texts(again)


def parsed(lines: list[Segment]) -> tuple[list[Segment], list[Segment]]:
    """Upright and level lines."""
    return [line for line in lines if line[0] == line[2]], [line for line in lines if line[1] == line[3]]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(*[st.integers(0, 30)] * 3), max_size=12), st.lists(st.tuples(*[st.integers(0, 30)] * 3), max_size=12))
def test_crossing_lines_are_grouped_as_camelot_groups_them(level: list[tuple[int, int, int]], erect: list[tuple[int, int, int]]) -> None:
    """Several tables on a page, lines that just miss each other, lines that cross nothing."""
    across = [(float(min(a, b)), y * 2.0, float(max(a, b)), y * 2.0) for a, b, y in level]
    down = [(x * 2.0, float(min(a, b)), x * 2.0, float(max(a, b))) for a, b, x in erect]
    expected = find_joints_from_lines(across, down)
    found = ruled_boxes(across, down)
    assert list(found) == list(expected)
    assert {box: sorted(joints) for box, joints in found.items()} == {box: sorted(joints) for box, joints in expected.items()}


def line_of(box: tuple[float, float, float, float], text: str) -> LTTextLineHorizontal:
    line, char = LTTextLineHorizontal(0.1), LTChar()
    char.set_bbox(box)
    char._text = text
    line.add(char)
    return line


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20), st.integers(1, 12), st.integers(1, 6), st.sampled_from("01 ")), max_size=14)
)
def test_lines_in_a_table_are_those_that_camelot_finds(lines: list[tuple[int, int, int, int, str]]) -> None:
    """Lines outside, lines printed over each other with the same text and with another, blanks."""
    made = [line_of((x, y, x + width, y + height), text) for x, y, width, height, text in lines]
    box = (5.0, 5.0, 30.0, 15.0)
    assert [id(line) for line in lines_in(box, made)] == [id(line) for line in text_in_bbox(box, made)]


# --- runs of digits, turns of text


@given(st.text(st.sampled_from("0159²①٣a \n.，一")))
def test_runs_of_digits_are_those_of_isdigit(text: str) -> None:
    runs = digit_runs(text)
    inside = {at for first, end in runs for at in range(first, end)}
    assert all(end - first >= 2 for first, end in runs)
    for at, char in enumerate(text):
        beside = any(0 <= n < len(text) and text[n].isdigit() for n in (at - 1, at + 1))
        assert (at in inside) == (char.isdigit() and beside)


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_quarters_of_text_are_those_of_its_angle(along: float, up: float) -> None:
    assert pdf_turn._quarters(along, up) == round(math.degrees(math.atan2(up, along)) / 90) % 4
