"""Web pages with the quirks of domain.md §6: every figure is right, or the report says that something is wrong."""

from __future__ import annotations

import random
from html import escape
from itertools import pairwise

import opencc
import pytest
from forms import C, Rows, full, to_html
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.charset import decode
from extract.grid import Grid
from extract.html import read_html
from extract.html_again import read_html_again
from extract.html_divs import METHOD
from transform.tidy import Context, tidy

CONTEXT = Context("p", "330302", "http://127.0.0.1/x", "ab" * 32, "2026-01-01T00:00:00Z", "run")
HEADINGS = ("二、主动公开政府信息情况", "三、收到和处理政府信息公开申请情况", "四、政府信息公开行政复议、行政诉讼情况")
TITLE = "某区人民政府办公室2021年政府信息公开工作年度报告"
PERIOD = "根据《中华人民共和国政府信息公开条例》编制本报告。本报告所列数据的统计期限自2021年1月1日起至2021年12月31日止。"
HEAD = f"<h1>{TITLE}</h1><p>{PERIOD}</p><p>一、总体情况</p><p>本年度工作有序开展。</p>"
TAIL = "<p>五、存在的主要问题及改进情况</p><p>无。</p><p>六、其他需要报告的事项</p><p>无其他事项。</p>"


def article(*tables: str) -> str:
    parts = "".join(f"<p>{heading}</p>{table}" for heading, table in zip(HEADINGS, tables, strict=False))
    return HEAD + parts + TAIL


def page(body: str, charset: str = "utf-8") -> bytes:
    return f'<html><head><meta charset="{charset}"><title>{TITLE}</title></head><body>{body}</body></html>'.encode()


def tables(seed: int = 1) -> tuple[list[str], list[Rows], dict]:
    rows, truth = full(2021, seed)
    return [to_html(r) for r in rows], rows, truth


def read(data: bytes):
    rows = tidy(read_html(data), CONTEXT)
    figures = {(r["indicator"], r["applicant"]): (r["value_status"], r["value"]) for r in rows["observation"]}
    failures = [p["kind"] for p in rows["problem"] if p["severity"] == "failure"]
    return figures, failures, rows


def assert_right(data: bytes, truth: dict) -> None:
    figures, failures, _ = read(data)
    assert figures == {k: ("reported", v) for k, v in truth.items()}
    assert not failures


def assert_never_silently_wrong(data: bytes, truth: dict) -> list[str]:
    figures, failures, rows = read(data)
    bad = [(k, v, truth.get(k)) for k, v in figures.items() if v[0] == "reported" and v[1] != truth.get(k)]
    failed_checks = [r for r in rows["check_result"] if r["passed"] is False]
    lost = truth.keys() - {k for k, v in figures.items() if v[0] == "reported"}
    assert failures or failed_checks or not (bad or (lost and figures)), (bad[:5], len(lost))
    return failures


# --- tables in tables


def figures_of_group(rows: Rows, first: int, count: int) -> Rows:
    return [row[-7:] for row in rows[first : first + count]]


def row_of(rows: Rows, text: str) -> int:
    return next(r for r, row in enumerate(rows) if any(c.text == text for c in row))


def nested(labels: bool, seed: int = 3) -> tuple[str, dict]:
    """Table three with the eight rows of （三）不予公开 in a table of its own inside a cell."""
    rows, truth = full(2021, seed)
    three = rows[1]
    first = row_of(three, "（三）不予公开")
    inner = [row[1:] if i == 0 else row for i, row in enumerate(three[first : first + 8])]
    inner = inner if labels else [row[-7:] for row in inner]
    width = 8 if labels else 7
    three[first : first + 8] = [[C("（三）不予公开"), *([] if labels else [C("")]), C(to_html(inner), 1, width)]]
    result = row_of(three, "三、本年度办理结果")
    three[result][0] = C("三、本年度办理结果", three[result][0].rows - 7)
    return article(*(to_html(r) for r in rows)), truth


