"""`gongkai status --check`: one line for each reason, status 1; and the heartbeat it reads."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result
from warehouse_world import World, loaded

from extract.home import Home
from extract.ledger import Ledger, SourceState, utc_text
from flows import health, logs, progress
from flows.cli import app
from flows.watch import end_heartbeat, heartbeat_file, read_heartbeat, watching

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose last nightly run ended an hour ago."""
    home = Home(tmp_path / "home").create()
    ran(home, NOW - timedelta(hours=1))
    return home


def ran(home: Home, ended: datetime, status: str = "nothing_new", command: str = "run") -> str:
    """A run in the ledger, half an hour long."""
    with Ledger(home.ledger) as ledger:
        run_id = ledger.start_run(command)
        ledger.finish_run(run_id, "failed", {})
    times = [utc_text(ended - timedelta(minutes=30)), utc_text(ended), status, run_id]
    with closing(sqlite3.connect(home.ledger)) as db, db:
        db.execute("UPDATE run SET started_at = ?, finished_at = ?, status = ? WHERE run_id = ?", times)
    return run_id


def visited(home: Home, source: str, *listed: int | None) -> None:
    """Visits to a source, a day apart, the last one just now: how many reports its index listed, None where it was not read."""
    with Ledger(home.ledger) as ledger:
        for n, reports in enumerate(listed):
            at = utc_text(NOW - DAY * (len(listed) - 1 - n))
            state = SourceState(source, f"v{n}", at, reports is not None, reports or 0, 0, 0, 0)
            ledger.record_source(state)


def check(home: Home, *words: object) -> Result:
    return CliRunner().invoke(app, ["status", "--check", "--home", str(home.root), *map(str, words)])


def test_all_well_is_one_line_and_status_0(home: Home) -> None:
    visited(home, "a-office", 3, 3)
    result = check(home)
    assert result.exit_code == 0
    assert re.fullmatch(r"well: last success 6\d min ago, 1 sources\n", result.output)


def test_a_home_in_which_nothing_ever_ran(tmp_path: Path) -> None:
    result = check(Home(tmp_path / "new"))
    assert result.exit_code == 1
    assert "no run has ever succeeded" in result.output
    assert not (tmp_path / "new").exists(), "a check makes nothing"


@pytest.mark.parametrize(("hours", "limit", "status"), [(23, "24h", 0), (25, "24h", 1), (35, "36h", 0), (37, "36h", 1), (2, "90m", 1)])
def test_the_age_of_the_last_success(tmp_path: Path, hours: int, limit: str, status: int) -> None:
    home = Home(tmp_path).create()
    ran(home, datetime.now(UTC) - timedelta(hours=hours))
    result = check(home, "--max-age", limit)
    assert (result.exit_code, len(result.output.splitlines())) == (status, 1)
    assert ("no run was begun since" in result.output) == bool(status)


def test_a_day_is_the_default_and_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path).create()
    ran(home, NOW - timedelta(hours=25))
    assert check(home).exit_code == 1
    monkeypatch.setenv("GONGKAI_MAX_AGE", "2d")
    assert check(home).exit_code == 0


@pytest.mark.parametrize(("status", "command"), [("failed", "run"), ("nothing_new", "ingest"), ("failed", "missed")])
def test_what_is_no_success(tmp_path: Path, status: str, command: str) -> None:
    home = Home(tmp_path).create()
    last = ran(home, NOW - DAY * 3)
    ran(home, NOW - timedelta(minutes=5), status, command)
    (line,) = health.reasons(home, DAY, 3, NOW)
    assert line.startswith(f"the last success is 72 h old (run {last}")
    assert ("1 failed since" in line) == (status == "failed")


def beating(home: Home, **told: Any) -> None:
    state = {"run_id": "r", "status": "running", "started_at": utc_text(NOW - timedelta(hours=1)), "at": utc_text(NOW)} | told
    heartbeat_file(home).write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("told", "well"),
    [
        ({}, True),
        ({"at": utc_text(NOW - timedelta(minutes=3))}, False),
        ({"started_at": utc_text(NOW - timedelta(hours=30))}, False),
        ({"status": "failed"}, False),
    ],
    ids=["alive", "silent", "for ever", "ended"],
)
def test_a_night_that_takes_longer_is_no_alarm_while_it_lives(tmp_path: Path, told: dict[str, str], well: bool) -> None:
    home = Home(tmp_path).create()
    ran(home, NOW - timedelta(hours=25))
    beating(home, **told)
    assert (health.reasons(home, DAY, 3, NOW) == []) == well


def test_a_heartbeat_cut_short_is_none(home: Home) -> None:
    heartbeat_file(home).write_text('{"run_id": "r", "sta')
    assert read_heartbeat(home) is None
    assert check(home).exit_code == 0


