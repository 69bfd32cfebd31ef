"""Servers at their worst: each fault ends in time, within memory, as one problem, and nothing of it is stored as a good document."""

import contextlib
import gzip
import threading
import time
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from raw_server import RawSite, answer, cut, drip, flood

from extract.archive import read_body
from extract.crawl.job import CrawlJob, CrawlSettings, CrawlSource, run_crawl
from extract.ledger import Ledger

TITLE = "某某区政府办公室2021年政府信息公开工作年度报告"
GOOD = f"<html><h1>{TITLE}</h1><p>{'已按期答复。' * 100}</p></html>".encode()
SETTINGS = CrawlSettings(
    min_delay=0, timeout=0.8, min_rate=100_000, max_bytes=200_000, retry_times=1, backoff=0.05, max_backoff=0.1, give_up_after=100
)
ZEROS = bytes(50_000_000)
HTML = "Content-Type: text/html"
RUISHU = b"<html><head><meta content='x' r='m'><script r='m'>$_ts=window['$_ts'];if(!$_ts)$_ts={};$_ts.cd='q';</script></head></html>"


def index(paths):
    return answer(("<html><ul>" + "".join(f'<li><a href="{p}">{TITLE}</a></li>' for p in paths) + "</ul></html>").encode(), 200, HTML)


def gzipped(body, times=1):
    for _ in range(times):
        body = gzip.compress(body, 9)
    return body