@pytest.mark.parametrize("seed", range(3))
def test_q14_a_nested_table_with_its_labels_is_read_right(seed: int) -> None:
    body, truth = nested(labels=True, seed=seed)
    assert_right(page(body), truth)


def test_q14_a_nested_table_that_lost_its_labels_is_flagged() -> None:
    """（三）不予公开 followed by 56 bare figures: which is which can't be known."""
    body, truth = nested(labels=False)
    failures = assert_never_silently_wrong(page(body), truth)
    assert {"missing_row", "unmapped_cell"} <= set(failures)
    figures, _, _ = read(page(body))
    assert not [k for k in figures if k[0].startswith("denied_")]
    assert figures["granted", "business"] == ("reported", truth["granted", "business"])


@pytest.mark.parametrize("width", [1, 2, 6, 9])
def test_q14_a_nested_table_of_another_width_is_flagged(width: int) -> None:
    rows, truth = full(2021, 5)
    three = rows[1]
    at = row_of(three, "一、本年新收政府信息公开申请数量")
    inner = to_html([[C("9")] * width])
    three[at] = [three[at][0], C(inner, 1, 7)]
    assert assert_never_silently_wrong(page(article(*map(to_html, rows))), truth).count("unreadable_cell") == 7


def test_q14_labels_and_figures_nested_side_by_side() -> None:
    rows, truth = full(2021, 6)
    three = rows[1]
    first = row_of(three, "（三）不予公开")
    lines = [row[1:] if i == 0 else row for i, row in enumerate(three[first : first + 8])]
    labels, figures = to_html([[row[0]] for row in lines]), to_html([row[1:] for row in lines])
    three[first : first + 8] = [[C("（三）不予公开"), C(labels), C(figures, 1, 7)]]
    result = row_of(three, "三、本年度办理结果")
    three[result][0] = C("三、本年度办理结果", three[result][0].rows - 7)
    assert_right(page(article(*map(to_html, rows))), truth)


def test_a_table_of_one_cell_around_every_figure_is_no_table() -> None:
    rows, truth = full(2021, 2)
    for row in rows[1]:
        row[:] = [C(to_html([[C(c.text)]]), c.rows, c.cols) if c.text.isdigit() else c for c in row]
    assert_right(page(article(*map(to_html, rows))), truth)


def test_q41_meta_data_in_the_layout_table_around_the_article() -> None:
    """ "信息公开元数据": rows of the layout table with labels and dates do not make it a table of figures."""
    made, _, truth = tables()
    meta = "<tr><td>索引号</td><td>001008003001/2022-1</td><td>发文日期</td><td>2022-01-18</td></tr>" * 3
    body = f"<table>{meta}<tr><td colspan=4><table><tr><td>{article(*made)}</td></tr></table></td></tr></table>"
    assert_right(page(body), truth)
    body = f"<table>{meta}<tr><td colspan=4>{article(*made)}</td></tr></table>"
    assert_right(page(body), truth)


def test_q40_a_layout_table_of_a_thousand_columns() -> None:
    made, rows, truth = tables()
    cells = "".join("<td></td>" for _ in range(1200))
    assert_right(page(f"<table><tr>{cells}</tr><tr><td colspan=1000>{article(*made)}</td></tr></table>"), truth)
    wide = [[[C(c.text, c.rows, c.cols * 60) for c in row] for row in table] for table in rows]
    assert_right(page(article(*map(to_html, wide))), truth)


# --- tables cut in several


def test_blocks_of_table_two_as_tables_of_their_own() -> None:
    rows, truth = full(2021, 1)
    starts = [r for r, row in enumerate(rows[0]) if row[0].text.startswith("第二十条")] + [len(rows[0])]
    pieces = [to_html([[C(c.text) for c in row] for row in rows[0][a:b]]) for a, b in pairwise(starts)]
    for between in ("", "<p>&nbsp;</p>", "<br>"):
        assert_right(page(article(between.join(pieces), to_html(rows[1]), to_html(rows[2]))), truth)


