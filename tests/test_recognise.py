"""Tables as offices change them: what is still certain is read, what is not is said, nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from forms import C, Rows, document, full, to_html
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.grid import Document
from extract.html import read_html
from transform.frames import APPLICANTS
from transform.frames import Rows as Frames
from transform.tidy import Context, tidy

CONTEXT = Context("p", "330302", "http://127.0.0.1/x", "ab" * 32, "2026-01-01T00:00:00Z", "run")
Truth = dict[tuple[str, str | None], int]


def read(tables: list[Rows], year: int = 2022) -> Frames:
    return tidy(document(*tables, year=year), CONTEXT)


def figures(rows: Frames) -> dict[tuple[str, str | None], tuple[str, Decimal | None]]:
    return {(r["indicator"], r["applicant"]): (r["value_status"], r["value"]) for r in rows["observation"]}


def as_printed(truth: Truth) -> dict[tuple[str, str | None], tuple[str, int]]:
    return {k: ("reported", v) for k, v in truth.items()}


def problems(rows: Frames, severity: str = "failure") -> list[tuple[str, str]]:
    return [(p["kind"], p["message"]) for p in rows["problem"] if p["severity"] == severity]


def said(rows: Frames) -> list[tuple[str, str]]:
    """Problems of either severity: what only stands beside a table that has all its figures is a warning."""
    return problems(rows) + problems(rows, "warning")


def kinds(rows: Frames, severity: str = "failure") -> set[str]:
    return {kind for kind, _ in problems(rows, severity)}


def relabel(rows: Rows, old: str, new: str) -> None:
    """Print another text in every cell that has `old`."""
    hits = [(row, i) for row in rows for i, c in enumerate(row) if c.text == old]
    assert hits, old
    for row, i in hits:
        row[i] = replace(row[i], text=new)


def index(rows: Rows, label: str) -> int:
    return next(i for i, row in enumerate(rows) if any(c.text.startswith(label) for c in row))


# --- wordings and shapes that change nothing


def line_breaks(tables: list[Rows]) -> None:
    for rows in tables:
        for row in rows:
            row[:] = [replace(c, text="\n".join(c.text) if not c.text.isdigit() else c.text) for c in row]


def empty_first_column(tables: list[Rows]) -> None:
    for rows in tables:
        for row in rows:
            row.insert(0, C(""))


def empty_last_columns(tables: list[Rows]) -> None:
    """Q-9: an extra empty column; the header's last 总计 has a blank behind it, and is no row （七）总计 for that."""
    for rows in tables:
        for row in rows:
            row += [C(""), C("")]


def empty_last_row(tables: list[Rows]) -> None:
    for rows in tables:
        rows.append([C("") for _ in rows[-1]])


def wide_colspans(tables: list[Rows]) -> None:
    """Q-19: grids of 18 and more columns."""
    for rows in tables:
        for row in rows:
            row[:] = [replace(c, cols=c.cols * 2) for c in row]


def spaces(tables: list[Rows]) -> None:
    for rows in tables:
        for row in rows:
            row[:] = [replace(c, text=f"\u00a0{c.text}\u3000") for c in row]


def half_width(tables: list[Rows]) -> None:
    """Q-68."""
    for rows in tables:
        for row in rows:
            row[:] = [replace(c, text=c.text.replace("（", "(").replace("）", ")").replace("、", ".")) for c in row]


@pytest.mark.parametrize("number", [2019, 2021])
@pytest.mark.parametrize("change", [line_breaks, empty_first_column, empty_last_columns, empty_last_row, wide_colspans, spaces, half_width])
def test_shapes_that_change_nothing(number: int, change: Callable[[list[Rows]], None]) -> None:
    tables, truth = full(number, 7)
    change(tables)
    rows = read(tables, 2020 if number == 2019 else 2022)
    assert figures(rows) == as_printed(truth)
    assert not problems(rows)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("商业企业", "商业\n企业"),
        ("总计", "合计"),
        ("现行有效件数", "现行有效件数 (历史累计)"),
        ("现行有效件数", "现行有效件"),
        ("本年制发件数", "本年度制发数"),
        ("本年废止件数", "本年废止数"),
        ("本年处理决定数量", "本年处理绝对数量"),
        ("第二十条第（一）项", "第二十条  第(一)项"),
        ("行政规范性文件", "规范性文件"),
        ("行政规范性文件", "行政规范性文件（包括决定、公告、通告、意见、通知等具有普遍约束力的文件）"),
        ("二、上年结转政府信息公开申请数量", "二、上年结转政府信息公开数量"),
        ("1.属于国家秘密", "属于国家秘密"),
        ("（三）不予公开", "??不予公开"),
        ("3.危及“三安全一稳定”", '3、危及"三安全一稳定"'),
    ],
)
def test_wordings_seen_in_print(old: str, new: str) -> None:
    tables, truth = full(2021, 7)
    rows_of = next(t for t in tables if any(c.text == old for row in t for c in row))
    relabel(rows_of, old, new)
    rows = read(tables)
    assert figures(rows) == as_printed(truth)
    assert not rows["problem"]


