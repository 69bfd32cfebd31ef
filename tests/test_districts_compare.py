"""Comparisons over districts: one scope at a time, completeness before sums, codes that change, population of the user's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from comparison_world import body, publish, put, report
from typer.testing import CliRunner
from warehouse_world import World

from flows.cli import app
from warehouse.build import BuildError, build
from warehouse.changes import needs_publish
from warehouse.districts import codes
from warehouse.population import PopulationError, read_population
from warehouse.publish import publish as publish_file

HEADER = "district_code,year,population,area_km2,source\n"


def compare(world: World, call: str, columns: str) -> list[tuple[Any, ...]]:
    return world.ask(f"SELECT {columns} FROM compare_{call}")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three districts of Wenzhou, one of which has two scopes, one of which leaves the figure blank."""
    bodies = [body("lucheng", scope=None), body("longwan", "330303"), body("ouhai", "330304")]
    reports = [
        report("lucheng", 2021, put(granted=3, granted__business=2, reconsideration_total=4)),
        report("lucheng", 2021, put(granted=90), name="all", scope="consolidated"),
        report("longwan", 2021, put(granted=7), district_code="330303"),
        report("ouhai", 2021, put(granted=""), district_code="330304"),
        report("ouhai", 2022, put(granted=1), district_code="330304"),
    ]
    return publish(World(tmp_path_factory.mktemp("three")), bodies, *reports)


def test_districts_are_listed_scope_by_scope(three: World) -> None:
    found = compare(three, "districts('granted', 2021)", "scope, district, value, value_status")
    assert found == [
        ("own", "龙湾区", 7, "reported"),
        ("own", "鹿城区", 3, "reported"),
        ("own", "瓯海区", None, "blank"),
        ("consolidated", "鹿城区", 90, "reported"),
    ]
    own = compare(three, "districts('granted', 2021, scope := 'own', applicant := 'business')", "district, applicant, value")
    assert own == [("鹿城区", "business", 2), ("龙湾区", "business", 0), ("瓯海区", "business", 0)]
    assert compare(three, "districts('reconsideration_total', 2021, scope := 'own')", "applicant, value")[0] == (None, 4)


def test_years_of_one_district(three: World) -> None:
    found = compare(three, "years('granted', '330304')", "year, value, previous, difference, reason")
    assert found == [(2021, None, None, None, "no report on 2020 with this scope"), (2022, 1, None, None, "2021: blank")]
    assert compare(three, "years('granted', '330302', scope := 'consolidated')", "year, value") == [(2021, 90)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("compare_districts('grantd', 2021)", "no indicator grantd"),
        ("compare_years('grantd', '330302')", "no indicator grantd"),
        ("compare_years('granted', '999999')", "no district 999999"),
        ("roll_up('grantd', 2021)", "no indicator grantd"),
        ("roll_up('granted', 2021, area := 'country')", "area is province or prefecture"),
    ],
)
def test_what_does_not_exist_is_an_error_not_an_empty_answer(three: World, call: str, message: str) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=message):
        three.ask(f"FROM {call}")


def test_figure_that_fails_an_identity_says_so(three: World) -> None:
    assert compare(three, "districts('granted', 2021, scope := 'consolidated')", "caution") == [("R2.granted, R3",)]


# --- codes that change


def test_district_keeps_its_name_of_the_year_and_its_history(tmp_path: Path) -> None:
    """密云县 (110228) became 密云区 (110118) in 2015."""
    bodies = [body("old", "110228"), body("new", "110118")]
    reports = [
        report("old", 2014, put(granted=4), form=2019, district_code="110228"),
        report("new", 2021, put(granted=6), district_code="110118"),
    ]
    world = publish(World(tmp_path), bodies, *reports)
    columns = "year, district_code, district, current_code, current_district, value"
    assert compare(world, "years('granted', '110118')", columns) == [
        (2021, "110118", "密云区", "110118", "密云区", 6),
        (2014, "110228", "密云县", "110118", "密云区", 4),
    ]
    assert compare(world, "years('granted', '110228')", "year") == [(2014,)]


def test_merged_district_leads_to_what_it_became(tmp_path: Path) -> None:
    """崇文区 (110103) was merged into 东城区 (110101) in 2010."""
    world = publish(World(tmp_path), [body("a", "110103")], report("a", 2009, {}, form=2019, district_code="110103"))
    assert compare(world, "districts('granted', 2009)", "district, current_code, current_district") == [("崇文区", "110101", "东城区")]