def cut(rows: Rows, at: int, header: int) -> tuple[Rows, Rows]:
    """Two tables: cells that span the cut go on in the second."""
    upper, lower = [list(r) for r in rows[:at]], [list(r) for r in rows[at:]]
    for r, row in enumerate(upper):
        for i, c in enumerate(row):
            if r + c.rows > at:
                row[i] = C(c.text, at - r, c.cols)
                lower[0].insert(0 if c.text.startswith("三、") else sum(x.text == "" for x in lower[0]), C("", r + c.rows - at, c.cols))
    return upper, [list(r) for r in rows[:header]] + lower


@pytest.mark.parametrize("header", [0, 3])
@pytest.mark.parametrize("between", ["", "<p>&nbsp;</p>", "<p>（续表）</p>"])
def test_table_three_cut_in_two(header: int, between: str) -> None:
    """Right or flagged; right where no group is cut and nothing is printed between."""
    rows, truth = full(2021, 4)
    for at in (4, 5, 6, 7, 8, 14, 15, 18, 22, 26, len(rows[1]) - 1):
        upper, lower = cut(rows[1], at, header)
        body = page(article(to_html(rows[0]), to_html(upper) + between + to_html(lower), to_html(rows[2])))
        failures = assert_never_silently_wrong(body, truth)
        if at in (4, len(rows[1]) - 1) and "续" not in between:
            assert not failures, at
            assert_right(body, truth)


def test_the_last_row_in_a_narrower_table_is_flagged_or_right() -> None:
    rows, truth = full(2021, 4)
    *upper, last = rows[1]
    lower = [[C(last[0].text), *last[1:]]]
    assert assert_never_silently_wrong(page(article(to_html(rows[0]), to_html(upper) + to_html(lower), to_html(rows[2]))), truth)


@pytest.mark.parametrize("seed", range(4))
def test_empty_rows_and_columns_at_the_edges(seed: int) -> None:
    """Q-9, Q-18, Q-19, Q-23: an empty last row and first or last column."""
    rng = random.Random(seed)
    rows, truth = full(2021, seed)
    for table in rows[:2]:
        height = len(table)
        blank = rng.choice(["", "&nbsp;", "\u3000"])
        if seed % 2:
            table[0].insert(0, C(blank, height))
        table[0].append(C(blank, height))
        table.append([C(blank)] * rng.choice([1, 3, 12]))
    assert_right(page(article(*map(to_html, rows))), truth)


def test_nbsp_in_every_cell_changes_nothing() -> None:
    """Q-11: figures and labels padded with &nbsp;."""
    rows, truth = full(2021, 8)
    for table in rows:
        for row in table:
            row[:] = [C(f"&nbsp;<span>{c.text}</span>\u3000&nbsp;", c.rows, c.cols) for c in row]
    assert_right(page(article(*map(to_html, rows))), truth)


# --- boxes


def boxes(rows: list[list[str]], row: str = "div", cell: str = "div") -> str:
    return "<div class=t>" + "".join(f"<{row}>" + "".join(f"<{cell}>{t}</{cell}>" for t in r) + f"</{row}>" for r in rows) + "</div>"


def flat(rows: Rows) -> list[list[str]]:
    return [[c.text for c in row] for row in rows]


def flat_requests(rows: Rows) -> list[list[str]]:
    """Table three as boxes print it: one header row, group labels on rows of their own."""
    heads = ["申请人情况", "自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计"]
    out = [heads]
    for row in rows[3:]:
        texts = [c.text for c in row]
        out += [[group] for group in texts[:-8]]
        out.append(texts[-8:])
    return out


