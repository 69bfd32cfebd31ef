"""Web pages as they are: wrong spans, wrong charsets, unclosed tags, and nothing dropped in silence."""

from __future__ import annotations

import pytest
from forms import full, lay_out, to_html
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.grid import PICTURE, Document, Grid
from extract.html import MAX_AREA, decode, read_html
from transform.numbers import read_figure


def page(body: str) -> Document:
    return read_html(f"<html><head><title>t</title></head><body>{body}</body></html>".encode())


def grid(body: str) -> Grid:
    [found] = page(body).grids()
    return found


def cells(body: str) -> list[tuple[int, int, int, int, str]]:
    """Row, column, height, width, text."""
    return [(c.row, c.col, c.row_span, c.col_span, c.text) for c in grid(body).cells]


def texts(document: Document) -> list[str]:
    return [t.text for t in document.texts()]


# --- spans


def test_spans_push_cells_aside() -> None:
    table = "<table><tr><td rowspan=2 colspan=2>a</td><td>b</td></tr><tr><td>c</td></tr><tr><td>d</td><td>e</td><td>f</td></tr></table>"
    assert cells(table) == [
        (0, 0, 2, 2, "a"),
        (0, 2, 1, 1, "b"),
        (1, 2, 1, 1, "c"),
        (2, 0, 1, 1, "d"),
        (2, 1, 1, 1, "e"),
        (2, 2, 1, 1, "f"),
    ]


def test_a_rowspan_of_zero_goes_to_the_end_of_its_group() -> None:
    table = "<table><tr><td rowspan=0>a</td><td>b</td></tr><tr><td>c</td></tr><tr><td>d</td></tr></table>"
    assert cells(table)[0] == (0, 0, 3, 1, "a")
    assert [c[1] for c in cells(table)[1:]] == [1, 1, 1]


def test_a_rowspan_ends_with_its_row_group() -> None:
    """HTML Living Standard, "algorithm for ending a row group": a cell of the head never covers the body."""
    table = "<table><thead><tr><td rowspan=9>h</td><td>k</td></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>"
    assert cells(table) == [(0, 0, 1, 1, "h"), (0, 1, 1, 1, "k"), (1, 0, 1, 1, "1"), (1, 1, 1, 1, "2")]


def test_a_rowspan_past_the_last_row_is_cut() -> None:
    assert cells("<table><tr><td rowspan=40>a</td><td>b</td></tr><tr><td>c</td></tr></table>")[0] == (0, 0, 2, 1, "a")


@pytest.mark.parametrize("span", ["abc", "", "-3", "0", "1.9", "\u00a0"])
def test_a_colspan_that_is_no_number_is_one(span: str) -> None:
    assert cells(f'<table><tr><td colspan="{span}">a</td><td>b</td></tr></table>') == [(0, 0, 1, 1, "a"), (0, 1, 1, 1, "b")]


def test_huge_spans_are_capped_as_browsers_do() -> None:
    assert cells(f"<table><tr><td colspan={'9' * 40}>a</td><td>b</td></tr></table>")[1] == (0, 1000, 1, 1, "b")


def test_a_table_bomb_is_refused() -> None:
    row = "<tr>" + "<td colspan=1000 rowspan=1000>x</td>" * 50 + "</tr>"
    with pytest.raises(ValueError, match=str(MAX_AREA)):
        page("<table>" + row * 1000 + "</table>")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=5), min_size=1, max_size=6))
def test_every_cell_is_kept_once_whatever_the_spans(shape) -> None:
    rows = "".join(
        "<tr>" + "".join(f"<td rowspan={h} colspan={w}>{r}.{i}</td>" for i, (h, w) in enumerate(row)) + "</tr>"
        for r, row in enumerate(shape)
    )
    found = grid(f"<table>{rows}</table>")
    assert [c.text for c in found.cells] == [f"{r}.{i}" for r, row in enumerate(shape) for i, _ in enumerate(row)]
    assert all(c.row_end <= found.n_rows and c.col_end <= found.n_cols for c in found.cells)
    assert all(c.text.startswith(f"{c.row}.") for c in found.cells)


@pytest.mark.parametrize("number", [2019, 2021])
def test_the_forms_come_back_cell_by_cell(number: int) -> None:
    tables, _ = full(number)
    for rows in tables:
        found, made = grid(to_html(rows)), lay_out(rows)
        shape = [(c.row, c.col, c.row_span, c.col_span, c.text) for c in made.cells]
        assert [(c.row, c.col, c.row_span, c.col_span, c.text) for c in found.cells] == shape
        assert (found.n_rows, found.n_cols) == (made.n_rows, made.n_cols)


