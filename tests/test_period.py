from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transform.period import decide, stated_years, title_year, western


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("本报告所列数据的统计期限自2021年1月1日起至2021年12月31日止", [2021]),
        ("统计期限为2021年1月1日至12月31日", [2021]),
        ("2021年 1 月 1 日—2021 年 12 月 31 日", [2021]),
        ("２０２１年１月１日至２０２１年１２月３１日", [2021]),
        ("自2021年1月1日至同年12月31日", [2021]),
        ("二〇二一年1月1日至二〇二一年12月31日", [2021]),
        ("二○二一年1月1日至12月31日", [2021]),
        # 年 lost next to digits, and still certain
        ("自20221月1日起至202212月31日止", [2022]),
        # 年 and 月 lost; between 1 January and 31 December there is one reading. Q-49: a lone date has two: none
        ("从202111日到1231日", [2021]),
        ("从2021111日到1231日", []),
        ("20211月1日", []),
        ("2024126日", []),
        ("2020年1月1日至2021年12月31日", [2020, 2021]),
        ("2021年1月1日至2021年6月30日", []),
        ("2021年11月1日至12月31日", []),
        ("120211月1日至12月31日", []),
        ("国办公开办函〔2021〕30号", []),
        ("", []),
    ],
)
def test_stated_periods(text: str, years: list[int]) -> None:
    assert stated_years([text]) == years


def test_the_period_of_the_figures_counts_more_than_another_one() -> None:
    """Q-51: the preface names the 2020 report, the data period is 2021; an article on a plan names other years again."""
    texts = ["规划期2016年1月1日至2020年12月31日。", "本报告数据统计期限为2021年1月1日至2021年12月31日。"]
    assert stated_years(texts) == [2021]


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("鹿城区2021年政府信息公开工作年度报告", 2021),
        ("某局2021年度政府信息公开工作报告", 2021),
        ("政府信息公开工作年度报告（2021年）", 2021),
        ("某区2021年政府信息公开年报", 2021),
        ("关于2021年度政府信息公开工作情况的报告", 2021),
        ("二〇二一年政府信息公开工作年度报告", 2021),
        ("2021年1月发布2020年度报告", 2020),
        ("2021年政府信息公开工作年度报告 2022年1月发布", 2021),
        ("国办公开办函〔2021〕30号 2022年度报告", 2022),
        ("2020-2021年度报告", None),
        ("2019年、2020年年度报告", None),
        ("2020年度报告和2021年度报告", None),
        ("政府信息公开工作年度报告", None),
        ("12021年度报告", None),
        ("2022-01-20", None),
    ],
)
def test_titles(title: str, year: int | None) -> None:
    assert title_year(title) == year


@pytest.mark.parametrize(
    ("period", "titles", "declared", "year", "kind"),
    [
        ([2021], [2021], None, 2021, None),
        ([2021], [None], None, 2021, None),
        ([], [2021], None, 2021, None),
        ([], [], None, None, "year_unknown"),
        ([2021], [2020], None, None, "year_conflict"),
        ([2020, 2021], [], None, None, "year_conflict"),
        ([], [2020, 2021], None, None, "year_conflict"),
        ([], [], 2021, 2021, None),
        ([2021], [2021], 2021, 2021, None),
        ([2021], [2020], 2021, 2021, "year_conflict"),
        ([2021], [2020], 2020, 2020, "year_conflict"),
        ([2021], [2021], 2019, None, "year_conflict"),
    ],
)
def test_one_year_or_none(period, titles, declared, year, kind) -> None:
    found = decide(period, titles, declared)
    assert (found.year, found.kind) == (year, kind)
    assert all(str(y) in found.evidence for y in [*period, *(t for t in titles if t)])


@given(st.text())
def test_never_raises(text: str) -> None:
    assert all(2000 <= y <= 2099 for y in stated_years([text]))
    assert title_year(text) is None or 2000 <= title_year(text) <= 2099


@given(st.integers(2008, 2039), st.sampled_from(["", " ", "\u3000", "\n"]))
def test_every_year_comes_back(year: int, gap: str) -> None:
    text = gap.join(f"统计期限自{year}年1月1日起至{year}年12月31日止")
    assert stated_years([text]) == [year]
    chinese = "".join("〇一二三四五六七八九"[int(d)] for d in str(year))
    assert western(f"{chinese}年") == f"{year}年"


@given(st.integers(2008, 2039), st.integers(2008, 2039), st.integers(2008, 2039))
def test_two_years_are_never_silently_one(period: int, title: int, declared: int) -> None:
    found = decide([period], [title], declared)
    if len({period, title, declared}) > 1:
        assert found.kind == "year_conflict"
        assert found.year in (None, declared)
