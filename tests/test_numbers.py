from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transform.numbers import Figure, looks_like_figure, money_unit, read_figure


def count(text: str) -> Figure:
    return read_figure(text, "item", "count")


def change(text: str) -> Figure:
    return read_figure(text, "item", "change")


def money(text: str, header: str = "") -> Figure:
    return read_figure(text, "10k_cny", "money", header)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        (" 12 ", 12),
        ("1,113", 1113),
        ("1，113", 1113),
        ("1,234,567", 1234567),
        ("１２３", 123),
        ("1２3", 123),
        ("\u00a07\u3000", 7),
        ("\ufeff8\u200b", 8),
        ("5件", 5),
        ("5 件", 5),
        ("3宗", 3),
        ("2条", 2),
        ("9起", 9),
        ("12.0", 12),
    ],
)
def test_counts(text: str, value: int) -> None:
    assert count(text) == Figure(Decimal(value), "reported", "item")


@pytest.mark.parametrize("text", ["", " ", "\u00a0", "\u3000", "\n", "\u200b", "\ufeff"])
def test_nothing_printed_is_blank_and_no_zero(text: str) -> None:
    assert count(text) == Figure(None, "blank", "item")


@pytest.mark.parametrize(
    "text", ["/", "／", "\\", "-", "－", "—", "——", "— —", "–", "−", "无", "不涉及", "不适用", "…", "……", "...", "N/A", "n/a"]
)
def test_signs_for_none_are_not_applicable(text: str) -> None:
    assert count(text) == Figure(None, "not_applicable", "item")


@pytest.mark.parametrize(
    "text",
    ["1 234", "1\n2", "12 3件", "0 0 0", "1\u00a0234", "1\u3000234", "1\u200b2", "1\u00ad2"],
)
def test_white_space_between_digits_is_never_joined(text: str) -> None:
    assert count(text).status == "unreadable"
    assert change(text).status == "unreadable"
    assert money(text).status == "unreadable"


@pytest.mark.parametrize("text", ["3²", "²", "①", "3①", "½", "⑴", "3½"])
def test_a_footnote_mark_is_no_digit(text: str) -> None:
    """NFKC makes 32 of 3²."""
    assert count(text).status == "unreadable"


@pytest.mark.parametrize(
    "text",
    [
        "1,23",
        "1234,567",
        "1,2345",
        ",123",
        "1.234.567",
        "007",
        "12.5",
        "3.",
        "约12",
        "12(3)",
        "二",
        "1e5",
        "5%",
        "1/2",
        "/0",
        "O",
        "〇",
        "٣",
        *["-5", "+5", "减4", "5元", "5万元", "5万", "1.5万", "￥12", "0x1f", "12件3", "9" * 15, "9" * 5000],
    ],
)
def test_what_is_not_certainly_a_count_is_unreadable(text: str) -> None:
    assert count(text) == Figure(None, "unreadable", "item")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-5", -5),
        ("－5", -5),
        ("−5", -5),
        ("+5", 5),
        ("+0", 0),
        ("减4", -4),
        ("减少4", -4),
        ("增4", 4),
        ("增加4", 4),
        ("7", 7),
        ("减1,200", -1200),
    ],
)
def test_changes_have_signs(text: str, value: int) -> None:
    assert change(text) == Figure(Decimal(value), "reported", "item")


@pytest.mark.parametrize("text", ["--5", "-减5", "减-5", "减", "+", "5-", "5减", "减 少4", "(5)", "（5）"])
def test_half_signs_are_unreadable(text: str) -> None:
    assert change(text).status in ("unreadable", "not_applicable")
    assert change(text).value is None


@pytest.mark.parametrize(
    ("text", "header", "value", "unit"),
    [
        ("43.788万元", "", "43.788", "10k_cny"),
        ("251000元", "", "25.1", "10k_cny"),
        ("2亿元", "", "20000", "10k_cny"),
        ("4 万 元", "", "4", "10k_cny"),
        ("0.092", "本年收费金额（单位：万元）", "0.092", "10k_cny"),
        ("18.8710", "单位：万\n元", "18.871", "10k_cny"),
        ("5000", "采购总金额（元）", "0.5", "10k_cny"),
        ("5元", "采购总金额（万元）", "0.0005", "10k_cny"),
        ("5万元", "采购总金额（元）", "5", "10k_cny"),
        ("8040", "采购总金额", "8040", "unknown"),
        ("52.15", "", "52.15", "unknown"),
        ("52.15", "采购总金额（元/万元）", "52.15", "unknown"),
        ("52.15", "采购总金额（千元）", "52.15", "unknown"),
        ("52.15", "采购总金额（百万元）", "52.15", "unknown"),
        ("52.15", "采购总金额（美元）", "52.15", "unknown"),
        ("1,234.5", "万元", "1234.5", "10k_cny"),
        ("0", "", "0", "unknown"),
    ],
)
def test_money_is_converted_only_where_its_unit_is_printed(text: str, header: str, value: str, unit: str) -> None:
    assert money(text, header) == Figure(Decimal(value), "reported", unit)