# --- broken markup: whatever a browser shows is read


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td>a<td>b<tr><td>1<td>2</table>",
        "<table><tr><td>a</td><td>b</td></tr></tbody><tr><td>1</td><td>2</td></tr></table>",
        "<table><form><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></form></table>",
        "<table><tr><form><td>a</td><td>b</td></form></tr><tr><td>1</td><td>2</td></tr></table>",
        "<table><tr><div><td>a</td><td>b</td></div></tr><tr><td>1</td><td>2</td></tr></table>",
        "<table><td>a</td><td>b</td><tr><td>1</td><td>2</td></tr></table>",
        "<table><tbody><td>a</td><td>b</td></tbody><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
        "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2",
        "<TABLE><TR><TH>a</TH><TH>b</TH></TR><TR><TD>1</TD><TD>2</TD></TR></TABLE>",
    ],
)
def test_broken_markup_loses_no_cell(table: str) -> None:
    assert cells(table) == [(0, 0, 1, 1, "a"), (0, 1, 1, 1, "b"), (1, 0, 1, 1, "1"), (1, 1, 1, 1, "2")]


def test_text_beside_the_cells_is_kept() -> None:
    assert texts(page("<table><caption>单位：件</caption><tr>99<td>a</td></tr>88</table>")) == ["单位：件", "99", "88"]


def test_nested_tables_the_inner_ones_are_the_tables() -> None:
    """Q-40: the article stands inside a layout table."""
    body = "<table><tr><td colspan=1200>menu<table><tr><td>1</td></tr></table>between<table><tr><td>2</td></tr></table></td></tr></table>"
    blocks = page(body).blocks
    assert [b.text if not isinstance(b, Grid) else b.cells[0].text for b in blocks] == ["menu", "1", "between", "2"]


@pytest.mark.parametrize("depth", [300, 1500])
def test_deep_nesting_is_read(depth: int) -> None:
    """libxml2 drops what is deeper than 256 elements, unless told not to."""
    body = "<div>" * depth + "<table><tr><td>42</td><td>43</td></tr></table>" + "</div>" * depth + "<p>after</p>"
    document = page(body)
    assert [c.text for g in document.grids() for c in g.cells] == ["42", "43"]
    assert texts(document) == ["after"]
    assert not document.problems


def test_nesting_too_deep_to_be_read_is_a_problem_and_no_silence() -> None:
    body = "<table><tr><td>" + "<div>" * 5000 + "42" + "</div>" * 5000 + "</td><td>7</td></tr></table>"
    [problem] = page(body).problems
    assert (problem.kind, problem.severity) == ("broken_document", "failure")


# --- what a cell shows


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("商业<br>企业", "商业\n企业"),
        ("<p>商业</p><p>企业</p>", "商业\n企业"),
        ("商业\n   企业", "商业 企业"),
        ("&nbsp;0&nbsp;", "0"),
        ("&nbsp;", ""),
        ("\u3000", ""),
        ("<b>1</b><font>2</font>", "12"),
        ("1<!-- 9 -->2", "12"),
        ("<script>9</script>2", "2"),
        ("1<br>2", "1\n2"),
        ("3<sup>2</sup>", "3 2"),
        ("<s>3</s>5", "3 5"),
        ("<del>3</del>5", "3 5"),
        ("<span style='DISPLAY: none'>9</span>3", "3"),
        ("<input type=text value=4>", "4"),
        ("<input type=hidden value=4>", ""),
        ("<textarea>5</textarea>", "5"),
        ("<img src=5.png>", PICTURE),
        ("6<img src=x>", "6"),
    ],
)
def test_text_of_a_cell(inner: str, text: str) -> None:
    assert grid(f"<table><tr><td>{inner}</td></tr></table>").cells[0].text == text


@pytest.mark.parametrize("inner", ["3<sup>2</sup>", "<s>3</s>5", "1<br>2", "<p>1</p><p>2</p>", "<img src=5.png>"])
def test_what_is_no_certain_number_is_unreadable_not_wrong_and_not_blank(inner: str) -> None:
    text = grid(f"<table><tr><td>{inner}</td></tr></table>").cells[0].text
    assert read_figure(text, "item").status == "unreadable"


def test_hidden_rows_and_cells_are_no_part_of_the_table() -> None:
    table = "<table><tr style='display:none'><td>x</td></tr><tr><td hidden>y</td><td>1</td><td>2</td></tr></table>"
    assert cells(table) == [(0, 0, 1, 1, "1"), (0, 1, 1, 1, "2")]


