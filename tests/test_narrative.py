from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.grid import Text
from transform.narrative import paragraphs, split, title_lines

REPORT = [
    "某区人民政府办公室2021年政府信息公开工作年度报告",
    "根据《条例》编制本报告。",
    "一、总体情况",
    "（一）主动公开。",
    "一、二级单位均已公开。",
    "二、主动公开政府信息情况",
    "三、收到和处理政府信息公开申请情况",
    "四、政府信息公开行政复议、行政诉讼情况",
    "五、存在的主要问题及改进情况",
    "一、认识不足。",
    "六、其他需要报告的事项",
    "无。",
]


def test_parts() -> None:
    parts = split(REPORT)
    assert [p.number for p in parts] == [0, 1, 2, 3, 4, 5, 6]
    assert parts[0].heading is None
    assert parts[1].heading == "一、总体情况"
    assert parts[1].text == "（一）主动公开。\n一、二级单位均已公开。"
    assert parts[5].text == "一、认识不足。"
    assert parts[6].text == "无。"


def test_a_report_that_starts_with_a_heading_has_no_preface() -> None:
    assert [p.number for p in split(["一、总体情况", "x"])] == [1]
    assert split([]) == []


def test_a_heading_of_the_form_numbered_twice_has_the_number_of_its_part() -> None:
    """Q-7: heading 二 numbered 一."""
    parts = split(["一、总体情况", "一、主动公开政府信息情况", "x", "三、收到和处理"])
    assert [(p.number, p.heading, p.text) for p in parts] == [
        (1, "一、总体情况", ""),
        (2, "一、主动公开政府信息情况", "x"),
        (3, "三、收到和处理", ""),
    ]


def test_another_heading_numbered_twice_stays_in_the_text() -> None:
    parts = split(["一、总体情况", "一、组织领导", "三、收到和处理"])
    assert [(p.number, p.text) for p in parts] == [(1, "一、组织领导"), (3, "")]


def test_lost_ordinals() -> None:
    """Q-39: the words name the part; what stood in brackets is a subheading of it."""
    parts = split(["、总体情况", "()政府信息主动公开情况", "x", "、其他需要报告的事项", "无。"])
    assert [(p.number, p.text) for p in parts] == [(1, "()政府信息主动公开情况\nx"), (6, "无。")]


def test_a_subheading_worded_as_a_heading_is_none() -> None:
    parts = split(["一、总体情况", "（一）主动公开政府信息情况", "x"])
    assert [(p.number, p.text) for p in parts] == [(1, "（一）主动公开政府信息情况\nx")]


def test_text_on_the_line_of_its_heading() -> None:
    parts = split(["五、存在的主要问题及改进情况", "x", "六、其他需要报告的事项：收取信息处理费0元。"])
    assert [(p.number, p.heading, p.text) for p in parts][1] == (6, "六、其他需要报告的事项：", "收取信息处理费0元。")


def test_a_table_of_contents_belongs_to_the_preface() -> None:
    contents = [t for t in REPORT if split([t])[0].number and "级" not in t and "认识" not in t]
    assert len(contents) == 6
    parts = split([REPORT[0], *contents, *REPORT[2:]])
    assert [p.number for p in parts] == [0, 1, 2, 3, 4, 5, 6]
    assert parts[0].text.split("\n") == [REPORT[0], *contents]
    assert parts[1].text.startswith("（一）主动公开。")


def test_a_paragraph_cut_by_the_page_end_is_one() -> None:
    above, below = "健全机制，强化政务新媒体监管工作，提高账号运营质量", "和水平。三是开展工作创新。"
    assert paragraphs([Text(above, 1), Text(below, 2)]) == [above + below]
    assert paragraphs([Text(above, 1), Text(below, 1)]) == [above, below]
    assert paragraphs([Text(above), Text(below)]) == [above, below]


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("健全机制，强化政务新媒体监管工作，提高账号运营质量。", "下一段。"),
        ("（三）政府信息管理情况", "加强日常管理。"),
        ("健全机制，强化政务新媒体监管工作，提高账号运营质量", "二、主动公开政府信息情况"),
        ("健全机制，强化政务新媒体监管工作，提高账号运营质量", "（二）依申请公开"),
    ],
)
def test_paragraphs_that_end_with_their_page_stay_apart(above: str, below: str) -> None:
    assert paragraphs([Text(above, 1), Text(below, 2)]) == [above, below]


def test_title_lines_end_at_the_first_long_paragraph_sentence_or_heading() -> None:
    assert title_lines(REPORT) == REPORT[0]
    assert title_lines(["某区", "2021年年度报告", "字" * 61, "2019年"]) == "某区2021年年度报告"
    assert title_lines([]) == ""


@given(st.lists(st.text(st.sampled_from("一二三四五六、。总体情况 x\n"), max_size=12), max_size=12))
def test_no_text_is_lost_and_numbers_go_up(texts: list[str]) -> None:
    parts = split(texts)
    numbers = [p.number for p in parts]
    assert numbers == sorted(set(numbers))
    kept = "".join("".join(((p.heading or "") + p.text).split()) for p in parts)
    assert kept == "".join("".join(t.split()) for t in texts)
