"""What a run stands on: an embedded Prefect API, and the pool of processes of `flows.workers`.

Nothing here imports Prefect when it is imported itself, and the command line must not at the top of a module either: a process of the pool
imports the main module again, and importing Prefect costs each of them 1 to 3 s and 90 MB.

Why the embedded API is started here and not left to Prefect (measured with Prefect 3.8.8, docs/decisions.md):

- Prefect's own ephemeral server has 20 s to start and fails on a busy machine; it outlives a killed parent as an orphan of 250 MB.
- Task runs are recorded from a queue after the fact: of 600 only 24 were in the database when the process ended. Hence `drain`.
- The settings of SETTINGS cut the server's work for a task run from 40 to 5 ms, and send nothing anywhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from flows import prefect_database
from flows.workers import GIB as GIB
from flows.workers import Done as Done
from flows.workers import Failed as Failed
from flows.workers import WorkPool as WorkPool
from flows.workers import uncollected

log = logging.getLogger(__name__)

SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # what fails is told by the command itself, once
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",  # no blocks are used; half a CPU second a start, two in a new home
    "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
    "PY_KEY_VALUE_DISABLE_BEARTYPE": "true",  # it would compile every module of a library of Prefect's at every start
}

#: How many looks at Prefect's record must be alike at the end, and where task runs are not finished there.
LOOKS, LOOKS_AT_UNFINISHED = 3, 19

_UNFINISHED = ["RUNNING", "PENDING", "CANCELLING"]
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class EngineError(RuntimeError):
    """The embedded Prefect API can't be used: taken by another process, ended, or not ready in time. Raised by embedded_api."""


class TaskRuns(NamedTuple):
    """Task runs that Prefect has on record, and how many of them are not finished there."""

    recorded: int
    unfinished: int


@contextlib.contextmanager
def embedded_api(home: Path, timeout: float = 180.0, meanwhile: Callable[[], object] = lambda: None) -> Iterator[str]:
    """A Prefect API for the length of a `with` block; gives its address.

    With PREFECT_API_URL set, that server is used and nothing is started. Otherwise a server on an ephemeral port of 127.0.0.1 keeps its
    database under `home`; runs that a killed process left behind are marked crashed; at the end all task runs are waited for and the
    server is stopped. Flows are imported inside the block or in `meanwhile`, which is called while the server starts. Enter it in a
    thread that outlives it: the server dies with that thread, so that a killed process leaves no orphan. Raises EngineError, and what
    `meanwhile` raises.
    """
    external = os.environ.get("PREFECT_API_URL")
    if external:
        meanwhile()
        yield external
        return
    home.mkdir(parents=True, exist_ok=True)
    with _only_one(home / "lock"), _environment(_settings(home)), _server(home, timeout, meanwhile) as url, _without_heartbeats():
        _sweep(url)
        try:
            yield url
        finally:
            drain(url)


def drain(url: str, limit: float = 60.0) -> TaskRuns | None:
    """Waits until the server has written every task run, `limit` seconds at most; gives the last counts, None where there is no answer.

    Written means: all is sent, and nothing changed for half a second, for 4.5 s where some are still unfinished (the recorder writes five
    times a second, and what it has left when the server is stopped).
    """
    end = time.monotonic() + limit
    seen: list[TaskRuns] = []
    try:
        _send_all(limit)
        while time.monotonic() < end:
            seen.append(_count(url))
            needed = LOOKS_AT_UNFINISHED if seen[-1].unfinished else LOOKS
            if len(seen) >= needed and len(set(seen[-needed:])) == 1:
                break
            time.sleep(0.25)
    except OSError as error:
        log.warning("Prefect's record of this run may be incomplete: %s", error)
        return None
    return seen[-1] if seen else None


def _send_all(limit: float) -> None:
    """Waits until Prefect's client has sent the events of all task runs, if there is one in this process that speaks to a server."""
    if "prefect.events.worker" in sys.modules:
        from prefect.events.worker import EventsWorker
        from prefect.settings import PREFECT_API_URL

        if not PREFECT_API_URL.value():  # asked for its worker, Prefect would start a server
            return
        sent = threading.Thread(target=EventsWorker.instance().wait_until_empty, daemon=True)
        sent.start()
        sent.join(limit)


def _count(url: str) -> TaskRuns:
    unfinished = {"task_runs": {"state": {"type": {"any_": _UNFINISHED}}}}
    return TaskRuns(_post(f"{url}/task_runs/count", {}), _post(f"{url}/task_runs/count", unfinished))


def _sweep(url: str) -> None:
    """Marks runs that a killed process left unfinished as crashed, or they would seem to run for ever."""
    state = {"type": "CRASHED", "name": "Crashed", "message": "process ended without reporting (found at the next start)"}
    for kind in ("flow_runs", "task_runs"):
        query = {kind: {"state": {"type": {"any_": _UNFINISHED}}}, "limit": 200}
        for run in _post(f"{url}/{kind}/filter", query):
            _post(f"{url}/{kind}/{run['id']}/set_state", {"state": state, "force": True})


def _post(url: str, body: object) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with _LOOPBACK.open(request, timeout=30) as response:
        return json.load(response)


@contextlib.contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EngineError(f"another process is running with this home ({lock.parent})") from None
        yield


def _settings(home: Path) -> dict[str, str]:
    """Settings that the user has not set, the home, the address, and no proxy on the way to it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return {
        **{name: value for name, value in SETTINGS.items() if name not in os.environ},
        "PREFECT_HOME": str(home.absolute()),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "no_proxy": f"{direct},127.0.0.1".lstrip(","),
    }


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for the length of a block. A Prefect imported earlier reads its settings again."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    _refresh()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        _refresh()


def _refresh() -> None:
    if "prefect.context" in sys.modules:
        from prefect.context import refresh_global_settings_context

        refresh_global_settings_context()


@contextlib.contextmanager
def _without_heartbeats() -> Iterator[None]:
    """No heartbeats of flows: nothing in an embedded server looks at them, and the end of a flow waits a second for their thread."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


@contextlib.contextmanager
def _server(home: Path, timeout: float, meanwhile: Callable[[], object]) -> Iterator[str]:
    """The server process, ready to answer. Prefect is imported here meanwhile: the two starts overlap."""
    url = os.environ["PREFECT_API_URL"]
    port = url.removesuffix("/api").rpartition(":")[2]
    new = prefect_database.begin(home)
    with (home / "server.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.prefect_server", port],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # an interrupt from the keyboard is for this process alone: it still has to report
            preexec_fn=_die_with_parent,
        )
        try:
            with uncollected():
                import prefect.main  # noqa: F401

                meanwhile()
            _await_ready(process, url, timeout, home / "server.log")
            if new:
                prefect_database.keep(home)
            yield url
        finally:
            _stop(process)


def _die_with_parent() -> None:
    """Runs in the server before its program starts: the kernel ends it when the thread that started it ends, however that came."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _await_ready(process: subprocess.Popen[bytes], url: str, timeout: float, output: Path) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if process.poll() is not None:
            raise EngineError(f"the embedded Prefect API ended with status {process.returncode}; see {output}")
        with contextlib.suppress(OSError), _LOOPBACK.open(f"{url}/health", timeout=5):
            return
        time.sleep(0.05)
    raise EngineError(f"the embedded Prefect API was not ready after {timeout:.0f} s; see {output}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
