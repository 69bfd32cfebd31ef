"""Scanned reports: every cell right or flagged, a blank only where there is no ink, boxes on the page as shown."""

from __future__ import annotations

import csv
import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from extract.grid import PICTURE, Document, Grid
from extract.join import join_pages
from extract.reader import read_document
from extract.scan import _Inked, _trust, _two_readings
from extract.scan_grid import Region, ruled_tables
from extract.scan_image import Picture, even_background, upright
from extract.scan_ink import Box, ink_mask, marks, text_lines
from extract.scan_words import Reading, Recogniser
from transform.figures import Figures, read_figures
from transform.layout import layouts

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
Truth = dict[tuple[str, str | None], tuple[str, Decimal | None]]


@pytest.fixture(autouse=True, scope="module")
def corpus() -> Path:
    if not CORPUS.is_dir():
        reason = f"the sample reports are not at {CORPUS}"
        pytest.fail(reason) if os.environ.get("GONGKAI_NO_SKIP") == "1" else pytest.skip(reason)
    return CORPUS


@cache
def truth(name: str) -> Truth:
    with (CORPUS / f"{name}.csv").open(encoding="utf-8") as lines:
        return {
            (r["indicator"], r["applicant"] or None): (r["value_status"], Decimal(r["value"]) if r["value"] else None)
            for r in csv.DictReader(lines)
        }


@cache
def page(name: str, number: int, dpi: int = 200) -> Picture:
    pdf = pdfium.PdfDocument(CORPUS / f"{name}.pdf")
    array = pdf[number - 1].render(scale=dpi / 72, grayscale=True).to_numpy()
    pdf.close()
    return np.ascontiguousarray(array.reshape(array.shape[:2]))


def litigation() -> Picture:
    """Table four with its heading: 15 figures, quick to read."""
    return page("lucheng2021-scan", 5)[1360:1730].copy()


def as_pdf(*pictures: Picture, dpi: int = 200) -> bytes:
    images = [Image.fromarray(p) for p in pictures]
    out = io.BytesIO()
    images[0].save(out, "PDF", resolution=dpi, save_all=True, append_images=images[1:], quality=92)
    return out.getvalue()


def as_png(picture: Picture) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def figures(document: Document) -> Figures:
    return read_figures(document, layouts())


def score(found: Figures, want: Truth) -> tuple[int, int, list[str]]:
    """How many cells are right, how many flagged (doubted, unreadable), and what is silently wrong."""
    right, flagged, silent = 0, 0, []
    for observed in found.observed:
        have = (observed.figure.status, observed.figure.value)
        if observed.doubt or observed.figure.status == "unreadable":
            flagged += 1
        elif want.get(observed.key) == have:
            right += 1
        else:
            silent.append(f"{observed.key}: {have}, printed {want.get(observed.key)}")
    return right, flagged, silent


@cache
def scanned(name: str) -> Document:
    return read_document((CORPUS / f"{name}-scan.pdf").read_bytes())


# --- the samples


@pytest.mark.parametrize("name", ["lucheng2021", "chengshan2019"])
def test_every_cell_of_a_scan_is_right(name: str) -> None:
    found = figures(scanned(name))
    right, flagged, silent = score(found, truth(name))
    assert not silent
    assert right >= 0.99 * len(truth(name))
    assert right + flagged == len(truth(name))
    assert {g.method for g in scanned(name).grids()} == {"rapidocr+camelot-lattice-raster"}


def test_text_around_the_tables_is_read() -> None:
    texts = [t.text for t in scanned("chengshan2019").texts()]
    assert any("2019年政府信息公开工作" in t for t in texts)
    assert [t[:2] for t in texts if t[1] == "、"] == ["一、", "二、", "三、", "四、", "五、", "六、"]


