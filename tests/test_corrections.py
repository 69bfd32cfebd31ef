"""Corrections as data: they show beside the printed figure, expire loudly, and a malformed file stops a run before it starts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner
from warehouse_world import World, loaded

from flows.cli import app
from warehouse.build import BuildError, build
from warehouse.changes import news
from warehouse.corrections import CorrectionError, load_corrections
from warehouse.publish import publish

A = "http://127.0.0.1/a.html"
ENTRY: dict[str, Any] = {
    "id": "lucheng-2021-new",
    "locator": {"publisher": "lucheng", "year": 2021, "scope": "own", "indicator": "new_received", "applicant": "total"},
    "expect": {"raw_text": "58"},
    "action": "set_value",
    "value": 53,
    "reason": "Part one says 53.",
    "evidence": "https://127.0.0.1/a.html",
    "status": "accepted",
    "author": "A. Researcher",
    "date": "2026-11-23",
}
FIGURE = "indicator = 'new_received' AND applicant = 'total' AND year = 2021"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("world"))
    world.seen(A, "a")
    world.crawled()
    world.publish(world.part("p1", loaded("a", A)))
    return world


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    world = World.copy(template, tmp_path / "world")
    world.run("r2")
    return world


def write(folder: Path, *entries: dict[str, Any], name: str = "lucheng.yml") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(yaml.safe_dump(list(entries), allow_unicode=True), "utf-8")
    return folder


def entry(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**ENTRY, **changes}.items() if value is not None}


def located(**changes: Any) -> dict[str, Any]:
    return entry(locator={key: value for key, value in {**ENTRY["locator"], **changes}.items() if value is not None})


def apply(world: World, tmp_path: Path, *entries: dict[str, Any], parts: list[Path] | None = None) -> None:
    folder = write(tmp_path / "corrections", *entries)
    publish(build(world.published, parts or [], world.ledger, world.publishers, run_id="r2", version="1", corrections=folder))


def outcome(world: World) -> list[tuple[Any, ...]]:
    return world.ask("SELECT correction_id, outcome FROM correction ORDER BY ALL")


def problems(world: World) -> list[tuple[Any, ...]]:
    return world.ask("SELECT kind, severity, message, publisher_id, year FROM problem WHERE kind LIKE 'correction%' ORDER BY ALL")


@pytest.mark.parametrize("by_report", [False, True])
def test_an_accepted_value_stands_beside_the_printed_one(world: World, tmp_path: Path, by_report: bool) -> None:
    ((report_id,),) = world.ask("SELECT report_id FROM report")
    place = {"report_id": report_id, "indicator": "new_received", "applicant": "total"} if by_report else ENTRY["locator"]
    apply(world, tmp_path, entry(locator=place))
    assert world.ask(f"SELECT value, corrected_value, final_value, final_source, correction_id FROM panel_corrected WHERE {FIGURE}") == [
        (Decimal(58), Decimal(53), Decimal(53), "correction", "lucheng-2021-new")
    ]
    assert world.ask(f"SELECT value FROM panel WHERE {FIGURE}") == [(Decimal(58),)]
    assert world.ask("SELECT value, raw_text FROM observation WHERE indicator = 'new_received'") == [(Decimal(58), "58")]
    assert world.ask("SELECT count(*) FROM panel_corrected WHERE final_source = 'printed' AND final_value = value") == [(3,)]
    assert outcome(world) == [("lucheng-2021-new", "applied")]
    assert problems(world) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"action": "drop", "value": None}, (None, None, None)),
        ({"action": "set_status", "value": None, "value_status": "unreadable"}, (None, "unreadable", None)),
    ],
)
def test_a_figure_can_be_dropped_or_its_status_set(
    world: World, tmp_path: Path, changes: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    apply(world, tmp_path, entry(**changes))
    row = world.ask(f"SELECT corrected_value, corrected_status, final_value FROM panel_corrected WHERE {FIGURE}")
    assert row == [expected]
    assert world.ask(f"SELECT value FROM panel WHERE {FIGURE}") == [(Decimal(58),)]


@pytest.mark.parametrize("status", ["rejected", "obsolete"])
def test_an_entry_that_is_not_accepted_does_nothing(world: World, tmp_path: Path, status: str) -> None:
    apply(world, tmp_path, entry(status=status, expect={"value": 1}))
    assert world.ask(f"SELECT corrected_value, final_value FROM panel_corrected WHERE {FIGURE}") == [(None, Decimal(58))]
    assert (outcome(world), problems(world)) == ([("lucheng-2021-new", "inactive")], [])


def test_a_proposed_entry_is_not_applied_but_checked(world: World, tmp_path: Path) -> None:
    apply(world, tmp_path, entry(status="proposed"), entry(id="other", status="proposed", expect={"value": 1}))
    assert world.ask(f"SELECT corrected_value FROM panel_corrected WHERE {FIGURE}") == [(None,)]
    assert outcome(world) == [("lucheng-2021-new", "pending"), ("other", "obsolete")]
    assert [row[:2] for row in problems(world)] == [("correction_obsolete", "warning")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"publisher": "ouhai"}, "no such report"), ({"year": 2019}, "no such report"), ({"indicator": "granted"}, "has no such figure")],
)
def test_an_entry_that_matches_nothing_is_a_failure_with_file_and_entry(
    world: World, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    apply(world, tmp_path, located(**changes))
    ((kind, severity, message, _, _),) = problems(world)
    assert (kind, severity) == ("correction_unmatched", "failure")
    assert message.startswith("lucheng.yml: entry lucheng-2021-new: ")
    assert said in message


@pytest.mark.parametrize("expect", [{"raw_text": "57"}, {"value": 57}, {"raw_text": "58", "value": 57}])
def test_an_entry_whose_figure_is_not_as_expected_is_a_failure(world: World, tmp_path: Path, expect: dict[str, Any]) -> None:
    apply(world, tmp_path, entry(expect=expect))
    ((kind, severity, message, publisher, year),) = problems(world)
    assert (kind, severity, publisher, year) == ("correction_obsolete", "failure", "lucheng", 2021)
    assert 'now prints "58"' in message
    assert world.ask("SELECT count(*) FROM panel_corrected WHERE correction_id IS NOT NULL") == [(0,)]


def test_the_source_is_fixed_the_entry_expires_and_is_not_applied(world: World, tmp_path: Path) -> None:
    """The entry names the old version; the address now holds one that prints 53."""
    ((report_id,),) = world.ask("SELECT report_id FROM report")
    world.seen(A, "a2", "r2")
    world.crawled("r2")
    part = world.part("p2", loaded("a2", A, figures={"new_received": "53", "carried_in": "2"}, fetched_at="2026-11-22T18:00:00Z"))
    place = {"report_id": report_id, "indicator": "new_received", "applicant": "total"}
    apply(world, tmp_path, entry(locator=place), parts=[part])
    assert outcome(world) == [("lucheng-2021-new", "obsolete")]
    assert world.ask(f"SELECT final_value, final_source FROM panel_corrected WHERE {FIGURE}") == [(Decimal(53), "printed")]


def test_an_entry_carries_over_to_a_version_with_the_same_misprint(world: World, tmp_path: Path) -> None:
    ((report_id,),) = world.ask("SELECT report_id FROM report")
    world.seen(A, "a2", "r2")
    world.crawled("r2")
    part = world.part("p2", loaded("a2", A, fetched_at="2026-11-22T18:00:00Z"))
    apply(world, tmp_path, entry(locator={"report_id": report_id, "indicator": "new_received", "applicant": "total"}), parts=[part])
    assert outcome(world) == [("lucheng-2021-new", "applied")]
    assert world.ask(f"SELECT final_value FROM panel_corrected WHERE {FIGURE}") == [(Decimal(53),)]


def test_two_accepted_entries_for_one_figure_are_both_left_out(world: World, tmp_path: Path) -> None:
    """By different locators, so that the file alone can't tell."""
    ((report_id,),) = world.ask("SELECT report_id FROM report")
    other = entry(id="other", value=54, locator={"report_id": report_id, "indicator": "new_received", "applicant": "total"})
    apply(world, tmp_path, ENTRY, other)
    assert {row[0] for row in problems(world)} == {"correction_conflict"}
    assert world.ask(f"SELECT final_value, count(*) FROM panel_corrected WHERE {FIGURE} GROUP BY ALL") == [(Decimal(58), 1)]