@pytest.mark.parametrize(("row", "cell"), [("div", "div"), ("div", "span"), ("ul", "li")])
@pytest.mark.parametrize("seed", [1, 2])
def test_boxes_in_rows_are_a_table(row: str, cell: str, seed: int) -> None:
    rows, truth = full(2021, seed)
    two = boxes(flat(rows[0]), row, cell)
    three = flat_requests(rows[1])
    body = page(article(two, boxes(three, row, cell), to_html(rows[2])))
    grids = list(read_html(body).grids())
    if any(len(r) == 1 and r[0].startswith("三、") for r in three):  # read as the heading of part three: no table
        three = [r for r in three if not r[0].startswith("三、本年度")]
        body = page(article(two, boxes(three, row, cell), to_html(rows[2])))
        grids = list(read_html(body).grids())
    assert [g.method for g in grids] == [METHOD, METHOD, "html"]
    assert_right(body, truth)


def test_a_group_of_boxes_around_head_and_body() -> None:
    rows, truth = full(2021, 3)
    three = [r for r in flat_requests(rows[1]) if not r[0].startswith("三、")]
    grouped = f"<div><div>{boxes(three[:1])}</div><div>{boxes(three[1:])}</div></div>"
    assert_right(page(article(to_html(rows[0]), grouped, to_html(rows[2]))), truth)


@pytest.mark.parametrize("seed", range(30))
def test_boxes_with_cells_lost_are_never_silently_wrong(seed: int) -> None:
    """A blank figure whose box is not there shifts its row: nothing tells which one it is."""
    rng = random.Random(seed)
    rows, truth = full(2021, seed)
    two, three = flat(rows[0]), [r for r in flat_requests(rows[1]) if not r[0].startswith("三、本")]
    target = rng.choice([two, three])
    for _ in range(rng.choice([1, 2, 3])):
        line = rng.choice([r for r in target if len(r) > 1])
        line.pop(rng.randrange(1, len(line)))
    assert_never_silently_wrong(page(article(boxes(two), boxes(three), to_html(rows[2]))), truth)


def test_menus_of_boxes_are_no_table() -> None:
    menu = boxes([["首页", "1"], ["机构", "2"], ["政策", "3"], ["互动", "4"]])
    assert not list(read_html(page(menu)).grids())


# --- what is not shown is not read


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>document.write('{}')</script>",
        "<script type='text/template'>{}</script>",
        "<textarea>{}</textarea>",
        "<template>{}</template>",
        "<!-- {} -->",
        "<iframe src='x.html'>{}</iframe>",
        "<noscript>{}</noscript>",
    ],
)
def test_tables_that_are_not_shown_are_no_tables(hidden: str) -> None:
    made, _, _ = tables()
    figures, _, rows = read(page(HEAD + hidden.format("".join(made)) + TAIL))
    assert not figures
    assert [r["outcome"] for r in rows["parse"]] == ["no_tables"]


def test_a_frame_that_carries_its_page_is_read() -> None:
    made, _, truth = tables()
    assert_right(page(f'<div><iframe srcdoc="{escape(article(*made))}">alt<table><tr><td>9</td></tr></table></iframe></div>'), truth)


# --- encodings