def test_boxes_are_on_the_page_as_shown() -> None:
    """The page is turned by more than a degree: the box of a cell holds the ink of its figure on the untouched page, not its rules."""
    grid = [g for g in scanned("chengshan2019").grids() if g.cells[0].page == 2][-1]
    plain = even_background(page("chengshan2019-scan", 2))
    cells = [c for c in grid.cells if c.text.isdigit()]
    assert len(cells) > 140
    for cell in cells:
        assert cell.bbox
        x0, top, x1, bottom = (v * 200 / 72 for v in cell.bbox)
        middle = plain[int(top + (bottom - top) * 0.25) : int(bottom - (bottom - top) * 0.25), int(x0 + 15) : int(x1 - 15)]
        assert (middle < 190).any(), cell


def test_tables_over_pages_of_a_scan_are_joined() -> None:
    assert [g.breaks for g in scanned("lucheng2021").grids()] == [[2], [16], []]
    assert [g.breaks for g in scanned("chengshan2019").grids()] == [[12], [], []]


# --- pages made worse: right or flagged, never silently wrong


def turned(degrees: float) -> Callable[[Picture], Picture]:
    def turn(picture: Picture) -> Picture:
        height, width = picture.shape
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        return np.asarray(cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(235,)), np.uint8)

    return turn


def noisy(sigma: float) -> Callable[[Picture], Picture]:
    return lambda p: np.clip(p + np.random.default_rng(3).normal(0, sigma, p.shape), 0, 255).astype(np.uint8)


def blurred(sigma: float) -> Callable[[Picture], Picture]:
    return lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), sigma), np.uint8)


def squeezed(quality: int) -> Callable[[Picture], Picture]:
    return lambda p: np.asarray(cv2.imdecode(cv2.imencode(".jpg", p, [1, quality])[1], 0), np.uint8)


def coarse(picture: Picture) -> Picture:
    """Black and white at 100 dpi: thin strokes are lost."""
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.threshold(half, 150, 255, cv2.THRESH_BINARY)[1], np.uint8)


WORSE = {"turned": turned(-1.7), "noise": noisy(30), "blur": blurred(1.4), "jpeg": squeezed(25)}


@pytest.mark.parametrize("name", WORSE)
def test_a_worse_page_is_read_as_well(name: str) -> None:
    found = figures(read_document(as_pdf(WORSE[name](page("chengshan2019-scan", 2)))))
    right, flagged, silent = score(found, truth("chengshan2019"))
    assert not silent
    assert right >= 0.97 * (right + flagged)
    assert right >= 150


def test_a_spoilt_page_is_flagged() -> None:
    """Where many figures are read in two ways, those read alike are not certain either."""
    document = read_document(as_pdf(coarse(page("lucheng2021-scan", 4)[:1200]), dpi=100))
    cells = [c for g in document.grids() for c in g.cells if c.second]
    assert any(c.text == c.second for c in cells)
    assert max(c.certainty or 0 for c in cells) <= 0.5
    assert not score(figures(document), truth("lucheng2021"))[2]


def read_as(first: str, second: str) -> _Inked:
    return _Inked(Region(0, 0, 1, 1, 0, 0, 9, 9), [Box(1, 1, 8, 8)], [Reading(first, 0.99)], Reading(second, 0.99))


@pytest.mark.parametrize(
    ("pairs", "trusted"),
    [
        ([("12", "72"), ("0", "6"), ("a", "")], False),
        ([("12", "72"), ("0", "6"), ("l", "1")], False),
        ([("12", "72"), ("0", "6"), ("一—", "_—")], True),
        ([("条", "祭"), ("第", "篇"), ("--", "——")], True),
        ([("--", "1"), ("D", "0"), ("4", "篇")], False),
    ],
)
def test_figures_read_in_two_ways_spoil_a_page_dashes_and_units_do_not(pairs: list[tuple[str, str]], trusted: bool) -> None:
    cells = [read_as(*p) for p in pairs] + [read_as("0", "0")] * 40
    assert (_trust(cells) == 1.0) is trusted


# --- blanks