@pytest.mark.parametrize("text", ["-3", "+3", "减3", "3件", "0.1元", "0.00001", "3千元", "1.2.3万元", "1e3元", "9" * 15 + "万元"])
def test_money_that_is_not_certain_is_unreadable(text: str) -> None:
    """0.1 yuan is less than the last of four decimals of 10,000 yuan: it must not become a zero."""
    assert money(text, "").value is None
    assert money(text, "").status == "unreadable"


def test_a_blank_amount_has_the_unit_of_its_header() -> None:
    assert money("", "万元") == Figure(None, "blank", "10k_cny")
    assert money("/", "") == Figure(None, "not_applicable", "unknown")


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("（单位：万元）", "万元"),
        ("元", "元"),
        ("亿 元", "亿元"),
        ("金额", None),
        ("千元", None),
        ("百万元", None),
        ("元或万元", None),
        ("单元", None),
    ],
)
def test_money_units_of_headers(header: str, unit: str | None) -> None:
    assert money_unit(header) == unit


@given(st.text(), st.sampled_from(["count", "change", "money"]), st.text(max_size=10))
def test_never_raises_and_a_value_always_has_its_status(text: str, kind, header: str) -> None:
    figure = read_figure(text, "10k_cny" if kind == "money" else "item", kind, header)
    assert (figure.value is not None) == (figure.status == "reported")
    looks_like_figure(text)


@given(st.text(alphabet="0123456789,.+-/ 件条万元亿减增无—()²①\u00a0\u3000\n", max_size=12), st.sampled_from(["count", "change", "money"]))
def test_a_value_has_just_the_digits_that_are_printed(text: str, kind) -> None:
    figure = read_figure(text, "item", kind)
    if figure.value is None or "元" in text:
        return
    digits = "".join(c for c in text if c in "0123456789")
    assert digits in (f"{abs(figure.value):.12f}".replace(".", ""), *_written(abs(figure.value)))


def _written(value: Decimal) -> list[str]:
    return [f"{value:.{n}f}".replace(".", "") for n in range(13)]


@given(st.integers(0, 10**13), st.sampled_from(["{}", "{:,}", " {} ", "{}件", "{:,} 件", "{}\n", "\u3000{}"]))
def test_whole_numbers_come_back(number: int, style: str) -> None:
    assert count(style.format(number)) == Figure(Decimal(number), "reported", "item")
    assert looks_like_figure(style.format(number))


@given(st.integers(0, 10**9))
def test_full_width_numbers_come_back(number: int) -> None:
    wide = str(number).translate({ord("0") + i: ord("０") + i for i in range(10)})
    assert count(wide).value == number


@given(st.integers(1, 10**6), st.sampled_from(["-{}", "减{}", "减少{}", "－{}", "− {}", "-{:,}"]))
def test_negative_changes_come_back_and_are_no_counts(number: int, style: str) -> None:
    assert change(style.format(number)).value == -number
    assert count(style.format(number)).status == "unreadable"


@given(st.decimals(min_value=1, max_value=10**9, places=4))
def test_amounts_come_back(amount: Decimal) -> None:
    assert money(f"{amount}", "万元").value == amount
    assert money(f"{amount:,}万元").value == amount
    assert abs(money(f"{amount}元").value - amount / 10000) <= Decimal("0.00005")


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.text(" \n\t\u00a0\u3000\u2003", min_size=1, max_size=3))
def test_two_numbers_in_one_cell_are_never_one(first: int, second: int, gap: str) -> None:
    assert count(f"{first}{gap}{second}").value is None


@pytest.mark.parametrize("text", ["", "/", "12", "1 2", "3²", "12(3)", "-8", "−8", "\ufffc", "无", "5%"])
def test_figures_are_no_labels(text: str) -> None:
    assert looks_like_figure(text)


@pytest.mark.parametrize("text", ["规章", "1.属于国家秘密", "（七）总计", "3.其他", "2021年", "（五）"])
def test_labels_are_no_figures(text: str) -> None:
    assert not looks_like_figure(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("22（其中修订16件）", 22), ("1,234（含上年结转3件）", 1234), ("5（件）", 5), ("5 (件)", 5), ("00", 0), ("3（新增）", 3)],
)
def test_a_remark_in_brackets_is_not_part_of_the_figure(text: str, value: int) -> None:
    assert read_figure(text, "item") == Figure(Decimal(value), "reported", "item")


@pytest.mark.parametrize("text", ["5（23）", "22（其中修订16件", "1 2（其中3件）", "（5）", "其中5（件", "5件)"])
def test_brackets_that_are_no_remark_are_unreadable(text: str) -> None:
    assert read_figure(text, "item").status == "unreadable"


def test_a_remark_with_digits_may_be_the_change_itself() -> None:
    assert read_figure("4（较上年减2）", "item", "change").status == "unreadable"
    assert read_figure("4（新增）", "item", "change").value == 4


def test_money_with_its_unit_in_brackets_is_converted() -> None:
    assert read_figure("251000（元）", "10k_cny", "money") == Figure(Decimal("25.1"), "reported", "10k_cny")