@pytest.mark.parametrize("encoding", ["gb2312", "gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("declared", ["gb2312", "utf-8", "big5", "iso-8859-1", ""])
def test_the_bytes_decide(encoding: str, declared: str) -> None:
    made, _, truth = tables()
    text = page(article(*made), declared).decode("utf-8")
    assert_right(text.encode(encoding, errors="xmlcharrefreplace"), truth)


@pytest.mark.parametrize("declared", ["big5", "gb2312", "utf-8", ""])
@pytest.mark.parametrize("variant", ["s2t", "s2hk", "s2twp"])
@pytest.mark.parametrize("number", [2019, 2021])
def test_q43_the_traditional_twin_of_a_page(declared: str, variant: str, number: int) -> None:
    """Converted by machine, words too (程序 to 程式), in Big5 whatever is declared."""
    rows, truth = full(number, 1)
    text = opencc.OpenCC(variant).convert(page(article(*map(to_html, rows)), declared).decode("utf-8"))
    assert_right(text.encode("big5hkscs", errors="xmlcharrefreplace"), truth)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("seed", range(8))
def test_a_page_with_broken_bytes_is_not_taken_for_another_encoding(encoding: str, seed: int) -> None:
    rng = random.Random(seed)
    made, _, truth = tables()
    data = bytearray(page(article(*made)).decode("utf-8").encode(encoding))
    for _ in range(rng.choice([1, 3])):
        data[rng.randrange(len(data))] = rng.choice([0xFF, 0x80, 0xC3])
    text, problems = decode(bytes(data))
    assert text.count("公开") > 10
    assert problems or "\ufffd" not in text
    assert_never_silently_wrong(bytes(data), truth)


def test_a_page_cut_in_a_character_is_read() -> None:
    made, _, truth = tables()
    whole = page(article(*made))
    assert_never_silently_wrong(whole[: whole.index("六、".encode()) + 1], truth)


# --- labels


def test_q39_lost_ordinals() -> None:
    """ "、总体情况", "()政府信息主动公开情况": numbers of headings and labels lost."""
    rows, truth = full(2021, 1)
    for table in rows:
        for row in table:
            row[:] = [C(c.text.lstrip("（一二三四五六七）、"), c.rows, c.cols) if not c.text.isdigit() else c for c in row]
    body = article(*map(to_html, rows))
    for numeral in "一二三四五六":
        body = body.replace(f"<p>{numeral}、", "<p>、")
    assert_right(page(body), truth)


def test_q42_question_marks_for_spaces() -> None:
    rows, truth = full(2021, 1)
    for table in rows:
        for row in table:
            row[:] = [C("????" + c.text, c.rows, c.cols) if not c.text.isdigit() else c for c in row]
    figures, failures, _ = read(page(article(*map(to_html, rows))))
    assert not [k for k, v in figures.items() if v[0] == "reported" and v[1] != truth[k]]
    assert failures or figures == {k: ("reported", v) for k, v in truth.items()}


def test_q42_question_marks_in_a_figure_are_unreadable() -> None:
    rows, truth = full(2021, 1)
    at = row_of(rows[1], "（一）予以公开")
    rows[1][at][-7] = C("????" + rows[1][at][-7].text)
    figures, failures, _ = read(page(article(*map(to_html, rows))))
    assert figures.get(("granted", "natural_person"), ("unreadable", None))[0] == "unreadable"
    assert {"unreadable_cell", "unmapped_cell", "missing_row"} & set(failures)
    assert_never_silently_wrong(page(article(*map(to_html, rows))), truth)


# --- the text of the report


def test_the_sites_own_text_is_cut_off_by_structure() -> None:
    made, _, truth = tables()
    footer = "<div><p>版权所有：某区人民政府办公室</p><p>主办单位：某区</p><table><tr><td>ICP</td></tr></table></div>"
    data = page(f"<div><p>首页 机构</p></div><div class=main><div>{article(*made)}</div><div>分享到</div></div>{footer}")
    document = read_html(data)
    texts = [t.text for t in document.texts()]
    assert texts[0] == TITLE
    assert texts[-1] == "无其他事项。"
    assert len(list(document.grids())) == 4, "no table is dropped"
    assert_right(data, truth)


@pytest.mark.parametrize("wrapped", ["<div>{}</div>", "<table><tr><td>{}</td></tr></table>"])
def test_parts_in_boxes_of_their_own_are_all_kept(wrapped: str) -> None:
    parts = [
        "".join(f"<div>{p}</div>")
        for p in ("一、总体情况<br>甲", "二、主动公开<br>乙", "三、申请<br>丙", "四、复议<br>丁", "五、问题<br>戊")
    ]
    data = page(wrapped.format("".join(wrapped.format(p) for p in parts)) + "<div>版权所有</div>")
    assert [t.text for t in read_html(data).texts()][-2:] == ["五、问题", "戊"]


def test_with_few_numbered_headings_nothing_is_cut() -> None:
    data = page("<div><p>一、总体情况</p></div><div>、主动公开</div><p>其他</p>")
    assert [t.text for t in read_html(data).texts()] == ["一、总体情况", "、主动公开", "其他"]


# --- the second reading


def shape(grid: Grid) -> list[tuple[int, int, int, int, str]]:
    return [(c.row, c.col, c.row_span, c.col_span, c.text) for c in grid.cells]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_both_readings_of_a_sound_page_agree(seed: int, encoding: str) -> None:
    made, _, _ = tables(seed)
    data = page(f"<table><tr><td>{article(*made)}</td></tr></table>", encoding).decode("utf-8").encode(encoding)
    first, second = read_html(data), read_html_again(data)
    assert [shape(g) for g in first.grids()] == [shape(g) for g in second.grids()]
    assert {g.method for g in second.grids()} == {"html-again"}
    assert [t.text for t in second.texts()][:2] == [TITLE, PERIOD]


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td rowspan=0>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
        "<table><thead><tr><td rowspan=9>h</td><td>k</td></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
        "<table><tr><td rowspan=40 colspan=2>a<td>b<tr><td>1<td>2</table>",
        "<table><tr><td>3<sup>2</sup></td><td>商业<br>企业</td><td>&nbsp;0&nbsp;</td><td><img src=x></td><td><s>3</s>5</td></tr></table>",
        "<table><tr><td><input value=4></td><td><p>a</p><p>b</p></td><td><span style='display: none'>9</span>3</td></tr></table>",
        "<table><tr style='display:none'><td>x</td></tr><tr><td hidden>y</td><td>1</td></tr></table>",
        "<table><tr><td colspan=3 rowspan=2>a<td>b</tr><tr><td>c</tr><tr><td>d<td rowspan=2>e</tr><tr><td>f</tr></table>",
    ],
)
def test_both_readings_show_a_cell_alike(table: str) -> None:
    data = page(table)
    [first], [second] = read_html(data).grids(), read_html_again(data).grids()
    assert shape(first) == shape(second)
    assert (first.n_rows, first.n_cols) == (second.n_rows, second.n_cols)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), max_size=5), min_size=1, max_size=6))
