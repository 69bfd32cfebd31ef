"""A pool of processes for work that may hang, crash or eat all memory: what does costs its own process only.

Nothing here imports Prefect: processes of the pool import this module, and importing Prefect would cost 1 to 3 s and 90 MB.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import pickle
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

Item = TypeVar("Item")
Result = TypeVar("Result")

GIB = 1 << 30

#: Items that go to a process of a pool together at most, and the seconds after which it begins no other of them.
TOGETHER, SHARE = 8, 0.5


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection while much is imported in the block; what is there at its end is taken for lasting, and not looked at again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """A job that ended well."""

    value: Result


@dataclass(frozen=True, slots=True)
class Failed:
    """A job that did not: over its time, its process died or ran out of memory, it raised, or it was `lost`: no process could be had."""

    kind: Literal["timeout", "died", "error", "lost"]
    message: str


_LOST = Failed("lost", "the pool of processes was ended")
#: In a worker: the bytes that its documents may take.
_granted: list[int] = []


@dataclass(slots=True)
class _Job:
    """Items handed to a pool together: each pickled with its function, and the pool's promise."""

    payloads: list[bytes]
    timeout: float
    pool: ProcessPool
    future: ProcessFuture[list[bytes]]


class WorkPool:
    """Processes that do one job after the other; a job that hangs, crashes or takes too much memory costs its own process only.

    Processes are forked from a fork server, which was spawned: they have neither Prefect nor any thread or open file of this process, but
    its environment. The first pool of this process with `imports` (names of modules) has the fork server import them, once for all its
    processes and those that take the place of dead ones. Each may take `memory_limit` bytes of address space beyond what it has after
    `prepare` (a function at the top of a module; libraries reserve far more than they use), and ends when this process does. Use it in a
    `with` block; leaving it ends all processes. `map` may be called from several threads at once.

    Several items go to a process together, since handing over takes as long as reading a small page; it answers after SHARE seconds, and
    those it has not begun by then are handed over again. Where a process hangs or dies, each of its items is done once more, alone.

    Functions, items and results travel as bytes that the jobs themselves unpickle: pebble 5.2 gives up the whole pool for one exception
    that can't be unpickled, and waits for ever for a result that can't be pickled. Should a pool be given up all the same (a process that
    dies with no job in hand), a new one takes its place and does the lost jobs once more.
    """

    def __init__(
        self, max_workers: int, memory_limit: int = GIB, prepare: Callable[[], None] | None = None, imports: Sequence[str] = ()
    ) -> None:
        self._max_workers = max_workers
        self._memory_limit = memory_limit
        self._prepare = prepare
        self._imports = imports
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

        `fn` is a function at the top of a module, and items and results can be pickled. All items are handed over at once; those still
        waiting are dropped when the iterator is closed. Raises pickle.PicklingError for an item that can't be pickled, and RuntimeError
        after the pool has been left.
        """
        payloads = [pickle.dumps((fn, item)) for item in items]
        size = max(1, min(TOGETHER, len(payloads) // (4 * self._max_workers)))
        jobs = [self._hand_over(payloads[i : i + size], timeout) for i in range(0, len(payloads), size)]
        return self._outcomes(jobs)

    def _outcomes(self, jobs: list[_Job]) -> Iterator[Done[Any] | Failed]:
        """What became of the items of jobs, in their order; jobs still waiting are dropped when it is closed."""
        try:
            for job in jobs:
                yield from self._of_one(job)
        finally:
            for job in jobs:
                job.future.cancel()  # type: ignore[no-untyped-call]

    def _of_one(self, job: _Job) -> Iterator[Done[Any] | Failed]:
        if len(job.payloads) == 1:
            yield self._alone(job)
            return
        answers = job.future.result() if _error(job) is None else []
        yield from map(pickle.loads, answers)
        rest = job.payloads[len(answers) :]
        if self._pool is None:
            yield from [_LOST] * len(rest)
        else:
            yield from self._outcomes([self._hand_over([payload], job.timeout) for payload in rest])

    def _alone(self, job: _Job) -> Done[Any] | Failed:
        error = _error(job)
        if isinstance(error, BrokenProcessPool) and self._pool is not None:
            job = self._hand_over(job.payloads, job.timeout)
            error = _error(job)
        match error:
            case None:
                outcome: Done[Any] | Failed = pickle.loads(job.future.result()[0])
                return outcome
            case TimeoutError():
                return Failed("timeout", f"not done after {job.timeout:g} s")
            case BrokenProcessPool() | CancelledError():
                return _LOST
            case ProcessExpired():
                return Failed("died", f"the process died ({_exit(error.exitcode)})")
            case _:
                return Failed("died", f"{type(error).__name__}: {error}")

    def _hand_over(self, payloads: list[bytes], timeout: float) -> _Job:
        """Hand items over; where there are several, the last may begin SHARE seconds after the first, and has its own time then."""
        limit = timeout if len(payloads) == 1 else timeout + SHARE
        with self._lock:
            if self._pool is None:
                raise RuntimeError("the pool has been left")
            if not self._pool.active:
                _close(self._pool)
                self._pool = self._new_pool()
            return _Job(payloads, timeout, self._pool, self._pool.schedule(_work, args=[payloads], timeout=limit))

    def _new_pool(self) -> ProcessPool:
        server = multiprocessing.get_context("forkserver")
        server.set_forkserver_preload(["flows.uncollected", *self._imports])
        given = self._memory_limit, self._prepare, dict(os.environ)
        return ProcessPool(self._max_workers, initializer=_prepare_worker, initargs=given, context=server)


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


def _prepare_worker(memory_limit: int, prepare: Callable[[], None] | None, environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with uncollected():
        if prepare:
            prepare()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    _granted.append(memory_limit)
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


def _work(payloads: list[bytes]) -> list[bytes]:
    """Items handed over together, in a worker: outcomes of those that it began within its share of time, at least of the first."""
    end = time.monotonic() + SHARE
    answers = [_one(payloads[0])]
    for payload in payloads[1:]:
        if time.monotonic() >= end:
            break
        answers.append(_one(payload))
    return answers


def _one(payload: bytes) -> bytes:
    """One item: bytes in, bytes out, whatever happens."""
    try:
        fn, item = pickle.loads(payload)
        return pickle.dumps(Done(fn(item)))
    except MemoryError:
        return pickle.dumps(Failed("died", f"out of memory (limit {sum(_granted) / GIB:.1f} GiB)"))
    except Exception as error:  # noqa: BLE001 - the boundary of a process: it becomes a result, with its place
        place = traceback.extract_tb(error.__traceback__)[-1]
        return pickle.dumps(Failed("error", f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"))
