"""The embedded Prefect API and the process pool: what hangs, dies or is killed costs itself only, and leaves nothing behind."""

import fcntl
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from flows import workers
from flows.engine import LOOKS, LOOKS_AT_UNFINISHED, SETTINGS, Done, EngineError, Failed, WorkPool, drain, embedded_api
from tests import engine_jobs

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def pool():
    with WorkPool(2, memory_limit=2 << 30) as pool:
        yield pool


def test_results_come_in_the_order_of_the_items(pool):
    assert list(pool.map(engine_jobs.square, range(50), timeout=20)) == [Done(number * number) for number in range(50)]


def test_bad_jobs_cost_themselves_only(pool):
    bad = {
        "hang": Failed("timeout", "not done after 2 s"),
        "hang in C": Failed("timeout", "not done after 2 s"),
        "kill": Failed("died", "the process died (SIGKILL)"),
        "exit": Failed("died", "the process died (exit status 3)"),
        "memory": Failed("died", "out of memory (limit 2.0 GiB)"),
    }
    orders = [order for number, one in enumerate(bad) for order in (f"good {number}", one)] + ["good last"]
    for more in ([], [f"good too {number}" for number in range(30)]):  # one by one, and several together
        given = [*more, *orders, *(order + "!" for order in more)]
        outcomes = dict(zip(given, pool.map(engine_jobs.job, given, timeout=2), strict=True))
        assert outcomes == {order: bad.get(order, Done(order)) for order in given}


def test_items_that_were_not_begun_in_time_are_given_back(pool, monkeypatch):
    monkeypatch.setattr(workers, "SHARE", 0.05)
    slow, quick = (pickle.dumps((engine_jobs.nap, seconds)) for seconds in (0.1, 0.0))
    assert len(workers._work([slow, quick, quick])) == 1
    assert len(workers._work([quick, slow, quick])) == 2
    assert len(workers._work([quick, quick, slow])) == 3
    naps = [0.6, 0.0, 0.1, 0.2] * 8  # in the processes the share is what it is
    assert list(pool.map(engine_jobs.nap, naps, timeout=20)) == [Done(seconds) for seconds in naps]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("raise", "ValueError: no such cell (engine_jobs.py:"),
        ("awkward", "Awkward: this and that (engine_jobs.py:"),
        ("own timeout", "TimeoutError: the reader's own (engine_jobs.py:"),
        ("unpicklable", "lambda"),
    ],
)
def test_what_a_job_raises_is_a_result(pool, order, message):
    bad, good = pool.map(engine_jobs.job, [order, "good"], timeout=20)
    assert isinstance(bad, Failed)
    assert bad.kind == "error"
    assert message in bad.message
    assert good == Done("good")


def test_several_threads_share_a_pool(pool):
    def ask(start):
        return [outcome.value for outcome in pool.map(engine_jobs.square, range(start, start + 20), timeout=20)]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(0, 400, 100)))
    assert answers == [[number * number for number in range(start, start + 20)] for start in range(0, 400, 100)]


def test_an_idle_process_that_dies_breaks_nothing(pool):
    assert list(pool.map(engine_jobs.square, [1, 2], timeout=20)) == [Done(1), Done(4)]
    idle = workers_of(os.getpid())
    assert idle
    for pid in idle:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    assert list(pool.map(engine_jobs.square, [3, 4], timeout=20)) == [Done(9), Done(16)]


def test_workers_have_the_environment_of_their_pool(pool, monkeypatch):
    """Not that of the fork server, which an earlier pool started."""
    monkeypatch.setenv("GONGKAI_MADE_UP", "now")
    with WorkPool(1) as later:
        assert list(later.map(engine_jobs.variable, ["GONGKAI_MADE_UP"], timeout=20)) == [Done("now")]
    assert list(pool.map(engine_jobs.variable, ["GONGKAI_MADE_UP"], timeout=20)) == [Done(None)]


def test_what_a_pool_imports_is_imported_once_for_all_its_processes():
    """In a process of its own: the fork server of this one is there already."""
    code = "from tests import engine_jobs; engine_jobs.import_once()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["True", "True", "True"], "")


def test_workers_do_not_import_prefect(pool):
    assert list(pool.map(engine_jobs.modules, [None], timeout=20)) == [Done([])]


def test_what_cannot_be_sent_is_the_callers_mistake(pool):
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pool.map(lambda item: item, [1], timeout=1)


def test_a_pool_that_was_left_takes_no_jobs():
    with WorkPool(1) as left:
        pass
    with pytest.raises(RuntimeError, match="left"):
        left.map(engine_jobs.square, [1], timeout=1)