def test_a_problem_goes_when_the_entry_does(world: World, tmp_path: Path) -> None:
    apply(world, tmp_path, located(year=2019))
    assert len(problems(world)) == 1
    apply(world, tmp_path)
    assert (problems(world), outcome(world)) == ([], [])


def test_a_changed_entry_is_news(world: World, tmp_path: Path) -> None:
    folder = write(tmp_path / "c", ENTRY)
    assert "corrections" in news(world.published, world.ledger, world.publishers, corrections=folder)
    publish(build(world.published, [], world.ledger, world.publishers, run_id="r2", version="1", corrections=folder))
    assert "corrections" not in news(world.published, world.ledger, world.publishers, corrections=folder)
    write(folder, entry(value=54))
    assert "corrections" in news(world.published, world.ledger, world.publishers, corrections=folder)


# --- malformed


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        (entry(reason=None), "reason: Field required"),
        (entry(typo=1), "typo: Extra inputs"),
        (entry(status="done"), "status"),
        (entry(expect={}), "needs raw_text or value"),
        (entry(action="drop"), "set_value needs value"),
        (entry(value=None), "set_value needs value"),
        (entry(action="set_status", value=None), "set_status needs value_status"),
        (entry(evidence="a friend"), "evidence"),
        (entry(value=1.00001), "value"),
        (located(indicator="requests"), "there is no indicator requests"),
        (located(applicant=None), "needs an applicant"),
        (located(applicant="citizen"), "there is no applicant citizen"),
        (located(indicator="regulation_issued"), "has no applicant"),
        (located(year=None), "needs report_id, or publisher, year and scope"),
        (located(report_id="x-2021-00000000"), "leave out publisher"),
    ],
)
def test_a_malformed_entry_is_named_with_file_line_and_fault(tmp_path: Path, faulty: dict[str, Any], said: str) -> None:
    folder = write(tmp_path / "c", entry(id="first"), faulty)
    with pytest.raises(CorrectionError) as caught:
        load_corrections(folder)
    assert f"entry {faulty['id']}" in str(caught.value)
    assert "lucheng.yml, line " in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [("a: [", "x.yml"), ("a: 1", "not a list"), ("- 1", "no mapping"), ("\x00", "x.yml")])
