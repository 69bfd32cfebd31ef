"""PDFs made cell by cell, then broken on purpose: each figure is right, or the report says that something is wrong."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from decimal import Decimal

import pikepdf
import pypdfium2 as pdfium
import pytest
from forms import full, lay_out
from pdfs import EMBEDDED, FONT, HEADINGS, HEIGHT, THREE, WIDTH, Report, Truth, report
from pikepdf import Dictionary, Encryption, Pdf, Permissions
from reportlab.pdfgen.canvas import Canvas

from extract import pdf_lattice as reader
from extract.grid import Document
from extract.pdf import read_pdf
from extract.pdf_page import PdfError
from extract.reader import read_document
from transform.frames import Rows
from transform.tidy import Context, tidy

CONTEXT = Context("p", "330302", "http://127.0.0.1/x", "ab" * 32, "2026-01-01T00:00:00Z", "run")

Edit = Callable[[Pdf], None]


def edited(data: bytes, edit: Edit, **save) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        edit(pdf)
        pdf.save(out, **save)
    return out.getvalue()


def read(data: bytes) -> Rows:
    return tidy(read_document(data), CONTEXT)


def figures(rows: Rows) -> dict:
    return {(r["indicator"], r["applicant"]): (r["value_status"], r["value"]) for r in rows["observation"]}


def kinds(document: Document) -> list[str]:
    return [p.kind for p in document.problems]


def assert_whole(data: bytes, truth: Truth) -> Rows:
    rows = read(data)
    assert figures(rows) == {k: ("reported", Decimal(v)) for k, v in truth.items()}
    assert not [p for p in rows["problem"] if p["severity"] == "failure"]
    return rows


def assert_never_silently_wrong(data: bytes, truth: Truth) -> Rows:
    rows = read(data)
    wrong = {k: v for k, v in figures(rows).items() if v != ("reported", truth.get(k))}
    lost = truth.keys() - figures(rows).keys()
    flagged = [p for p in rows["problem"] if p["severity"] == "failure"]
    assert not (wrong or lost) or flagged
    assert all(status == "unreadable" for status, _ in wrong.values()), wrong
    return rows


@pytest.fixture(scope="module")
def plain() -> tuple[bytes, Truth]:
    return report(2021, 3, 2022, 17)


@pytest.fixture(scope="module")
def embedded() -> tuple[bytes, Truth]:
    """Figures in an embedded TrueType font with a descriptor that can be spoilt; labels in another font stay where they are."""
    return report(2021, 3, 2022, 17, figures=EMBEDDED)


# --- page breaks


@pytest.mark.parametrize("number", [2019, 2021])
@pytest.mark.parametrize("at", [None, 2, 3, 4, 6, 10, 15, 16, 22, -1])
def test_a_page_may_end_anywhere_in_table_three(number: int, at: int | None) -> None:
    """Below the header, between groups, within one, and before the last row, which then stands alone (fewer columns are ruled there)."""
    rows = len(full(number)[0][1])
    at = rows - 1 if at == -1 else at
    assert_whole(*report(number, 5, 2020 if number == 2019 else 2022, at))


def test_a_label_cut_in_two_by_the_page_end_is_put_together() -> None:
    """Q-65: 无 above, 法提供 below."""
    (_, three, _), truth = full(2021, 3)
    pdf = Report()
    at = next(i for i, row in enumerate(three) if any(c.text.startswith("1.本机关") for c in row)) + 1
    grid = lay_out(three)
    cells = [c if c.text != "（四）无法提供" else type(c)("（四）无", c.row, c.col, 1) for c in grid.cells]
    cells.append(type(cells[0])("法提供", at, 1, 2))
    grid.cells = sorted(cells, key=lambda c: (c.row, c.col))
    pdf.text("某区2022年政府信息公开工作年度报告")
    pdf.text(HEADINGS[1])
    pdf.table(grid, 0, at, weights=THREE)
    pdf.new_page()
    pdf.table(grid, at, weights=THREE)
    rows = read(pdf.bytes())
    assert figures(rows) == {k: ("reported", v) for k, v in truth.items() if k[1]}
    assert {p["kind"] for p in rows["problem"]} == {"missing_table"}


def test_every_cell_has_its_page_and_a_box_that_shows_it(plain: tuple[bytes, Truth]) -> None:
    data, _ = plain
    rows = assert_whole(*plain)
    pages = {r["indicator"]: r["page"] for r in rows["observation"]}
    assert (pages["regulation_issued"], pages["new_received"], pages["carried_out"], pages["litigation_direct_total"]) == (1, 2, 3, 4)
    assert_boxes(data, rows)


def assert_boxes(data: bytes, rows: Rows) -> None:
    """The box, on the page as shown, holds the figure: found on the rendered page by its ink, so that no text coordinates are trusted."""
    pdf = pdfium.PdfDocument(data)
    images = [page.render(scale=2, grayscale=True).to_pil() for page in pdf]
    for row in rows["observation"]:
        image = images[row["page"] - 1]
        x0, top, x1, bottom = (v * 2 for v in row["bbox"])
        assert 0 <= x0 < x1 <= image.width
        assert 0 <= top < bottom <= image.height
        inside = image.crop((int(x0) + 3, int(top) + 3, int(x1) - 3, int(bottom) - 3))
        assert inside.getextrema()[0] < 128, row
    pdf.close()


# --- what stands around the tables


def test_running_heads_and_page_numbers_are_no_text_and_do_not_part_a_table() -> None:
    def heads(canvas: Canvas, page: int) -> None:
        canvas.setFont(FONT, 8)
        canvas.drawString(200, HEIGHT - 30, "某区人民政府2022年年报")
        canvas.drawString(280, 30, f"- {page} -")
        canvas.drawString(480, 30, f"第{page}页 共4页")

    data, truth = report(2021, 3, 2022, 17, heads)
    rows = assert_whole(data, truth)
    text = "".join(n["text"] + (n["heading"] or "") for n in rows["narrative"])
    assert "年报" not in text
    assert "页" not in text


def test_a_line_of_text_between_the_pages_keeps_the_tables_apart_and_is_said() -> None:
    """续表 with no header is no header: the rows below are not read, and reported."""
    (_, three, _), truth = full(2021, 3)
    pdf = Report()
    pdf.text("某区2022年政府信息公开工作年度报告")
    pdf.table(three, 0, 17, weights=THREE)
    pdf.new_page()
    pdf.text("正文在此处继续说明有关情况")
    pdf.table(three, 17, weights=THREE)
    rows = read(pdf.bytes())
    found = figures(rows)
    assert found == {k: ("reported", truth[k]) for k in found}
    assert {"missing_row", "unmapped_cell"} <= {p["kind"] for p in rows["problem"] if p["severity"] == "failure"}


def test_a_stray_digit_printed_into_a_cell_makes_it_unreadable() -> None:
    def stamp(canvas: Canvas, page: int) -> None:
        canvas.setFont(FONT, 7)
        canvas.drawString(500, 500, "9")

    data, truth = report(2021, 3, 2022, 17, stamp)
    rows = assert_never_silently_wrong(data, truth)
    assert "unreadable_cell" in {p["kind"] for p in rows["problem"]}


# --- the page and its boxes


def boxes(**names: list[int]) -> Edit:
    def edit(pdf: Pdf) -> None:
        for page in pdf.pages:
            for name, box in names.items():
                page[f"/{name}"] = box

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        boxes(CropBox=[20, 20, 575, 822]),
        boxes(MediaBox=[-100, -50, 700, 900]),
        boxes(MediaBox=[-100, -50, 700, 900], CropBox=[0, 0, 595, 842]),
        boxes(CropBox=[-500, -500, 2000, 2000]),
    ],
    ids=["crop", "media", "both", "crop beyond media"],
)
def test_boxes_of_a_page_move_no_figure(plain: tuple[bytes, Truth], edit: Edit) -> None:
    data, truth = plain
    changed = edited(data, edit)
    assert_boxes(changed, assert_whole(changed, truth))


def turned(degrees: int) -> Edit:
    """The page lies on its side in the file and is turned upright by /Rotate, as landscape pages of some printers are."""
    matrix = {90: f"0 1 -1 0 {HEIGHT} 0 cm", 180: f"-1 0 0 -1 {WIDTH} {HEIGHT} cm", 270: f"0 -1 1 0 0 {WIDTH} cm"}[degrees]

    def edit(pdf: Pdf) -> None:
        for page in pdf.pages:
            page.contents_add(pdf.make_stream((matrix + "\n").encode()), prepend=True)
            page.Rotate = degrees
            if degrees != 180:
                page.MediaBox = [0, 0, HEIGHT, WIDTH]
                page.CropBox = [10, 20, HEIGHT - 5, WIDTH - 15]

    return edit


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_pages_are_read_as_shown(plain: tuple[bytes, Truth], degrees: int) -> None:
    data, truth = plain
    changed = edited(data, turned(degrees))
    assert_boxes(changed, assert_whole(changed, truth))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_pages_shown_on_their_side_give_no_wrong_figure(plain: tuple[bytes, Truth], degrees: int) -> None:
    def edit(pdf: Pdf) -> None:
        for page in pdf.pages:
            page.Rotate = degrees

    data, truth = plain
    assert_never_silently_wrong(edited(data, edit), truth)


# --- font metrics: text must not move to the row above or below


def metrics(ascent: int, descent: int, box: list[int] | None = None) -> Edit:
    def edit(pdf: Pdf) -> None:
        found = [o for o in pdf.objects if isinstance(o, Dictionary) and o.get("/Type") == "/FontDescriptor"]
        assert found
        for descriptor in found:
            descriptor.Ascent, descriptor.Descent = ascent, descent
            if box:
                descriptor.FontBBox = box

    return edit


BAD_METRICS = [
    (0, 0, None),
    (0, 0, [-1000, -1049, 2000, 1810]),
    (3000, -2000, None),
    (1200, -390, None),
    (0, -120, None),
    (-880, 880, None),
    (1299, -2, None),
    (300, -1, None),
    (0, -399, [-1000, -3000, 2000, 3000]),
]


@pytest.mark.parametrize(("ascent", "descent", "box"), BAD_METRICS)
def test_wrong_font_metrics_move_no_figure(embedded: tuple[bytes, Truth], ascent: int, descent: int, box: list[int] | None) -> None:
    data, truth = embedded
    assert_never_silently_wrong(edited(data, metrics(ascent, descent, box)), truth)


@pytest.mark.parametrize("box", [None, [-1000, -1049, 2000, 1810]])
def test_zero_ascent_and_descent_are_mended(embedded: tuple[bytes, Truth], box: list[int] | None) -> None:
    data, truth = embedded
    assert_whole(edited(data, metrics(0, 0, box)), truth)


def test_without_the_mending_the_second_reading_still_sees_the_shift(
    embedded: tuple[bytes, Truth], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file, read by playa without the first guard: figures land in the wrong row, and not one of them is taken."""
    data, truth = embedded
    monkeypatch.setattr(reader, "_from_pdfium", lambda scan, page: [])
    monkeypatch.setattr(reader, "mend_font_metrics", lambda page: None)
    rows = assert_never_silently_wrong(edited(data, metrics(0, 0, [-1000, -2500, 2000, 2810])), truth)
    assert "unreadable_cell" in {p["kind"] for p in rows["problem"]}