def test_a_header_split_over_several_rows() -> None:
    tables, truth = full(2021, 7)
    two = tables[0]
    at = index(two, "信息内容")
    heads = two[at]
    two[at : at + 1] = [
        [C("信息", 1), *(replace(c, text=c.text[:3]) for c in heads[1:])],
        [C("内容"), *(replace(c, text=c.text[3:]) for c in heads[1:])],
    ]
    rows = read(tables)
    assert figures(rows) == as_printed(truth)


def test_repeated_headers_at_the_top_of_a_page() -> None:
    tables, truth = full(2021, 7)
    three = tables[1]
    at = index(three, "四、结转")
    three[at:at] = [list(row) for row in three[:3]]
    rows = read(tables)
    assert figures(rows) == as_printed(truth)
    assert not problems(rows)


def test_a_table_cut_in_two_html_tables() -> None:
    tables, truth = full(2021, 7)
    three = tables[1]
    at = index(three, "四、结转")
    text = "本报告所列数据的统计期限自2022年1月1日起至2022年12月31日止。"
    page = f"<p>某区2022年政府信息公开工作年度报告</p><p>{text}</p><p>一、总体情况</p>" + "<p>x</p>".join(
        [to_html(tables[0]), to_html(three[:at]) + to_html(three[at:]), to_html(tables[2])]
    )
    rows = tidy(read_html(page.encode()), CONTEXT)
    assert figures(rows) == as_printed(truth)


def test_table_two_of_2021_above_table_three_of_2019() -> None:
    new, new_truth = full(2021, 7)
    old, old_truth = full(2019, 7)
    rows = read([new[0], old[1], new[2]])
    assert {(r["section"], r["format"]) for r in rows["observation"]} == {("proactive", 2021), ("requests", 2019), ("litigation", 2019)}
    assert rows["report"][0]["format"] == 2019
    expected = {k: v for k, v in new_truth.items() if k[1] is None} | {k: v for k, v in old_truth.items() if k[1]}
    assert figures(rows) == as_printed(expected)
    assert not problems(rows)


def test_a_table_of_the_wrong_year_is_named_by_what_is_printed() -> None:
    """Q-27, Q-28: 2019 tables in a report on 2021."""
    tables, truth = full(2019, 7)
    rows = read(tables, 2021)
    assert {r["format"] for r in rows["observation"]} == {2019}
    assert figures(rows) == as_printed(truth)
    assert rows["report"][0]["year"] == 2021


# --- what no layout explains


@pytest.mark.parametrize("figures_beside", [["5", "6", "7"], ["", "", ""]])
def test_an_unknown_row_of_table_two_is_said(figures_beside: list[str]) -> None:
    """Q-6, Q-24."""
    tables, truth = full(2021, 7)
    tables[0].insert(3, [C("其他主动公开文件"), *map(C, figures_beside)])
    rows = read(tables)
    assert figures(rows) == as_printed(truth)
    [(kind, message)] = said(rows)
    assert kind == "unmapped_cell"
    assert "其他主动公开文件" in message
    assert all(repr(f) in message for f in figures_beside if f)


def test_a_subtotal_row_is_no_figure_of_the_form() -> None:
    tables, truth = full(2021, 7)
    three = tables[1]
    at = index(three, "（三）不予公开")
    group, leaf = (next(i for i, c in enumerate(three[at]) if c.text.startswith(t)) for t in ("（三）", "1."))
    three[at].pop(group)
    three[at][leaf - 1] = replace(three[at][leaf - 1], cols=2)
    three.insert(at, [C("（三）不予公开", 1, 2), *(C("9") for _ in range(7))])
    rows = read(tables)
    found = figures(rows)
    assert all(v in (found.get(k), ("unreadable", None)) for k, v in as_printed(truth).items() if k in found)
    assert any(kind == "unmapped_cell" and "'9'" in message for kind, message in said(rows))


def test_an_unknown_column_is_said() -> None:
    tables, _ = full(2021, 7)
    three = tables[1]
    for i, row in enumerate(three):
        row.append(C("网络申请" if i == 2 else "" if i < 2 else "8"))
    rows = read(tables)
    assert {kind for kind, _ in said(rows)} & {"unmapped_cell", "unreadable_cell", "missing_table"}