def test_every_report_has_one_row_whatever_became_of_its_district(tmp_path: Path) -> None:
    some = sorted(codes())[::60]
    reports = [report(f"p{c}", y, {}, form=2019, sections=["litigation"], district_code=c) for c in some for y in (2009, 2020)]
    world = publish(World(tmp_path), [body(f"p{c}", c) for c in some], *reports)
    assert world.ask("SELECT count(*), count(DISTINCT report_id) FROM report_figures") == [(len(reports), len(reports))]


# --- sums over areas


def test_sum_needs_every_expected_body(tmp_path: Path) -> None:
    bodies = [body("a", kind="government", scope="consolidated"), body("b", "330303", kind="government", scope="consolidated")]
    bodies += [body("c", "330304", kind="government", scope="consolidated"), body("off", "330304"), body("free", "330303", scope=None)]
    bodies += [body("city", "330300", kind="government", scope="consolidated")]

    def of(name: str, year: int, granted: object, code: str, scope: str = "consolidated") -> Any:
        return report(name, year, put(granted=granted), scope=scope, district_code=code)

    reports = [of("a", 2021, 10, "330302"), of("b", 2021, 20, "330303"), of("c", 2021, 5, "330304"), of("city", 2021, 99, "330300")]
    reports += [of("a", 2022, 1, "330302"), of("b", 2022, "", "330303"), of("off", 2021, 7, "330304", "own")]
    reports += [of("free", 2021, 3, "330303", "own")]
    world = publish(World(tmp_path), bodies, *reports)
    columns = "area, body_level, kind, value, partial_value, n_expected, n_in, n_blank, is_complete, reason"
    full = world.ask(f"SELECT {columns} FROM roll_up('granted', 2021, area := 'prefecture', scope := 'consolidated') ORDER BY body_level")
    assert full == [
        ("温州市", "prefecture", "government", 99, 99, 1, 1, 0, True, None),
        ("温州市", "county", "government", 35, 35, 3, 3, 0, True, None),
    ]
    call = "roll_up('granted', 2022, scope := 'consolidated', kind := 'government')"
    gaps = world.ask(f"SELECT {columns} FROM {call} WHERE body_level = 'county'")
    reason = "1 of 3 bodies have no such figure; 1 of 3 bodies print no number"
    assert gaps == [("浙江省", "county", "government", None, 1, 3, 2, 1, False, reason)]
    own = world.ask("SELECT area, value, n_expected FROM roll_up('granted', 2021, scope := 'own')")
    assert own == [("浙江省", 10, 2)]


def test_district_that_no_longer_exists_is_not_expected(tmp_path: Path) -> None:
    bodies = [body("gone", "110228"), body("here", "110118")]
    world = publish(World(tmp_path), bodies, report("here", 2021, put(granted=2), district_code="110118"))
    assert world.ask("SELECT value, n_expected FROM roll_up('granted', 2021)") == [(2, 1)]


# --- R9


def bodies_of_a_district() -> list[Any]:
    return [
        body("gov", kind="government", scope="consolidated"),
        body("office"),
        body("dep", kind="department"),
        body("town", kind="township"),
    ]


def consolidated(world: World, columns: str = "left_value, right_value, difference, passed, reason") -> list[tuple[Any, ...]]:
    sql = f"SELECT {columns} FROM consolidation_check WHERE indicator = 'granted' AND applicant = 'total' ORDER BY year"
    return world.ask(sql)


@pytest.mark.parametrize(("whole", "passed"), [(10, True), (11, False)])
def test_consolidated_is_the_sum_of_all_bodies(tmp_path: Path, whole: int, passed: bool) -> None:
    reports = [report(name, 2021, put(granted=n)) for name, n in (("office", 5), ("dep", 4), ("town", 1))]
    reports.append(report("gov", 2021, put(granted=whole), scope="consolidated"))
    world = publish(World(tmp_path), bodies_of_a_district(), *reports)
    assert consolidated(world) == [(whole, 10, whole - 10, passed, None)]
    [(check_id, soft, expected)] = consolidated(world, "check_id, soft, n_expected")
    assert (check_id, soft, expected) == ("R9.granted", True, 3)


def test_consolidated_is_not_assessed_where_a_body_is_missing_or_blank(tmp_path: Path) -> None:
    reports = [report(name, 2021, put(granted=n)) for name, n in (("office", 5), ("dep", 4))]
    reports += [report(name, 2022, put(granted=n)) for name, n in (("office", 5), ("dep", 4), ("town", ""))]
    reports += [report("gov", year, put(granted=9), scope="consolidated") for year in (2021, 2022)]
    world = publish(World(tmp_path), bodies_of_a_district(), *reports)
    assert consolidated(world) == [
        (9, None, None, None, "1 of 3 bodies have no such figure"),
        (9, None, None, None, "1 of 3 bodies print no number"),
    ]


