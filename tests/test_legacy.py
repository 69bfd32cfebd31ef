"""The statistical annex of 2014 to 2018: one list, told by its paths."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest
from forms import C, Rows, lay_out, table, to_html
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_never_silently_wrong import MUTATIONS, wrong
from warehouse_world import World, sha

from extract.grid import Document, Text
from extract.html import read_html
from transform.figures import codebook
from transform.frames import frames
from transform.tidy import Context, tidy
from warehouse.gate import GateError

LIST = table(2014, "legacy")
INDICATORS = list(LIST.indicators())
UNITS = {"10k_cny": "万元", "request": "件", "case": "件", "time": "次", "article": "篇", "person": "人", "person_time": "人次"}
URL = "http://127.0.0.1/2016.html"
CONTEXT = Context("lucheng", "330302", URL, sha("a"), "2026-01-01T00:00:00Z", "r1", scope="own")


def figures(seed: int = 1) -> dict[str, int]:
    """Figures that keep R8."""
    rng = random.Random(seed)
    out = {i: rng.randint(1, 900) for i in INDICATORS}
    for total, parts in {
        "legacy_requests_received": INDICATORS[17:21],
        "legacy_requests_concluded": INDICATORS[22:24],
        "legacy_reply_denied": [i for i in INDICATORS if i.startswith("legacy_denied")],
        "legacy_replies": [i for i in INDICATORS if i.startswith("legacy_reply_")],
        "legacy_reconsideration_total": [f"legacy_reconsideration_{k}" for k in ("upheld", "corrected", "other")],
        "legacy_litigation_total": [f"legacy_litigation_{k}" for k in ("upheld", "corrected", "other")],
        "legacy_staff": ["legacy_staff_full_time", "legacy_staff_part_time"],
    }.items():
        out[total] = sum(out[p] for p in parts)
    return out


def annex(values: dict[str, int], heads: tuple[str, ...] = ("统计数",)) -> Rows:
    """As Word prints it: indentation by spaces, —— beside headings, values padded. Further columns count on."""
    rows: Rows = [[C("统计指标"), C("单位"), *map(C, heads)]]
    for path, item in LIST.flat:
        unit = UNITS.get(codebook()[item.indicator], "条") if item.indicator else "——"
        cells = [f"   {values[item.indicator] + i}  " if item.indicator else "" for i in range(len(heads))]
        rows.append([C("　" * len(path) + item.label[0]), C(unit), *map(C, cells)])
    return rows


def report(rows: Rows) -> Document:
    texts = ["某区住房和城乡建设局2016年政府信息公开工作年度报告", "本报告中所列数据的统计期限自2016年1月1日至2016年12月31日止。", "附表"]
    return Document("html", [*map(Text, texts), lay_out(rows)])


def read(rows: Rows):
    out = tidy(report(rows), CONTEXT)
    frames([out])
    return out


def values_of(out) -> dict[str, Decimal | None]:
    return {o["indicator"]: o["value"] for o in out["observation"]}


def row_of(indicator: str) -> int:
    return 1 + next(n for n, (_, item) in enumerate(LIST.flat) if item.indicator == indicator)


def heading(label: str) -> int:
    return 1 + next(n for n, (_, item) in enumerate(LIST.flat) if label in item.label[0])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_annex_is_read_whole(seed: int) -> None:
    truth = figures(seed)
    out = read(annex(truth))
    assert values_of(out) == truth
    assert len(truth) == 58
    assert out["problem"] == []
    assert {(o["section"], o["format"], o["applicant"]) for o in out["observation"]} == {("legacy", 2014, None)}
    assert [r["format"] for r in out["report"]] == [2014]
    assert [(c["check_id"], c["passed"]) for c in out["check_result"]] == [
        (f"R8.{name}", True)
        for name in ("requests_received", "requests_concluded", "replies", "denied", "reconsideration", "litigation", "staff")
    ]


def test_through_html_and_into_the_warehouse(tmp_path: Path) -> None:
    """Gates included: codebook, identities evaluated."""
    truth = figures(4)
    texts = "".join(f"<p>{b.text}</p>" for b in report([]).blocks if isinstance(b, Text))
    page = f"<html><body>{texts}{to_html(annex(truth))}</body></html>"
    out = tidy(read_html(page.encode()), CONTEXT)
    world = World(tmp_path)
    world.seen(URL, "a", year=2016)
    world.crawled()
    world.publish(world.part("p1", out))
    assert dict(world.ask("SELECT indicator, value FROM panel WHERE format = 2014 AND section = 'legacy'")) == truth
    assert world.ask("SELECT state FROM coverage WHERE year = 2016") == [("loaded",)]
    assert world.ask("SELECT count(*), count(*) FILTER (WHERE format_2014) FROM indicator WHERE section = 'legacy'") == [(58, 58)]


def test_a_gate_wants_the_identities_of_the_annex(tmp_path: Path) -> None:
    out = read(annex(figures()))
    out["check_result"] = []
    world = World(tmp_path)
    world.seen(URL, "a", year=2016)
    with pytest.raises(GateError, match=r"identities_evaluated.*R8"):
        world.publish(world.part("p1", out))


def test_sums_that_do_not_add_up_are_told() -> None:
    truth = figures()
    truth["legacy_litigation_total"] += 1
    failed = [c for c in read(annex(truth))["check_result"] if c["passed"] is False]
    assert [(c["check_id"], c["difference"]) for c in failed] == [("R8.litigation", -1)]


def test_a_label_under_several_parents_needs_its_parent() -> None:
    """（二）被依法纠错数 and （三）其他情形数 stand under 行政复议 and 行政诉讼: without its heading a row is nobody's."""
    truth = figures()
    rows = annex(truth)
    del rows[row_of("legacy_litigation_total")]
    out = read(rows)
    got = values_of(out)
    assert got["legacy_reconsideration_corrected"] == truth["legacy_reconsideration_corrected"]
    assert not wrong({(i, None): ("reported", v) for i, v in got.items()}, {(i, None): v for i, v in truth.items()})
    assert any(p["severity"] == "failure" for p in out["problem"])


