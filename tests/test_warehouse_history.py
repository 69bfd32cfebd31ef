"""Nights in a row: what changes, what leaves, what comes back, and what only we read differently."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from warehouse_world import Rows, World, loaded, night, observation, parsed, problem, sha

from warehouse.build import PublisherRow

A, B, C, D = "http://127.0.0.1/a.html", "http://127.0.0.1/b.html", "http://127.0.0.1/c.pdf", "http://127.0.0.1/d.pdf"
INDEX = "http://127.0.0.1/index.html"
R1 = {"new_received": "58", "carried_in": "2", "processed_total": "55", "carried_out": "5"}
LATER = datetime(2027, 2, 1, tzinfo=UTC)
CHANGES = "SELECT indicator, change, value_from, value_to FROM revision ORDER BY indicator"
STATE = "SELECT state, reason, last_seen::VARCHAR, withdrawn_on::VARCHAR FROM coverage WHERE publisher_id = 'lucheng' AND year = 2021"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def stamp(run_id: str) -> str:
    return night(run_id).replace("T", " ").removesuffix("Z")


def a_night(world: World, run_id: str, *documents: Rows, listed: int = 1, **visit: object) -> None:
    """Close the visit of a run and publish what it read."""
    world.run(run_id)
    world.crawled(run_id, listed=listed, **visit)
    world.publish(*([world.part(run_id, *documents)] if documents else []), run_id=run_id, now=LATER)


def report(name: str, url: str, run_id: str, **more: object) -> Rows:
    return loaded(name, url, fetched_at=night(run_id), **more)


def rid(name: str, year: int = 2021) -> str:
    return f"lucheng-{year}-{sha(name)[:8]}"


# --- revisions


def test_every_kind_of_change_is_a_row_of_revision(world: World) -> None:
    old = report("old", A, "r1", figures=R1 | {"granted": "7", "partially_granted": "1", "denied_process": "3"})
    for row, status in ((4, "blank"), (6, "unreadable")):
        old["observation"][row] |= {"value": None, "value_status": status, "raw_text": ""}
    world.seen(A, "old")
    a_night(world, "r1", old)
    new = report("new", A, "r2", figures=R1 | {"carried_in": "3", "granted": "7", "denied_process": "3", "denied_state_secret": "9"})
    new["observation"][0]["raw_text"] = "58件"
    new["observation"][3] |= {"value": None, "value_status": "blank", "raw_text": ""}
    world.seen(A, "new", "r2")
    a_night(world, "r2", new)
    assert world.ask(CHANGES) == [
        ("carried_in", "value_changed", 2, 3),
        ("carried_out", "value_removed", 5, None),
        ("denied_process", "unreadable_resolved", None, 3),
        ("denied_state_secret", "added", None, 9),
        ("granted", "blank_filled", None, 7),
        ("new_received", "text_only", 58, 58),
        ("partially_granted", "removed", 1, None),
    ]
    assert world.ask("SELECT DISTINCT report_id_from, report_id_to, seen_from::VARCHAR, seen_to::VARCHAR FROM revision") == [
        (rid("old"), rid("new"), stamp("r1"), stamp("r2"))
    ]
    assert world.ask("SELECT version, is_current FROM report ORDER BY version") == [(1, False), (2, True)]
    assert world.ask("SELECT same_content FROM report_change") == [(False,)]


def test_furniture_of_a_page_makes_no_version_and_a_return_no_third(world: World) -> None:
    for run_id, name, text in (("r1", "one", "58"), ("r2", "two", "58"), ("r3", "three", "59"), ("r4", "four", "58")):
        world.seen(A, name, run_id)
        a_night(world, run_id, report(name, A, run_id, figures=R1 | {"new_received": text}))
    assert world.ask("SELECT document_sha256, version, is_current FROM report ORDER BY fetched_at") == [
        (sha("one"), 1, False),
        (sha("two"), 1, False),
        (sha("three"), 2, False),
        (sha("four"), 1, True),
    ]
    assert world.ask("SELECT report_id_to, value_from, value_to FROM revision ORDER BY seen_to") == [
        (rid("three"), 58, 59),
        (rid("four"), 59, 58),
    ]
    assert world.ask("SELECT same_content FROM report_change ORDER BY seen_to") == [(True,), (False,), (False,)]


def test_free_prose_is_told_apart_by_its_text(world: World) -> None:
    for run_id, text in (("r1", "收到申请3件。"), ("r2", "收到申请4件。")):
        document = report(run_id, A, run_id, figures={}, format=None)
        document["narrative"][0]["text"] = text
        document["check_result"] = []
        world.seen(A, run_id, run_id)
        a_night(world, run_id, document)
    assert world.ask("SELECT version FROM report ORDER BY fetched_at") == [(1,), (2,)]


def test_what_stands_side_by_side_is_no_revision(world: World) -> None:
    def listed(run_id: str, page: str) -> None:
        world.seen(A, page, run_id)
        world.seen(C, "file", run_id, role="attachment", parent_url=A)
        world.seen(B, "picture", run_id, title="2021年报告（图解）")

    listed("r1", "page")
    other = R1 | {"new_received": "1"}
    a_night(world, "r1", report("page", A, "r1"), report("file", C, "r1", figures=other), report("picture", B, "r1", figures=other))
    assert world.ask("FROM revision") == []
    listed("r2", "fresh page")
    a_night(world, "r2", report("fresh page", A, "r2", figures=R1 | {"carried_in": "9"}))
    assert world.ask(CHANGES) == [("carried_in", "value_changed", 2, 9)]


def test_another_file_on_the_same_page_takes_the_place_of_the_first(world: World) -> None:
    world.seen(A, "page")
    world.seen(C, "file", role="attachment", parent_url=A)
    a_night(world, "r1", {"parse": [parsed("page", A, "no_tables")]}, report("file", C, "r1"))
    world.seen(A, "fresh page", "r2")
    world.seen(D, "other file", "r2", role="attachment", parent_url=A)
    world.crawled("r2")
    a_night(world, "r2", {"parse": [parsed("fresh page", A, "no_tables")]}, report("other file", D, "r2", figures=R1 | {"carried_in": "9"}))
    assert world.ask(CHANGES) == [("carried_in", "value_changed", 2, 9)]
    assert world.ask("SELECT url_from, url_to FROM report_change") == [(C, D)]
    assert world.ask("SELECT url, is_alive FROM sighting ORDER BY url") == [(A, True), (C, False), (D, True)]
    world.seen(A, "fresh page", "r3")
    world.seen(D, "other file", "r3", role="attachment", parent_url=A)
    a_night(world, "r3")
    assert world.ask(CHANGES) == [("carried_in", "value_changed", 2, 9)], "a revision is not forgotten"


def test_a_column_that_holds_another_year_every_year_revises_nothing(world: World) -> None:
    world.seen(A, "y2021")
    a_night(world, "r1", report("y2021", A, "r1"))
    world.seen(A, "y2022", "r2", year=2022)
    a_night(world, "r2", report("y2022", A, "r2", year=2022))
    assert world.ask("FROM revision") == []
    assert world.ask(STATE) == [("withdrawn", "other content since 2026-11-22; last seen 2026-11-21", stamp("r1"), "2026-11-22")]


def test_a_better_reading_is_no_revision_and_stands_apart(world: World) -> None:
    world.seen(A, "a")
    first = report("a", A, "r1")
    first["observation"][1] |= {"value": None, "value_status": "unreadable", "raw_text": "2？"}
    a_night(world, "r1", first)
    again = report("a", A, "r1")
    again["parse"][0] |= {"parser_version": "2", "run_id": "r2"}
    world.seen(A, "a", "r2")
    a_night(world, "r2", again)
    assert world.ask("FROM revision") == []
    assert world.ask(
        "SELECT run_id, report_id, indicator, value_from, value_to, status_from, parser_from, parser_to FROM reading_change"
    ) == [("r2", rid("a"), "carried_in", None, Decimal(2), "unreadable", "1", "2")]
    assert world.ask("SELECT unreadable, reported FROM report_quality") == [(0, 4)]
    world.publish(world.part("p3", again), run_id="r2")
    assert len(world.ask("FROM reading_change")) == 1, "the same reading again changes nothing"


def test_counts_per_report_are_those_of_its_rows(world: World) -> None:
    document = report("a", A, "r1", passed=False)
    document["observation"].append(observation(rid("a"), "granted", "5 7", 9, "unreadable"))
    world.seen(A, "a")
    a_night(world, "r1", document)
    assert world.ask(
        "SELECT cells, reported, unreadable, checks_passed, checks_failed, checks_not_assessable, soft_failed FROM report_quality"
    ) == [(5, 4, 1, 1, 1, 1, 0)]


# --- history and AS OF


def test_history_and_the_panel_of_any_date(world: World) -> None:
    world.seen(A, "old")
    a_night(world, "r1", report("old", A, "r1"))
    world.seen(A, "new", "r3")
    a_night(world, "r3", report("new", A, "r3", figures=R1 | {"carried_in": "9"}))
    world.refuses(A, 404, "r5")
    a_night(world, "r5")
    assert world.ask(
        "SELECT version, valid_from::VARCHAR, valid_to::VARCHAR, last_seen::VARCHAR, is_withdrawn, withdrawn_on::VARCHAR "
        "FROM report_history ORDER BY version"
    ) == [
        (1, stamp("r1"), stamp("r3"), stamp("r1"), False, None),
        (2, stamp("r3"), stamp("r5"), stamp("r3"), True, "2026-11-25"),
    ]

    def carried_in(moment: str) -> list[tuple[object, ...]]:
        return world.ask(f"SELECT value FROM panel_as_of('{moment}') WHERE indicator = 'carried_in'")

    assert carried_in("2026-11-20") == []
    assert carried_in("2026-11-22") == [(2,)]
    assert carried_in("2026-11-24") == [(9,)]
    assert carried_in("2027-01-01") == [(9,)], "withdrawn figures stay"
    assert world.ask("FROM panel_as_of('2030-01-01') EXCEPT FROM panel") == []
    assert world.ask("FROM panel EXCEPT FROM panel_as_of('2030-01-01')") == []


def test_the_panel_of_a_date_prefers_what_was_there_then(world: World) -> None:
    world.seen(A, "a")
    world.seen(B, "b")
    a_night(world, "r1", report("a", A, "r1"), report("b", B, "r1", figures={"new_received": "1"}))
    world.seen(B, "b", "r2")
    world.refuses(A, 410, "r2")
    a_night(world, "r2")
    then = "SELECT DISTINCT report_id FROM panel_as_of('{}')"
    assert world.ask(then.format("2026-11-22 12:00")) == [(rid("a"),)]
    assert world.ask(then.format("2026-11-23 12:00")) == [(rid("b"),)] == world.ask("SELECT DISTINCT report_id FROM panel")


# --- withdrawn, unlisted, returned


@pytest.fixture
def listed(world: World) -> World:
    """A report of 2021 and another one, both listed on night one."""
    world.publishers = [PublisherRow("lucheng", "温州市鹿城区人民政府办公室", "330302", "office", "own")]
    world.seen(A, "a")
    world.seen(B, "b", year=2020)
    a_night(world, "r1", report("a", A, "r1"), report("b", B, "r1", year=2020), listed=2)
    assert world.ask(STATE) == [("loaded", None, stamp("r1"), None)]
    world.seen(B, "b", "r2", year=2020)
    return world


def test_off_the_list_and_still_there_is_loaded(listed: World) -> None:
    listed.answers(A, "a", "r3")
    a_night(listed, "r2")
    listed.seen(B, "b", "r3", year=2020)
    a_night(listed, "r3")
    assert listed.ask(STATE) == [("loaded", "no longer listed since 2026-11-22, its address still answers", stamp("r3"), None)]


@pytest.mark.parametrize("status", [404, 410])
def test_off_the_list_and_gone_is_withdrawn_and_its_figures_stay(listed: World, status: int) -> None:
    listed.refuses(A, status, "r2")
    a_night(listed, "r2")
    reason = f"HTTP {status} since 2026-11-22; last seen 2026-11-21; no longer listed since 2026-11-22"
    assert listed.ask(STATE) == [("withdrawn", reason, stamp("r1"), "2026-11-22")]
    assert listed.ask("SELECT count(*) FROM panel WHERE year = 2021") == [(4,)]
    listed.seen(A, "a", "r3")
    listed.seen(B, "b", "r3", year=2020)
    a_night(listed, "r3")
    assert listed.ask(STATE) == [("loaded", None, stamp("r3"), None)]
    assert listed.ask("SELECT is_withdrawn, valid_to FROM report_history WHERE year = 2021") == [(False, None)]


def test_listed_and_gone_is_withdrawn_and_no_failure_to_load(listed: World) -> None:
    listed.seen(A, None, "r2")
    listed.refuses(A, 404, "r2")
    listed.failed("http_error", A, "r2", year=2021)
    a_night(listed, "r2")
    assert listed.ask(STATE)[0][:2] == ("withdrawn", "HTTP 404 since 2026-11-22; last seen 2026-11-21")


@pytest.mark.parametrize("status", [403, 500, 503])
def test_an_error_that_may_pass_withdraws_nothing(listed: World, status: int) -> None:
    listed.refuses(A, status, "r2")
    a_night(listed, "r2")
    assert listed.ask(STATE)[0][:2] == ("loaded", "no longer listed since 2026-11-22, its address gave no answer since")


def test_an_address_that_answers_with_something_else_is_gone(listed: World) -> None:
    listed.answers(A, "soft 404", "r2")
    a_night(listed, "r2", {"parse": [parsed("soft 404", A, "no_tables")]})
    assert listed.ask(STATE)[0][:2] == (
        "withdrawn",
        "other content since 2026-11-22; last seen 2026-11-21; no longer listed since 2026-11-22",
    )
    assert listed.ask("SELECT kind FROM problem WHERE is_open") == []


def test_a_new_version_that_cannot_be_read_flags_the_old_one(listed: World) -> None:
    listed.seen(A, "damaged", "r2")
    broken = {"parse": [parsed("damaged", A, "failed", year=2021)], "problem": [problem("broken_document", "damaged", A)]}
    a_night(listed, "r2", broken)
    assert listed.ask(STATE)[0][:2] == (
        "flagged",
        "an earlier version is loaded (other content since 2026-11-22; last seen 2026-11-21); broken_document: broken_document at " + A,
    )


def test_a_file_goes_with_its_page(world: World) -> None:
    world.seen(A, "page")
    world.seen(C, "file", role="attachment", parent_url=A, year=None)
    world.seen(B, "b", year=2020)
    a_night(world, "r1", {"parse": [parsed("page", A, "no_tables")]}, report("file", C, "r1"), report("b", B, "r1", year=2020))
    world.seen(B, "b", "r2", year=2020)
    world.refuses(A, 404, "r2")
    a_night(world, "r2")
    assert world.ask(STATE)[0][:2] == (
        "withdrawn",
        "its page: HTTP 404 since 2026-11-22; last seen 2026-11-21; no longer listed since 2026-11-22",
    )


def test_an_emptied_index_withdraws_nothing_and_is_an_alarm(listed: World) -> None:
    listed.failed("index_emptied", INDEX, "r3")
    listed.refuses(A, 404, "r3")
    a_night(listed, "r3", listed=0)
    assert listed.ask(STATE)[0][:2] == ("loaded", f"index_emptied: index_emptied: no answer from {INDEX}")
    assert listed.ask("SELECT state FROM coverage WHERE year = 2022") == [("unreachable",)]
    assert listed.ask("SELECT failing_visits, listed, listed_before FROM source_health") == [(1, 0, 2)]


# --- runs narrowed to a year


def test_a_narrowed_run_closes_only_what_it_asked(world: World) -> None:
    for year in (2020, 2021):
        world.seen(f"{A}?{year}", None, year=year)
        world.failed("http_error", f"{A}?{year}", year=year)
    world.failed("unreachable", INDEX)
    a_night(world, "r1", listed=2)
    for year in (2020, 2021):
        world.seen(f"{A}?{year}", None, "r2", year=year)
    a_night(world, "r2", listed=2, years=[2021])
    assert world.ask("SELECT year, kind FROM problem WHERE is_open AND origin = 'ledger'") == [(2020, "http_error")]
    a_night(world, "r3", listed=2)
    assert world.ask("SELECT year, kind FROM problem WHERE is_open AND origin = 'ledger'") == []


def test_a_narrowed_run_takes_nothing_off_the_list(world: World) -> None:
    world.seen(A, "page")
    world.seen(C, "file", role="attachment", parent_url=A)
    a_night(world, "r1", {"parse": [parsed("page", A, "no_tables")]}, report("file", C, "r1"))
    a_night(world, "r2", years=[2019])
    assert world.ask("SELECT url, is_listed, is_alive FROM sighting ORDER BY url") == [(A, True, True), (C, True, True)]
    assert world.ask(STATE)[0][:2] == ("loaded", None)


def test_the_same_failure_again_stands_once(world: World) -> None:
    """A crawler that dies visits nothing to the end, so it closes nothing either."""
    world.failed("unreachable", None)
    world.publish(now=LATER)
    world.run("r2")
    world.failed("unreachable", None, "r2")
    world.publish(run_id="r2", now=LATER)
    assert world.ask("SELECT run_id FROM problem WHERE is_open") == [("r2",)]


# --- deadlines


@pytest.mark.parametrize(
    ("kind", "scope", "built", "state"),
    [
        ("office", "own", datetime(2026, 1, 1, tzinfo=UTC), "not_due"),
        ("office", "own", datetime(2026, 1, 31, 15, 59, tzinfo=UTC), "not_due"),
        ("office", "own", datetime(2026, 1, 31, 16, 0, tzinfo=UTC), "not_found"),  # 1 February in China
        ("department", None, datetime(2026, 2, 15, tzinfo=UTC), "not_found"),
        ("township", None, datetime(2026, 1, 15, tzinfo=UTC), "not_due"),
        ("other", None, datetime(2026, 3, 1, tzinfo=UTC), "not_found"),
        ("government", None, datetime(2026, 3, 31, 15, 59, tzinfo=UTC), "not_due"),
        ("government", None, datetime(2026, 3, 31, 16, 0, tzinfo=UTC), "not_found"),
        ("office", "consolidated", datetime(2026, 3, 1, tzinfo=UTC), "not_due"),
    ],
)
def test_what_is_not_due_is_not_missing(world: World, kind: str, scope: str | None, built: datetime, state: str) -> None:
    world.publishers = [PublisherRow("lucheng", "x", "330302", kind, scope)]
    world.crawled()
    world.publish(now=built)
    assert world.ask("SELECT year, state FROM coverage") == [(2025, state)]


def test_a_report_before_its_deadline_is_loaded(world: World) -> None:
    world.seen(A, "a", year=2025)
    world.crawled()
    world.publish(world.part("p1", report("a", A, "r1", year=2025)), now=datetime(2026, 1, 10, tzinfo=UTC))
    assert world.ask("SELECT year, state, due_on::VARCHAR FROM coverage") == [(2025, "loaded", "2026-01-31")]


def test_an_index_that_was_not_read_is_unreachable_before_the_deadline_too(world: World) -> None:
    world.crawled(index_read=0)
    world.failed("script_challenge", INDEX)
    world.publish(now=datetime(2026, 1, 10, tzinfo=UTC))
    assert world.ask("SELECT state, reason FROM coverage") == [
        ("unreachable", f"script_challenge: script_challenge: no answer from {INDEX}")
    ]
