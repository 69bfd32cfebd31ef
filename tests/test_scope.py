"""The phrases of domain.md §5.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transform.scope import read_scope


@pytest.mark.parametrize(
    ("preface", "scope"),
    [
        ("本报告由本办编制。", "own"),
        ("本机关2021年度报告如下。", "own"),
        ("我办认真贯彻条例。", "own"),
        ("我局认真贯彻条例。", "own"),
        ("以区政府办公室名义受理的申请。", "level"),
        ("区本级政府及政府办2025年数据。", "level"),
        ("市政府本级、政府办数据。", "level"),
        ("鹿城区人民政府及办公室。", "level"),
        ("本级政府（机关）数据。", "level"),
        ("综合各街道（乡镇）和区各有关部门政府信息公开工作年度报告编制。", "consolidated"),
        ("本报告汇总全市数据。", "consolidated"),
        ("全区各行政机关认真贯彻。", "consolidated"),
        ("综合各县（市、区）政府和市级各部门年报编制。", "consolidated"),
        ("根据《办法》，本办法自公布之日起施行。", "unknown"),
        ("", "unknown"),
    ],
)
def test_phrases(preface: str, scope: str) -> None:
    found, evidence = read_scope(preface, "")
    assert found == scope
    assert (evidence is None) == (scope == "unknown")


def test_white_space_and_line_breaks_change_nothing() -> None:
    assert read_scope("本报告 汇 总\n全市数据", "")[0] == "consolidated"


def test_a_whole_area_number_in_part_one_does_not_make_a_consolidated_report() -> None:
    """Trap (i): an office report may print whole-area numbers in its text."""
    assert read_scope("本机关2024年度报告。", "全区各行政机关共收到40件。")[0] == "own"
    assert read_scope("", "汇总全市数据，共收到40件。")[0] == "unknown"


def test_the_widest_scope_wins_within_the_preface() -> None:
    assert read_scope("由本办综合全区各行政机关年报编制。", "")[0] == "consolidated"


def test_evidence_is_the_clause_that_says_so() -> None:
    _, evidence = read_scope("根据条例规定。本报告汇总全市数据，由办公室编制。欢迎查阅。", "")
    assert evidence == "本报告汇总全市数据,由办公室编制"


@given(st.text(), st.text())
def test_never_raises(preface: str, part_one: str) -> None:
    scope, evidence = read_scope(preface, part_one)
    assert (scope == "unknown") == (evidence is None)


def test_what_is_not_included_is_not_the_scope() -> None:
    assert read_scope("本报告为本机关数据，不含全区各行政机关。", "")[0] == "own"
    assert read_scope("本报告不包括全市各行政机关的数据。", "") == ("unknown", None)
    assert read_scope("本报告包括全市各行政机关的数据。", "")[0] == "consolidated"
