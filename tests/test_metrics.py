"""Metrics: their values by hand, their parts, their intervals, and a reason wherever there is no value."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from comparison_world import body, publish, put, report
from warehouse_world import World

from warehouse.duck import ROOT, SEEDS
from warehouse.metrics import metrics

# 54 handled: 20 + 10 granted, 2 + 4 denied, 8 + 1 + 1 unavailable, 2 + 1 not processed, 1 + 0 + 4 other; carried out 6 of 60.
FULL = put(
    new_received=58, new_received__natural_person=40, new_received__legal_service=5, new_received__business=13,
    carried_in=2, processed_total=54, carried_out=6, granted=20, partially_granted=10, denied_state_secret=2, denied_process=4,
    unavailable_not_held=8, unavailable_needs_creation=1, unavailable_unclear=1, not_processed_petition=2, not_processed_repeat=1,
    other_no_correction=1, other_other=4,
    reconsideration_upheld=6, reconsideration_corrected=2, reconsideration_other=3, reconsideration_pending=1, reconsideration_total=12,
    litigation_direct_upheld=2, litigation_direct_corrected=1, litigation_direct_pending=1, litigation_direct_total=4,
    litigation_after_reconsideration_upheld=1, litigation_after_reconsideration_total=1,
    normative_document_issued=3, normative_document_repealed=2, normative_document_in_force=40,
)  # fmt: skip
EXPECTED = {
    "disclosure_rate_broad": (30, 54),
    "disclosure_rate_full": (20, 54),
    "disclosure_rate_effective": (30, 54 - 3 - 5),
    "denial_rate": (6, 54),
    "denial_rate_process": (4, 54),
    "denial_share_process": (4, 6),
    "unable_to_provide_rate": (10, 54),
    "not_held_rate": (8, 54),
    "not_processed_rate": (3, 54),
    "petition_rate": (2, 54),
    "clearance_rate": (54, 60),
    "backlog_ratio": (6, 60),
    "organisation_share": (18, 58),
    "legal_service_share": (5, 58),
    "reconsideration_ratio": (12, 54),
    "litigation_ratio": (5, 54),
    "correction_rate_reconsideration_loose": (2, 11),
    "correction_rate_reconsideration_strict": (2, 8),
    "correction_rate_litigation_direct_loose": (1, 3),
    "correction_rate_litigation_direct_strict": (1, 3),
    "correction_rate_litigation_after_reconsideration_loose": (0, 1),
    "correction_rate_litigation_after_reconsideration_strict": (0, 1),
    "correction_rate_pooled_loose": (3, 17 - 2),
    "correction_rate_pooled_strict": (3, 9 + 3),
    "normative_document_issue_ratio": (3, 40),
}
# Wilson score intervals at 95 % as published: Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
NEWCOMBE = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0.0, 0.1611), (1, 29): (0.0061, 0.1718)}


def metric(world: World, name: str, columns: str = "value, numerator, denominator, reason", where: str = "true") -> list[tuple[Any, ...]]:
    return world.ask(f"SELECT {columns} FROM metric WHERE metric = '{name}' AND {where} ORDER BY year, publisher_id")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> World:
    return publish(World(tmp_path_factory.mktemp("full")), [body("a")], report("a", 2021, FULL))


@pytest.mark.parametrize(("name", "parts"), EXPECTED.items())
def test_value_and_parts_by_hand(full: World, name: str, parts: tuple[int, int]) -> None:
    [(value, numerator, denominator, reason)] = metric(full, name)
    assert (numerator, denominator, reason) == (*parts, None)
    assert value == pytest.approx(parts[0] / parts[1], rel=1e-12)


def test_every_metric_has_a_value_or_a_reason_and_a_definition(full: World) -> None:
    assert full.ask("SELECT metric FROM metric WHERE (value IS NULL) <> (reason IS NOT NULL AND reason <> '')") == []
    assert full.ask("SELECT metric FROM metric EXCEPT SELECT metric FROM metric_definition") == []
    assert full.ask("SELECT metric FROM metric_definition EXCEPT SELECT metric FROM metric") == []
    joined = "metric AS m JOIN metric_definition AS d USING (metric)"
    assert full.ask(f"SELECT metric FROM {joined} WHERE m.definition <> d.definition") == []


def test_formulas_name_columns_that_exist(full: World) -> None:
    columns = {name for (name,) in full.ask("SELECT column_name FROM (DESCRIBE panel_wide)")}
    for made in metrics(ROOT / "views"):
        names = re.findall(r"[a-z]+(?:_[a-z]+)+(?![a-z_*])", made.formula)
        assert [n for n in names if n not in columns | {"legal_service", "natural_person"}] == [], made.metric


@pytest.mark.parametrize(("parts", "interval"), NEWCOMBE.items())
def test_interval_is_the_published_one(tmp_path: Path, parts: tuple[int, int], interval: tuple[float, float]) -> None:
    figures = put(granted=parts[0], processed_total=parts[1], denied_process=parts[1] - parts[0])
    world = publish(World(tmp_path), [body("a")], report("a", 2021, figures))
    [(low, high, n)] = metric(world, "disclosure_rate_full", "low, high, n")
    assert (round(low, 4), round(high, 4), n) == (*interval, parts[1])


def test_ratio_of_two_things_has_no_interval_and_may_exceed_one(tmp_path: Path) -> None:
    world = publish(World(tmp_path), [body("a")], report("a", 2021, put(processed_total=2, granted=2, reconsideration_total=5)))
    assert metric(world, "reconsideration_ratio", "value, low, high, reason") == [(2.5, None, None, None)]


@pytest.mark.parametrize(
    ("cell", "text", "status"),
    [("granted", "", "blank"), ("processed_total", "/", "not_applicable"), ("partially_granted", "l2", "unreadable")],
)
def test_part_without_a_number_is_no_zero(tmp_path: Path, cell: str, text: str, status: str) -> None:
    world = publish(World(tmp_path), [body("a")], report("a", 2021, FULL | {(cell, "total"): text}))
    [(value, _, _, reason)] = metric(world, "disclosure_rate_broad")
    assert (value, reason) == (None, f"{cell}: {status}")


def test_blank_total_is_not_made_up_from_its_parts(tmp_path: Path) -> None:
    figures = put(processed_total__natural_person=7, processed_total="", granted__natural_person=7, granted=7)
    world = publish(World(tmp_path), [body("a")], report("a", 2021, figures))
    assert metric(world, "disclosure_rate_full") == [(None, 7, None, "processed_total: blank")]


def test_missing_row_and_missing_table_are_told_apart(tmp_path: Path) -> None:
    reports = report("a", 2021, FULL, without=["granted"], sections=["requests"])
    world = publish(World(tmp_path), [body("a")], reports)
    assert metric(world, "disclosure_rate_full") == [(None, None, 54, "granted: absent")]
    reason = "reconsideration_corrected: no_table; reconsideration_upheld: no_table"
    assert metric(world, "correction_rate_reconsideration_strict", "value, reason") == [(None, reason)]


def test_denominator_of_zero(tmp_path: Path) -> None:
    world = publish(World(tmp_path), [body("a")], report("a", 2021, {}))
    assert metric(world, "disclosure_rate_full") == [(None, 0, 0, "denominator is 0")]
    assert metric(world, "correction_rate_pooled_loose", "value, n, reason") == [(None, None, "denominator is 0")]


def test_figures_that_contradict_each_other_give_no_rate(tmp_path: Path) -> None:
    figures = put(granted=9, processed_total=4, new_received=3, new_received__natural_person=5)
    world = publish(World(tmp_path), [body("a")], report("a", 2021, figures))
    assert metric(world, "disclosure_rate_full", "value, low, reason") == [(None, None, "numerator exceeds denominator")]
    assert metric(world, "organisation_share", "value, reason") == [(None, "numerator is negative")]
    figures = put(granted=1, processed_total=2, not_processed_repeat=5)
    world.run("r2")
    world.publish(world.part("p2", report("a", 2022, figures)), run_id="r2")
    assert metric(world, "disclosure_rate_effective", "value, reason", "year = 2022") == [(None, "denominator is negative")]


def test_metric_of_a_figure_that_fails_an_identity_says_so(tmp_path: Path) -> None:
    world = publish(World(tmp_path), [body("a")], report("a", 2021, put(granted=9, processed_total=10, new_received=10)))
    [(value, caution)] = metric(world, "disclosure_rate_full", "value, caution")
    assert value == 0.9
    assert caution == "granted fails R2.granted, R3; processed_total fails R2.processed_total, R3"


def test_form_of_2019_has_one_row_of_other_results(tmp_path: Path) -> None:
    figures = put(processed_total=10, granted=6, other_total=2, not_processed_repeat=1)
    world = publish(World(tmp_path), [body("a")], report("a", 2020, figures, form=2019))
    assert metric(world, "disclosure_rate_effective") == [(pytest.approx(6 / 7), 6, 7, None)]
    assert metric(world, "normative_document_issue_ratio", "reason") == [
        ("normative_document_issued: not_in_form; normative_document_in_force: not_in_form",)
    ]


def test_repeal_ratio_needs_the_year_before(tmp_path: Path) -> None:
    stock = put(normative_document_in_force=50)
    later = put(normative_document_repealed=5, normative_document_in_force=45)
    world = publish(World(tmp_path), [body("a")], report("a", 2021, stock), report("a", 2022, later), report("a", 2024, later))
    assert metric(world, "normative_document_repeal_ratio") == [
        (None, 0, None, "no report on 2020"),
        (0.1, 5, 50, None),
        (None, 5, None, "no report on 2023"),
    ]


def test_older_version_has_no_metric(tmp_path: Path) -> None:
    old = report("a", 2021, put(granted=1, processed_total=4), name="old", fetched_at="2022-02-01T00:00:00Z")
    new = report("a", 2021, put(granted=2, processed_total=4), name="new", fetched_at="2022-03-01T00:00:00Z")
    world = publish(World(tmp_path), [body("a")], old, new)
    assert metric(world, "disclosure_rate_full", "value") == [(0.5,)]
    assert world.ask("SELECT granted, is_current FROM report_figures ORDER BY granted") == [(1, False), (2, True)]


def test_ranks_are_within_one_scope_and_for_twenty_cases_or_more(tmp_path: Path) -> None:
    def of(name: str, granted: object, handled: int, scope: str = "own") -> Any:
        return report(name, 2021, put(granted=granted, processed_total=handled), scope=scope)

    reports = [of("a", 10, 20), of("b", 15, 20), of("c", 19, 19), of("d", 10, 20), of("e", "", 50), of("f", 50, 50, "level")]
    reports.append(of("g", 30, 40))
    world = publish(World(tmp_path), [body(name, scope=None) for name in "abcdefg"], *reports)
    ranks = world.ask("SELECT publisher_id, rank, ranked, reason FROM rank_districts('disclosure_rate_full', 2021, 'own')")
    assert ranks == [
        ("b", 1, 4, None),
        ("g", 1, 4, None),
        ("a", 3, 4, None),
        ("d", 3, 4, None),
        ("c", None, 4, "denominator below 20"),
        ("e", None, 4, "granted: blank"),
    ]
    assert world.ask("SELECT publisher_id FROM rank_districts('disclosure_rate_full', 2021, 'own', min_n := 10) WHERE rank = 1") == [("c",)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("('disclosure', 2021, 'own')", "no metric disclosure"),
        ("('disclosure_rate_full', 2021, 'unknown')", "scope is unknown are not ranked"),
    ],
)
def test_rank_that_makes_no_sense_is_an_error(full: World, call: str, message: str) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=message):
        full.ask(f"FROM rank_districts{call}")


def test_scope_that_nobody_stated_is_not_ranked(tmp_path: Path) -> None:
    world = publish(World(tmp_path), [body("a", scope=None)], report("a", 2021, FULL, scope="unknown"))
    assert metric(world, "disclosure_rate_full", "scope, value") == [("unknown", pytest.approx(20 / 54))]
    for scope in ("own", "level", "consolidated"):
        assert world.ask(f"FROM rank_districts('disclosure_rate_full', 2021, '{scope}')") == []


def test_days_after_the_deadline_go_by_kind_scope_and_year(tmp_path: Path) -> None:
    bodies = [body("dep", kind="department"), body("gov", kind="government", scope="level"), body("off"), body("lev", scope="level")]
    bodies += [body("town", kind="township"), body("old", kind="department"), body("vague", scope=None), body("late", kind="department")]
    reports = [
        report("dep", 2021, {}, published_on="2022-01-31"),
        report("gov", 2021, {}, scope="level", published_on="2022-04-02"),
        report("off", 2021, {}, published_on="2022-02-02"),
        report("lev", 2021, {}, scope="level", published_on="2022-03-30"),
        report("town", 2021, {}, published_on="2022-02-02"),
        report("old", 2018, {}, published_on="2019-03-31"),
        report("vague", 2021, {}, scope="unknown", published_on="2022-02-02"),
        report("late", 2021, {}, published_on=None),
    ]
    world = publish(World(tmp_path), bodies, *reports)
    found = {row[0]: row[1:] for row in metric(world, "days_after_deadline", "publisher_id, value, reason")}
    assert {name: value for name, (value, _) in found.items() if value is not None} == {"dep": 0, "gov": 2, "off": 2, "lev": -1, "old": 0}
    assert found["town"] == (None, "Art. 49 names no date for a body of kind township")
    assert found["late"] == (None, "the page states no date")
    assert found["vague"][1].startswith("scope is unknown")


def test_share_of_reports_whose_identities_hold(tmp_path: Path) -> None:
    good = put(new_received=1, new_received__business=1, carried_out=1, carried_out__business=1)
    reports = [report("a", 2021, good), report("b", 2021, put(granted=3)), report("c", 2021, {}, sections=["proactive"])]
    world = publish(World(tmp_path), [body(name) for name in "abc"], *reports)
    sql = "SELECT format, reports, assessed, passing, passing_rate FROM data_quality ORDER BY format NULLS LAST"
    assert world.ask(sql) == [(2021, 2, 2, 1, 0.5), (None, 1, 0, 0, None)]
    # R1 and R3 seven times each, R2 for 25 rows, R4 three times; 3 granted that nobody asked for break R2.granted and R3 of the total.
    assert metric(world, "checks_passed_rate", "publisher_id, numerator, denominator, reason") == [
        ("a", 42, 42, None),
        ("b", 40, 42, None),
        ("c", 0, 0, "no identity could be assessed"),
    ]


def test_wide_table_has_a_column_for_every_cell_of_the_forms(full: World) -> None:
    with (SEEDS / "indicators.csv").open(encoding="utf-8") as file:
        codes = {row["indicator"] for row in csv.DictReader(file) if row["section"] != "legacy"}
    columns = {name for (name,) in full.ask("SELECT column_name FROM (DESCRIBE report_figures)")}
    assert codes - columns == set()
    assert full.ask("SELECT count(*) FROM report_figures WHERE missing['granted'] IS NOT NULL OR new_received_business <> 13") == [(0,)]


def test_new_metric_is_one_new_file(tmp_path: Path) -> None:
    header = "-- metric mine/2 | rate | granted / new_received | Mine | 我的\n"
    (tmp_path / "50_metric_mine.sql").write_text(header + "CREATE OR REPLACE VIEW metrics.mine AS\n", "utf-8")
    [made] = metrics(tmp_path)
    assert (made.metric, made.version, made.view) == ("mine", 2, "mine")
    (tmp_path / "50_metric_bare.sql").write_text("CREATE OR REPLACE VIEW metrics.bare AS\n")
    with pytest.raises(ValueError, match=r"50_metric_bare\.sql: a metric needs a header line"):
        metrics(tmp_path)
