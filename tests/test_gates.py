"""Gates that compare a build with the published file: red for a worse build, green for a better one, and a reason lets one pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from warehouse_world import HOME_GATES, R1, World, loaded, parsed

from warehouse.build import BuildResult, PublisherRow
from warehouse.gate import ACCEPTABLE, FOLDER, GATES, GateError, read_gate
from warehouse.publish import publish

TWO = [PublisherRow("lucheng", "鹿城区", "330302", "office", "own"), PublisherRow("longwan", "龙湾区", "330303", "office", "own")]
YEARS = range(2013, 2023)


def address(publisher: str, year: int) -> str:
    return f"http://127.0.0.1/{publisher}/{year}.html"


def document(publisher: str, year: int, version: str = "1", **more: Any) -> dict[str, list[dict[str, Any]]]:
    rows = loaded(f"{publisher}{year}", address(publisher, year), year, publisher, **more)
    rows["parse"][0]["parser_version"] = version
    return rows


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Ten reports of one publisher and one of another are published; a second run is open."""
    world = World(tmp_path_factory.mktemp("home"), publishers=TWO)
    every = [("lucheng", year) for year in YEARS] + [("longwan", 2021)]
    for publisher, year in every:
        world.seen(address(publisher, year), f"{publisher}{year}", publisher=publisher, year=year)
    for publisher in ("lucheng", "longwan"):
        world.crawled(publisher=publisher)
    world.publish(world.part("p1", *(document(*key) for key in every)))
    world.run("r2")
    return world


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    return World.copy(template, tmp_path)


def red(world: World, built: BuildResult, **options: Any) -> set[str]:
    """Names of the gates that refuse this build; the published file is what it was."""
    before = world.published.read_bytes()
    with pytest.raises(GateError) as caught:
        publish(built, **options)
    assert world.published.read_bytes() == before
    return {r.gate for r in caught.value.red}


def again(world: World, *documents: dict[str, list[dict[str, Any]]], name: str = "p2") -> BuildResult:
    return world.build(world.part(name, *documents), run_id="r2")


def test_every_comparing_gate_has_its_numbers_or_rows() -> None:
    comparing = {g.name for g in GATES if g.needs_previous} - {"no_report_lost", "nothing_lost"}
    assert comparing == HOME_GATES
    assert {g.name for g in GATES if g.bound is not None} == {"rows_fall", "identities_share", "unreadable_share", "failed_share"}


def test_a_publisher_that_loses_its_only_report_has_vanished(world: World) -> None:
    gone = {"parse": [parsed("longwan2021", address("longwan", 2021), "failed", "longwan", 2021, parser_version="2")]}
    built = again(world, gone)
    with pytest.raises(GateError) as caught:
        publish(built)
    assert caught.value.name == "publisher_vanished"
    assert "publisher_id longwan, name 龙湾区, reports_before 1, reports_now 0" in str(caught.value)
    assert "--accept-gate publisher_vanished" in str(caught.value)
    assert str(world.published.parent / "refused" / "r2.duckdb") in str(caught.value)


def test_one_that_left_the_registry_or_withdrew_has_not_vanished(world: World) -> None:
    gone = {"parse": [parsed("longwan2021", address("longwan", 2021), "failed", "longwan", 2021, parser_version="2")]}
    built = again(world, gone)
    copy = built.path.with_suffix(".copy")
    copy.write_bytes(built.path.read_bytes())
    assert "publisher_vanished" not in red(world, built, registered=["lucheng"])
    copy.replace(built.path)
    with duckdb.connect(built.path) as con:
        con.execute("UPDATE coverage_cell SET state = 'withdrawn' WHERE publisher_id = 'longwan'")
    assert "publisher_vanished" not in red(world, built, registered=["lucheng", "longwan"])


def test_a_reading_that_loses_figures_falls_and_a_bound_is_a_setting(world: World) -> None:
    fewer = [document("lucheng", year, "2", figures={"new_received": "58"}, passed=None) for year in YEARS]
    built = again(world, *fewer)
    copy = built.path.with_suffix(".copy")
    copy.write_bytes(built.path.read_bytes())
    assert "rows_fall" in red(world, built)
    copy.replace(built.path)
    assert "rows_fall" not in red(world, built, bounds={"rows_fall": 0.9})


def test_identities_that_are_no_longer_assessed_do_not_pass(world: World) -> None:
    vacuous = document("lucheng", 2020, "2")
    for row in vacuous["check_result"][:2]:
        row |= {"passed": None, "cause": None}
    vacuous["observation"][0] |= {"value": None, "value_status": "unreadable"}
    assert red(world, again(world, vacuous)) >= {"identities_share", "unreadable_share"}


def test_identities_that_fail_now(world: World) -> None:
    assert red(world, again(world, document("lucheng", 2020, "2", passed=False))) == {"failed_share"}