def test_an_unknown_section_closes_the_one_before() -> None:
    truth = figures()
    rows = annex(truth)
    first = row_of("legacy_reconsideration_upheld")
    del rows[first : first + 4]
    rows[first:first] = [[C("五、国家赔偿数量"), C("件"), C("7")], [C("（二）被依法纠错数"), C("件"), C("5")]]
    got = values_of(read(rows))
    assert got.get("legacy_reconsideration_corrected") is None


def test_rows_are_not_known_by_their_number() -> None:
    truth = figures()
    rows = annex(truth)
    extra = [[C("主动公开机构领导、机构设置及人事信息"), C("条"), C("11")], [C("主动公开行政执法信息"), C("条"), C("12")]]
    rows[3:3] = extra
    rows.append([C("单位负责人：张三　填报人：李四　联系电话："), C(""), C("88123456")])
    out = read(rows)
    assert values_of(out) == truth
    assert [(p["kind"], p["severity"]) for p in out["problem"]] == [("unmapped_cell", "warning")]
    assert [(u["row_label"], u["text"]) for u in out["unmapped_cell"]][:4] == [
        ("主动公开机构领导、机构设置及人事信息", "条"),
        ("主动公开机构领导、机构设置及人事信息", "11"),
        ("主动公开行政执法信息", "条"),
        ("主动公开行政执法信息", "12"),
    ]


# --- the Anhui variant: three columns of figures


SPLIT = ("区政府统计数", "区直单位统计数", "乡镇街道统计数")


def test_divided_columns_without_a_total_are_no_figures_but_kept() -> None:
    out = read(annex(figures(), SPLIT))
    assert out["observation"] == []
    assert [r["format"] for r in out["report"]] == [2014]
    assert {u["column_label"] for u in out["unmapped_cell"] if u["text"].isdigit()} == set(SPLIT)
    assert len([u for u in out["unmapped_cell"] if u["text"].isdigit()]) == 3 * 58
    assert ("unmapped_cell", "failure") in {(p["kind"], p["severity"]) for p in out["problem"]}