@pytest.mark.parametrize("k", range(7))
def test_a_missing_column_is_said(k: int) -> None:
    tables, truth = full(2021, 7)
    three = tables[1]
    for row in three[3:]:
        row.pop(len(row) - 7 + k)
    head, at = (three[1], 0 if k == 0 else 2) if k in (0, 6) else (three[2], k - 1)
    head.pop(at)
    three[0][-1] = replace(three[0][-1], cols=6)
    if 0 < k < 6:
        three[1][1] = replace(three[1][1], cols=4)
    rows = read(tables)
    gone = APPLICANTS[k]
    assert figures(rows) == as_printed({key: v for key, v in truth.items() if key[1] != gone})
    assert kinds(rows) == {"missing_row"}


@pytest.mark.parametrize("section", [0, 1, 2])
def test_every_row_that_is_missing_is_said(section: int) -> None:
    tables, _ = full(2021, 7)
    for at in range(len(tables[section])):
        changed = [list(t) for t in tables]
        changed[section] = [list(row) for i, row in enumerate(changed[section]) if i != at]
        lost = len(figures(read(tables))) - len(figures(read(changed)))
        if lost:
            assert problems(read(changed)), at


def test_a_table_that_has_labels_of_the_form_and_can_not_be_read_is_said() -> None:
    tables, _ = full(2021, 7)
    tables[1] = [row[:-7] for row in tables[1][3:]]
    assert {"unmapped_cell", "missing_table"} <= kinds(read(tables))


def test_a_foreign_table_is_left_alone() -> None:
    tables, truth = full(2021, 7)
    tables.insert(3, [[C("姓名"), C("电话")], [C("张三"), C("12345")]])
    parsed = document(*tables[:3], year=2022)
    parsed.blocks += document(tables[3]).blocks[-2:]
    rows = tidy(parsed, CONTEXT)
    assert figures(rows) == as_printed(truth)
    assert not problems(rows)


# --- what is not certain


def test_a_misprinted_label_is_read_with_a_warning() -> None:
    tables, truth = full(2021, 7)
    relabel(tables[1], "6.属于四类过程性信息", "6.属于四类过程性性信息")
    rows = read(tables)
    assert figures(rows) == as_printed(truth)
    assert not problems(rows)
    [(kind, message)] = problems(rows, "warning")
    assert kind == "label_variant"
    assert "过程性性" in message


def test_a_label_too_close_to_two_wordings_is_not_taken() -> None:
    """Half of one label and half of the other: no guess, and both rows are said."""
    tables, truth = full(2021, 7)
    relabel(tables[1], "5.属于三类内部事务信息", "属于类信息")
    rows = read(tables)
    assert ("denied_internal_affairs", "total") not in figures(rows)
    assert {"missing_row", "unmapped_cell"} <= kinds(rows)
    assert all(v == ("reported", truth[k]) for k, v in figures(rows).items())


def test_a_header_in_another_order_is_not_taken() -> None:
    tables, _ = full(2021, 7)
    heads = tables[1][2]
    heads[0], heads[1] = heads[1], heads[0]
    rows = read(tables)
    assert all(v[0] == "unreadable" for k, v in figures(rows).items() if k[1])
    assert "unreadable_cell" in kinds(rows)


def test_one_printed_cell_is_never_two_figures() -> None:
    tables, _ = full(2021, 7)
    for row in tables[1][3:]:
        row[-6:-1] = [C("0", 1, 5)]
    found = figures(read(tables))
    assert all(found[k][0] == "unreadable" for k in found if k[1] in APPLICANTS[1:6])
    assert all(found[k][0] == "reported" for k in found if k[1] in ("natural_person", "total"))


def test_two_rows_of_figures_in_table_four_are_not_chosen_from() -> None:
    tables, _ = full(2021, 7)
    tables[2].append([C(str(i)) for i in range(15)])
    rows = read(tables)
    assert all(v[0] == "unreadable" for k, v in figures(rows).items() if k[0].startswith(("recon", "litig")))
    assert {"unreadable_cell", "unmapped_cell"} <= kinds(rows)


def test_a_figure_printed_twice_differently_is_neither() -> None:
    tables, truth = full(2021, 7)
    other = [list(row) for row in tables[0]]
    other[2][1] = C("123456")
    parsed = document(*tables, year=2022)
    parsed.blocks += document(other).blocks[-2:]
    rows = tidy(parsed, CONTEXT)
    assert figures(rows)["regulation_issued", None] == ("unreadable", None)
    assert figures(rows)["regulation_repealed", None] == ("reported", truth["regulation_repealed", None])
    assert kinds(rows) == {"duplicate_figure"}


