"""The crawler as a process: its job, its end, and what is left when it is killed, hangs or finds the disk full."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from crawl_world import PDF, SETTINGS, link, listing
from pydantic import ValidationError
from site_server import Page, Site

from extract.archive import read_body
from extract.crawl import job as jobs
from extract.crawl.job import CrawlError, CrawlJob, CrawlSource, ReportLocation, run_crawl
from extract.ledger import Ledger

PARENT = """
import sys
from extract.crawl.job import CrawlJob, run_crawl
job = CrawlJob.model_validate_json(open(sys.argv[1]).read())
run_crawl(job, lambda event: print(event["event"], flush=True))
"""
FULL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="rlimit")
def test_a_full_disk_is_the_jobs_failure_and_not_the_sources(tmp_path):
    reports = {f"/{n}.pdf": Page(PDF + os.urandom(190_000)) for n in range(12)}
    with Site({"/": Page(listing(*(link(p, 2020) for p in reports)))} | reports) as site:
        source = CrawlSource(id="s", publisher="s", index=[site.url("/")])
        job = CrawlJob(home=tmp_path, run_id="r", sources=[source], settings=SETTINGS)
        (tmp_path / "job.json").write_text(job.model_dump_json())
        command = [sys.executable, "-c", FULL_DISK + PARENT, str(tmp_path / "job.json")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "CrawlError" in done.stderr
    assert "File too large" in done.stderr
    with Ledger(tmp_path / "state" / "ledger.sqlite") as ledger:
        found = ledger.candidates()
        assert ledger.problems("r") == []
        assert ledger.source_states() == []
    assert 0 < len(found) < 12
    assert all(read_body(tmp_path / "archive", c.archive_file, c.archive_offset).startswith(PDF) for c in found)


def test_a_job_with_an_unknown_key_is_refused():
    with pytest.raises(ValidationError):
        CrawlJob.model_validate({"home": ".", "run_id": "r", "sources": [], "typo": 1})


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "127.0.0.1/a", "http:///a", "", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ValidationError, match="not an http"):
        ReportLocation(url=url)


def test_addresses_are_kept_as_they_are_asked_for():
    assert ReportLocation(url=" http://127.0.0.1/报告.pdf#p2 ").url == "http://127.0.0.1/%E6%8A%A5%E5%91%8A.pdf"


def children(pid):
    return [int(c) for t in Path(f"/proc/{pid}/task").iterdir() for c in (t / "children").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="prctl")
def test_killed_in_the_middle(tmp_path):
    """Kill -9 of the caller takes the crawler along in mid-crawl; what was fetched stays, and the next try completes it."""
    pages = {"/": Page(listing(*(link(f"/{n}.pdf", 2010 + n) for n in range(12))))}
    pages |= {f"/{n}.pdf": Page(PDF + os.urandom(3000), wait=0.04) for n in range(12)}
    with Site(pages) as site:
        source = CrawlSource(id="s", publisher="s", index=[site.url("/")])
        job = CrawlJob(home=tmp_path, run_id="r", sources=[source], settings=SETTINGS)
        (tmp_path / "job.json").write_text(job.model_dump_json())
        command = [sys.executable, "-c", PARENT, str(tmp_path / "job.json")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
            for _ in range(5):
                assert parent.stdout.readline() == "fetched\n"
            (crawler,) = children(parent.pid)
            parent.send_signal(signal.SIGKILL)
        wait_until_gone(crawler)
        site.log.clear()
        with Ledger(tmp_path / "state" / "ledger.sqlite") as ledger:
            before = ledger.candidates()
        assert 4 <= len(before) < 12
        tear(tmp_path / "archive" / before[-1].archive_file)
        assert all(read_body(tmp_path / "archive", c.archive_file, c.archive_offset).startswith(PDF) for c in before)
        result = run_crawl(job, lambda event: None)
        assert result.sources_done == ["s"]
        asked_again = {a.path for a in site.asked()} & {c.url.removeprefix(site.base) for c in before}
    assert asked_again == set()
    with Ledger(tmp_path / "state" / "ledger.sqlite") as ledger:
        assert len(ledger.candidates()) == 12
        assert all(read_body(tmp_path / "archive", c.archive_file, c.archive_offset) for c in ledger.candidates())


def wait_until_gone(pid):
    for _ in range(100):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the crawler outlived its caller")


def tear(path):
    """What a power cut leaves: half a record at the end."""
    with path.open("ab") as file:
        file.write(gzip.compress(b"WARC/1.1\r\nWARC-Type: response\r\n" * 20)[:40])


def test_an_error_of_the_caller_ends_the_crawler(tmp_path):
    before = set(children(os.getpid()))
    with Site({"/": Page(listing(link("/a.pdf", 2021))), "/a.pdf": Page(PDF, wait=0.5)}) as site:
        source = CrawlSource(id="s", publisher="s", index=[site.url("/")])
        job = CrawlJob(home=tmp_path, run_id="r", sources=[source], settings=SETTINGS)

        def stop(event):
            raise RuntimeError(json.dumps(event))

        with pytest.raises(RuntimeError, match="fetched"):
            run_crawl(job, stop)
    assert set(children(os.getpid())) <= before


def test_a_hung_crawler_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "SILENCE", 8.0)
    stopped = threading.Event()

    def freeze(*_):
        for task in Path("/proc/self/task").iterdir():
            for pid in (task / "children").read_text().split():
                if "extract.crawl" in Path(f"/proc/{pid}/cmdline").read_text():
                    os.kill(int(pid), signal.SIGSTOP)
                    stopped.set()

    with Site({"/": lambda n: (freeze(), Page(listing()))[1]}) as site:
        source = CrawlSource(id="s", publisher="s", index=[site.url("/")])
        began = time.monotonic()
        with pytest.raises(CrawlError, match="no sign of life"):
            run_crawl(CrawlJob(home=tmp_path, run_id="r", sources=[source], settings=SETTINGS), lambda event: None)
    assert stopped.is_set()
    assert time.monotonic() - began < 40
