"""Comparisons over years: consecutive years only, one scope only, breaks named, series joined as the crosswalk says."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import pytest
from comparison_world import body, cells, publish, put, report
from warehouse_world import World

from warehouse.build import build
from warehouse.duck import SEEDS


def year_on_year(world: World, indicator: str, columns: str = "year, value, previous, difference, pct, reason") -> list[tuple[Any, ...]]:
    where = f"indicator = '{indicator}' AND coalesce(applicant::VARCHAR, 'total') = 'total'"
    return world.ask(f"SELECT {columns} FROM year_on_year WHERE {where} ORDER BY publisher_id, scope, year")


def cross(world: World, check_id: str, columns: str, applicant: str | None = None) -> list[tuple[Any, ...]]:
    who = f"applicant = '{applicant}'" if applicant else "true"
    where = f"check_id = '{check_id}' AND {who}"
    return world.ask(f"SELECT {columns} FROM cross_year_check WHERE {where} ORDER BY publisher_id, year_to, applicant")


def test_change_on_the_year_before(tmp_path: Path) -> None:
    reports = [report("a", year, put(granted=value)) for year, value in ((2021, 8), (2022, 6), (2023, 0), (2024, 3))]
    world = publish(World(tmp_path), [body("a")], *reports)
    assert year_on_year(world, "granted") == [
        (2021, 8, None, None, None, "no report on 2020 with this scope"),
        (2022, 6, 8, -2, -25.0, None),
        (2023, 0, 6, -6, -100.0, None),
        (2024, 3, 0, 3, None, "no percentage: 0 the year before"),
    ]


def test_missing_year_is_not_jumped_over(tmp_path: Path) -> None:
    world = publish(World(tmp_path), [body("a")], report("a", 2021, put(granted=8)), report("a", 2023, put(granted=9)))
    assert year_on_year(world, "granted")[1] == (2023, 9, None, None, None, "no report on 2022 with this scope")


def test_other_scope_is_not_the_year_before(tmp_path: Path) -> None:
    reports = [report("a", 2021, put(granted=8)), report("a", 2022, put(granted=90), scope="consolidated")]
    world = publish(World(tmp_path), [body("a", scope=None)], *reports)
    assert [row[-1] for row in year_on_year(world, "granted")] == [f"no report on {year} with this scope" for year in (2020, 2021)]


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ("", "4", "2021: blank"),
        ("4", "/", "2022: not_applicable"),
        ("l2", "", "2022: blank; 2021: unreadable"),
    ],
)
def test_blank_is_no_change_from_zero(tmp_path: Path, before: str, now: str, reason: str) -> None:
    world = publish(World(tmp_path), [body("a")], report("a", 2021, put(granted=before)), report("a", 2022, put(granted=now)))
    [(difference, pct, why)] = year_on_year(world, "granted", "difference, pct, reason")[1:]
    assert (difference, pct, why) == (None, None, reason)


def test_other_unit_gives_no_difference(tmp_path: Path) -> None:
    fee = put(administrative_fee_amount=5)
    reports = [report("a", 2021, fee, sections=["proactive"]), report("a", 2022, fee, sections=["requests"])]
    reports.append(report("a", 2023, fee, sections=["proactive"], unit="unknown"))
    for row in reports[0]["observation"]:
        row["unit"] = "10k_cny" if row["indicator"] == "administrative_fee_amount" else row["unit"]
    reports[2]["report"][0]["year"] = 2022
    reports[2]["parse"][0]["year"] = 2022
    world = publish(World(tmp_path), [body("a")], reports[0], reports[2])
    found = year_on_year(world, "administrative_fee_amount", "difference, reason")
    assert found[1] == (None, "unit unknown, the year before 10k_cny")


def test_every_applicant_of_every_row_is_compared_once(tmp_path: Path) -> None:
    world = publish(World(tmp_path), [body("a")], report("a", 2021, {}), report("a", 2022, {}))
    [(rows, distinct, compared)] = world.ask(
        "SELECT count(*), count(DISTINCT (year, indicator, applicant)), count(difference) FROM year_on_year"
    )
    assert (rows, distinct, compared) == (2 * len(cells(2021)), 2 * len(cells(2021)), len(cells(2021)))


def test_breaks_are_flagged_where_form_or_law_changed(tmp_path: Path) -> None:
    forms = {2020: 2019, 2021: 2021, 2023: 2021, 2024: 2021}
    world = publish(World(tmp_path), [body("a")], *(report("a", year, {}, form) for year, form in forms.items()))

    def flagged(indicator: str) -> list[int]:
        return [year for year, flag in year_on_year(world, indicator, "year, break_flag") if flag]

    assert flagged("administrative_license_decisions") == [2021]
    assert flagged("reconsideration_total") == [2024]
    assert flagged("granted") == []
    [(reason,)] = world.ask("SELECT DISTINCT break_reason FROM year_on_year WHERE year = 2021 AND break_flag")
    assert reason.startswith("form-2021-proactive: ")


def test_form_break_goes_by_the_printed_form_not_by_the_year(tmp_path: Path) -> None:
    """The report on 2021 still has the form of 2019."""
    forms = {2020: 2019, 2021: 2019, 2022: 2021}
    world = publish(World(tmp_path), [body("a")], *(report("a", year, {}, form) for year, form in forms.items()))
    found = year_on_year(world, "administrative_penalty_decisions", "year, break_flag")
    assert found == [(2020, False), (2021, False), (2022, True)]


# --- series


def test_crosswalk_names_indicators_and_forms_that_exist(tmp_path: Path) -> None:
    world = publish(World(tmp_path), [body("a")])
    wrong = """SELECT c.series, c.indicator FROM crosswalk AS c LEFT JOIN indicator AS i USING (indicator)
        WHERE NOT coalesce(CASE c.format WHEN 2014 THEN i.format_2014 WHEN 2019 THEN i.format_2019 ELSE i.format_2021 END, false)"""
    assert world.ask(wrong) == []
    assert world.ask("SELECT series, format, indicator FROM crosswalk GROUP BY ALL HAVING count(*) > 1") == []
    assert world.ask("SELECT series, format FROM crosswalk WHERE class <> 'broken' GROUP BY ALL HAVING count(DISTINCT class) > 1") == []
    assert world.ask("SELECT indicator FROM indicator EXCEPT SELECT indicator FROM crosswalk") == []


def test_crosswalk_agrees_with_the_codebook_of_indicators() -> None:
    with (SEEDS / "crosswalk.csv").open(encoding="utf-8") as file:
        joined = {(row["series"], row["indicator"]): row["class"] for row in csv.DictReader(file) if row["class"] != "broken"}
    with (SEEDS / "indicators.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["series"]]
    assert [row["indicator"] for row in rows if (row["series"], row["indicator"]) not in joined] == []
    exact = [row for row in rows if row["comparability"] == "exact"]
    assert [row["indicator"] for row in exact if joined[row["series"], row["indicator"]] != "exact"] == []


def series(world: World, name: str, options: str = "", columns: str = "year, value, class, reason") -> list[tuple[Any, ...]]:
    return world.ask(f"SELECT {columns} FROM series_of('{name}'{options}) WHERE coalesce(applicant, 'total') = 'total' ORDER BY year")


def test_other_results_are_summed_and_joined_only_when_asked(tmp_path: Path) -> None:
    old = report("a", 2020, put(other_total=7), form=2019)
    new = report("a", 2021, put(other_no_correction=1, other_fee_unpaid=2, other_other=3))
    blank = report("a", 2022, put(other_no_correction=1, other_fee_unpaid="", other_other=3))
    world = publish(World(tmp_path), [body("a")], old, new, blank)
    exact = [(2021, 6, "exact", None), (2022, None, "exact", "other_fee_unpaid: blank")]
    assert series(world, "other_total") == exact
    assert series(world, "other_total", ", include_approximate := true") == [(2020, 7, "approximate", None), *exact]
    assert series(world, "other_total", ", include_approximate := true", "break_flag") == [(None,), ("form 2019 to 2021",), (None,)]
    assert world.ask("SELECT count(*) FROM series WHERE series = 'other_total' AND applicant = 'total'") == [(2,)]


def test_row_that_is_not_there_is_no_zero_in_a_sum(tmp_path: Path) -> None:
    world = publish(World(tmp_path), [body("a")], report("a", 2021, {}, without=["other_other"]))
    assert series(world, "other_total") == [(2021, None, "exact", "1 of 3 rows absent")]


def test_broken_series_are_never_joined(tmp_path: Path) -> None:
    old = report("a", 2020, put(normative_document_disclosed_total=500), form=2019)
    new = report("a", 2021, put(normative_document_in_force=60))
    world = publish(World(tmp_path), [body("a")], old, new)
    for options in ("", ", include_approximate := true"):
        assert series(world, "normative_document_in_force", options, "year, value") == [(2021, 60)]
    assert series(world, "normative_document_disclosed_total", "", "year, value") == [(2020, 500)]


def test_annex_of_2014_joins_the_totals_when_asked(tmp_path: Path) -> None:
    annex = report("a", 2018, put(granted=0), form=2019, sections=["requests"])
    annex["report"][0]["format"] = 2014
    replies = {"legacy_reply_granted": 5, "legacy_reply_already_public": 2}
    annex["check_result"] = []
    first = annex["observation"][0]
    annex["observation"] = [
        first
        | {"section": "legacy", "format": 2014, "indicator": name, "applicant": None, "unit": "request", "row_no": n}
        | {"value": value, "raw_text": str(value)}
        for n, (name, value) in enumerate(replies.items(), 1)
    ]
    annex["check_result"] = [
        {"report_id": first["report_id"], "check_id": "R8.replies", "applicant": None, "left_value": None, "right_value": None}
        | {"difference": None, "passed": None, "cause": None, "soft": False}
    ]
    world = publish(World(tmp_path), [body("a")], annex, report("a", 2019, put(granted=9), form=2019))
    assert series(world, "granted", "", "year, value") == [(2019, 9)]
    assert series(world, "granted", ", include_approximate := true", "year, value, class") == [(2018, 7, "approximate"), (2019, 9, "exact")]


# --- identities across years


def test_what_is_carried_out_is_carried_in(tmp_path: Path) -> None:
    before = put(carried_out=5, carried_out__natural_person=3, carried_out__business=2)
    now = put(carried_in=5, carried_in__natural_person=4, carried_in__business=1)
    world = publish(World(tmp_path), [body("a")], report("a", 2021, before), report("a", 2022, now))
    found = {row[0]: row[1:] for row in cross(world, "R5", "applicant, left_value, right_value, difference, passed, gap, cause, soft")}
    assert len(found) == 7
    assert found["total"] == (5, 5, 0, True, None, None, True)
    assert found["natural_person"] == (4, 3, 1, False, "unexplained", "unknown", True)
    assert found["business"] == (1, 2, -1, False, "unexplained", "unknown", True)
    assert found["legal_service"][3] is True


def test_missing_year_is_a_class_of_its_own_and_never_compared(tmp_path: Path) -> None:
    world = publish(World(tmp_path), [body("a")], report("a", 2021, put(carried_out=5)), report("a", 2023, put(carried_in=5)))
    columns = "year_from, year_to, left_value, right_value, passed, gap, reason"
    assert cross(world, "R5", columns, "total") == [(2021, 2023, None, None, None, "missing_year", "no report on 2022")]


def test_blank_is_not_assessed(tmp_path: Path) -> None:
    world = publish(World(tmp_path), [body("a")], report("a", 2021, put(carried_out="")), report("a", 2022, put(carried_in="l2")))
    assert cross(world, "R5", "passed, cause, gap, reason", "total") == [
        (None, None, None, "2022 carried_in: unreadable; 2021 carried_out: blank")
    ]


def test_stock_follows_from_flows_in_the_form_of_2021(tmp_path: Path) -> None:
    first = put(normative_document_in_force=40)
    second = put(normative_document_in_force=42, normative_document_issued=5, normative_document_repealed=3)
    third = put(normative_document_in_force=42, normative_document_issued=5, normative_document_repealed=3)
    world = publish(World(tmp_path), [body("a")], *(report("a", y, f) for y, f in ((2021, first), (2022, second), (2023, third))))
    found = cross(world, "R6.normative_document", "year_to, left_value, right_value, passed")
    assert found == [(2022, 42, 42, True), (2023, 42, 44, False)]


def test_items_of_the_previous_year_in_the_form_of_2019(tmp_path: Path) -> None:
    first = put(administrative_penalty_items_previous=30, administrative_penalty_items_change=-4)
    world = publish(
        World(tmp_path), [body("a")], report("a", 2019, first, form=2019),
        report("a", 2020, put(administrative_penalty_items_previous=26), form=2019), report("a", 2021, {}),
    )  # fmt: skip
    columns = "year_to, left_value, right_value, passed, gap"
    assert cross(world, "R7.administrative_penalty", columns) == [(2020, 26, 26, True, None), (2021, 26, None, None, "form_change")]
    assert {row[0] for row in cross(world, "R6.regulation", "gap")} == {"form_change"}


def test_newly_disclosed_is_at_most_the_total(tmp_path: Path) -> None:
    figures = put(regulation_disclosed=3, regulation_disclosed_total=2, normative_document_disclosed=2)
    figures |= put(normative_document_disclosed_total="")
    world = publish(World(tmp_path), [body("a")], report("a", 2020, figures, form=2019))
    assert cross(world, "R7.regulation_disclosed", "passed, difference, gap") == [(False, 1, "unexplained")]
    assert cross(world, "R7.normative_document_disclosed", "passed, reason") == [(None, "normative_document_disclosed_total: blank")]


@pytest.mark.parametrize(("older", "gap"), [(5, "restated"), (6, "unexplained")])
def test_restated_report_explains_a_difference_only_where_its_older_version_fits(tmp_path: Path, older: int, gap: str) -> None:
    first = report("a", 2021, put(carried_out=older), name="v1", fetched_at="2022-02-01T00:00:00Z")
    second = report("a", 2021, put(carried_out=7), name="v2", fetched_at="2022-06-01T00:00:00Z")
    world = publish(World(tmp_path), [body("a")], first, second, report("a", 2022, put(carried_in=5)))
    assert cross(world, "R5", "right_value, passed, gap", "total") == [(7, False, gap)]


def test_one_row_for_every_pair_and_identity(tmp_path: Path) -> None:
    reports = [report(name, year, {}) for name in "ab" for year in (2021, 2022, 2023)]
    world = publish(World(tmp_path), [body("a"), body("b")], *reports)
    sql = "SELECT count(*), count(DISTINCT (report_id, check_id, applicant)) FROM cross_year_check"
    assert world.ask(sql) == [(4 * (7 + 2 + 5),) * 2]


def _rows(published: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(published, read_only=True) as con:
        return con.execute("FROM cross_year_check ORDER BY ALL").fetchall()


@pytest.mark.slow
def test_what_the_nights_kept_is_what_one_build_makes(tmp_path: Path) -> None:
    """Nights that bring a year, a version, another reading and another body; one on which a version is gone and the older one current."""
    world = World(tmp_path)
    bodies = [body("a"), body("b")]
    old, new = (report("a", 2022, put(carried_in=n), name=f"v{n}", fetched_at=f"2023-0{n}-01T00:00:00Z") for n in (4, 5))
    first = [report("a", 2021, put(carried_out=4)), old, report("b", 2021, put(carried_out=2)), report("b", 2022, put(carried_in=2))]
    nights = [first, [new, report("a", 2023, put())], [report("b", 2021, put(carried_out=3))], [report("c", 2021, put())], []]
    for name, rows in (("v4", old), ("v5", new)):
        world.seen(rows["report"][0]["url"], name, publisher="a", year=2022)
    parts, fails = [], []
    for n, reports in enumerate(nights, 1):
        world.publishers = [*bodies, body("c")][: 3 if n > 3 else 2]
        world.run(f"r{n}")
        if not reports:
            world.refuses(new["report"][0]["url"], 404, f"r{n}")
        parts.append(world.part(f"p{n}", *reports))
        world.publish(parts[-1], run_id=f"r{n}", reread=n == 3)
        whole = build(tmp_path / "whole" / f"{n}.duckdb", parts, world.ledger, world.publishers, run_id=f"r{n}", version="1")
        assert _rows(world.published) == _rows(whole.path)
        fails.append(world.ask("SELECT publisher_id, gap FROM cross_year_check WHERE NOT passed AND applicant = 'total' ORDER BY ALL"))
    assert fails == [
        [],
        [("a", "restated")],
        [("a", "restated"), ("b", "unexplained")],
        [("a", "restated"), ("b", "unexplained")],
        [("b", "unexplained")],
    ]