def test_an_erased_figure_is_a_blank_and_a_faint_one_is_not() -> None:
    """In every second cell of a row the figure is erased, in the others it is bleached: a blank is only what has no ink."""
    document = scanned("lucheng2021")
    grid = list(document.grids())[1]
    row = [c for c in grid.rows()[7] if c.text.isdigit()]
    assert len(row) == 7
    picture = page("lucheng2021-scan", 4).copy()
    for i, cell in enumerate(row):
        assert cell.bbox
        x0, top, x1, bottom = (round(v * 200 / 72) for v in cell.bbox)
        place = picture[top + 8 : bottom - 8, x0 + 8 : x1 - 8]
        paper = float(np.median(place))
        place[:] = paper if i % 2 else (paper - (paper - np.minimum(place, paper)) / 6).astype(np.uint8)
    found = next(g for g in read_document(as_pdf(picture)).grids() if g.n_cols == 10)
    cells = [c for c in found.rows()[7] if c.col >= 3]
    assert [c.text for c in cells[1::2]] == [""] * 3
    for cell in cells[::2]:
        assert cell.text in ("0", PICTURE) or (cell.certainty is not None and cell.certainty < 0.9), cell


def test_ink_that_is_no_text_is_no_blank() -> None:
    picture = litigation()
    grid = next(read_document(as_pdf(picture)).grids())
    cell = next(c for c in grid.cells if c.text == "0")
    assert cell.bbox
    x0, top, x1, bottom = (round(v * 200 / 72) for v in cell.bbox)
    picture[top + 8 : bottom - 8, x0 + 8 : x1 - 8] = 240
    cv2.line(picture, (x0 + 18, top + 14), (x1 - 18, bottom - 14), 60, 6)
    cv2.line(picture, (x0 + 18, bottom - 14), (x1 - 18, top + 14), 60, 6)
    again = next(read_document(as_pdf(picture)).grids())
    struck = next(c for c in again.cells if (c.row, c.col) == (cell.row, cell.col))
    assert struck.text
    assert not struck.text.isdigit()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("0", "0", ("0", "0")),
        ("12", "72", ("12", "72")),
        ("l", "1", ("1", "l")),
        ("·", "·", (PICTURE, "·")),
        (PICTURE, PICTURE, (PICTURE, PICTURE)),
        ("7", PICTURE, ("7", PICTURE)),
        ("无", "无", ("无", "无")),
        ("—", "—", ("—", "—")),
    ],
)
def test_two_readings(first: str, second: str, expected: tuple[str, str]) -> None:
    assert _two_readings(first, second) == expected


# --- how a page lies, and where pictures are


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_that_lies_sideways_or_upside_down(quarters: int) -> None:
    picture = np.ascontiguousarray(np.rot90(litigation(), quarters))
    document = read_document(as_pdf(picture))
    assert score(figures(document), truth("lucheng2021")) == (15, 0, [])
    height, width = (v * 72 / 200 for v in picture.shape)
    boxes = [c.bbox for g in document.grids() for c in g.cells if c.bbox]
    assert all(-1 <= b[0] < b[2] <= width + 1 and -1 <= b[1] < b[3] <= height + 1 for b in boxes)
    across = {(b[0] if quarters == 2 else b[1]) for b in boxes}
    assert len({round(v / 10) for v in across}) >= 15  # the fifteen columns run along the turned page


def test_a_picture_file_is_a_document() -> None:
    """As on a page whose tables are pictures (domain.md Q-46): a picture as wide as a screen."""
    picture = np.asarray(cv2.resize(litigation(), None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), np.uint8)
    document = read_document(as_png(picture))
    assert document.media == "image"
    assert score(figures(document), truth("lucheng2021")) == (15, 0, [])
    assert all(c.bbox and c.bbox[2] <= picture.shape[1] + 2 for g in document.grids() for c in g.cells)
    assert [t.text for t in document.texts()] == ["四、政府信息公开行政复议、行政诉讼情况"]


