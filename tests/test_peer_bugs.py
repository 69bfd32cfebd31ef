"""Bugs of programs that read these very reports, one test each."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from forms import C, Rows, document, full

from extract.grid import Cell, Document
from transform.frames import APPLICANTS, frames
from transform.frames import Rows as Frames
from transform.numbers import read_figure
from transform.tidy import Context, tidy


def context(sha: str = "ab" * 32, **known: object) -> Context:
    base = Context("p", "330302", "http://127.0.0.1/2019/2019.html?fbtime=2019", sha, "2026-01-01T00:00:00Z", "run")
    return replace(base, **known)  # type: ignore[arg-type]


def read(tables: list[Rows], year: int = 2022) -> Frames:
    return tidy(document(*tables, year=year), context())


def figures(rows: Frames) -> dict[tuple[str, str | None], Decimal | None]:
    return {(r["indicator"], r["applicant"]): r["value"] for r in rows["observation"]}


def failures(rows: Frames) -> set[str]:
    return {p["kind"] for p in rows["problem"] if p["severity"] == "failure"}


def test_1_a_printed_total_that_is_wrong_stays_and_fails_its_checks() -> None:
    tables, truth = full(2021)
    wrong = truth["new_received", "total"] + 100
    tables[1][3][-1] = C(str(wrong))
    rows = read(tables)
    assert figures(rows)["new_received", "total"] == wrong
    failed = {(c["check_id"], c["applicant"]): c["difference"] for c in rows["check_result"] if c["passed"] is False}
    assert failed == {("R1", "total"): 100, ("R2.new_received", "total"): -100}


def test_2_the_total_column_is_not_summed_with_its_parts() -> None:
    tables, truth = full(2021)
    [check] = [c for c in read(tables)["check_result"] if c["check_id"] == "R2.new_received"]
    parts = sum(truth["new_received", who] for who in APPLICANTS if who != "total")
    assert (check["left_value"], check["right_value"]) == (parts, truth["new_received", "total"])
    assert parts == truth["new_received", "total"] != 0


@pytest.mark.parametrize("at", range(3, 29))
def test_3_a_blank_row_or_lost_leading_cells_shift_nothing(at: int) -> None:
    tables, truth = full(2021)
    tables[1].insert(at, [C("")])
    found = figures(read(tables))
    assert all(v == truth[k] for k, v in found.items() if v is not None)
    tables, truth = full(2021)
    if at < 28:
        tables[1][at] = tables[1][at][-7:]
        rows = read(tables)
        assert all(v == truth[k] for k, v in figures(rows).items() if v is not None)
        assert failures(rows) & {"missing_row", "unmapped_cell", "missing_table"}


@pytest.mark.parametrize(("text", "status"), [("", "blank"), ("/", "not_applicable"), ("—", "not_applicable")])
def test_4_a_blank_or_a_slash_is_no_zero(text: str, status: str) -> None:
    tables, _ = full(2021)
    for row in tables[1][3:]:
        row[-7:] = [C(text)] * 7
    rows = read(tables)
    cells = [r for r in rows["observation"] if r["section"] == "requests"]
    assert {(r["value"], r["value_status"]) for r in cells} == {(None, status)}
    checks = [c for c in rows["check_result"] if not c["check_id"].startswith("R4")]
    assert {(c["passed"], c["left_value"], c["right_value"]) for c in checks} == {(None, None, None)}


@pytest.mark.parametrize(
    ("first", "second"), [("12 3", None), ("12\n3", None), ("12", "1"), ("1", "12"), ("12", "13"), ("", "7"), ("7", "")]
)
def test_5_digits_are_neither_glued_nor_split(first: str, second: str | None) -> None:
    """Two readings that differ make a cell unreadable, whichever of them looks better; also where one of them sees nothing."""
    if second is None:
        assert read_figure(first, "item").status == "unreadable"
        return
    tables, _ = full(2021)
    parsed = document(*tables, year=2022)
    grid = list(parsed.grids())[1]
    at = next(i for i, c in enumerate(grid.cells) if c.row == 3 and c.col == 3)
    old = grid.cells[at]
    grid.cells[at] = Cell(first, old.row, old.col, old.row_span, old.col_span, second=second)
    rows = tidy(parsed, context())
    [cell] = [r for r in rows["observation"] if (r["indicator"], r["applicant"]) == ("new_received", "natural_person")]
    assert (cell["value"], cell["value_status"]) == (None, "unreadable")
    assert "unreadable_cell" in failures(rows)


def test_6_the_year_is_that_of_the_period_and_not_of_the_address_or_the_first_number() -> None:
    tables, _ = full(2021)
    parsed = document(*tables, year=2021)
    parsed.blocks.insert(0, type(parsed.blocks[0])("发布日期：2022-01-20　国办公开办函〔2019〕60号"))
    assert tidy(parsed, context())["report"][0]["year"] == 2021


def test_7_an_empty_table_passes_no_check_and_a_report_without_a_year_is_not_loaded() -> None:
    rows = tidy(Document("html", document().blocks), context())
    assert (rows["report"], rows["check_result"]) == ([], [])
    assert rows["parse"][0]["outcome"] == "no_tables"
    tables, _ = full(2021)
    parsed = document(*tables)
    parsed.blocks = list(parsed.grids())
    rows = tidy(parsed, context())
    assert (rows["report"], rows["observation"], rows["check_result"]) == ([], [], [])
    assert rows["parse"][0]["outcome"] == "failed"
    assert failures(rows) == {"year_unknown"}
    tables[1] = tables[1][:3] + [[*row[:-7], *[C("")] * 7] for row in tables[1][3:]]
    assert all(c["passed"] is None for c in read(tables)["check_result"] if not c["check_id"].startswith("R4"))


def test_8_many_documents_are_all_kept() -> None:
    made = []
    for i in range(5):
        tables, truth = full(2021, i)
        made.append((tidy(document(*tables, year=2018 + i), context(f"{i:02}" * 32)), truth))
    together = frames(rows for rows, _ in made)
    assert len(together["report"]) == 5
    assert len(together["observation"]) == 5 * 200
    for rows, truth in made:
        report_id = rows["report"][0]["report_id"]
        all_of = together["observation"]
        kept = all_of[(all_of["report_id"] == report_id) & (all_of["indicator"] == "new_received") & (all_of["applicant"] == "total")]
        assert list(kept["value"]) == [truth["new_received", "total"]]


def test_9_a_column_of_one_form_is_never_stored_under_a_name_of_the_other() -> None:
    (old, _, _), old_truth = full(2019)
    (new, _, _), new_truth = full(2021)
    for mine, truth, other in ((old, old_truth, new_truth), (new, new_truth, old_truth)):
        found = figures(read([mine]))
        assert found == {k: v for k, v in truth.items() if k in found}
        foreign = {i for i, who in other if who is None} - {i for i, who in truth if who is None}
        assert not foreign & {i for i, _ in found}
    for row in old:
        for i, c in enumerate(row):
            if c.text == "对外公开总数量":
                row[i] = replace(c, text="公开总数")
    rows = read([old])
    assert not [i for i, _ in figures(rows) if i.endswith("in_force")]
    assert {"unmapped_cell", "missing_row"} <= failures(rows)


@pytest.mark.parametrize("noise", ["## {}", "**{}**", "{}（件）", "{}：", "{}*"])
def test_10_labels_that_vary_are_read_or_said(noise: str) -> None:
    tables, truth = full(2021)
    for rows in tables:
        for row in rows:
            row[:] = [c if c.text.isdigit() else replace(c, text=noise.format(c.text)) for c in row]
    rows = read(tables)
    found = figures(rows)
    assert all(v == truth[k] for k, v in found.items() if v is not None)
    assert len(found) == len(truth) or failures(rows)


def test_10_a_table_whose_labels_are_all_foreign_is_said() -> None:
    tables, _ = full(2021)
    tables[1] = [[c if c.text.isdigit() else replace(c, text="？" + c.text[::-1]) for c in row] for row in tables[1]]
    assert "missing_table" in failures(read(tables))