def test_leaving_a_pool_ends_its_jobs():
    with WorkPool(1) as left:
        results = left.map(engine_jobs.job, ["hang", "never"], timeout=60)
        time.sleep(0.5)
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert {outcome.kind for outcome in results} == {"lost"}


def test_a_configured_server_is_used_and_none_started(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    with embedded_api(tmp_path / "prefect") as url:
        assert url == "http://127.0.0.1:1/api"
    assert not (tmp_path / "prefect").exists()


def test_one_process_at_a_time(tmp_path, monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with (tmp_path / "lock").open("w") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        with pytest.raises(EngineError, match="another process"), embedded_api(tmp_path):
            pytest.fail("entered")
    assert "PREFECT_API_URL" not in os.environ


class Prefect(BaseHTTPRequestHandler):
    """Answers counts from a list, in turn; its last answer again when the list is used up."""

    answers: ClassVar[list[int]] = []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = str(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def prefect(monkeypatch):
    monkeypatch.setattr("flows.engine.time.sleep", lambda _: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), Prefect) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


@pytest.mark.parametrize(
    ("answers", "last"),
    [
        ([3, 3, 12, 3] + [20, 0] * LOOKS, (20, 0)),  # recorded and unfinished, poll by poll
        ([0, 0] * (LOOKS - 1) + [20, 0] * LOOKS, (20, 0)),
        ([20, 2] * (LOOKS_AT_UNFINISHED - 1) + [20, 0] * LOOKS, (20, 0)),  # fewer alike are not enough while some are unfinished
        ([20, 2] * LOOKS_AT_UNFINISHED + [99, 0], (20, 2)),
    ],
)
def test_drain_waits_until_nothing_changes(prefect, answers, last):
    Prefect.answers = [*answers, -1, -1]
    assert drain(prefect) == last


def test_drain_gives_up_in_time(prefect):
    Prefect.answers = list(range(100_000))
    assert drain(prefect, limit=0.2) is not None


def test_drain_without_a_server_is_no_failure(caplog):
    assert drain("http://127.0.0.1:1/api") is None
    assert "may be incomplete" in caplog.text


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def workers_of(pid):
    """Processes forked from the fork server of a process."""
    return [worker for child in children_of(pid) for worker in children_of(child)]


def gone(pids, within=15.0):
    end = time.monotonic() + within
    while time.monotonic() < end:
        if not any(running(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


def running(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


@pytest.fixture(scope="module")
def killed_run(tmp_path_factory):
    """A run that finished a flow and was killed with kill -9 as it began another: its home, what it printed, and its children then."""
    home = tmp_path_factory.mktemp("home") / "prefect"
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")} | {"HTTP_PROXY": "http://127.0.0.1:1"}
    command = [sys.executable, "-m", "tests.engine_flow", str(home)]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    printed = [process.stdout.readline().split() for _ in range(3)]
    process.kill()
    complaints = process.communicate()[1]
    return home, {words[0]: words[1:] for words in printed if words}, complaints


STATES_OF_TASKS = [("COMPLETED", 20), ("CRASHED", 1)]  # the crashed ones are what a killed run left, swept up


def test_every_task_run_is_recorded(killed_run):
    home, printed, _ = killed_run
    assert printed["sum"] == ["380"]
    with sqlite3.connect(home / "prefect.db") as database:
        assert database.execute("SELECT state_type, count(*) FROM task_run GROUP BY 1 ORDER BY 1").fetchall() == STATES_OF_TASKS
        assert database.execute("SELECT state_type, count(*) FROM flow_run GROUP BY 1 ORDER BY 1").fetchall() == [
            ("COMPLETED", 1),
            ("CRASHED", 1),
        ]


def test_leaving_the_block_stops_the_server(killed_run):
    assert killed_run[1]["stopped"] == ["True", "True"]


def test_nothing_outlives_a_killed_run(killed_run):
    pids = [int(pid) for pid in killed_run[1]["children"]]
    assert len(pids) >= 3  # the server, the fork server and a worker
    assert gone(pids)


def test_a_run_is_quiet(killed_run):
    home, _, complaints = killed_run
    assert [line for line in complaints.splitlines() if "resource_tracker" not in line] == []  # that one is about the kill
    assert "Traceback" not in (home / "server.log").read_text(encoding="utf-8")


def test_nothing_is_sent_anywhere():
    off = ("DO_NOT_TRACK", "PREFECT_SERVER_ANALYTICS_ENABLED", "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED")
    assert [SETTINGS[name] for name in off] == ["1", "false", "false"]