@pytest.mark.parametrize(("limit", "told"), [(2, ["c-office: 4", "b-office: 2"]), (3, ["c-office: 4"]), (5, [])])
def test_sources_that_fail_for_k_runs(home: Home, limit: int, told: list[str]) -> None:
    visited(home, "a-office", 3, None, 3)
    visited(home, "b-office", 3, 3, None, None)
    visited(home, "c-office", None, None, None, None)
    result = check(home, "--max-failing", limit)
    assert [line.split(" visits")[0] for line in result.output.splitlines() if "visits" in line] == told
    assert result.exit_code == bool(told)


def test_an_index_that_went_empty(home: Home) -> None:
    visited(home, "a-office", 3, 0)
    visited(home, "b-office", 0, 0)
    visited(home, "c-office", 3, None)
    assert [line.split(";")[0] for line in health.reasons(home, DAY, 3, NOW)] == ["a-office: the index lists no report any more"]


def test_an_index_that_went_empty_by_the_published_problem(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.crawled(publisher="lucheng")
    world.seen("http://127.0.0.1/1.html", "one", publisher="lucheng")
    world.failed("index_emptied", "http://127.0.0.1/list", publisher="lucheng")
    world.publish(world.part("p1", loaded("one", "http://127.0.0.1/1.html", publisher="lucheng")))
    home = Home(tmp_path / "home").create()
    world.ledger.rename(home.ledger)
    home.warehouse.write_bytes(world.published.read_bytes())
    assert [
        line for line in health.reasons(home, DAY * 9999, 3, NOW) if line == "lucheng: index_emptied: no answer from http://127.0.0.1/list"
    ]


def test_many_failing_sources_are_counted(home: Home) -> None:
    for n in range(50):
        visited(home, f"s{n:02}", None, None, None)
    lines = check(home).output.splitlines()
    assert len(lines) == health.NAMED + 1
    assert lines[-1] == "and 30 more sources like the last one"


@pytest.mark.parametrize("which", ["ledger", "warehouse"])
def test_a_state_that_cannot_be_read(home: Home, which: str) -> None:
    Path(getattr(home, which)).write_bytes(b"nonsense" * 500)
    result = check(home)
    assert result.exit_code == 1
    assert "can't be read" in result.output


def test_a_wrong_limit_is_status_2(home: Home) -> None:
    assert check(home, "--max-age", "soon").exit_code == 2
    assert check(home, "--max-failing", "0").exit_code == 2


def test_the_heartbeat_follows_the_run(home: Home) -> None:
    with watching(home, "r1") as watch:
        first = read_heartbeat(home)
        progress.current().stage("crawl")
        progress.current().step("crawl", "http://127.0.0.1/")
        progress.current().stage("read", 3)
        second = read_heartbeat(home)
        watch.end("published")
    last = read_heartbeat(home)
    assert first and second and last
    told = [(b["run_id"], b["status"], b["stage"]) for b in (first, second, last)]
    assert told == [("r1", "running", "start"), ("r1", "running", "read"), ("r1", "published", "read")]
    assert list(watch.timings) == ["start", "crawl", "read"]
    assert not isinstance(progress.current(), type(watch))


def test_a_run_that_raises_or_dies_has_a_last_beat(home: Home) -> None:
    with pytest.raises(ZeroDivisionError), watching(home, "r1"):
        raise ZeroDivisionError
    assert (read_heartbeat(home) or {})["status"] == "failed"
    beating(home, run_id="r2")
    end_heartbeat(home, ["r1"])
    assert (read_heartbeat(home) or {})["status"] == "running"
    end_heartbeat(home, ["r2"])
    assert (read_heartbeat(home) or {})["status"] == "failed"


def test_a_disk_that_takes_no_heartbeat_ends_no_run(home: Home) -> None:
    heartbeat_file(home).with_name(".heartbeat.json").mkdir()
    with watching(home, "r1") as watch:
        progress.current().stage("crawl")
    assert "crawl" in watch.timed()


def test_json_log_lines_say_run_stage_and_source(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    try:
        with watching(home, "r1"):
            progress.current().stage("crawl")
            logs.crawl_event(
                {"event": "problem", "publisher_id": "甲", "url": "u", "kind": "unreachable", "message": "m", "severity": "failure"}
            )
            with logs.source("乙"):
                logs.log.info("read %s", "x")
        logs.log.info("after")
    finally:
        logs.configure("text")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert all({"time", "level", "run_id", "stage", "source", "message"} <= set(line) for line in lines)
    told = [(line["level"], line["run_id"], line["stage"], line["source"], line["message"]) for line in lines]
    assert told == [
        ("INFO", "r1", "crawl", None, "crawl"),
        ("ERROR", "r1", "crawl", "甲", "problem unreachable u m"),
        ("INFO", "r1", "crawl", "乙", "read x"),
        ("INFO", None, None, None, "after"),
    ]
    assert all(datetime.fromisoformat(line["time"]) for line in lines)
