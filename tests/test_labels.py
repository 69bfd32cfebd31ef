from __future__ import annotations

import pytest
from forms import form
from hypothesis import given
from hypothesis import strategies as st

from transform.labels import Vocabulary, compact, normalise, ordinal, without_remarks
from transform.layout import layouts
from transform.numbers import looks_like_figure
from transform.view import may_be_wording


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("（三） 不予 公开", "不予公开"),
        ("(三)不予公开", "不予公开"),
        ("3.危及“三安全一稳定”", "危及三安全一稳定"),
        ('3、危及"三安全一稳定"', "危及三安全一稳定"),
        ("3 危及三安全一稳定", "危及三安全一稳定"),
        ("商业\n企业", "商业企业"),
        ("自 然 人", "自然人"),
        ("一、本年新收政府信息公开申请数量", "本年新收政府信息公开申请数量"),
        ("第二十条  第(一)项", "第二十条第一项"),
        ("属于\u200b国家\ufeff秘密", "属于国家秘密"),
        ("", ""),
    ],
)
def test_what_does_not_count_in_a_label(text: str, plain: str) -> None:
    assert normalise(text) == plain


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("（三）不予公开", "3"),
        ("3.其他", "3"),
        ("3、其他", "3"),
        ("三、本年度", "3"),
        ("其他", None),
        ("2021年", None),
        ("三安全", None),
        ("10.其他", "10"),
    ],
)
def test_ordinals(text: str, number: str | None) -> None:
    assert ordinal(text) == number


def test_remarks_are_left_out_only_as_a_second_try() -> None:
    words = Vocabulary({"short": ["部分公开"], "long": ["部分公开（区分处理）"]})
    assert words.find("（二）部分公开（区分处理）") == "long"
    assert words.find("部分公开（只计一次）") == "short"
    assert without_remarks("（二）部分公开（x）") == "部分公开"


def test_every_wording_of_every_form_is_found_and_stands_for_one_key() -> None:
    for number in (2019, 2021):
        for table in form(number).tables:
            for words, keyed in (
                (table.column_words, table.columns),
                (table.row_words, {r.indicator: r.label for r in table.rows}),
                (table.group_words, {g.label[0]: g.label for g in table.groups}),
            ):
                for key, texts in keyed.items():
                    for text in texts:
                        assert words.find(text) == key
                        assert words.find(" ".join(text)) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("6.属于四类过程性性信息", "denied_process"),
        ("6.属于四类过程信息", "denied_process"),
        ("1.信访举报投拆类申请", "not_processed_petition"),
        ("3.要求提供公开出版物品", "not_processed_publication"),
    ],
)
def test_misprints_are_taken_by_similarity(text: str, key: str) -> None:
    words = form(2021).tables[1].row_words
    assert words.find(text) is None
    hit = words.similar(text)
    assert hit is not None
    assert hit.key == key
    assert not hit.exact


def test_a_similar_label_with_another_ordinal_is_not_taken() -> None:
    words = form(2021).tables[1].row_words
    assert words.similar("属于四类过程性性信息") is not None
    assert words.similar("5.属于四类过程性性信息") is None


def test_too_close_to_call_is_not_taken() -> None:
    words = Vocabulary({"a": ["本年处理甲类决定数量"], "b": ["本年处理乙类决定数量"]})
    assert words.similar("本年处理丙类决定数量") is None


def test_a_key_that_is_taken_is_not_taken_twice() -> None:
    words = form(2021).tables[1].row_words
    assert words.similar("6.属于四类过程性性信息", frozenset({"denied_process"})) is None


@pytest.mark.parametrize("text", ["其它", "总 记", "", "合汁"])
def test_short_labels_are_never_taken_by_similarity(text: str) -> None:
    assert form(2021).tables[1].row_words.similar(text) is None


@given(st.text())
def test_never_raises(text: str) -> None:
    assert not any(c.isspace() for c in compact(text))
    for number in (2019, 2021):
        for table in form(number).tables:
            table.row_words.find(text)
            table.row_words.similar(text)


@given(st.sampled_from([r.label[0] for r in form(2021).tables[1].rows]), st.text(" \u3000\u00a0\n\t", max_size=3), st.integers(0, 40))
def test_white_space_anywhere_changes_nothing(label: str, gap: str, at: int) -> None:
    words = form(2021).tables[1].row_words
    assert words.find(label[:at] + gap + label[at:]) == words.find(label)


@given(st.from_regex(r"[0-9]*", fullmatch=True))
def test_digits_alone_are_a_figure_and_never_a_wording(digits: str) -> None:
    assert not may_be_wording(digits) and looks_like_figure(digits)
    for table in (table for layout in layouts() for table in layout.tables):
        words = (table.row_words, table.column_words, table.group_words, table.furniture_words)
        assert not any(w.find(digits) or w.similar(digits) for w in words)
        assert not table.list_words.find(digits)


@given(st.text())
def test_what_may_be_no_wording_is_none(text: str) -> None:
    known = any(t.row_words.find(text) or t.column_words.find(text) for layout in layouts() for t in layout.tables)
    assert may_be_wording(text) or not known


def test_forms_with_the_same_words_share_them() -> None:
    assert form(2019).tables[1].column_words is form(2021).tables[1].column_words
    assert form(2019).tables[2].content == form(2021).tables[2].content
    assert form(2019).tables[1].content != form(2021).tables[1].content