def test_a_file_that_is_no_list_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.yml").write_text(text)
    with pytest.raises(CorrectionError, match=said):
        load_corrections(tmp_path)


def test_an_id_or_a_figure_is_not_used_twice(tmp_path: Path) -> None:
    write(tmp_path / "c", ENTRY)
    write(tmp_path / "c", located(year=2022), name="more.yml")
    with pytest.raises(CorrectionError, match="used twice"):
        load_corrections(tmp_path / "c")
    write(tmp_path / "c", entry(id="other"), name="more.yml")
    with pytest.raises(CorrectionError, match="same figure"):
        load_corrections(tmp_path / "c")


def test_an_empty_file_and_what_ships_are_fine(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("# none\n")
    assert load_corrections(tmp_path) == []
    assert isinstance(load_corrections(), list)


def test_a_malformed_file_builds_nothing(world: World, tmp_path: Path) -> None:
    before = world.published.read_bytes()
    with pytest.raises(BuildError, match=r"lucheng\.yml"):
        apply(world, tmp_path, entry(status="done"))
    assert world.published.read_bytes() == before


@pytest.mark.parametrize("command", ["run", "ingest"])
def test_a_malformed_file_stops_before_anything_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("GONGKAI_CORRECTIONS", str(write(tmp_path / "c", entry(status="done"))))
    report = tmp_path / "a.html"
    report.write_text("x")
    arguments = {
        "run": ["run", "--sources", "sources/sample/sources.yml"],
        "ingest": ["ingest", str(report), "--publisher", "x", "--district", "330302"],
    }
    done = CliRunner().invoke(app, [*arguments[command], "--home", str(tmp_path / "home")])
    assert done.exit_code == 2
    assert "lucheng.yml" in done.output
    assert not (tmp_path / "home").exists()