def test_consolidated_is_not_assessed_without_towns_in_the_registry(tmp_path: Path) -> None:
    reports = [report("office", 2021, put(granted=5)), report("dep", 2021, put(granted=4))]
    reports.append(report("gov", 2021, put(granted=9), scope="consolidated"))
    world = publish(World(tmp_path), bodies_of_a_district()[:3], *reports)
    [(passed, reason)] = consolidated(world, "passed, reason")
    assert passed is None
    assert reason.startswith("the registry has not")


# --- population


def test_figures_per_head_come_with_the_users_file_and_for_the_whole_area_only(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publishers = [body("gov", "330302", "government", "consolidated"), body("office")]
    world.publishers.append(body("far", "330303", "government", "consolidated"))
    reports = [
        report("gov", 2021, put(new_received=58), scope="consolidated"),
        report("office", 2021, put(new_received=9)),
        report("far", 2021, put(new_received=5), scope="consolidated", district_code="330303"),
    ]
    file = tmp_path / "population.csv"
    file.write_text(HEADER + "330302,2021,1160000,292.88,Yearbook 2022\n", "utf-8")
    part = world.part("p1", *reports)
    publish_file(build(world.published, [part], world.ledger, world.publishers, run_id="r1", version="1", population=file))
    assert world.ask("SELECT publisher_id, value, reason FROM metric WHERE metric = 'requests_per_100k' ORDER BY ALL") == [
        ("far", None, "no population of 330303 for 2021"),
        ("gov", 5.0, None),
        ("office", None, "scope is own, not consolidated"),
    ]
    assert world.ask("SELECT reason FROM metric WHERE metric = 'fee_per_capita' AND publisher_id = 'gov'") == [
        ("administrative_fee_amount: unit is unknown",)
    ]
    found = compare(world, "districts('new_received', 2021)", "publisher_id, per_100k")
    assert found == [("office", None), ("gov", 5.0), ("far", None)]
    assert needs_publish(world.published, [], world.ledger, world.publishers, population=file) is False
    file.write_text(HEADER + "330302,2021,580000,,Census\n", "utf-8")
    assert needs_publish(world.published, [], world.ledger, world.publishers, population=file) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code,year\n", r"line 1: the columns are code, year; they must be district_code, year"),
        (HEADER + "999999,2021,5,,x\n", "line 2: district_code '999999' is no code of GB/T 2260"),
        (HEADER + "330302,21,5,,x\n", "line 2: year '21' is no year from 2007 on"),
        (HEADER + '330302,2021,"1,160,000",,x\n', "line 2: population '1,160,000' is no whole number"),
        (HEADER + "330302,2021,0,,x\n", "line 2: population '0' is no whole number"),
        (HEADER + "330302,2021,５,,x\n", "line 2: population '５' is no whole number"),
        (HEADER + "330302,2021,5,-1,x\n", "line 2: area_km2 '-1' is no number of square kilometres"),
        (HEADER + "330302,2021,,,x\n", "line 2: neither population nor area_km2"),
        (HEADER + "330302,2021,5,,\n", "line 2: source is empty"),
        (HEADER + "330302,2021,5\n", "line 2: fewer cells than columns"),
        (HEADER + "330302,2021,5,,x,y\n", "line 2: more cells than columns"),
        (HEADER + "330302,2021,5,,x\n330302,2021,6,,y\n", "line 3: 330302 in 2021 stands in line 2 already"),
    ],
)
def test_faulty_population_file_is_named_by_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "population.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(PopulationError, match=message):
        read_population(file)
    world = World(tmp_path)
    with pytest.raises(BuildError, match=message):
        build(world.published, [], world.ledger, world.publishers, run_id="r1", version="1", population=file)


def test_population_file_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "population.csv"
    file.write_bytes((HEADER + "330302,2021,5,,年鉴\n").encode("gb18030"))
    with pytest.raises(PopulationError, match="not a CSV file in UTF-8"):
        read_population(file)


def test_run_stops_before_the_first_request_for_a_faulty_file_in_the_home(tmp_path: Path) -> None:
    (tmp_path / "population.csv").write_text(HEADER + "330302,2021,x,,y\n", "utf-8")
    registry = tmp_path / "sources.yml"
    registry.write_text(
        '- {id: a, publisher: 甲区人民政府办公室, district: "330302", kind: office, scope: own, index: ["http://127.0.0.1:9/"]}\n', "utf-8"
    )
    result = CliRunner().invoke(app, ["run", "--sources", str(registry), "--home", str(tmp_path)])
    assert result.exit_code == 2
    assert "population" in result.output and "line 2" in result.output
    assert not (tmp_path / "state" / "ledger.sqlite").exists()