DEEDS = {
    "/drip-head": drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "/drip-body": drip(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n"),
    "/drip-open": drip(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"),
    "/silent": lambda connection: time.sleep(5),
    "/chunks": flood(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10\r\n0123456789abcdef\r\n"),
    "/headers": flood(b"HTTP/1.1 200 OK\r\n", b"X-Flood: 0123456789\r\n"),
    "/long-line": flood(b"HTTP/1.1 200 OK\r\nX-Long: ", b"0123456789abcdef"),
    "/continue": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "/big": answer(b"x" * 300_000),
    "/big-open": answer(b"x" * 300_000, length=None),
    "/bomb": answer(gzipped(ZEROS), 200, "Content-Encoding: gzip"),
    "/bomb-twice": answer(gzipped(ZEROS, 2), 200, "Content-Encoding: gzip, gzip"),
    "/bomb-deflate": answer(zlib.compress(ZEROS, 9), 200, "Content-Encoding: deflate"),
    "/torn": answer(gzipped(GOOD)[:-20], 200, "Content-Encoding: gzip"),
    "/short": answer(GOOD, length=len(GOOD) + 1000),
    "/cut": cut(answer(GOOD, length=len(GOOD) + 1000)),
    "/cut-open": cut(answer(GOOD, length=None)),
    "/cut-chunk": cut(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n" + GOOD[:100]),
    "/no-http": b"220 ftp.example.org ready\r\n\r\n",
    "/hang-up": lambda connection: None,
    "/partial": answer(GOOD, 206, "Content-Range: bytes 0-99/20000"),
    "/nothing": answer(b"", 204),
    "/lie": b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
    "/nowhere": answer(b"", 302),
    "/round": answer(b"", 302, "Location: /round"),
    "/soft": answer("<html><title>404</title>您访问的页面不存在</html>".encode(), 200, HTML),
    "/ruishu": answer(RUISHU, 412, HTML),
    "/ruishu-200": answer(RUISHU, 200, HTML),
}
EXPECTED = {
    "/drip-head": ("unreachable", "no whole answer"),
    "/drip-body": ("unreachable", "no whole answer"),
    "/drip-open": ("unreachable", "no whole answer"),
    "/silent": ("unreachable", "no whole answer"),
    "/chunks": ("too_large", ""),
    "/headers": ("unreachable", "header lines"),
    "/long-line": ("unreachable", ""),
    "/continue": ("unreachable", ""),
    "/big": ("too_large", "Expected"),
    "/big-open": ("too_large", "Received"),
    "/bomb": ("too_large", "unpacks to more"),
    "/bomb-twice": ("too_large", "unpacks to more"),
    "/bomb-deflate": ("too_large", "unpacks to more"),
    "/torn": ("unreachable", "cut off"),
    "/short": ("unreachable", ""),
    "/cut": ("unreachable", ""),
    "/cut-open": ("unreachable", ""),
    "/cut-chunk": ("unreachable", ""),
    "/no-http": ("unreachable", ""),
    "/hang-up": ("unreachable", ""),
    "/partial": ("http_error", "206"),
    "/nothing": ("http_error", "204"),
    "/lie": ("http_error", "304"),
    "/nowhere": ("http_error", "302"),
    "/round": ("http_error", ""),
    "/soft": ("http_error", "soft 404"),
    "/ruishu": ("script_challenge", "瑞数"),
    "/ruishu-200": ("script_challenge", "瑞数"),
}


def crawl(home, *sources, settings=SETTINGS, run="r1", **more):
    job = CrawlJob(home=home, run_id=run, sources=list(sources), settings=settings, **more)
    return run_crawl(job, lambda event: None)


def source(site, path="/", **more):
    return CrawlSource(id="s", publisher="某某区政府办公室", index=[site.url(path)], **more)


def problems(home, run="r1"):
    with Ledger(home / "state" / "ledger.sqlite") as ledger:
        return ledger.problems(run)


def children():
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # threads and processes end
            found.update((task / "children").read_text().split())
    return found


def peak_of_children(stop, peaks, others):
    """Memory, in MB, of the processes below this one but for `others`: other tests may have left a fork server."""
    while not stop.wait(0.1):
        for pid in children() - others:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if "VmHWM" in (text := Path(f"/proc/{pid}/status").read_text()):
                    peaks.append(int(text.split("VmHWM:")[1].split()[0]) // 1024)


@pytest.fixture(scope="module")
def worst(tmp_path_factory):
    """One crawl of an index that lists every fault and one good report."""
    home, peaks, stop = tmp_path_factory.mktemp("home"), [], threading.Event()
    watch = threading.Thread(target=peak_of_children, args=(stop, peaks, children()), daemon=True)
    with RawSite({"/": index([*DEEDS, "/good"]), "/good": answer(GOOD, 200, HTML), **DEEDS}) as site:
        watch.start()
        crawl(home, source(site))
        stop.set()
    return {"home": home, "site": site, "peak": max(peaks)}


def test_every_fault_is_one_problem(worst):
    found = {p.url.removeprefix(worst["site"].base): p for p in problems(worst["home"])}
    assert len(found) == len(problems(worst["home"]))
    assert {path: p.kind for path, p in found.items()} == {path: kind for path, (kind, _) in EXPECTED.items()}
    assert [path for path, (_, words) in EXPECTED.items() if words not in found[path].message] == []


def test_nothing_of_it_is_a_document(worst):
    with Ledger(worst["home"] / "state" / "ledger.sqlite") as ledger:
        found = ledger.candidates()
    assert [c.url.removeprefix(worst["site"].base) for c in found] == ["/good"]
    assert read_body(worst["home"] / "archive", found[0].archive_file, found[0].archive_offset) == GOOD


def test_it_ends_in_time_and_within_memory(worst):
    """A slow answer costs its time limit, everything else next to nothing; 50 MB of zeros are never unpacked."""
    slow = ("/drip-head", "/drip-body", "/drip-open", "/silent", "/continue")
    log = worst["site"].log
    costs = {(path, n): after[1] - at for n, ((path, at, _), after) in enumerate(pairwise(log))}
    assert max(cost for (path, _), cost in costs.items() if path in slow) < 0.8 + 2
    assert max(cost for (path, _), cost in costs.items() if path not in slow) < 2
    assert worst["peak"] < 200


def test_what_may_pass_is_tried_again_and_what_will_not_is_not(worst):
    tries = {path: len(worst["site"].asked(path)) for path in DEEDS}
    assert {p for p, n in tries.items() if n == 2} == {
        *("/drip-head", "/drip-body", "/drip-open", "/silent", "/headers", "/long-line", "/continue"),
        *("/short", "/cut", "/cut-open", "/cut-chunk", "/no-http", "/hang-up"),
    }
    assert {p for p, n in tries.items() if n == 1} == set(DEEDS) - {p for p, n in tries.items() if n == 2} - {"/round"}


def test_a_slow_but_steady_download_is_let_finish(tmp_path):
    """Longer than the time limit, faster than the least rate."""

    def steady(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 160000\r\nConnection: close\r\n\r\n")
        for _ in range(8):
            connection.sendall(GOOD[:1000].ljust(20_000))
            time.sleep(0.15)

    with RawSite({"/": index(["/a.html"]), "/a.html": steady}) as site:
        crawl(tmp_path, source(site))
    assert problems(tmp_path) == []


def test_a_challenge_or_an_empty_page_is_no_new_version(tmp_path):
    """What was there stays, is not taken for changed, and is asked for again in the next run."""
    deeds = {"/": index(["/a.html"]), "/a.html": answer(GOOD, 200, HTML)}
    with RawSite(deeds) as site:
        crawl(tmp_path, source(site))
        for run, bad, kind in (
            ("r2", answer(RUISHU, 200, HTML), "script_challenge"),
            ("r3", answer(b"", 200, HTML), "http_error"),
            ("r4", cut(answer(GOOD[:-100], 200, HTML, length=None)), "unreachable"),
        ):
            deeds["/a.html"] = bad
            crawl(tmp_path, source(site), run=run, refetch=True)
            assert [p.kind for p in problems(tmp_path, run)] == [kind]
        with Ledger(tmp_path / "state" / "ledger.sqlite") as ledger:
            document = ledger.document(site.url("/a.html"))
            assert len([c for c in ledger.rows("content") if c["url"] == site.url("/a.html")]) == 1
    assert (document.status, document.bytes) == (200, len(GOOD))


def test_a_host_that_challenges_is_left_alone_after_the_first_few(tmp_path):
    paths = [f"/{n}.html" for n in range(8)]
    page = answer(RUISHU, 412, HTML)
    with RawSite({"/": index(paths), **dict.fromkeys(paths, page)}) as site:
        crawl(tmp_path, source(site), settings=SETTINGS.model_copy(update={"give_up_after": 3}))
        assert sum(path in paths for path, *_ in site.log) == 3
    assert [p.kind for p in problems(tmp_path)] == ["script_challenge"] * 8
    assert all("瑞数" in p.message for p in problems(tmp_path))
