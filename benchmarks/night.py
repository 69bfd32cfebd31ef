"""One night over documents that lie in the archive already, taken apart.

`python -c "from benchmarks.night import main; main()" HOME SOURCES` does what `gongkai run` does (flows.night.run_night: lock, ledger,
heartbeat, embedded Prefect API, flow, summary), the crawl left out, and prints one JSON object. Clocks are put around the steps, in this
process and in the processes that read; it must not be the main module, which those would import again.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import resource
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import pipeline, reading
from flows.reading import Job

if TYPE_CHECKING:
    from transform.frames import Packed

#: Folder to which the reading processes write what each document took.
TIMES = "BENCH_TIMES"
TICK = os.sysconf("SC_CLK_TCK")


# --- in the processes that read

_spent: Counter[str] = Counter()
#: CPU seconds that the measuring of the last document took after it was told.
_late = [0.0]


def read_timed(job: Job) -> Packed:
    """`reading.read_packed`, with the CPU seconds of its parts and the memory of the process written down."""
    begun = time.process_time()
    _instrument()
    _spent.clear()
    before = memory()
    start = time.process_time()
    packed = _read_packed(job)
    whole = time.process_time() - start
    medium = job.context.url.rpartition(".")[2]
    told = {"medium": medium, "at": begun, "whole": whole, **_spent, "before": before, "after": memory()}
    told["measuring"] = (end := time.process_time()) - begun - whole + _late.pop()
    with (Path(os.environ[TIMES]) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps(told) + "\n")
    _late.append(time.process_time() - end)
    return packed


_read_packed = reading.read_packed


@functools.cache
def _instrument() -> None:
    frames = importlib.import_module("transform.frames")
    for owner, name, stage in (
        (reading, "read_body", "archive"),
        (reading, "read_document", "reading"),
        (reading, "tidy", "tidy"),
        (frames, "pack", "frames"),
    ):
        setattr(owner, name, _clocked(getattr(owner, name), stage))


def _clocked(fn: Callable[..., Any], stage: str) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        start = time.process_time()
        try:
            return fn(*args)
        finally:
            _spent[stage] += time.process_time() - start

    return timed


def memory(pid: int | str = "self") -> dict[str, float]:
    """Present and peak resident MB of a process."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {"now": int(fields["VmRSS"].split()[0]) / 1000, "peak": int(fields["VmHWM"].split()[0]) / 1000}


# --- in the parent


class Clocks:
    """CPU and wall seconds of named steps of this process. `alone`: nothing else runs meanwhile, so threads of libraries count."""

    def __init__(self) -> None:
        self.cpu: defaultdict[str, float] = defaultdict(float)
        self.wall: defaultdict[str, float] = defaultdict(float)

    def wrap(self, owner: Any, name: str, step: str, alone: bool = True) -> None:
        """Replace a function by one that is timed."""
        fn, clock = getattr(owner, name), time.process_time if alone else time.thread_time

        @functools.wraps(fn)
        def timed(*args: Any, **named: Any) -> Any:
            spent, begun = clock(), time.monotonic()
            try:
                return fn(*args, **named)
            finally:
                self.cpu[step] += clock() - spent
                self.wall[step] += time.monotonic() - begun

        setattr(owner, name, timed)


def cpu_of(pid: int) -> float:
    """CPU seconds of a running process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def watch_server(engine: Any, clocks: Clocks) -> None:
    """Note what Prefect's server took until it answered, and before it is stopped."""
    stop, await_ready = engine._stop, engine._await_ready

    def answered(process: Any, *args: Any) -> None:
        await_ready(process, *args)
        clocks.cpu["server start"] = cpu_of(process.pid)

    def noted(process: Any) -> None:
        clocks.cpu["server"] += cpu_of(process.pid)
        clocks.wall["server memory"] = memory(process.pid)["peak"]
        stop(process)

    engine._stop, engine._await_ready = noted, answered


def instrument(clocks: Clocks) -> None:
    """Put clocks around the steps of a run, leave out the crawl, and let the readers write down what they take."""
    from flows import nightly

    reading.read_packed = read_timed
    nightly.crawl = lambda *_: None
    for owner, name, step in (
        (nightly, "load_registry", "registry"),
        (pipeline, "find_work", "find work"),
        (pipeline, "needs_publish", "anything new?"),
        (pipeline, "build", "build"),
        (pipeline, "publish", "publish"),
        (nightly, "summarise", "summary"),
        (nightly, "read_all", "read all"),
        (nightly, "leave_artifacts", "artifacts"),
    ):
        clocks.wrap(owner, name, step)
    clocks.wrap(reading, "frames", "frames", alone=False)
    reading._checked = _after_imports(reading._checked, clocks)
    clocks.wrap(reading, "_files", "parts", alone=False)
    clocks.wrap(pipeline.staged, "write_part", "parts", alone=False)


def _after_imports(checked: Callable[..., Any], clocks: Clocks) -> Callable[..., Any]:
    """The making of frames, its imports (pandas and pandera, when the first part is written) on a clock of their own."""
    first = threading.Lock()

    def made(*args: Any) -> Any:
        spent = time.thread_time()
        with first:
            if "late imports" not in clocks.wall:
                importlib.import_module("transform.frames").frames([])
            clocks.cpu["late imports"] += time.thread_time() - spent
            clocks.wall["late imports"] += 0.0
        return checked(*args)

    return made


def end_fork_server() -> float:
    """End the process that the readers were forked from, so that the kernel counts it; its own CPU seconds: the readers' imports."""
    server = forkserver._forkserver  # type: ignore[attr-defined]
    pid = server._forkserver_pid
    if pid is None:
        return 0.0
    spent = cpu_of(pid)
    server._stop()
    return spent


def main() -> None:
    """Run and print the clocks."""
    home, sources = Path(sys.argv[1]), Path(sys.argv[2])
    started = time.monotonic()
    sys.modules["hypothesis"] = None  # type: ignore[assignment] - of the tests: where it is installed, pandera imports it
    from extract.home import Home
    from flows import engine, night

    clocks = Clocks()
    # Prefect is imported, as in a real run, while its server starts; the clocks are put on when it is there.
    sweep = engine._sweep

    def ready(url: str) -> None:
        sweep(url)
        instrument(clocks)
        clocks.cpu["start of this process"] = time.process_time()
        clocks.wall["start"] = time.monotonic() - started

    engine._sweep = ready
    watch_server(engine, clocks)
    clocks.wrap(engine, "drain", "drain")
    outcome = night.run_night(Home(home), sources, [], [], False, False)
    clocks.cpu["readers' imports"] = end_fork_server()
    own, children = (sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    told = {"status": outcome.status, "counts": outcome.counts, "failures": outcome.failures, "wall": time.monotonic() - started}
    print(
        json.dumps(told | {"parent": own, "children": children, "cpu": clocks.cpu, "walls": clocks.wall, "memory": memory()}, default=str)
    )
