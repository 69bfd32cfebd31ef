"""What the view coverage says of every publisher and year."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warehouse_world import Rows, World, check_row, loaded, observation, parsed, problem

from warehouse.build import PublisherRow

A, B, C = "http://127.0.0.1/a.html", "http://127.0.0.1/b.html", "http://127.0.0.1/c.pdf"
INDEX = "http://127.0.0.1/index.html"
NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
Case = Callable[[World, str], list[Rows]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.crawled()
    return world


def state(world: World, year: int = 2021, publisher: str = "lucheng") -> tuple[str, str | None]:
    [row] = world.ask(f"SELECT state, reason FROM coverage WHERE publisher_id = '{publisher}' AND year = {year}")
    return row[0], row[1]


# --- states of one night: every case is a publisher of its own, whose year 2021 is looked at


def a_loaded_report(world: World, me: str) -> list[Rows]:
    world.seen(f"{A}/{me}", me, publisher=me)
    return [loaded(me, f"{A}/{me}", publisher=me)]


def a_report_with_a_soft_failure(world: World, me: str) -> list[Rows]:
    world.seen(f"{A}/{me}", me, publisher=me)
    document = loaded(me, f"{A}/{me}", publisher=me)
    document["check_result"].append(check_row(document["report"][0]["report_id"], "R5", passed=False, soft=True))
    return [document]


def a_flagged_report(world: World, me: str) -> list[Rows]:
    world.seen(f"{A}/{me}", me, publisher=me)
    document = loaded(me, f"{A}/{me}", publisher=me, passed=False)
    report_id = document["report"][0]["report_id"]
    document["observation"] += [observation(report_id, i, "5 7", n, "unreadable") for n, i in enumerate(("granted", "denied_process"), 8)]
    document["problem"] = [
        problem("identity_failed", me, f"{A}/{me}", me, severity="warning"),
        problem("label_variant", me, f"{A}/{me}", me, severity="warning"),
    ]
    return [document]


def an_old_version_that_is_flagged(world: World, me: str) -> list[Rows]:
    world.seen(f"{A}/{me}", me, publisher=me)
    old = loaded(f"old {me}", f"{A}/{me}", publisher=me, passed=False, fetched_at="2026-11-19T18:00:00Z")
    return [old, loaded(me, f"{A}/{me}", publisher=me)]


def a_broken_document(world: World, me: str) -> list[Rows]:
    world.seen(f"{A}/{me}", me, publisher=me)
    problems = [problem("broken_document", me, f"{A}/{me}", me, year=None)]
    return [{"parse": [parsed(me, f"{A}/{me}", "failed", me)], "problem": problems}]


def a_family_without_tables(world: World, me: str) -> list[Rows]:
    world.seen(f"{A}/{me}", me, publisher=me)
    world.seen(f"{C}/{me}", f"c {me}", publisher=me, role="attachment", parent_url=f"{A}/{me}", year=None)
    return [{"parse": [parsed(me, f"{A}/{me}", "no_tables", me), parsed(f"c {me}", f"{C}/{me}", "no_tables", me)]}]


def a_page_listed_and_not_read(world: World, me: str) -> list[Rows]:
    world.seen(f"{A}/{me}", None, publisher=me)
    return []


def a_document_that(kind: str) -> Case:
    def fails(world: World, me: str) -> list[Rows]:
        world.seen(f"{A}/{me}", None, publisher=me)
        world.failed(kind, f"{A}/{me}", publisher=me)
        return []

    return fails


def an_attachment_that_fails(world: World, me: str) -> list[Rows]:
    world.seen(f"{A}/{me}", me, publisher=me)
    world.seen(f"{C}/{me}", None, publisher=me, role="attachment", parent_url=f"{A}/{me}", year=None)
    world.failed("http_error", f"{C}/{me}", publisher=me)
    return [{"parse": [parsed(me, f"{A}/{me}", "no_tables", me)]}]


def an_index_nobody_could_read(world: World, me: str) -> list[Rows]:
    world.crawled(publisher=me, index_read=0)
    world.failed("robots_disallowed", INDEX, publisher=me)
    return []


def an_index_without_this_year(world: World, me: str) -> list[Rows]:
    world.seen(f"{A}/{me}", me, publisher=me, year=2020)
    return [loaded(me, f"{A}/{me}", 2020, me)]


def an_empty_index(world: World, me: str) -> list[Rows]:
    world.failed("empty_index", INDEX, publisher=me)
    return []


def a_title_of_another_year(world: World, me: str) -> list[Rows]:
    world.seen(f"{A}/{me}", me, publisher=me)
    return [loaded(me, f"{A}/{me}", 2020, me)]


def no_answer(kind: str, url: str) -> str:
    return f"{kind}: {kind}: no answer from {url}"


CASES: dict[str, tuple[Case, str, str | None]] = {
    "loaded": (a_loaded_report, "loaded", None),
    "soft": (a_report_with_a_soft_failure, "loaded", None),
    "flagged": (a_flagged_report, "flagged", "identity_failed (1), label_variant (1), unreadable_cell (2)"),
    "old": (an_old_version_that_is_flagged, "loaded", None),
    "broken": (a_broken_document, "unreadable", f"broken_document: broken_document at {A}/broken"),
    "bare": (
        a_family_without_tables,
        "unreadable",
        f"no_tables: no data table in {A}/bare nor in its attachments {C}/bare",
    ),
    "unread": (a_page_listed_and_not_read, "unreadable", "found, not read"),
    **{
        f"down-{kind}": (a_document_that(kind), "unreachable", no_answer(kind, f"{A}/down-{kind}"))
        for kind in ("unreachable", "http_error", "too_large", "script_challenge")
    },
    "forbidden": (a_document_that("robots_disallowed"), "robots_disallowed", no_answer("robots_disallowed", f"{A}/forbidden")),
    "half": (an_attachment_that_fails, "unreachable", no_answer("http_error", f"{C}/half")),
    "closed": (an_index_nobody_could_read, "robots_disallowed", no_answer("robots_disallowed", INDEX)),
    "absent": (an_index_without_this_year, "not_found", "not listed on the index"),
    "empty": (an_empty_index, "not_found", "not listed on the index; " + no_answer("empty_index", INDEX)),
    "mistitled": (a_title_of_another_year, "not_found", "not listed on the index"),
}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("home"))
    world.publishers = [PublisherRow(me, me, "330302", "office") for me in [*CASES, "mine"]]
    documents: list[Rows] = []
    for me, (case, _, _) in CASES.items():
        world.crawled(publisher=me)
        documents += case(world, me)
    world.publish(world.part("p1", *documents), now=NOW)
    return world


@pytest.mark.parametrize("me", CASES)
def test_state_and_reason(night: World, me: str) -> None:
    _, expected, reason = CASES[me]
    assert state(night, 2021, me) == (expected, reason)


def test_a_source_never_crawled_says_so(night: World) -> None:
    assert state(night, 2021, "mine") == ("not_found", "the source was never crawled")


def test_every_publisher_has_every_year_once(night: World) -> None:
    assert [name for (name,) in night.ask("SELECT column_name FROM (DESCRIBE coverage)")] == [
        "publisher_id",
        "district_code",
        "year",
        "state",
        "reason",
        "due_on",
        "last_seen",
        "withdrawn_on",
    ]
    rows = night.ask("SELECT publisher_id, year, district_code FROM coverage ORDER BY ALL")
    assert rows == [(me, year, "330302") for me in sorted([*CASES, "mine"]) for year in range(2020, 2026)], "to the year just ended"


# --- states that change from night to night


def test_a_report_that_left_the_index_keeps_its_flag(world: World) -> None:
    world.seen(A, "a")
    document = loaded("a", A)
    document["problem"] = [problem("label_variant", "a", A, severity="warning")]
    world.publish(world.part("p1", document))
    world.run("r2")
    world.crawled("r2")
    world.publish(run_id="r2")
    assert state(world) == ("flagged", "label_variant (1); no longer listed since 2026-11-22, its address gave no answer since")


def test_an_outage_leaves_loaded_years_loaded(world: World) -> None:
    world.seen(A, "a", year=2020)
    world.seen(B, None, year=2022)
    world.publish(world.part("p1", loaded("a", A, 2020)))
    world.run("r2")
    world.failed("unreachable", INDEX, "r2")
    world.crawled("r2", index_read=0)
    world.publish(run_id="r2")
    assert [state(world, year)[0] for year in (2020, 2021, 2022)] == ["loaded", "unreachable", "unreadable"]


def test_a_problem_solved_since_is_no_reason(world: World) -> None:
    world.seen(A, None)
    world.failed("unreachable", A)
    world.publish()
    world.run("r2")
    world.crawled("r2")
    world.seen(A, "a", "r2")
    world.publish(world.part("p2", loaded("a", A)), run_id="r2")
    assert state(world) == ("loaded", None)


def test_a_misread_year_does_not_stretch_the_table(world: World) -> None:
    world.seen(A, "a")
    world.seen(B, None, year=1949)
    world.seen(C, None, year=2099)
    world.publish(world.part("p1", loaded("a", A)), now=NOW)
    assert world.ask("SELECT year, state FROM coverage ORDER BY year") == [(2021, "loaded"), *((y, "not_found") for y in range(2022, 2026))]
