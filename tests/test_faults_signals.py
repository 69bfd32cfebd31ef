"""SIGTERM and SIGINT: a run ends soon, is closed with its reason, and leaves no process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults import NAME, runs, years
from site_server import Page, Site
from test_nightly import report

from extract.home import Home
from flows import pipeline
from flows.engine import SETTINGS
from flows.watch import read_heartbeat

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.skipif(sys.platform != "linux", reason="rlimit, /proc, tmpfs")]

RUN = """
    import sys, threading, time
    from pathlib import Path
    from extract.crawl.job import CrawlJob, run_crawl
    from extract.home import Home
    from flows.engine import WorkPool
    from flows.night import by_hand
    from flows.settings import Settings

    def crawl(job):
        run_crawl(job, lambda event: None)

    if __name__ == "__main__":
        with by_hand(Home(Path(sys.argv[1])), "run", Settings()) as hand, WorkPool(1) as pool:
            job = CrawlJob.model_validate_json(Path(sys.argv[2]).read_text()).model_copy(update={"run_id": hand.run_id})
            threading.Thread(target=crawl, args=(job,)).start()
            list(pool.map(time.sleep, [600], 1000))
"""


def descendants(pid: int) -> set[int]:
    """Processes below a process."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found |= {child, *descendants(child)}
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()}


def awaited(what: Callable[[], Any], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_ends_a_run_soon_and_closes_it(one_report: Home, tmp_path: Path, number: signal.Signals) -> None:
    before = one_report.warehouse.read_bytes()
    (tmp_path / "run.py").write_text(textwrap.dedent(RUN))
    with Site({"/": Page("<html></html>", wait=300)}) as site:
        source = pipeline.CrawlSource(id="a-office", publisher=NAME, index=[site.url("/")])
        job = pipeline.CrawlJob(home=one_report.root, run_id="-", sources=[source])
        (tmp_path / "job.json").write_text(job.model_dump_json())
        words = [sys.executable, str(tmp_path / "run.py"), str(one_report.root), str(tmp_path / "job.json")]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        assert awaited(lambda: site.asked("/"), 120)
        children = descendants(process.pid)
        assert len(children) >= 2, "a crawler and a reader"
        sent = time.monotonic()
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
        assert time.monotonic() - sent < 20
        assert process.returncode == 1, told
        assert awaited(lambda: not alive(children), 20), "crawler and readers end with it"
    (run, *_) = runs(one_report)
    assert (run.command, run.status) == ("run", "failed")
    assert f"ended by {number.name}" in run.counts["error"]
    assert f"ended by {number.name}" in (one_report.root / "runs" / f"{run.run_id}.md").read_text("utf-8")
    assert f"ended by {number.name}" in told
    assert "Traceback" not in told
    assert one_report.warehouse.read_bytes() == before
    with pipeline.exclusive(one_report):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_a_real_run_and_the_run_after_it(tmp_path: Path, number: signal.Signals) -> None:
    """Through Prefect, whose own handler of SIGTERM waits for every thread."""
    home = Home(tmp_path / "home")
    environment = {k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"} | SETTINGS
    environment |= {"GONGKAI_WORKERS": "1", "GONGKAI_MIN_DELAY": "0"}
    with Site(
        {"/": Page(f'<ul><li><a href="/1.html">{NAME}2021年政府信息公开工作年度报告</a></li></ul>'), "/1.html": Page("", wait=300)}
    ) as site:
        sources = tmp_path / "sources.yml"
        sources.write_text(f'- id: a-office\n  publisher: {NAME}\n  district: "330302"\n  index: ["{site.url("/")}"]\n', "utf-8")
        words = [sys.executable, "-m", "flows.cli", "run", "--sources", str(sources), "--home", str(home.root)]
        process = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)
        assert awaited(lambda: site.asked("/1.html"), 180)
        children = descendants(process.pid)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 1, told
        assert "Traceback" not in told
        assert awaited(lambda: not alive(children), 20), "crawler, readers and the Prefect API end with it"
        assert [(r.status, r.counts["error"].split(";")[0]) for r in runs(home)] == [("failed", f"ended by {number.name}")]
        beat = read_heartbeat(home)
        assert beat is not None
        assert beat["status"] == "failed"
        site.pages["/1.html"] = Page(report(NAME, 2021, 2))
        again = subprocess.run(words, env=environment, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    assert again.returncode == 0, again.stderr
    assert years(home) == [2021]
