"""Reading on a Dask cluster: batches go to the workers, and the files of their parts come back as bytes.

A worker needs this package in the same version and the archive, nothing else: no home, no Prefect server. In a worker documents are read
as they are here: each in a process of a `WorkPool`, with its limits of time and memory. Nothing here imports Dask when it is imported
itself; it comes with `gongkai[dask]`.
"""

from __future__ import annotations

import logging
import multiprocessing
import platform
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from extract.archive import Archive, ArchiveError, StoreUnreachable
from extract.office import PROGRAM
from flows import pipeline
from flows.engine import EngineError, WorkPool
from flows.parts import Files
from flows.pipeline import Job
from flows.settings import Settings
from transform.tidy import PARSER_VERSION

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger("gongkai")

#: Seconds between two looks at the cluster while a batch is awaited.
POLL = 2.0

#: Threads that hand over batches and write parts where documents are read on this machine.
HERE = 4

#: Packages whose version decides what a document reads as, or what the bytes of a part are.
DECIDING = (
    "gongkai",
    "camelot-py",
    "distributed",
    "lxml",
    "onnxruntime",
    "opencc",
    "pandas",
    "playa-pdf",
    "pyarrow",
    "pypdfium2",
    "python-docx",
    "rapidfuzz",
    "rapidocr",
    "selectolax",
)

Done = Callable[[str], None]


class ClusterError(EngineError):
    """The Dask cluster can't be used: not reached, without workers, or a worker that would not read as this machine does."""


class Reader(Protocol):
    """What reads batches; may be asked from `at_once` threads at a time."""

    @property
    def at_once(self) -> int: ...

    @property
    def processes(self) -> int:
        """How many documents are read at a time."""

    def files(self, jobs: Sequence[Job], done: Done) -> Files:
        """The files of the part of a batch; `done` is told the address of each document. Raises ClusterError."""


@contextmanager
def reader(settings: Settings, jobs: Sequence[Job]) -> Iterator[Reader]:
    """What the settings say documents are read by: processes of this machine, or a Dask cluster that was found fit for `jobs`.

    Raises ClusterError.
    """
    if settings.dask is None:
        with Here(settings) as here:
            yield here
        return
    with ExitStack() as stack:
        client = stack.enter_context(_connected(settings.dask, settings.dask_wait))
        yield Cluster(client, settings, stack.enter_context(Here(settings)), jobs)


class Here:
    """Reads with processes of this machine, which are started when the first batch comes."""

    at_once = HERE

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.processes = settings.workers
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._pool: WorkPool | None = None

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def files(self, jobs: Sequence[Job], done: Done) -> Files:
        with self._lock:
            if self._pool is None:
                new = pipeline.readers(self._settings.workers, self._settings.document_memory)
                self._pool = self._stack.enter_context(new)
        return pipeline.read_files(jobs, self._pool, self._settings.document_timeout, done)


@dataclass(frozen=True, slots=True)
class Order:
    """A batch on its way to a worker, with its limits (seconds, bytes) and what the worker must be."""

    jobs: Sequence[Job]
    timeout: float
    memory: int
    versions: dict[str, str]


class Cluster:
    """Reads on the workers of a Dask cluster. A batch whose worker dies is read by another one; results are bytes of a few 100 KB.

    A batch with a record that is not where the workers look for it (still in the spool of this machine) is read by `here`.
    """

    def __init__(self, client: Client, settings: Settings, here: Here, jobs: Sequence[Job]) -> None:
        self._client, self._here, self._address = client, here, settings.dask
        self._limits = settings.document_timeout, settings.document_memory
        self._wait = settings.dask_wait
        self._shared = cache(in_shared_archive)
        self._examine({(job.archive, name) for job in jobs for name in _files_of(job) if self._shared(job.archive, name)})
        self.processes = max(1, sum(w["nthreads"] for w in self._workers().values()))
        self.at_once = max(HERE, 2 * self.processes)
        log.info("read: %d worker(s) of %s", len(self._workers()), self._address)

    def files(self, jobs: Sequence[Job], done: Done) -> Files:
        if not all(self._shared(job.archive, name) for job in jobs for name in _files_of(job)):
            return self._here.files(jobs, done)
        order = Order(jobs, *self._limits, versions())
        files = self._await(self._client.submit(read_on_worker, order, pure=False))
        for job in jobs:
            done(job.context.url)
        return files

    def _examine(self, needed: set[tuple[Archive | Path, str]]) -> None:
        """Refuses the cluster where a worker is not fit. Raises ClusterError."""
        try:
            found = self._client.run(unfit, versions(), needed, on_error="return")
        except (OSError, ImportError, AttributeError) as error:  # a worker that hasn't this module
            raise ClusterError(f"the workers of {self._address} can't run gongkai: {error}") from error
        faults = [f"{worker}: {_told(answer)}" for worker, answer in sorted(found.items()) if answer]
        if faults:
            raise ClusterError("the Dask cluster would not read as this machine does: " + "; ".join(faults))

    def _workers(self) -> dict[str, Any]:
        workers: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def _await(self, future: Future[Files]) -> Files:
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        last_seen = time.monotonic()
        try:
            while not future.done():  # type: ignore[no-untyped-call]
                try:
                    return future.result(timeout=POLL)
                except TimeoutError:
                    last_seen = self._still_there(last_seen)
            return future.result()
        except (KilledWorker, CommClosedError, CancelledError) as error:
            raise ClusterError(f"a batch was lost by the Dask cluster: {error}") from error

    def _still_there(self, last_seen: float) -> float:
        """When there was a worker last. Raises ClusterError where that is too long ago, or the scheduler is gone."""
        if self._client.status != "running":
            raise ClusterError("the Dask scheduler is gone")
        if self._workers():
            return time.monotonic()
        if time.monotonic() - last_seen > self._wait:
            raise ClusterError(f"the Dask cluster has had no worker for {self._wait:g} s")
        return last_seen


