"""`gongkai serve`: at its times, never twice at once, missed nights told, stopped in good order; and the units beside it."""

from __future__ import annotations

import configparser
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from extract.home import Home
from extract.ledger import Ledger, RunRow, utc_text
from flows import serve, settings
from flows.cli import app
from flows.engine import SETTINGS
from flows.pipeline import exclusive
from flows.schedule import Schedule
from sources.sample import server

pytestmark = pytest.mark.slow

DEPLOY = Path(settings.__file__).parent / "deploy"
EVERY_SECOND = Schedule("* * * * * *", "UTC")
NIGHTLY = Schedule("0 2 * * *", "Asia/Shanghai")
#: A night that opens its run, waits, and closes it; it says how often two were under way at once.
NIGHT = """
    import sys, time
    from pathlib import Path
    from extract.ledger import Ledger
    from flows.pipeline import exclusive
    from extract.home import Home
    with exclusive(Home(Path({home!r}))), Ledger(Path({ledger!r})) as ledger:
        run_id = ledger.start_run("run")
        time.sleep({seconds})
        {end}
"""
CLOSE = 'ledger.finish_run(run_id, "nothing_new", {})'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


@pytest.fixture
def night(home: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what a night does."""

    def use(seconds: float = 0.0, end: str = CLOSE, code: str | None = None) -> None:
        text = code or textwrap.dedent(NIGHT).format(home=str(home.root), ledger=str(home.ledger), seconds=seconds, end=end)
        monkeypatch.setattr(serve, "command", lambda _: [sys.executable, "-c", text])

    use()
    return use


def nights(home: Home, schedule: Schedule = EVERY_SECOND, *, catch_up: bool = True, grace: float = 60.0) -> serve.Nights:
    return serve.Nights(home, Path("sources.yml"), schedule, catch_up, grace, threading.Event())


def runs(home: Home) -> list[RunRow]:
    with Ledger(home.ledger) as ledger:
        return ledger.runs()[::-1]


def ran(home: Home, *, command: str = "run", status: str = "nothing_new") -> str:
    with Ledger(home.ledger) as ledger:
        run_id = ledger.start_run(command)
        ledger.finish_run(run_id, status, {})  # type: ignore[arg-type]
    return run_id


def kept(made: serve.Nights, until: Callable[[], bool], limit: float = 60.0) -> None:
    """Keep the nights in a thread until something has come true, then stop."""
    thread = threading.Thread(target=made.keep)
    thread.start()
    end = time.monotonic() + limit
    while not until() and time.monotonic() < end:
        time.sleep(0.1)
    made.stop.set()
    thread.join(limit)
    assert not thread.is_alive()
    assert until()


def missed_rows(home: Home) -> list[str]:
    """Messages of the missed runs; each belongs to a run row of its own."""
    with Ledger(home.ledger) as ledger:
        found = [(r, p) for r in ledger.runs() for p in ledger.problems(r.run_id) if p.kind == "missed_run"]
    assert all((r.command, r.status, p.severity) == ("missed", "failed", "warning") for r, p in found)
    return [p.message for _, p in found]


@pytest.mark.usefixtures("night")
def test_runs_at_every_due_time_one_after_the_other(home: Home) -> None:
    kept(nights(home), lambda: len([r for r in runs(home) if r.command == "run" and r.status == "nothing_new"]) >= 2)
    times = [(r.started_at, r.finished_at) for r in runs(home) if r.command == "run"]
    assert all(done <= begun for (_, done), (begun, _) in pairwise(times) if done)


def test_a_new_home_waits_for_its_first_time(home: Home, night: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    made = nights(home, NIGHTLY)
    with caplog.at_level("INFO", "gongkai"):
        kept(made, lambda: "first run at" in caplog.text)
    assert runs(home) == []


@pytest.mark.parametrize(("catch_up", "told"), [(True, "it is run now"), (False, "it is left out")])
def test_a_night_missed_while_the_machine_was_off(home: Home, night: Callable[..., None], catch_up: bool, told: str) -> None:
    ran(home)
    made = nights(home, Schedule(_soon(), "UTC"), catch_up=catch_up)
    due = made.schedule.before(datetime.now(UTC))
    _backdate(home, due - timedelta(hours=20))
    kept(made, lambda: len(runs(home)) == (3 if catch_up else 2) and runs(home)[-1].status != "running")
    assert [r.command for r in runs(home)] == ["run", "missed", "run"][: 3 if catch_up else 2]
    (message,) = missed_rows(home)
    assert utc_text(due) in message
    assert message.endswith(told)


def _soon() -> str:
    """A daily time that was half a day ago, so that nothing falls due while the test runs."""
    then = datetime.now(UTC) - timedelta(hours=12)
    return f"{then.minute} {then.hour} * * *"


def _backdate(home: Home, moment: datetime) -> None:
    with Ledger(home.ledger) as ledger:
        ledger._db.execute("UPDATE run SET started_at = ?, finished_at = ?", [utc_text(moment)] * 2)


@pytest.mark.parametrize(("command", "expected"), [("run", False), ("ingest", True), ("missed", True)])
def test_only_a_run_is_a_night(home: Home, command: str, expected: bool) -> None:
    ran(home)
    _backdate(home, datetime(2026, 1, 1, tzinfo=UTC))
    ran(home, command=command)
    assert serve.missed(home, datetime.now(UTC) - timedelta(hours=1)) is expected


def test_a_failed_run_is_no_missed_one(home: Home) -> None:
    ran(home, status="failed")
    assert not serve.missed(home, datetime.now(UTC) - timedelta(hours=1))


def test_sleeping_over_the_time_is_told(home: Home, night: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock jumps by an hour while `serve` waits."""
    made = nights(home, Schedule("* * * * *", "UTC"), catch_up=True)
    made._due = datetime.now(UTC) - timedelta(hours=1)
    assert made._wait()
    made._miss(made._due)
    assert len(missed_rows(home)) == 1
    assert [r.command for r in runs(home)] == ["missed", "run"]
    assert made._due > datetime.now(UTC) - timedelta(minutes=2), "several missed times are one"


def test_a_night_longer_than_its_schedule_is_told_and_not_doubled(home: Home, night: Callable[..., None]) -> None:
    night(seconds=3)
    kept(nights(home, catch_up=False), lambda: any("still under way" in m for m in missed_rows(home)))


def test_a_clock_set_back_does_not_run_a_night_twice() -> None:
    done = datetime(2026, 11, 22, 18, tzinfo=UTC)
    for back in (timedelta(0), timedelta(hours=3), timedelta(hours=23)):
        assert serve.next_due(NIGHTLY, done, done - back) == done + timedelta(days=1)
    years = done + timedelta(days=4000)
    assert serve.next_due(NIGHTLY, years, done) == done + timedelta(days=1), "a clock that was years ahead does not silence it for years"


def test_a_night_that_dies_is_closed_and_told(home: Home, night: Callable[..., None]) -> None:
    night(end="import os; os.kill(os.getpid(), 9)")
    kept(nights(home), lambda: any(r.status == "failed" for r in runs(home)))
    failed = next(r for r in runs(home) if r.status == "failed" and r.command == "run")
    assert "SIGKILL" in (home.root / "runs" / f"{failed.run_id}.md").read_text("utf-8")


def test_a_night_that_never_began_is_told(home: Home, night: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    ran(home)
    _backdate(home, datetime(2026, 1, 1, tzinfo=UTC))
    night(code="import sys; sys.exit(2)")
    told: list[str] = []
    monkeypatch.setattr(serve.notify, "tell", lambda *words: told.append(words[3]))
    nights(home)._night()
    assert told == ["gongkai: no run was begun"]


def test_stop_lets_the_night_end(home: Home, night: Callable[..., None]) -> None:
    night(seconds=2)
    kept(nights(home), lambda: any(r.command == "run" for r in runs(home)))
    assert [r.status for r in runs(home) if r.command == "run"] == ["nothing_new"]


def test_stop_aborts_after_the_grace_time_and_leaves_the_ledger_whole(home: Home, night: Callable[..., None]) -> None:
    night(seconds=600)
    began = time.monotonic()
    kept(nights(home, grace=0.5), lambda: any(r.command == "run" for r in runs(home)))
    assert time.monotonic() - began < 60
    assert [r.status for r in runs(home) if r.command == "run"] == ["failed"]
    with exclusive(home):
        assert True, "nothing holds the home any more"


def test_two_serves_of_one_home(home: Home, tmp_path: Path) -> None:
    (tmp_path / "sources.yml").write_text(server.registry("http://127.0.0.1:9"), "utf-8")
    with serve._only_one(home):
        result = CliRunner().invoke(app, ["serve", "--sources", str(tmp_path / "sources.yml"), "--home", str(home.root)])
    assert result.exit_code == 1
    assert "another `gongkai serve`" in result.output.replace("\n", " ")


@pytest.mark.parametrize("words", [["--cron", "never"], ["--sources", "nowhere.yml"], []], ids=["cron", "registry", "none"])
def test_what_can_not_be_served_is_status_2(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.delenv("GONGKAI_SOURCES", raising=False)
    (tmp_path / "sources.yml").write_text(server.registry("http://127.0.0.1:9"), "utf-8")
    more = ["--sources", str(tmp_path / "sources.yml")] if "--cron" in words else []
    result = CliRunner().invoke(app, ["serve", *more, *words, "--home", str(home.root)])
    assert result.exit_code == 2


@pytest.fixture
def one_source(tmp_path: Path) -> Iterator[Path]:
    with server.serve(0) as url:
        entries = [e for e in yaml.safe_load(server.registry(url)) if e["id"] == "wendeng-office"]
        path = tmp_path / "sources.yml"
        path.write_text(yaml.safe_dump(entries, allow_unicode=True), "utf-8")
        yield path


def test_a_real_night_on_the_sample_portal(home: Home, one_source: Path) -> None:
    """The command itself: a night through Prefect at its time, then SIGTERM."""
    words = [sys.executable, "-m", "flows.cli", "serve", "--sources", str(one_source), "--cron", "*/3 * * * * *", "--no-catch-up"]
    environment = {k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"} | SETTINGS | {"GONGKAI_WORKERS": "1"}
    process = subprocess.Popen([*words, "--home", str(home.root)], env=environment, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 180
    while time.monotonic() < end and not any(r.status == "published" for r in runs(home)):
        time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    first = next(r for r in runs(home) if r.command == "run")
    assert (first.status, first.counts["reports_loaded"]) == ("published", 4)
    assert not [r for r in runs(home) if r.status == "running"]
    assert "## New reports (4)" in (home.root / "runs" / f"{first.run_id}.md").read_text("utf-8")


# --- what lies beside the code


def unit(name: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string((DEPLOY / name).read_text("utf-8"))
    return found


UNITS = sorted(p.name for p in DEPLOY.iterdir() if p.suffix in (".service", ".timer"))


def test_units_verify(tmp_path: Path) -> None:
    """With systemd-analyze where it is installed; else every line is a section, a comment or a key."""
    program = shutil.which("gongkai", path=str(Path(sys.executable).parent)) or sys.executable
    for name in UNITS:
        assert unit(name).sections()
        text = (DEPLOY / name).read_text("utf-8").replace("/opt/gongkai/.venv/bin/gongkai", program)
        (tmp_path / name).write_text(text.replace("User=gongkai", "User=root").replace("Group=gongkai", "Group=root"), "utf-8")
    if shutil.which("systemd-analyze"):
        done = subprocess.run(["systemd-analyze", "verify", *(tmp_path / n for n in UNITS)], capture_output=True, text=True, check=False)
        assert (done.returncode, [line for line in done.stderr.splitlines() if str(tmp_path) in line]) == (0, [])


def test_units_run_commands_that_exist() -> None:
    for name in (n for n in UNITS if n.endswith(".service")):
        words = unit(name)["Service"]["ExecStart"].split()[1:]
        result = CliRunner().invoke(app, [words[0], "--help"])
        assert result.exit_code == 0
        assert all(w in result.output for w in words[1:] if w.startswith("--"))


def test_the_timer_and_the_deployment_keep_the_default_schedule() -> None:
    default = settings.Settings.model_fields
    cron, zone = default["schedule"].default, default["timezone"].default
    timer = unit("gongkai.timer")["Timer"]
    assert (timer["OnCalendar"], timer["Persistent"]) == (f"*-*-* 02:00:00 {zone}", "true")
    (deployment,) = yaml.safe_load((DEPLOY / "prefect.yaml").read_text("utf-8"))["deployments"]
    (scheduled,) = deployment["schedules"]
    assert (scheduled["cron"], scheduled["timezone"]) == (cron, zone)
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def test_the_deployment_names_a_flow() -> None:
    from prefect.flows import load_flow_from_entrypoint

    (deployment,) = yaml.safe_load((DEPLOY / "prefect.yaml").read_text("utf-8"))["deployments"]
    assert load_flow_from_entrypoint(deployment["entrypoint"]).name == "scheduled"
