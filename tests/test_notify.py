"""Messages to a webhook on loopback: when one is sent, what it says, and that nobody's silence fails a run."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from warehouse_world import World, loaded

from extract.home import Home
from extract.ledger import Ledger
from flows import notify, summary
from flows.night import close_dead_runs, telling_of_failure, untold
from flows.pipeline import Outcome
from flows.settings import Settings
from flows.watch import watching

SECRET = "s3cr3t-T0ken"


class Hook:
    """A webhook that keeps what it got; answers with `status`."""

    def __init__(self, status: int = 200) -> None:
        got: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.got = got
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://user:{SECRET}@127.0.0.1:{self.server.server_address[1]}/hook"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    hook = Hook()
    monkeypatch.setenv("GONGKAI_NOTIFY", hook.url)
    yield hook
    hook.server.shutdown()
    hook.server.server_close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


def started(home: Home) -> str:
    with Ledger(home.ledger) as ledger:
        return ledger.start_run("run")


@pytest.mark.parametrize(
    ("when", "heard"), [("failure", ["failure"]), ("alarm", ["failure", "alarm"]), ("always", ["failure", "alarm", "ok"])]
)
def test_when_a_message_is_sent(home: Home, hook: Hook, monkeypatch: pytest.MonkeyPatch, when: str, heard: list[str]) -> None:
    monkeypatch.setenv("GONGKAI_NOTIFY_ON", when)
    levels: tuple[notify.Level, ...] = ("failure", "alarm", "ok")
    for level in levels:
        notify.tell(home, None, Settings(), level, "text", level)
    assert [message["title"] for message in hook.got] == heard


def test_a_message_says_what_the_summary_says(home: Home, hook: Hook) -> None:
    run_id = started(home)
    with pytest.raises(OSError, match="disk"), watching(home, run_id) as watch, telling_of_failure(home, run_id, Settings(), watch):
        raise OSError("disk full")
    (message,) = hook.got
    assert (message["title"], message["type"]) == (f"gongkai: run {run_id} failed", "failure")
    text = summary.path(home, run_id).read_text("utf-8")
    assert "> disk full" in text
    assert "disk full" in message["message"]


@pytest.mark.parametrize("silence", ["refused", "error"])
def test_what_is_not_taken_is_a_warning_without_secrets(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, silence: str
) -> None:
    hook = Hook(500)
    if silence == "refused":
        hook.server.shutdown()
        hook.server.server_close()
    monkeypatch.setenv("GONGKAI_NOTIFY", hook.url)
    run_id = started(home)
    notify.tell(home, run_id, Settings(), "title", "text", "failure")
    with Ledger(home.ledger) as ledger:
        (problem,) = ledger.problems(run_id)
    assert (problem.kind, problem.severity) == ("not_notified", "warning")
    assert "127.0.0.1" in problem.message
    assert SECRET not in problem.message + caplog.text
    hook.server.server_close()


def test_one_deaf_address_does_not_keep_the_others_from_hearing(hook: Hook) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        deaf = f"json://127.0.0.1:{unused.getsockname()[1]}"
    secret = Settings().notify[0]
    lost = notify.send([type(secret)(deaf), secret], "title", "text", "ok")
    assert (len(lost), len(hook.got)) == (1, 1)


def test_a_run_whose_process_died_is_told_at_the_next_start(home: Home, hook: Hook) -> None:
    run_id = started(home)
    assert close_dead_runs(home, "the run was ended by SIGKILL") == [run_id]
    assert close_dead_runs(home, "again") == []
    (message,) = hook.got
    assert "SIGKILL" in message["message"]
    with Ledger(home.ledger) as ledger:
        assert [r.status for r in ledger.runs()] == ["failed"]


def test_a_summary_that_cannot_be_written_fails_nothing(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    (home.root / "runs").write_text("in the way")
    with untold():
        summary.leave(home, "r1", "text")
    assert "run summary" in caplog.text


def world(folder: Path) -> tuple[World, Home]:
    """A published home: the report of 2021 of one publisher."""
    world = World(folder)
    world.crawled(publisher="lucheng")
    world.seen("http://127.0.0.1/1.html", "one", publisher="lucheng")
    world.publish(world.part("p1", loaded("one", "http://127.0.0.1/1.html", publisher="lucheng")))
    return world, Home(folder)


def test_the_summary_tells_what_changed(tmp_path: Path) -> None:
    made, home = world(tmp_path)
    empty = summary.Snapshot()
    before = summary.snapshot(home)
    first = summary.compose(home, Outcome("r1", "published", {"reports_loaded": 1}), empty, {"crawl": 1.25}, ["a|b: look"])
    assert "## New reports (1)" in first
    assert "- a|b: look" in first
    assert "| crawl | 1.2 |" in first
    second = summary.compose(home, Outcome("r2", "nothing_new"), before, {})
    assert "New reports" not in second
    assert "New problems" not in second
    made.failed("unreachable", "http://127.0.0.1/2|3.html", publisher="lucheng", year=2020)
    made.publish(made.part("p2"))
    third = summary.compose(home, Outcome("r3", "published"), before, {})
    assert "## New problems (1)" in third
    assert "http://127.0.0.1/2\\|3.html" in third
    back = summary.snapshot(home)
    fourth = summary.compose(home, Outcome("r4", "published"), back, {})
    assert "problems" not in fourth.lower().replace("problems |", "")


def test_a_home_without_a_warehouse_has_an_empty_snapshot(home: Home) -> None:
    assert summary.snapshot(home) == summary.Snapshot()
    home.warehouse.write_bytes(b"nonsense" * 1000)
    assert summary.snapshot(home) == summary.Snapshot()
