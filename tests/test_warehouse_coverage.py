"""What the view coverage says of every publisher and year."""

from __future__ import annotations

from pathlib import Path

import pytest
from warehouse_world import World, loaded, observation, parsed, problem, sha

from warehouse.build import PublisherRow

A, B, C = "http://127.0.0.1/a.html", "http://127.0.0.1/b.html", "http://127.0.0.1/c.pdf"
INDEX = "http://127.0.0.1/index.html"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.crawled()
    return world


def state(world: World, year: int = 2021, publisher: str = "lucheng") -> tuple[str, str | None]:
    [row] = world.ask(f"SELECT state, reason FROM coverage WHERE publisher_id = '{publisher}' AND year = {year}")
    return row[0], row[1]


def test_loaded(world: World) -> None:
    world.seen(A, "a")
    world.publish(world.part("p1", loaded("a", A)))
    assert state(world) == ("loaded", None)


def test_columns_are_the_contracts_and_years_run_from_first_to_last_known(world: World) -> None:
    world.publishers.append(PublisherRow("ouhai", "瓯海区人民政府", "330304", "government"))
    world.crawled(publisher="ouhai")
    world.seen(A, "a", year=2019)
    world.seen(B, None, year=2022)
    world.publish(world.part("p1", loaded("a", A, 2019)))
    assert [name for (name,) in world.ask("SELECT column_name FROM (DESCRIBE coverage)")] == [
        "publisher_id",
        "district_code",
        "year",
        "state",
        "reason",
    ]
    assert world.ask("SELECT year, district_code FROM coverage WHERE publisher_id = 'ouhai' ORDER BY year") == [
        (year, "330304") for year in range(2019, 2023)
    ]


def test_flagged_names_every_cause(world: World) -> None:
    world.seen(A, "a")
    document = loaded("a", A, passed=False)
    report_id = document["report"][0]["report_id"]
    document["observation"] += [observation(report_id, i, "5 7", n, "unreadable") for n, i in enumerate(("granted", "denied_process"), 8)]
    document["problem"] = [
        problem("identity_failed", "a", A, severity="warning"),
        problem("label_variant", "a", A, severity="warning"),
    ]
    world.publish(world.part("p1", document))
    assert state(world) == ("flagged", "identity_failed (1), label_variant (1), unreadable_cell (2)")


def test_an_old_version_flags_nothing(world: World) -> None:
    world.seen(A, "new")
    old = loaded("old", A, passed=False, fetched_at="2026-11-19T18:00:00Z")
    world.publish(world.part("p1", old, loaded("new", A)))
    assert state(world) == ("loaded", None)


def test_a_report_that_left_the_index_keeps_its_flag(world: World) -> None:
    world.seen(A, "a")
    document = loaded("a", A)
    document["problem"] = [problem("label_variant", "a", A, severity="warning")]
    world.publish(world.part("p1", document))
    world.run("r2")
    world.crawled("r2")
    world.publish(run_id="r2")
    assert state(world) == ("flagged", "label_variant (1)")


def test_unreadable_by_title(world: World) -> None:
    world.seen(A, "a")
    broken = {"parse": [parsed("a", A, "failed")], "problem": [problem("broken_document", "a", A, year=None)]}
    world.publish(world.part("p1", broken))
    assert state(world) == ("unreadable", f"broken_document: broken_document at {A}")


def test_unreadable_family_without_tables(world: World) -> None:
    world.seen(A, "a")
    world.seen(C, "c", role="attachment", parent_url=A, year=None)
    world.publish(world.part("p1", {"parse": [parsed("a", A, "no_tables"), parsed("c", C, "no_tables")]}))
    found, reason = state(world)
    assert found == "unreadable"
    assert reason is not None
    assert reason.startswith(f"no_tables: no data table in {A} nor in its attachments {C}")


def test_listed_and_not_read_yet_is_not_missing_from_the_index(world: World) -> None:
    world.seen(A, None)
    world.publish()
    assert state(world) == ("unreadable", "found, not read")


