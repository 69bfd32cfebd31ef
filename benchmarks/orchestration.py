"""What Prefect costs a night: the sample portal through the flow and through the plain functions, with the same pool and settings.

`python benchmarks/orchestration.py` prints seconds, CPU seconds and memory (docs/operations.md). Both homes are new and thrown away.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.night import end_fork_server
from extract.crawl.job import run_crawl
from extract.home import Home
from extract.ledger import Ledger
from flows import pipeline
from flows.engine import embedded_api
from flows.registry import load_registry
from flows.settings import Settings
from sources.sample import server
from warehouse.districts import codes


def plain(home: Home, sources: Path) -> str:
    """A night without Prefect; its status."""
    settings = Settings()
    registry = load_registry(sources, codes())
    with Ledger(home.create().ledger) as ledger:
        run_id = ledger.start_run("run")
    for job in pipeline.crawl_jobs(home, run_id, registry, [], False, settings, [s.publisher for s in registry]):
        run_crawl(job, lambda event: None)
    publishers = pipeline.publisher_rows(registry)
    jobs = pipeline.find_work(home, run_id, publishers, [], reparse=False)
    with pipeline.readers(settings.workers, settings.document_memory) as pool:
        size = min(settings.batch_size, -(-len(jobs) // settings.workers))
        read = [pipeline.read_batch(home, b, pool, settings.document_timeout, lambda url: None) for b in pipeline.batches(jobs, size)]
    counts = pipeline.load(home, run_id, [b.part for b in read], publishers, complete=True)
    return pipeline.settle(home, run_id, counts, read).status


def memory(pid: int) -> float:
    """Resident MB of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def server_memory() -> float:
    """Resident MB of Prefect's server, which this process started."""
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return max(memory(int(pid)) for pid in found if b"prefect_server" in Path(f"/proc/{pid}/cmdline").read_bytes())


def cpu() -> float:
    """CPU seconds of this process and of those it has waited for; the readers, which are none of its own children, are ended first."""
    end_fork_server()
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main() -> None:
    """Print what a plain night and one through Prefect take."""
    with server.serve(0) as url, tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "sources.yml"
        sources.write_text(server.registry(url), "utf-8")
        before, spent = time.monotonic(), cpu()
        print(
            f"plain night: {plain(Home(Path(folder) / 'plain'), sources)}", f"{time.monotonic() - before:.1f} s, {cpu() - spent:.1f} CPU s"
        )
        home = Home(Path(folder) / "flow").create()
        print(f"memory before Prefect: {memory(os.getpid()):.0f} MB")
        begun, spent = time.monotonic(), cpu()
        with embedded_api(home.state / "prefect"):
            from flows.nightly import nightly

            ready = time.monotonic()
            print(f"embedded API ready after {ready - begun:.1f} s, {cpu() - spent:.1f} CPU s of this process")
            print(f"server {server_memory():.0f} MB, this process {memory(os.getpid()):.0f} MB")
            with Ledger(home.ledger) as ledger:
                run_id = ledger.start_run("run")
            outcome = nightly(run_id, home.root, sources)
            done = time.monotonic()
            print(f"server at the end {server_memory():.0f} MB")
        print(f"flow: {outcome.status} {done - ready:.1f} s; drain and stop {time.monotonic() - done:.1f} s; all {cpu() - spent:.1f} CPU s")


if __name__ == "__main__":
    main()