def test_both_readings_lay_out_any_spans_alike(spans) -> None:
    lines = ("".join(f"<td rowspan={h} colspan={w}>{r}.{i}</td>" for i, (h, w) in enumerate(row)) for r, row in enumerate(spans))
    data = page("<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>")
    first, second = ([shape(g) for g in read(data).grids()] for read in (read_html, read_html_again))
    assert first == second


def test_a_failed_identity_is_the_publishers_where_both_readings_agree() -> None:
    rows, _ = full(2021, 1)
    at = row_of(rows[1], "（一）予以公开")
    rows[1][at][-7] = C(str(int(rows[1][at][-7].text) + 1))
    _, _, frames = read(page(article(*map(to_html, rows))))
    failed = [r for r in frames["check_result"] if r["passed"] is False]
    assert failed
    assert {r["cause"] for r in failed} == {"publisher"}


@pytest.mark.parametrize("data", [b"", b"\x00" * 50, b"<table>" * 3000, b"\xff\xfe<", "年".encode("gbk") * 9])
def test_the_second_reading_never_raises(data: bytes) -> None:
    assert read_html_again(data).media == "html"


def test_a_short_preface_keeps_its_period_and_scope() -> None:
    """A period stated in a short line must be held against the title: a wrong title alone would load the wrong year."""
    from extract.html import read_html
    from transform.scope import read_scope

    lines = (
        "<h1>乙市某局2022年政府信息公开工作年度报告</h1><p>统计期限自2021年1月1日起至2021年12月31日止。</p><p>我局。</p><p>一、总体情况</p>"
    )
    page = f"<html><body><div><a>首页</a></div><div>{lines}<p>二、主动公开政府信息情况</p></div></body></html>"
    texts = [t.text for t in read_html(page.encode()).texts()]
    assert "统计期限自2021年1月1日起至2021年12月31日止。" in texts
    assert read_scope("\n".join(texts[: texts.index("一、总体情况")]), "")[0] == "own"