@pytest.mark.parametrize("kind", ["unreachable", "http_error", "too_large", "robots_disallowed"])
def test_unreachable_document(world: World, kind: str) -> None:
    world.seen(A, None)
    world.failed(kind, A)
    world.publish()
    assert state(world) == ("unreachable", f"{kind}: {kind}: no answer from {A}")


def test_unreachable_attachment_of_a_page_without_tables(world: World) -> None:
    world.seen(A, "a")
    world.seen(C, None, role="attachment", parent_url=A, year=None)
    world.failed("http_error", C)
    world.publish(world.part("p1", {"parse": [parsed("a", A, "no_tables")]}))
    assert state(world)[0] == "unreachable"


def test_unreachable_index(world: World) -> None:
    world.seen(A, "a", year=2020)
    world.publish(world.part("p1", loaded("a", A, 2020)))
    world.run("r2")
    world.seen(B, None, "r2", year=2021)
    world.failed("unreachable", INDEX, "r2")
    world.failed("http_error", B, "r2")
    world.crawled("r2", index_read=0)
    world.publish(run_id="r2")
    assert state(world, 2020) == ("loaded", None)
    assert state(world, 2021)[1] == f"http_error: http_error: no answer from {B}"
    world.seen("http://127.0.0.1/d.html", None, "r2", year=2022)
    world.run("r3")
    world.failed("robots_disallowed", INDEX, "r3")
    world.crawled("r3", index_read=0)
    world.publish(run_id="r3")
    world.publishers.append(PublisherRow("ouhai", "瓯海区人民政府", "330304", "government"))
    world.run("r4")
    world.failed("robots_disallowed", INDEX, "r4", "ouhai")
    world.crawled("r4", "ouhai", index_read=0)
    world.publish(run_id="r4")
    assert state(world, 2020, "ouhai") == ("unreachable", f"robots_disallowed: robots_disallowed: no answer from {INDEX}")


def test_not_found_and_never_crawled(world: World) -> None:
    world.publishers.append(PublisherRow("mine", "丙", "330302", "office"))
    world.seen(A, "a", year=2020)
    world.seen(B, "b", year=2022)
    world.publish(world.part("p1", loaded("a", A, 2020), loaded("b", B, 2022)))
    assert state(world) == ("not_found", "not listed on the index")
    assert state(world, publisher="mine") == ("not_found", "the source was never crawled")


def test_empty_index_is_told_with_not_found(world: World) -> None:
    world.publishers.append(PublisherRow("ouhai", "瓯海区人民政府", "330304", "government"))
    world.crawled(publisher="ouhai")
    world.failed("empty_index", INDEX, publisher="ouhai")
    world.seen(A, "a")
    world.publish(world.part("p1", loaded("a", A)))
    assert state(world, publisher="ouhai") == ("not_found", f"not listed on the index; empty_index: empty_index: no answer from {INDEX}")


def test_a_title_of_another_year_does_not_make_that_year_unreadable(world: World) -> None:
    world.seen(A, "a", year=2022)
    world.publish(world.part("p1", loaded("a", A, 2021)))
    assert world.ask("SELECT year, state FROM coverage ORDER BY year") == [(2021, "loaded"), (2022, "not_found")]


def test_a_misread_year_does_not_stretch_the_table(world: World) -> None:
    world.seen(A, "a")
    world.seen(B, None, year=1949)
    world.seen(C, None, year=2099)
    world.publish(world.part("p1", loaded("a", A)))
    assert world.ask("SELECT year, state FROM coverage") == [(2021, "loaded")]


def test_a_problem_solved_since_is_no_reason(world: World) -> None:
    world.seen(A, None)
    world.failed("unreachable", A)
    world.publish()
    world.run("r2")
    world.crawled("r2")
    world.seen(A, "a", "r2")
    world.publish(world.part("p2", loaded("a", A)), run_id="r2")
    assert state(world) == ("loaded", None)
    assert world.ask(f"SELECT document_sha256 = '{sha('a')}' FROM report") == [(True,)]