def test_a_picture_of_a_figure_is_no_blank() -> None:
    tables, _ = full(2021, 7)
    page = "<p>一、总体情况</p>" + to_html(tables[0]).replace(f"<td>{tables[0][2][1].text}</td>", "<td><img src=1.png></td>", 1)
    rows = tidy(read_html(page.encode()), replace_year(2022))
    assert figures(rows)["regulation_issued", None] == ("unreadable", None)
    assert "unreadable_cell" in kinds(rows)


def replace_year(year: int) -> Context:
    return Context("p", "330302", "http://127.0.0.1/x", "ab" * 32, "2026-01-01T00:00:00Z", "run", year=year)


def test_q14_a_merged_block_of_bare_zeros() -> None:
    """（三）不予公开 followed by 56 zeros, the eight sub-labels lost: none of them is a figure."""
    tables, truth = full(2021, 7)
    three = tables[1]
    at = index(three, "（三）不予公开")
    outer = next(row for row in three if row[0].text.startswith("三、"))
    outer[0] = replace(outer[0], rows=outer[0].rows - 7)
    three[at : at + 8] = [[C("（三）不予公开", 1, 2), C("0 " * 56, 1, 7)]]
    rows = read(tables)
    assert not [k for k in figures(rows) if k[0].startswith("denied_")]
    assert all(v == ("reported", truth[k]) for k, v in figures(rows).items())
    assert {"missing_row", "unmapped_cell"} <= kinds(rows)


def test_q17_blanks_and_zeros_in_one_row_keep_their_columns() -> None:
    tables, _ = full(2021, 7)
    row = tables[1][3]
    for i, text in zip(range(-7, 0), ["103", "3", "", "1", "", "", "107"], strict=True):
        row[i] = C(text)
    found = [figures(read(tables))["new_received", who] for who in APPLICANTS]
    assert found == [
        ("reported", 103),
        ("reported", 3),
        ("blank", None),
        ("reported", 1),
        ("blank", None),
        ("blank", None),
        ("reported", 107),
    ]


def test_q24_a_number_in_the_header_is_not_data() -> None:
    tables, truth = full(2019, 7)
    relabel(tables[0], "本年增/减", "本年增/减（减用负值表示，如-8）")
    rows = read(tables, 2020)
    assert figures(rows) == as_printed(truth)


def test_table_four_needs_its_groups_or_the_forms_order() -> None:
    """The labels repeat: only the group above, or the order of the form, tells which column it is."""
    tables, truth = full(2021, 7)
    for text in ("行政复议", "行政诉讼", "未经复议直接起诉", "复议后起诉"):
        relabel(tables[2], text, "")
    rows = read(tables)
    assert figures(rows) == as_printed(truth)
    del tables[2][3][0]
    del tables[2][1][0]
    found = figures(read(tables))
    assert all(v == ("reported", truth[k]) for k, v in found.items())


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 999),
    texts=st.lists(st.sampled_from(["", "/", "—", "无", "0", "1 2", "3²", "-1", "1,234"]), min_size=175, max_size=175),
)
def test_any_text_in_any_cell_is_reported_blank_not_applicable_or_unreadable(seed: int, texts: list[str]) -> None:
    tables, _ = full(2021, seed)
    left = iter(texts)
    for row in tables[1][3:]:
        row[-7:] = [C(next(left)) for _ in range(7)]
    rows = read(tables)
    found = [r for r in rows["observation"] if r["section"] == "requests"]
    assert [r["raw_text"] for r in found] == texts
    for r in found:
        expected = {"": "blank", "0": "reported", "1,234": "reported", "/": "not_applicable", "—": "not_applicable", "无": "not_applicable"}
        assert r["value_status"] == expected.get(r["raw_text"], "unreadable")
        assert (r["value"] is None) == (r["value_status"] != "reported")
    unreadable = sum(r["value_status"] == "unreadable" for r in found)
    assert sum(kind == "unreadable_cell" for kind, _ in problems(rows)) == unreadable


@pytest.mark.parametrize("column", range(7))
def test_words_in_the_place_of_a_figure_are_said(column: int) -> None:
    tables, truth = full(2021, 7)
    tables[1][6][column - 7] = C("约5件左右")
    rows = read(tables)
    assert problems(rows)
    assert all(v in (("reported", truth[k]), ("unreadable", None)) for k, v in figures(rows).items())


def test_an_empty_document_has_no_report_and_is_no_success() -> None:
    rows = tidy(Document("html", []), CONTEXT)
    assert rows["report"] == []
    assert [p["outcome"] for p in rows["parse"]] == ["no_tables"]