# --- files that can't be read, or not whole


def test_a_password_is_needed(plain: tuple[bytes, Truth]) -> None:
    data = edited(plain[0], lambda pdf: None, encryption=Encryption(user="x", owner="y"))
    assert kinds(read_document(data)) == ["encrypted"]
    with pytest.raises(PdfError) as caught:
        read_pdf(data)
    assert caught.value.kind == "encrypted"


def test_a_file_without_pages_is_broken_and_not_encrypted(plain: tuple[bytes, Truth]) -> None:
    """pdfium keeps its last error: after an encrypted file it names the password again."""
    read_document(edited(plain[0], lambda pdf: None, encryption=Encryption(user="x", owner="y")))

    def empty(pdf: Pdf) -> None:
        while len(pdf.pages):
            del pdf.pages[0]

    assert kinds(read_document(edited(plain[0], empty))) == ["broken_document"]


def test_a_file_that_forbids_copying_is_read(plain: tuple[bytes, Truth]) -> None:
    data, truth = plain
    locked = edited(data, lambda pdf: None, encryption=Encryption(user="", owner="y", allow=Permissions(extract=False)))
    assert_whole(locked, truth)


@pytest.mark.parametrize("kept", [0.01, 0.3, 0.7, 0.99])
def test_a_file_cut_short_is_broken_or_flagged(plain: tuple[bytes, Truth], kept: float) -> None:
    data, _ = plain
    document = read_document(data[: int(len(data) * kept)])
    assert kinds(document) == ["broken_document"]
    assert not document.blocks


