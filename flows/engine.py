"""What a run stands on: an embedded Prefect API, and a pool of processes for work that may hang, crash or eat all memory.

Nothing here imports Prefect when it is imported itself: workers of the pool import this module, and importing Prefect costs each of them
1 to 3 s and 90 MB. For the same reason the command line must not import Prefect at the top of a module: a spawned worker imports the main
module again.

Why the embedded API is started here and not left to Prefect (measured with Prefect 3.8.8, docs/decisions.md):

- Prefect's own ephemeral server has 20 s to start and fails on a busy machine; it outlives a killed parent as an orphan of 250 MB.
- Task runs are recorded from a queue after the fact: of 600 only 24 were in the database when the process ended. Hence `drain`.
- The settings of SETTINGS cut the server's work for a task run from 40 to 5 ms, and send nothing anywhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import json
import logging
import multiprocessing
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from flows import prefect_database

Item = TypeVar("Item")
Result = TypeVar("Result")

log = logging.getLogger(__name__)

GIB = 1 << 30

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
def embedded_api(home: Path, timeout: float = 180.0) -> Iterator[str]:
    """A Prefect API for the length of a `with` block; gives its address.

    With PREFECT_API_URL set, that server is used and nothing is started. Otherwise a server on an ephemeral port of 127.0.0.1 keeps its
    database under `home`; runs that a killed process left behind are marked crashed; at the end all task runs are waited for and the
    server is stopped. Import flows inside the block. Enter it in a thread that outlives it: the server dies with that thread, so that
    a killed process leaves no orphan. Raises EngineError.
    """
    external = os.environ.get("PREFECT_API_URL")
    if external:
        yield external
        return
    home.mkdir(parents=True, exist_ok=True)
    with _only_one(home / "lock"), _environment(_settings(home)), _server(home, timeout) as url:
        _sweep(url)
        try:
            yield url
        finally:
            drain(url)


def drain(url: str, limit: float = 60.0) -> TaskRuns | None:
    """Waits until the server has written every task run, `limit` seconds at most; gives the last counts, None where there is no answer.

    Written means: nothing changed between polls 1.5 s apart (the recorder writes every second), three times as long where some are
    still unfinished.
    """
    end = time.monotonic() + limit
    seen: list[TaskRuns] = []
    try:
        while time.monotonic() < end:
            seen.append(_count(url))
            needed = 4 if seen[-1].unfinished else 2
            if len(seen) >= needed and len(set(seen[-needed:])) == 1:
                break
            time.sleep(1.5)
    except OSError as error:
        log.warning("Prefect's record of this run may be incomplete: %s", error)
        return None
    return seen[-1] if seen else None


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
def _server(home: Path, timeout: float) -> Iterator[str]:
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
            _await_ready(process, url, timeout, home / "server.log")
            if new:
                prefect_database.keep(home)
            yield url
        finally:
            _stop(process)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection while much is imported in the block; what is there at its end is taken for lasting, and not looked at again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """A job that ended well."""

    value: Result


@dataclass(frozen=True, slots=True)
class Failed:
    """A job that did not: over its time, its process died or ran out of memory, it raised, or it was `lost`: no process could be had."""

    kind: Literal["timeout", "died", "error", "lost"]
    message: str


@dataclass(slots=True)
class _Job:
    """A job handed to a pool: the pickled function and item, and the pool's promise."""

    payload: bytes
    timeout: float
    pool: ProcessPool
    future: ProcessFuture[bytes]


