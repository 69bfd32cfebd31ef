"""A Dask cluster of real processes on loopback, and a home whose archive holds documents of the sample portal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from extract.archive import Archive
from extract.home import Home
from extract.ledger import Ledger
from flows import pipeline
from flows.engine import _die_with_parent
from flows.ingest import archive_files
from flows.pipeline import Job
from flows.settings import Settings
from sources.sample.server import PORTAL
from warehouse.build import PublisherRow

ROOT = Path(__file__).parents[1]
DASK = "from dask.__main__ import main; main()"
DISTRICTS = {"lucheng": "330302", "longwan": "330303", "ouhai": "330304"}


def sample_files() -> list[Path]:
    """Reports of the sample portal in every medium it has, its broken PDF among them."""
    return sorted(p for p in PORTAL.rglob("*") if p.suffix in (".pdf", ".docx", ".doc") or (p.suffix == ".html" and "index" not in p.name))


def publishers() -> list[PublisherRow]:
    return [PublisherRow(f"{name}-office", f"{name}政府办公室", code, "office", None) for name, code in DISTRICTS.items()]


def fill(home: Home, files: Sequence[Path]) -> str:
    """Archive the files, shared out between the publishers; the run they came in."""
    with Ledger(home.create().ledger) as ledger:
        run_id = ledger.start_run("ingest")
    rows = publishers()
    for number, row in enumerate(rows):
        archive_files(home, run_id, files[number :: len(rows)], row.publisher_id, None)
    with Ledger(home.ledger) as ledger:
        ledger.finish_run(run_id, "failed", {})
    return run_id


def jobs_of(home: Home, run_id: str) -> list[Job]:
    return pipeline.find_work(home, run_id, publishers(), [], reparse=True)


def content(home: Home) -> dict[str, bytes]:
    """Every file of every part."""
    return {str(p.relative_to(home.parts)): p.read_bytes() for p in sorted(home.parts.rglob("*")) if p.is_file()}


class Worker:
    """A `dask worker` process. `change` is Python run before it starts."""

    def __init__(self, folder: Path, scheduler: Path, change: str = "", *options: str) -> None:
        words = ["worker", "--scheduler-file", str(scheduler), "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard"]
        words += options or ["--no-nanny"]
        self.log = folder / f"worker-{time.monotonic_ns()}.log"
        code = f"import sys; sys.argv = {['dask', *words]!r}; {change}; {DASK}"
        self.process = spawn([sys.executable, "-c", code], folder, self.log)

    def kill(self) -> None:
        """Kill -9, its process of documents included: they are of its group, as on a machine that loses power."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def spawn(command: list[str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    env = os.environ | {"PYTHONPATH": str(ROOT), "DASK_TEMPORARY_DIRECTORY": str(folder)}
    env = {name: value for name, value in env.items() if not name.startswith("GONGKAI_")}  # a worker knows nothing of the run
    with log.open("wb") as out:
        return subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=out, start_new_session=True, preexec_fn=_die_with_parent)


class Dask:
    """A scheduler, and the workers started at it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self._stack = folder, folder / "scheduler.json", ExitStack()
        words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file)]
        code = f"import sys; sys.argv = {['dask', *words]!r}; {DASK}"
        self.process = spawn([sys.executable, "-c", code], folder, folder / "scheduler.log")
        self.workers: list[Worker] = []

    @property
    def address(self) -> str:
        deadline = time.monotonic() + 60
        while not self.file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        address: str = json.loads(self.file.read_text("utf-8"))["address"]
        return address

    def worker(self, change: str = "", *options: str) -> Worker:
        self.workers.append(Worker(self.folder, self.file, change or "pass", *options))
        return self.workers[-1]

    def close(self) -> None:
        for process in [w.process for w in self.workers] + [self.process]:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


@contextmanager
def dask(folder: Path, workers: int = 0) -> Iterator[Dask]:
    """A scheduler with some workers for the length of a block; all are registered when it begins."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Dask(folder)
    try:
        assert cluster.address
        for _ in range(workers):
            cluster.worker()
        await_workers(cluster, workers)
        yield cluster
    finally:
        cluster.close()


def await_workers(cluster: Dask, number: int) -> None:
    from distributed import Client

    if number:
        with Client(cluster.address, set_as_default=False) as client:
            client.wait_for_workers(number, timeout=60)


def settings(**values: object) -> Settings:
    return Settings(workers=2, **values)  # type: ignore[arg-type]


__all__ = ["Archive", "Dask", "Worker", "await_workers", "content", "dask", "fill", "jobs_of", "sample_files", "settings"]
