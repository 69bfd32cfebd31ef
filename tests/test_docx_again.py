"""The second reading of a Word file: the same cells by other code, and silence where it can't be sure."""

from __future__ import annotations

from io import BytesIO

import docx
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from forms import Rows, full, lay_out

from extract.docx import read_docx
from extract.docx_again import read_docx_again
from extract.grid import Grid
from transform.tidy import Context, tidy

CONTEXT = Context("p", "330302", "http://127.0.0.1/x", "ab" * 32, "2026-01-01T00:00:00Z", "run")
HEADINGS = ("二、主动公开政府信息情况", "三、收到和处理政府信息公开申请情况", "四、政府信息公开行政复议、行政诉讼情况")


def word_file(tables: list[Rows], year: int = 2021) -> bytes:
    package = docx.Document()
    package.add_paragraph(f"某区{year}年政府信息公开工作年度报告")
    package.add_paragraph(f"本报告所列数据的统计期限自{year}年1月1日起至{year}年12月31日止。")
    for heading, rows in zip(HEADINGS, tables, strict=True):
        package.add_paragraph(heading)
        _add(package, lay_out(rows))
    package.add_paragraph("五、存在的主要问题及改进情况")  # Word ends every document with a paragraph
    return saved(package)


def saved(package) -> bytes:
    out = BytesIO()
    package.save(out)
    return out.getvalue()


def _add(package, grid: Grid) -> None:
    table = package.add_table(grid.n_rows, grid.n_cols)
    places = table._cells  # table.cell() walks the whole table each time
    for cell in grid.cells:
        first, last = (places[r * grid.n_cols + c] for r, c in ((cell.row, cell.col), (cell.row_end - 1, cell.col_end - 1)))
        (first if first is last else first.merge(last)).text = cell.text


def shape(grid: Grid) -> list[tuple[int, int, int, int, str]]:
    return [(c.row, c.col, c.row_span, c.col_span, c.text) for c in grid.cells]


@pytest.mark.parametrize("number", [2019, 2021])
def test_both_readings_agree_cell_by_cell(number: int) -> None:
    tables, _ = full(number)
    document = read_docx(word_file(tables))
    assert document.again is not None
    again = document.again()
    assert [shape(g) for g in document.grids()] == [shape(lay_out(t)) for t in tables]
    assert [shape(g) for g in again.grids()] == [shape(g) for g in document.grids()]
    assert {g.method for g in again.grids()} == {"docx-again"}
    assert [t.text for t in again.texts()] == [t.text for t in document.texts()]


def test_a_failed_identity_is_the_publishers_where_both_agree() -> None:
    tables, _ = full(2021)
    row = next(r for r in tables[1] if any(c.text == "（一）予以公开" for c in r))
    row[-7] = type(row[-7])(str(int(row[-7].text) + 1))
    rows = tidy(read_docx(word_file(tables)), CONTEXT)
    failed = [r for r in rows["check_result"] if r["passed"] is False]
    assert {r["cause"] for r in failed} == {"publisher"}


def test_a_figure_inserted_with_tracking_is_not_confirmed() -> None:
    """The first reading sees w:ins, python-docx does not: the table is not in this reading, and nothing passes for certain."""
    package = docx.Document()
    table = package.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "行政许可", "1"
    paragraph = table.cell(0, 1).paragraphs[0]._p
    inserted = OxmlElement("w:ins")
    run = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.text = "2"
    run.append(text)
    inserted.append(run)
    paragraph.append(inserted)
    data = saved(package)
    assert [c.text for g in read_docx(data).grids() for c in g.cells] == ["行政许可", "12"]
    assert not list(read_docx_again(data).grids())


def test_rows_that_start_late_keep_their_columns() -> None:
    package = docx.Document()
    table = package.add_table(2, 3)
    for i, cell in enumerate(table._cells):
        cell.text = str(i)
    row = table.rows[1]._tr
    row.remove(row.tc_lst[0])
    before = OxmlElement("w:gridBefore")
    before.set(qn("w:val"), "1")
    row.get_or_add_trPr().append(before)
    data = saved(package)
    places = [(c.row, c.col, c.text) for g in read_docx_again(data).grids() for c in g.cells]
    assert places == [(0, 0, "0"), (0, 1, "1"), (0, 2, "2"), (1, 1, "4"), (1, 2, "5")]
    assert places == [(c.row, c.col, c.text) for g in read_docx(data).grids() for c in g.cells]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"not a zip"])
def test_a_broken_file_gives_nothing_and_raises_nothing(data: bytes) -> None:
    assert read_docx_again(data).blocks == []


def test_a_table_with_tracked_insertions_confirms_and_contradicts_nothing() -> None:
    """python-docx leaves inserted runs out: read in part, right figures would be called unreadable (seed 10032 of the generator)."""
    from generator import Plan
    from generator_judge import judge, make

    made = make(Plan("2021", "docx", ("docx_tracked", "wrong_totals"), 10032))
    assert not judge(made).wrong
    rows = made_rows(made)
    assert not [p for p in rows["problem"] if "second reading" in p["message"]]


def made_rows(made) -> dict:
    from extract.reader import read_document
    from transform.tidy import Context, tidy

    context = Context("p", "330302", "http://127.0.0.1/x", "ab" * 32, "2026-01-01T00:00:00Z", "run")
    return tidy(read_document(made.data), context)