def _told(answer: object) -> str:
    return f"{type(answer).__name__}: {answer}" if isinstance(answer, BaseException) else str(answer)


@contextmanager
def _connected(address: str, wait: float) -> Iterator[Client]:
    """A client of a cluster that has a worker. Raises ClusterError."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError(f"GONGKAI_DASK is set, but {error.name} is not installed: install gongkai[dask]") from error
    for name in ("distributed.client", "distributed.core", "distributed.comm"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what fails is told by the command itself, once
    try:
        client = Client(address, timeout=min(wait, 30.0), set_as_default=False, name="gongkai")  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(f"no Dask scheduler answers at {address}: {error}") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=wait)
        except TimeoutError:
            raise ClusterError(f"the Dask cluster at {address} has no worker (waited {wait:g} s)") from None
        yield client


def _files_of(job: Job) -> set[str]:
    return {job.archive_file, *(place.archive_file for place in job.pictures)}


def in_shared_archive(archive: Archive | Path, name: str) -> bool:
    """Whether a file of the archive is where other machines look for it: the store, or the archive's first folder."""
    if isinstance(archive, Path):
        return (archive / name).exists()
    if archive.store is not None:
        return not any((folder / name).exists() for folder in archive.folders)
    return (archive.folders[0] / name).exists()


# --- in a worker


def read_on_worker(order: Order) -> Files:
    """Read a batch; the files of its part. Raises ClusterError where the worker is not what it must be."""
    needed = {(job.archive, name) for job in order.jobs for name in _files_of(job)}
    if fault := unfit(order.versions, needed):
        raise ClusterError(f"worker on {platform.node()}: {fault}")
    return pipeline.read_files(order.jobs, _pool(order.memory), order.timeout, lambda _: None)


def unfit(expected: dict[str, str], needed: set[tuple[Archive | Path, str]]) -> str | None:
    """Why this worker would read otherwise than a machine with the versions `expected`; None where it would not.

    `needed` are files of the archive that it must find. A store that does not answer is no fault of the worker: its documents are problems
    of kind archive_unreachable, as they are everywhere, and are read again the next night.
    """
    if multiprocessing.current_process().daemon:
        return "its nanny lets it start no processes: use `dask worker --no-nanny`, or DASK_DISTRIBUTED__WORKER__DAEMON=False"
    own = versions()
    faults = [f"{name} {own.get(name)}, here {wanted}" for name, wanted in expected.items() if own.get(name) != wanted]
    faults += [fault for archive, name in sorted(needed, key=str) if (fault := _missing(archive, name))]
    return ", ".join(faults[:5]) or None


def _missing(archive: Archive | Path, name: str) -> str | None:
    if isinstance(archive, Archive) and archive.store is not None:
        return _store_fault(archive)
    folder = archive if isinstance(archive, Path) else archive.folders[0]
    try:
        with (folder / name).open("rb"):
            return None
    except OSError as error:
        return f"can't read the archive ({error.strerror}: {folder / name}); GONGKAI_ARCHIVE must be a place that all machines have"


def _store_fault(archive: Archive) -> str | None:
    """A worker without the store's driver would make every document a problem."""
    from extract.archive_settings import ArchiveSettings

    try:
        ArchiveSettings(archive=archive.store)
    except (ValueError, ArchiveError, StoreUnreachable) as error:
        return f"can't open {archive.store}: {error}"
    return None


@cache
def versions() -> dict[str, str]:
    """What decides how a document is read, as it was when this process began."""
    found = {name: _version(name) for name in DECIDING}
    program = "installed" if shutil.which(PROGRAM) else "missing"
    machine = {"Python": ".".join(platform.python_version_tuple()[:2]), "machine": platform.machine(), "LibreOffice": program}
    return {"parser": PARSER_VERSION, **found, **machine}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


_making = threading.Lock()


def _pool(memory: int) -> WorkPool:
    """The processes of this worker, one for each of its threads; made for the first batch and kept."""
    with _making:
        return _made(memory)


@cache
def _made(memory: int) -> WorkPool:
    from distributed import get_worker

    return pipeline.readers(get_worker().state.nthreads, memory)
