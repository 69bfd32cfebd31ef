"""Tables with few rules, thick or broken ones, or none: each figure is right, or the report says that something is wrong."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from decimal import Decimal

import pikepdf
import pytest
from borders import Alter, Page, Style, report
from forms import full, lay_out
from pdfs import EMBEDDED, FONT, HEADINGS
from test_pdf import assert_boxes, assert_never_silently_wrong, assert_whole, edited, figures, read

from extract import pdf_rules
from extract.grid import Cell, Grid
from extract.pdf_lattice import lattice_grids
from extract.pdf_overrun import doubt_overruns
from extract.pdf_page import Glyph, scan_pages
from extract.pdf_rules import MIN_LOOSE, loose_figures
from extract.reader import read_document

SYNTHETIC = "camelot-lattice-vector+rules"


def methods(data: bytes) -> set[str]:
    return {g.method for g in read_document(data).grids()}


# --- rules that are there, whatever they look like


@pytest.mark.parametrize(
    "style",
    [
        Style(dash=(3, 2)),
        Style(dash=(0.5, 1)),
        Style(gray=0.85),
        Style(line=0.05),
        Style(line=3),
        Style(line=5),
        Style(double=True),
        Style(landscape=True),
        Style(group="stacked"),
        Style(group="turned"),
    ],
    ids=["dashed", "dotted", "gray", "hairline", "3 pt", "5 pt", "double", "landscape", "group stacked", "group turned"],
)
def test_rules_of_any_kind_are_followed(style: Style) -> None:
    data, truth = report(style, breaks=(14,))
    assert_whole(data, truth)
    assert methods(data) == {"camelot-lattice-vector"}


# --- rules that are missing

VARIANTS = {
    "open sides": Style("open"),
    "level rules only": Style("rows"),
    "three lines": Style("three"),
    "some uprights": Style("some", without=(4, 6)),
    "no inner uprights": Style("some", without=tuple(range(1, 20))),
    "no uprights between labels": Style("some", without=(1, 2, 3)),
    "zebra": Style("zebra"),
    "frame": Style("frame"),
    "none": Style("none"),
    "none, figures to the right": Style("none", align="right"),
    "none, figures to the left": Style("none", align="left"),
    "none, text at the top": Style("none", valign="top"),
    "none, small": Style("none", size=7),
    "none, large": Style("none", size=10.5),
    "none, landscape": Style("none", landscape=True),
    "none, group stacked": Style("none", group="stacked"),
    "three lines, other font": Style("three", figures=EMBEDDED),
}


@pytest.mark.parametrize(("name", "number"), [(name, (2021, 2019)[i % 2]) for i, name in enumerate(VARIANTS)] + [("none", 2019)])
def test_missing_rules_are_made(name: str, number: int) -> None:
    style = VARIANTS[name]
    data, truth = report(style, number, 3)
    rows = assert_whole(data, truth)
    made = {r["section"] for r in rows["observation"] if r["method"] == SYNTHETIC}
    assert made or (style.rules == "open" and number == 2019)


@pytest.mark.parametrize("style", [Style("rows"), Style("three"), Style("none"), Style("none", valign="top")])
@pytest.mark.parametrize("repeat", [False, True])
def test_a_table_without_uprights_goes_on_over_three_pages(style: Style, repeat: bool) -> None:
    data, truth = report(style, breaks=(8, 16), repeat=repeat)
    assert_whole(data, truth)


def test_cells_of_made_grids_have_boxes_that_show_them() -> None:
    data, truth = report(Style("none"), breaks=(14,))
    assert_boxes(data, assert_whole(data, truth))


def test_a_turned_group_label_without_rules_is_flagged_and_moves_no_figure() -> None:
    data, truth = report(Style("rows", group="turned"))
    rows = assert_never_silently_wrong(data, truth)
    assert figures(rows) == {k: ("reported", Decimal(v)) for k, v in truth.items()}
    assert "unmapped_cell" in {p["kind"] for p in rows["problem"] if p["severity"] == "failure"}


# --- what is not certain


def test_a_table_whose_cells_are_not_certain_is_named_with_its_page() -> None:
    """Two rows of labels for one row of figures each: which is whose can't be told."""
    (_, three, _), _ = full(2021, 3)
    page = Page(Style("none"))
    page.text("某区2022年政府信息公开工作年度报告")
    page.new_page()
    page.text(HEADINGS[1])
    top = page.y
    page.table(lay_out(three), 0, None, (2, 2, 6, 1, 1, 1, 1, 1, 1, 1), 3, 3)
    page.canvas.setFont(FONT, 9)
    page.canvas.drawString(345, top - 215, "77")
    rows = read(page.bytes())
    [problem] = [p for p in rows["problem"] if p["kind"] == "unruled_table"]
    assert problem["severity"] == "failure"
    assert problem["stage"] == "extract"
    assert "page 2" in problem["message"]
    assert not [r for r in rows["observation"] if r["section"] == "requests"]


