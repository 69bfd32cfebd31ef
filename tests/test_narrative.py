from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from transform.narrative import split, title_lines

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


def test_a_heading_numbered_twice_stays_in_the_text() -> None:
    """Q-7: heading 二 numbered 一. Its words are kept, where they stand."""
    parts = split(["一、总体情况", "一、主动公开政府信息情况", "三、收到和处理"])
    assert [(p.number, p.text) for p in parts] == [(1, "一、主动公开政府信息情况"), (3, "")]


def test_lost_ordinals_keep_the_text() -> None:
    """Q-39."""
    parts = split(["、总体情况", "()政府信息主动公开情况"])
    assert [(p.number, p.text) for p in parts] == [(0, "、总体情况\n()政府信息主动公开情况")]


def test_title_lines_end_at_the_first_long_paragraph_or_heading() -> None:
    assert title_lines(REPORT) == REPORT[0] + REPORT[1]
    assert title_lines(["某区", "2021年年度报告", "字" * 61, "2019年"]) == "某区2021年年度报告"
    assert title_lines([]) == ""


@given(st.lists(st.text(st.sampled_from("一二三四五六、。总体情况 x\n"), max_size=12), max_size=12))
def test_no_text_is_lost_and_numbers_go_up(texts: list[str]) -> None:
    parts = split(texts)
    numbers = [p.number for p in parts]
    assert numbers == sorted(set(numbers))
    kept = "".join("".join(((p.heading or "") + p.text).split()) for p in parts)
    assert kept == "".join("".join(t.split()) for t in texts)