def test_junk_before_the_header_is_allowed(plain: tuple[bytes, Truth]) -> None:
    assert_whole(b"\r\nHTTP junk\r\n" * 5 + plain[0], plain[1])


def test_pictures_only_need_ocr() -> None:
    pdf = Report()
    pdf.canvas.rect(100, 100, 300, 300, fill=1)
    assert kinds(read_document(pdf.bytes())) == ["needs_ocr"]


def test_three_hundred_pages_are_read_in_part_and_said() -> None:
    pdf = Report()
    for _ in range(300):
        pdf.text("text " * 10)
        pdf.new_page()
    document = read_document(pdf.bytes())
    [problem] = document.problems
    assert (problem.kind, problem.severity) == ("broken_document", "failure")
    assert "first 200" in problem.message


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_never_raise_and_never_give_a_wrong_figure(plain: tuple[bytes, Truth], seed: int) -> None:
    """Problems of a damaged file are of two kinds: it can't be opened, or figures of it are missing or unreadable."""
    data, truth = bytearray(plain[0]), plain[1]
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 10, 100])):
        at = rng.randrange(len(data))
        if rng.random() < 0.3:
            del data[at : at + rng.randrange(200)]
        else:
            data[at] = rng.randrange(256)
    rows = read(bytes(data))
    wrong = {k: v for k, v in figures(rows).items() if v[0] == "reported" and v[1] != truth.get(k)}
    flagged = [p for p in rows["problem"] if p["severity"] == "failure"]
    failed = [c for c in rows["check_result"] if c["passed"] is False]
    assert not wrong or flagged or failed, wrong