# --- text


def test_text_comes_in_reading_order() -> None:
    body = "<p>一、总体情况</p>a<b>b</b>c<table><tr><td>1</td></tr></table>d<br>e<ul><li>f</li><li>g</li></ul>"
    assert texts(page(body)) == ["一、总体情况", "abc", "d", "e", "f", "g"]
    assert [isinstance(b, Grid) for b in page(body).blocks] == [False, False, True, False, False, False, False]


def test_menus_above_the_report_are_left_out_and_tables_are_not() -> None:
    body = "<p>首页</p><table><tr><td>1</td></tr></table><p>登录</p><p>某区2021年年度报告</p><p>一、总体情况</p><p>x</p>"
    document = page(body)
    assert texts(document) == ["某区2021年年度报告", "一、总体情况", "x"]
    assert len(list(document.grids())) == 1


# --- encodings

PAGE = "<html><head><meta charset={}></head><body><p>不予公开</p><table><tr><td>行政许可</td><td>12</td></tr></table></body></html>"


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("gb2312", "gb18030"),
        ("gb2312", "utf-8"),
        ("utf-8", "gbk"),
        ("big5", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-8", "utf-8-sig"),
        ("iso-8859-1", "gb18030"),
    ],
)
def test_the_bytes_count_and_not_what_is_declared(declared: str, encoding: str) -> None:
    document = read_html(PAGE.format(declared).encode(encoding))
    assert texts(document) == ["不予公开"]
    assert [c.text for g in document.grids() for c in g.cells] == ["行政许可", "12"]
    assert not document.problems


def test_characters_beyond_gb2312_declared_as_gb2312() -> None:
    """lxml ends the text at the first of them without a word."""
    document = read_html(PAGE.format("gb2312").replace("不予公开", "洺喆①㎡𠮷").encode("gb18030"))
    assert texts(document) == ["洺喆①㎡𠮷"]
    assert len(list(document.grids())) == 1


def test_big5_is_read_where_it_is_declared() -> None:
    """Q-43: nearly every Big5 text is valid GB18030 as well."""
    text = PAGE.format("big5").replace("不予公开", "政府資訊公開年報")
    assert texts(read_html(text.replace("行政许可", "行政許可").encode("big5"))) == ["政府資訊公開年報"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_broken_bytes_cost_a_warning_and_not_the_rest_of_the_page(encoding: str) -> None:
    data = (PAGE.format("x") + "公开" * 50).encode(encoding).replace("许".encode(encoding), b"\xff\xff")
    document = read_html(data)
    assert [p.severity for p in document.problems] == ["warning"]
    [label, figure] = next(iter(document.grids())).cells
    assert "\ufffd" in label.text
    assert figure.text == "12"


@given(st.binary(max_size=300))
def test_decode_never_raises(data: bytes) -> None:
    text, problems = decode(data)
    assert ("\ufffd" not in text) or problems or data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) or "\ufffd".encode() in data


@pytest.mark.parametrize("data", [b"", b"   ", b"<!-- -->", b"<?xml version='1.0' encoding='gb2312'?>"])
def test_a_page_without_any_element_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="no element"):
        read_html(data)


# --- date and title


@pytest.mark.parametrize(
    ("body", "date"),
    [
        ("<p>发布日期：2022-01-20</p>", "2022-01-20"),
        ("<p>发布时间：2022年1月20日 10:00</p>", "2022-01-20"),
        ("<p>日期:[2022/1/20]</p>", "2022-01-20"),
        ("<table><tr><td>成文日期：2022.01.20</td></tr></table>", "2022-01-20"),
        ("<p>统计日期：2021-12-31</p><p>发布日期：2022-01-20</p>", "2022-01-20"),
        ("<p>发布日期：2024126日</p>", None),
        ("<p>发布日期：2024-126</p>", None),
        ("<p>发布日期：2024-1-261</p>", None),
        ("<p>发布日期：2024-02-31</p>", None),
        ("<p>发布日期：2024-13-01</p>", None),
        ("<p>2022-01-20</p>", None),
    ],
)
def test_the_date_of_publication_is_never_guessed(body: str, date: str | None) -> None:
    assert page(body).published_on == date


def test_meta_data_come_first() -> None:
    head = '<meta name="ArticleTitle" content=" 某区年报 "><meta name="PubDate" content="2022-01-21 09:00"><title>网站</title>'
    document = read_html(f"<html><head>{head}</head><body><p>发布日期：2022-01-20</p></body></html>".encode())
    assert (document.title, document.published_on) == ("某区年报", "2022-01-21")