def test_new_documents_may_differ_by_chance_but_not_by_much(world: World) -> None:
    def unreadable(year: int, bad: bool) -> dict[str, list[dict[str, Any]]]:
        rows = loaded(f"new{year}", f"http://127.0.0.1/new/{year}.html", year, "longwan", passed=None if bad else True)
        for row in rows["observation"] if bad else ():
            row |= {"value": None, "value_status": "unreadable"}
        for row in rows["check_result"] if bad else ():
            row |= {"passed": None, "cause": None}
        return rows

    one = again(world, unreadable(2012, True), *(unreadable(year, False) for year in range(1900, 1999)), name="one")
    publish(one)  # 1 % of a hundred new reports
    world.run("r3")
    part = world.part("all", *(unreadable(year, True) for year in range(1800, 1820)))
    assert red(world, world.build(part, run_id="r3")) == {"identities_share", "unreadable_share"}


def test_the_same_reader_reads_the_same(world: World) -> None:
    other = document("lucheng", 2020, "1", figures={"new_received": "59", "carried_in": "1", "processed_total": "55", "carried_out": "5"})
    assert red(world, again(world, other)) == {"same_reader_same_figures"}
    other["parse"][0]["parser_version"] = "2"
    publish(again(world, other, name="p3"))
    assert world.ask("SELECT count(*) FROM reading_change") == [(2,)]


def test_an_accepted_gate_and_its_reason_stand_in_the_file(world: World) -> None:
    failing = document("lucheng", 2020, "2", passed=False)
    publish(again(world, failing), accepted={"failed_share": "a publisher that errs"})
    sql = (
        "SELECT measure, round(before, 4), round(after, 4), bound, passed, accepted_reason FROM gate_result WHERE run_id = 'r2' AND gate ="
    )
    assert world.ask(f"{sql} 'failed_share'") == [("read again", 0.0, 0.5, 0.02, False, "a publisher that errs")]
    assert world.ask(f"{sql} 'rows_fall' AND measure = 'report'") == [("report", 11.0, 11.0, 0.02, True, None)]
    assert world.ask(f"{sql} 'no_orphans'") == [(None, None, 0.0, 0.0, True, None)]
    assert world.ask("SELECT DISTINCT run_id FROM gate_result ORDER BY ALL") == [("r1",), ("r2",)], "what former runs found stays"


def test_a_reason_for_one_gate_excuses_no_other(world: World) -> None:
    failing = document("lucheng", 2020, "1", passed=False, figures={"new_received": "59"})
    assert "same_reader_same_figures" in red(world, again(world, failing), accepted={"failed_share": "x", "rows_fall": "x"})


def test_what_makes_queries_wrong_is_never_excused(world: World) -> None:
    built = again(world, document("lucheng", 2020, "1"))
    with duckdb.connect(built.path) as con:
        con.execute("INSERT INTO narrative VALUES ('nobody', 1, NULL, 'text', 0)")
    assert "no_orphans" not in ACCEPTABLE
    assert red(world, built, accepted={"no_orphans": "please"}) == {"no_orphans"}


def test_two_refused_builds_are_kept(world: World) -> None:
    for n in range(2, 5):
        world.run(f"r{n}")
        built = world.build(world.part(f"q{n}", document("lucheng", 2020, "2", passed=False)), run_id=f"r{n}")
        assert red(world, built) == {"failed_share"}
    refused = sorted((world.published.parent / "refused").iterdir())
    assert [path.name for path in refused] == ["r3.duckdb", "r4.duckdb"]
    with duckdb.connect(refused[1], read_only=True) as con:
        assert con.execute("SELECT count(*) FROM check_result WHERE passed = false").fetchone() == (1,)


def test_a_gate_is_a_file(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "99_no_2020.sql"
    file.write_text("-- message: there is a report on 2020\nSELECT report_id FROM report WHERE year = 2020\n", "utf-8")
    monkeypatch.setattr("warehouse.gate.GATES", (*GATES, read_gate(file)))
    assert red(world, again(world, document("lucheng", 2020, "1"))) == {"no_2020"}
    file.write_text("SELECT 1", "utf-8")
    with pytest.raises(ValueError, match=r"99_no_2020\.sql: a gate says"):
        read_gate(file)
    assert {replace(g, sql="") for g in GATES} == {replace(read_gate(p), sql="") for p in FOLDER.glob("[0-9]*.sql")}


def test_a_changed_page_with_an_error_of_its_publisher_is_published_in_a_home_of_one_report(tmp_path: Path) -> None:
    """One report without an error doesn't settle how many are: the first error of a publisher is a flagged report, no worse build."""
    world, url = World(tmp_path), address("lucheng", 2021)
    world.seen(url, "before")
    world.publish(world.part("p1", loaded("before", url)))
    world.run("r2")
    world.seen(url, "after", "r2")
    changed = loaded("after", url, figures=R1 | {"new_received": "59"}, passed=False, fetched_at="2026-11-21T18:00:00Z")
    publish(world.build(world.part("p2", changed), run_id="r2"))
    assert world.ask("SELECT indicator, value_from, value_to FROM revision") == [("new_received", 58, 59)]
    assert [check for (check,) in world.ask("SELECT check_id FROM publisher_error WHERE is_current")] == ["R1"]