def test_a_table_that_camelot_reads_otherwise_is_no_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault injection: half of the made rules are lost on the way to Camelot."""
    whole = pdf_rules.Tiling.segments
    monkeypatch.setattr(pdf_rules.Tiling, "segments", lambda self: whole(self)[::2])
    rows = read(report(Style("none"))[0])
    assert not rows["observation"]
    assert {p["kind"] for p in rows["problem"] if p["severity"] == "failure"} >= {"unruled_table"}


def alterations(rng: random.Random) -> Iterator[tuple[str, Alter]]:
    def blanks(value: int) -> tuple[str, int | None]:
        return ("", None) if rng.random() < 0.1 else (str(value), value)

    def long(value: int) -> tuple[str, int | None]:
        value *= 9973 if rng.random() < 0.2 else 1
        return str(value), value

    def slashes(value: int) -> tuple[str, int | None]:
        return ("/", None) if rng.random() < 0.2 else (str(value), value)

    def thousands(value: int) -> tuple[str, int | None]:
        return f"{value + 1000:,}", value + 1000

    yield from {"blanks": blanks, "long": long, "slashes": slashes, "thousands": thousands}.items()


@pytest.mark.parametrize("rules", ["open", "rows", "three", "some", "none"])
@pytest.mark.parametrize("which", range(4))
def test_no_value_is_wrong_whatever_is_printed(rules: str, which: int) -> None:
    """Blanks, figures that fill or overrun their cells, remarks: what is reported is what is printed, and what is lost is said."""
    rng = random.Random(which)
    _, alter = list(alterations(rng))[which]
    style = Style(rules, without=(5, 8), align=rng.choice(["left", "right", "center"]), figures=EMBEDDED, room=rng.choice([1, 3]))
    data, truth = report(style, rng.choice([2019, 2021]), which, (rng.randrange(5, 20),), alter=alter)
    rows = read(data)
    found = figures(rows)
    wrong = {k: (v, truth[k]) for k, v in found.items() if v[0] != "unreadable" and v[1] != truth[k]}
    assert not wrong
    lost = [k for k in truth if found.get(k, ("unreadable",))[0] == "unreadable"]
    assert not lost or [p for p in rows["problem"] if p["severity"] == "failure"]


@pytest.mark.parametrize(
    ("at", "second"),
    [((10, 14, 18, 22), ("1234", "1234")), ((10, 14, 22, 26), ("12", "34")), ((2, 6, 10, 14), ("1234", ""))],
    ids=["across", "apart", "within"],
)
def test_a_number_across_a_rule_is_in_doubt_on_both_sides(at: tuple[int, ...], second: tuple[str, str]) -> None:
    """Cells from 0 to 20 and from 20 to 40, digits 3 wide and 6 high."""
    glyphs = [Glyph(c, x, 2, x + 3, 8) for c, x in zip("1234", at, strict=True)]
    boxes = [(0.0, 0.0, 20.0, 10.0), (20.0, 0.0, 40.0, 10.0)]
    texts = ["".join(g.char for g in glyphs if b[0] <= g.center[0] < b[2]) for b in boxes]
    cells = [Cell(t, 0, i, page=1, bbox=b, second=t) for i, (t, b) in enumerate(zip(texts, boxes, strict=True))]
    grid = Grid(cells, 1, 2, "test", col_edges=[0.0, 20.0, 40.0])
    doubt_overruns(grid, glyphs)
    assert [c.text for c in grid.cells] == texts
    assert tuple(c.second for c in grid.cells) == second


# --- pages on their side


def sideways(drawn: int, rotate: int, pages: tuple[int, ...] = (0, 1, 2)):
    """Content drawn turned counterclockwise, on pages that are shown turned clockwise."""

    def edit(pdf: pikepdf.Pdf) -> None:
        for page in (pdf.pages[i] for i in pages):
            w, h = float(page.MediaBox[2]), float(page.MediaBox[3])
            matrix = {0: "1 0 0 1 0 0", 90: f"0 1 -1 0 {h} 0", 180: f"-1 0 0 -1 {w} {h}", 270: f"0 -1 1 0 0 {w}"}[drawn]
            page.contents_add(pdf.make_stream(f"{matrix} cm\n".encode()), prepend=True)
            page.Rotate = rotate
            if drawn in (90, 270):
                page.MediaBox = [0, 0, h, w]

    return edit


@pytest.mark.parametrize(
    ("rules", "drawn", "rotate"),
    [("all", 90, 0), ("all", 180, 0), ("all", 270, 0), ("all", 0, 90), ("rows", 90, 270), ("none", 0, 270), ("none", 90, 90)],
)
def test_pages_on_their_side_are_read_upright_and_boxes_are_of_the_page_as_shown(rules: str, drawn: int, rotate: int) -> None:
    data, truth = report(Style(rules), breaks=(14,))
    changed = edited(data, sideways(drawn, rotate, (1, 2)))
    assert_boxes(changed, assert_whole(changed, truth))


def two_up(data: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as source, pikepdf.new() as sheets:
        for i, page in enumerate(source.pages):
            if i % 2 == 0:
                sheets.add_blank_page(page_size=(1190, 842))
            sheets.pages[-1].add_overlay(page, pikepdf.Rectangle(595 * (i % 2), 0, 595 * (i % 2) + 595, 842))
        sheets.save(out)
    return out.getvalue()


@pytest.mark.parametrize("rules", ["all", "rows", "none"])
@pytest.mark.parametrize("breaks", [(), (14,)])
def test_two_pages_on_one_sheet_are_right_or_flagged(rules: str, breaks: tuple[int, ...]) -> None:
    data, truth = report(Style(rules), breaks=breaks)
    assert_never_silently_wrong(two_up(data), truth)


# --- the usual document is left alone


def test_usual_pages_are_not_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("looked at a page whose cells are ruled")

    monkeypatch.setattr(pdf_rules, "complete_rules", fail)
    assert_whole(*report(Style(), breaks=(14,)))
    with pytest.raises(AssertionError):
        read(report(Style("none"))[0])


def test_prose_with_numbers_is_no_table() -> None:
    page = Page(Style())
    page.text("某区2022年政府信息公开工作年度报告")
    for year in range(2010, 2022):
        page.text(f"{year} {year + 1} 年 1 月 1 日 至 {year} 年 12 月 31 日 ， 共 受理 {year % 7} 件 ， 办结 {year % 5} 件 ， 共 {year}")
    data = page.bytes()
    scans, _ = scan_pages(data)
    assert loose_figures(scans[0], []) >= MIN_LOOSE
    assert not read_document(data).problems


def test_loose_figures_are_those_that_no_cell_has_alone() -> None:
    data, _ = report(Style())
    scans, _ = scan_pages(data)
    grids = lattice_grids(data, scans)
    assert [loose_figures(s, grids[s.number]) for s in scans] == [0, 0, 0]
    assert loose_figures(scans[1], []) == 175
