"""A clock that was set back: runs, documents and heartbeats dated in the future."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from faults import ingest, query, runs

from extract.crawl.policy import is_due
from extract.home import Home
from extract.ledger import Ledger, SourceState, utc_text
from flows import health, night, pipeline, serve
from flows.watch import write_heartbeat

pytestmark = pytest.mark.usefixtures("here")
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def ahead(one_report: Home) -> Home:
    """A one_report whose only nightly run was made while the clock was a year ahead."""
    future = utc_text(NOW + timedelta(days=365))
    with Ledger(one_report.ledger) as ledger:
        run_id = ledger.start_run("run")
        ledger.finish_run(run_id, "nothing_new", {})
        ledger.record_source(SourceState("a-office", run_id, future, True, 3, 0, 0, 0))
    with closing(sqlite3.connect(one_report.ledger)) as db, db:
        db.execute("UPDATE run SET started_at = ?, finished_at = ? WHERE run_id = ?", [future, future, run_id])
        db.execute("UPDATE document SET last_checked = ?, url = 'http://127.0.0.1/a.html'", [future])
    return one_report


def reasons(home: Home, max_age: timedelta = timedelta(days=1)) -> list[str]:
    return health.reasons(home, max_age, 3, NOW)


def test_a_success_of_the_future_is_none(ahead: Home) -> None:
    """`status --check` would be silent for a year."""
    assert any("the clock is, or was, wrong" in line for line in reasons(ahead))
    for _ in range(3):
        run_id = night.begin(ahead, "run")
        with Ledger(ahead.ledger) as ledger:
            ledger.record_source(SourceState("a-office", run_id, utc_text(NOW), False, 0, 0, 0, 0))
            ledger.finish_run(run_id, "nothing_new", {})
    assert runs(ahead)[0].run_id == run_id, "the newest run is the one begun last"
    assert reasons(ahead) == [f"a-office: 3 visits in a row failed; last success {NOW + timedelta(days=365):%Y-%m-%d}"]


def test_a_run_tells_that_the_clock_was_set_back(ahead: Home) -> None:
    before = runs(ahead)[0]
    run_id = night.begin(ahead, "run")
    assert run_id < before.started_at.replace("-", "").replace(":", "")
    with Ledger(ahead.ledger) as ledger:
        (problem,) = ledger.problems(run_id)
    assert (problem.kind, problem.severity) == ("clock_set_back", "warning")
    assert before.run_id in problem.message


def test_what_was_asked_in_the_future_is_due(ahead: Home) -> None:
    with Ledger(ahead.ledger) as ledger:
        document = ledger.document("http://127.0.0.1/a.html")
    assert is_due(document, NOW)
    assert not is_due(document, NOW + timedelta(days=365) - timedelta(minutes=5)), "a clock may be some minutes off"


def test_a_heartbeat_of_the_future_is_no_life(ahead: Home) -> None:
    beat = {"status": "running", "at": utc_text(NOW + timedelta(days=365)), "started_at": utc_text(NOW)}
    write_heartbeat(ahead, beat)
    assert not health._under_way(ahead, NOW, timedelta(days=1))
    write_heartbeat(ahead, beat | {"at": utc_text(NOW)})
    assert health._under_way(ahead, NOW, timedelta(days=1))


def test_a_night_is_missed_although_a_run_of_the_future_is_known(ahead: Home) -> None:
    assert serve.missed(ahead, NOW - timedelta(hours=1))
    night.begin(ahead, "run")
    assert not serve.missed(ahead, NOW - timedelta(hours=1))


def test_problems_close_in_the_order_of_the_runs(ahead: Home, two_files: list[Path]) -> None:
    """A problem that names no source is open until the next run, also where the run before is dated a year ahead."""
    with Ledger(ahead.ledger) as ledger:
        ledger.add_problems(ledger.runs()[0].run_id, [pipeline.Problem("crawl", "archive_unreachable", "then")])
    assert ingest(ahead.root, *two_files).exit_code == 0
    assert query(ahead, "SELECT kind FROM problem WHERE is_open") == [("clock_set_back",)]