class WorkPool:
    """Processes that do one job after the other; a job that hangs, crashes or takes too much memory costs its own process only.

    Processes are spawned, so they have neither Prefect nor any thread or open file of this process. Each may take `memory_limit` bytes of
    address space beyond what it has after `prepare` (a function at the top of a module, which imports what the jobs need: the libraries
    reserve far more than they use), and ends when this process does. Use it in a `with` block; leaving it ends all processes. `map` may
    be called from several threads at once.

    Functions, items and results travel as bytes that the jobs themselves unpickle: pebble 5.2 gives up the whole pool for one exception
    that can't be unpickled, and waits for ever for a result that can't be pickled. Should a pool be given up all the same (a process that
    dies with no job in hand), a new one takes its place and does the lost jobs once more.
    """

    def __init__(self, max_workers: int, memory_limit: int = GIB, prepare: Callable[[], None] | None = None) -> None:
        self._max_workers = max_workers
        self._memory_limit = memory_limit
        self._prepare = prepare
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = self._new_pool()

    def __enter__(self) -> WorkPool:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
        if pool:
            _close(pool)

    def map(self, fn: Callable[[Item], Result], items: Iterable[Item], timeout: float) -> Iterator[Done[Result] | Failed]:
        """What became of `fn(item)` for each item, in their order; each may take `timeout` seconds from its own start.

        `fn` is a function at the top of a module, and items and results can be pickled. All jobs are handed over at once; those still
        waiting are dropped when the iterator is closed. Raises pickle.PicklingError for an item that can't be pickled, and RuntimeError
        after the pool has been left.
        """
        jobs = [self._hand_over(pickle.dumps((fn, item)), timeout) for item in items]
        return self._outcomes(jobs)

    def _outcomes(self, jobs: list[_Job]) -> Iterator[Done[Any] | Failed]:
        try:
            for job in jobs:
                yield self._outcome(job)
        finally:
            for job in jobs:
                job.future.cancel()  # type: ignore[no-untyped-call]

    def _outcome(self, job: _Job) -> Done[Any] | Failed:
        error = _error(job)
        if isinstance(error, BrokenProcessPool) and self._pool is not None:
            job = self._hand_over(job.payload, job.timeout)
            error = _error(job)
        match error:
            case None:
                outcome: Done[Any] | Failed = pickle.loads(job.future.result())
                return outcome
            case TimeoutError():
                return Failed("timeout", f"not done after {job.timeout:g} s")
            case BrokenProcessPool() | CancelledError():
                return Failed("lost", "the pool of processes was ended")
            case ProcessExpired():
                return Failed("died", f"the process died ({_exit(error.exitcode)})")
            case _:
                return Failed("died", f"{type(error).__name__}: {error}")

    def _hand_over(self, payload: bytes, timeout: float) -> _Job:
        with self._lock:
            if self._pool is None:
                raise RuntimeError("the pool has been left")
            if not self._pool.active:
                _close(self._pool)
                self._pool = self._new_pool()
            return _Job(payload, timeout, self._pool, self._pool.schedule(_work, args=[payload], timeout=timeout))

    def _new_pool(self) -> ProcessPool:
        spawn = multiprocessing.get_context("spawn")
        return ProcessPool(self._max_workers, initializer=_prepare_worker, initargs=(self._memory_limit, self._prepare), context=spawn)


def _close(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _error(job: _Job) -> BaseException | None:
    """Waits for a job; what kept it from returning. A pool that was given up may never answer: that is BrokenProcessPool too."""
    while not wait([job.future], timeout=2).done:
        if not job.pool.active:
            return BrokenProcessPool("the pool was given up")
    if job.future.cancelled():
        return CancelledError("the pool has been left")
    error: BaseException | None = job.future.exception()
    return error


def _exit(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"


def _prepare_worker(memory_limit: int, prepare: Callable[[], None] | None) -> None:
    if prepare:
        with uncollected():
            prepare()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _address_space() + memory_limit
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _address_space() -> int:
    """Bytes of address space of this process."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(payload: bytes) -> bytes:
    """One job, in a worker: bytes in, bytes out, whatever happens."""
    try:
        fn, item = pickle.loads(payload)
        return pickle.dumps(Done(fn(item)))
    except MemoryError:
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        return pickle.dumps(Failed("died", f"out of memory (limit {limit / GIB:.1f} GiB)"))
    except Exception as error:  # noqa: BLE001 - the boundary of a process: it becomes a result, with its place
        place = traceback.extract_tb(error.__traceback__)[-1]
        return pickle.dumps(Failed("error", f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"))