def test_a_page_of_text_whose_table_is_a_picture() -> None:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.drawString(72, 800, "A heading with text of its own, more than thirty characters long")
    table = litigation()[90:350, 150:1500]
    canvas.drawImage(ImageReader(Image.fromarray(table)), 60, 500, width=486, height=94)
    canvas.save()
    document = read_document(out.getvalue())
    assert [t.text for t in document.texts()] == ["A heading with text of its own, more than thirty characters long"]
    assert score(figures(document), truth("lucheng2021")) == (15, 0, [])
    assert all(c.bbox and 240 < c.bbox[1] < c.bbox[3] < 350 for g in document.grids() for c in g.cells)


def test_a_photograph_or_a_broken_picture() -> None:
    rng = np.random.default_rng(0)
    photo = np.asarray(cv2.GaussianBlur(rng.integers(0, 255, (600, 800)).astype(np.uint8), (0, 0), 6), np.uint8)
    assert [p.kind for p in read_document(as_png(photo)).problems] == ["needs_ocr"]
    assert [p.kind for p in read_document(as_png(photo)[:200]).problems] == ["broken_document"]


# --- parts


def test_upright_levels_and_leads_back() -> None:
    tilted = turned(-1.4)(page("lucheng2021-scan", 5))
    level = upright(tilted, 72 / 200)
    [first, *_] = ruled_tables(level.gray)
    assert (first.n_rows, first.n_cols) == (12, 10)
    x0, top, x1, _ = level.box(*first.box)
    assert x1 - x0 > (first.box[2] - first.box[0]) * 72 / 200  # a turned box is wider than a level one
    matrix = cv2.getRotationMatrix2D((tilted.shape[1] / 2, tilted.shape[0] / 2), -1.4, 1)
    corner = matrix @ (189.0, 201.0, 1.0)  # the table's upper left corner on the page before it was turned
    assert abs(corner[1] * 0.36 - top) < 2


def test_marks_are_neither_dust_nor_rules() -> None:
    picture = np.full((100, 200), 250, np.uint8)
    picture[0:3, :], picture[97:, :], picture[:, :3], picture[:, 197:] = 0, 0, 0, 0
    picture[50:52, 40:42] = 0  # dust
    picture[40:60, 100:103] = 0  # a one
    picture[47:50, 140:170] = 0  # a dash
    found = marks(ink_mask(picture), Region(0, 0, 1, 1, 0, 0, 200, 100))
    assert sorted((round(b.x0, -1), b.width > b.height) for b in found) == [(100, False), (140, True)]


def test_lines_of_a_cell() -> None:
    two = [Box(10, 10, 30, 34), Box(32, 11, 50, 35), Box(10, 42, 30, 66)]
    assert len(text_lines(two, 24)) == 2
    three_strokes = [Box(10, 10, 34, 13), Box(12, 20, 32, 23), Box(8, 31, 36, 34)]
    assert len(text_lines(three_strokes, 26)) == 1
    upended = [Box(10, 10 + 30 * i, 34, 36 + 30 * i) for i in range(6)]
    assert text_lines(upended, 26) == [Box(10, 10, 34, 186)]
    header = [Box(10, 10 + 30 * i, 60, 36 + 30 * i) for i in range(3)]
    assert len(text_lines(header, 26)) == 3


def test_nothing_is_asked_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert [r.text for r in Recogniser().figures([page("lucheng2021-scan", 4)[600:700, 860:950]])] == ["56"]


def test_a_document_without_pictures_does_not_load_the_models() -> None:
    code = (
        "import sys; from pathlib import Path; from extract.reader import read_document; read_document(Path(sys.argv[1]).read_bytes()); "
        "print('rapidocr' in sys.modules, 'onnxruntime' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(CORPUS / "lucheng2021.pdf")], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_second_reading_of_a_scan_is_another_one() -> None:
    document = read_document(as_pdf(litigation()))
    assert document.again
    again = document.again()
    assert again.again is None
    first, second = (next(d.grids()) for d in (document, again))
    assert texts(first) == texts(second)
    assert [c.certainty for c in first.cells] != [c.certainty for c in second.cells]
    assert join_pages(again).blocks == again.blocks


def texts(grid: Grid) -> list[str]:
    return [c.text for c in grid.cells if c.text.isdigit()]