@pytest.mark.parametrize("total", ["合计", "统计数"])
def test_of_divided_columns_the_total_is_read(total: str) -> None:
    truth = figures()
    out = read(annex(truth, (total, *SPLIT)))
    assert values_of(out) == truth
    assert len([u for u in out["unmapped_cell"] if u["text"].isdigit()]) == 3 * 58
    assert [(p["kind"], p["severity"]) for p in out["problem"]] == [("unmapped_cell", "warning")]


def test_a_head_over_divided_columns_is_no_column_of_its_own() -> None:
    rows = annex(figures(), SPLIT)
    rows[:1] = [[C("统计指标", 2), C("单位", 2), C("统计数", 1, 3)], [C(h) for h in SPLIT]]
    out = read(rows)
    assert out["observation"] == []
    assert len([u for u in out["unmapped_cell"] if u["text"].isdigit()]) == 3 * 58


def test_one_column_of_figures_is_the_forms_whatever_its_head() -> None:
    truth = figures()
    assert values_of(read(annex(truth, ("区政府统计数",)))) == truth


# --- units and values


@pytest.mark.parametrize(
    ("unit", "text", "value", "stated"),
    [("万元", "1.5", Decimal("1.5"), "10k_cny"), ("元", "15000", Decimal("1.5"), "10k_cny"), ("", "1.5", Decimal("1.5"), "unknown")],
)
def test_money_is_converted_where_its_unit_is_printed(unit: str, text: str, value: Decimal, stated: str) -> None:
    rows = annex(figures())
    rows[row_of("legacy_budget")][1:] = [C(unit), C(text)]
    [found] = [o for o in read(rows)["observation"] if o["indicator"] == "legacy_budget"]
    assert (found["value"], found["unit"]) == (value, stated)


def test_a_count_in_another_scale_is_not_taken() -> None:
    rows = annex(figures())
    rows[1 + 1][1:] = [C("万条"), C("12")]
    out = read(rows)
    assert [o["value_status"] for o in out["observation"] if o["indicator"] == "legacy_disclosed"] == ["unreadable"]
    assert [p["kind"] for p in out["problem"]] == ["unreadable_cell"]


@pytest.mark.parametrize(("text", "status"), [("", "blank"), ("——", "not_applicable"), ("无", "not_applicable"), ("０", "reported")])
def test_a_blank_is_no_zero(text: str, status: str) -> None:
    rows = annex(figures())
    rows[row_of("legacy_complaints")][2] = C(text)
    out = read(rows)
    assert [o["value_status"] for o in out["observation"] if o["indicator"] == "legacy_complaints"] == [status]
    assert out["problem"] == []


def test_a_subtotal_beside_a_heading_is_kept_apart() -> None:
    truth = figures()
    rows = annex(truth)
    rows[heading("八、机构建设")][2] = C("99")
    out = read(rows)
    assert values_of(out) == truth
    assert [(u["row_label"].strip(), u["text"]) for u in out["unmapped_cell"]] == [("八、机构建设和保障经费情况", "99")]


def test_a_part_on_a_further_page_has_no_head() -> None:
    truth = figures()
    rows = annex(truth)
    cut = heading("三、依申请公开情况")
    document = report(rows[:cut])
    document.blocks += [Text("- 2 -"), lay_out(rows[cut:])]
    assert values_of(tidy(document, CONTEXT)) == truth


def test_a_misprinted_label_is_read_and_told() -> None:
    truth = figures()
    rows = annex(truth)
    rows[row_of("legacy_interpretations")][0] = C("3.政策解读稿伴发布数")
    out = read(rows)
    assert values_of(out) == truth
    assert [p["kind"] for p in out["problem"]] == ["label_variant"]


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), mutations=st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=2))
def test_a_broken_annex_is_never_read_silently_wrong(seed, mutations) -> None:
    truth = figures(seed)
    rows, rng = annex(truth), random.Random(seed)
    for mutation in mutations:
        mutation(rng, rows)
    out = read(rows)
    bad = wrong(
        {(o["indicator"], None): (o["value_status"], o["value"]) for o in out["observation"]}, {(i, None): v for i, v in truth.items()}
    )
    told = [p for p in out["problem"] if p["severity"] == "failure"] or [c for c in out["check_result"] if c["passed"] is False]
    assert not bad or told, (mutations, bad)
