"""The crawler as it runs: its own process against a real server on loopback, what it asks for, and what it leaves behind."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError
from site_server import Page, Site
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from extract.archive import read_body
from extract.crawl.job import CrawlJob, CrawlSettings, CrawlSource, ReportLocation, run_crawl
from extract.ledger import Ledger

PDF = b"%PDF-1.4\n%% report of "
SETTINGS = CrawlSettings(
    min_delay=0,
    timeout=0.8,
    max_bytes=200_000,
    max_index_pages=5,
    retry_times=1,
    backoff=0.05,
    max_backoff=0.2,
    max_retry_after=3,
    give_up_after=10,
    contact="https://example.org/gongkai",
)


def title(year):
    return f"某某区政府办公室{year}年政府信息公开工作年度报告"


def listing(*items, after=""):
    return f"<html><ul>{''.join(f'<li>{i}</li>' for i in items)}</ul>{after}</html>"


def link(href, year, date=""):
    return f'<a href="{href}">{title(year)}</a><span>{date}</span>'


def report_html(year, *more):
    return f"<html><h1>{title(year)}</h1><p>发布时间：2022-01-20</p><div class='content'>report {year} {''.join(more)}</div></html>"


def paged_pages():
    notice = '<a href="/paged/tz.html">关于做好2021年政府信息公开工作年度报告编制工作的通知</a>'
    first = listing(link("2023.html", 2023, "2024-01-19"), notice, after='<a href="index_1.html">下一页</a>')
    second = listing(link("2022.html", 2022, "[2023/1/10]"), link("files/2021.pdf", 2021), after='<a href="index_2.html">下一页</a>')
    last = listing(link("../paged/2020.docx", 2020, "2021年1月28日"), after='<a href="index.html">首页</a>')
    with_files = report_html(2022, '<a href="files/2022.pdf">附件：2022年报告</a>', '<a href="/guide.pdf">政府信息公开指南</a>')
    return {
        "/paged/index.html": Page(first, etag=True),
        "/paged/index_1.html": Page(second.encode("gb18030"), modified="Mon, 01 Jan 2024 00:00:00 GMT"),
        "/paged/index_2.html": Page(last),
        "/paged/2023.html": Page(report_html(2023), etag=True, packed=True),
        "/paged/2022.html": Page(with_files, etag=True),
        "/paged/files/2022.pdf": Page(PDF + b"2022", etag=True),
        "/paged/files/2021.pdf": Page(PDF + b"2021", modified="Mon, 01 Jan 2024 00:00:00 GMT", chunked=True),
        "/paged/2020.docx": Page(b"PK\x03\x04word/document.xml"),
    }


def endless(pages):
    """A listing that always has one more page, each different."""
    for number in range(12):
        pages[f"/endless/?p={number}"] = Page(
            listing(link(f"/endless/{number}.pdf", 2000 + number), after=f'<a href="?p={number + 1}">下一页</a>')
        )
        pages[f"/endless/{number}.pdf"] = Page(PDF + b"%d" % number)


def looping(pages):
    """A listing whose pager goes on after the last page, showing that one again and again."""
    pages["/loop/?p=0"] = Page(listing(link("/loop/a.pdf", 2020), after='<a href="?p=1">下一页</a>'))
    for number in range(1, 9):
        more = f'<a href="?p={number + 1}">下一页</a><a href="?p=0">上一页</a>'
        pages[f"/loop/?p={number}"] = Page(listing(link("/loop/b.pdf", 2021), after=more))
    pages |= {"/loop/a.pdf": Page(PDF + b"a"), "/loop/b.pdf": Page(PDF + b"b")}


def trouble(pages):
    reports = ["500-once", "429-once", "404", "500", "slow", "big", "bomb", "torn", "private"]
    pages["/trouble/"] = Page(listing(*(link(f"/{'private' if r == 'private' else 'trouble'}/{r}", 2021) for r in reports)))
    fine = Page(report_html(2021))
    pages |= {
        "/trouble/500-once": lambda n: fine if n else Page("oops", 500),
        "/trouble/429-once": lambda n: fine if n else Page("wait", 429, {"Retry-After": "1"}),
        "/trouble/500": Page("always", 500),
        "/trouble/slow": Page(report_html(2021), wait=1.5),
        "/trouble/big": Page(b"x" * 300_000, chunked=True),
        "/trouble/bomb": Page(bytes(2_000_000), packed=True),
        "/trouble/torn": Page(gzip.compress(os.urandom(5000))[:3000], headers={"Content-Encoding": "gzip"}),
        "/private/private": fine,
    }


def moved(pages):
    names = ["moved", "home", "login", "away", "round"]
    pages["/moved/"] = Page(listing(*(link(f"/moved/{n}", 2021) for n in names)))
    for name, target in (
        ("moved", "/moved/target.html"),
        ("home", "/"),
        ("login", "/sso/login.do"),
        ("away", "http://www.example.com/x"),
        ("round", "/moved/round"),
    ):
        pages[f"/moved/{name}"] = Page("", 302, {"Location": target})
    pages |= {"/": Page("<html>home</html>"), "/sso/login.do": Page("<html>login</html>")}
    pages["/moved/target.html"] = Page(report_html(2021, '<a href="x.pdf">附件1</a>'), etag=True)
    pages["/moved/x.pdf"] = Page(PDF + b"x")


def offsite(pages):
    elsewhere = f'<a href="http://www.example.com/2019.html">{title(2019)}</a>'
    pages["/offsite/"] = Page(listing(link("/offsite/a.html", 2021), elsewhere))
    pages["/offsite/a.html"] = Page(report_html(2021, '<a href="http://files.example.com/a.pdf">附件1</a>'))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class World:
    """A site, a home, and the runs over them."""

    def __init__(self, site, home, busy, closed, forged):
        self.site, self.home, self.busy, self.closed, self.forged = site, home, busy, closed, forged
        self.dead = f"http://127.0.0.1:{free_port()}/index.html"
        self.events, self.result, self.run_id = [], None, ""

    def sources(self):
        def one(name, path, **more):
            return CrawlSource(id=name, publisher=name, index=[self.site.url(path)], **more)

        known = {2018: "/declared/2018.pdf", None: "/declared/x.html"}
        declared = [ReportLocation(year=year, url=self.site.url(path)) for year, path in known.items()]
        return [
            one("paged", "/paged/index.html"),
            one("endless", "/endless/?p=0"),
            one("loop", "/loop/?p=0"),
            one("empty", "/empty/"),
            one("trouble", "/trouble/"),
            one("moved", "/moved/"),
            one("offsite", "/offsite/"),
            one("odd", "/odd/"),
            CrawlSource(id="dead", publisher="dead", index=[self.dead]),
            CrawlSource(id="busy", publisher="busy", index=[self.busy.url("/")]),
            CrawlSource(id="closed", publisher="closed", index=[self.closed.url("/")]),
            CrawlSource(id="forged", publisher="forged", index=[self.forged.url("/")]),
            CrawlSource(id="declared", publisher="declared", reports=declared),
        ]

    def run(self, only=None, **more):
        self.site.log.clear()
        self.site.most_open = self.site.most_busy = 0
        self.events = []
        with self.ledger() as ledger:
            self.run_id = ledger.start_run("test")
        sources = [s for s in self.sources() if only is None or s.id in only]
        job = CrawlJob(home=self.home, run_id=self.run_id, worker=1, sources=sources, settings=SETTINGS, **more)
        self.result = run_crawl(job, self.events.append)

    def ledger(self):
        return Ledger(self.home / "state" / "ledger.sqlite")

    def rows(self, table):
        with self.ledger() as ledger:
            return ledger.rows(table)

    def sightings(self, publisher):
        return {r["url"].removeprefix(self.site.base): r for r in self.rows("sighting") if r["publisher_id"] == publisher}

    def problems(self, publisher):
        with self.ledger() as ledger:
            found = [p for p in ledger.problems(self.run_id) if p.publisher_id == publisher]
        return {(p.url.removeprefix(self.site.base), p.kind): p for p in found}

    def document(self, path):
        with self.ledger() as ledger:
            return ledger.document(self.site.url(path))

    def state(self, publisher):
        with self.ledger() as ledger:
            return next(s for s in ledger.source_states() if s.publisher_id == publisher)

    def records(self):
        for path in sorted((self.home / "archive").glob("*.warc.gz")):
            with path.open("rb") as file:
                for record in ArchiveIterator(file):
                    yield path.name, record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), record


@pytest.fixture(scope="module")
def site():
    pages = paged_pages() | {
        "/robots.txt": Page("User-agent: *\nDisallow: /private/\n", headers={"Content-Type": "text/plain"}),
        "/empty/": Page(listing('<a href="zn.html">政府信息公开指南</a>')),
        "/declared/2018.pdf": Page(PDF + b"2018", etag=True),
        "/declared/x.html": Page(report_html(2017), etag=True),
        "/odd/": Page("\x00<html><a href='http://[x'>" + title(2021) + "</a>" + listing(link("/odd/a.pdf", 2021)), chunked=True),
        "/odd/a.pdf": Page(b""),
    }
    endless(pages)
    looping(pages)
    trouble(pages)
    moved(pages)
    offsite(pages)
    with Site(pages) as running:
        yield running


@pytest.fixture(scope="module")
def first(site, tmp_path_factory):
    later = Page("come back", 503, {"Retry-After": "3600"})
    busy = Site({"/": Page(listing(link("/a.pdf", 2020), link("/b.pdf", 2021))), "/a.pdf": later, "/b.pdf": later})
    closed = Site({"/robots.txt": Page("maintenance", 500), "/": Page(listing(link("/a.pdf", 2021)))})
    forged = Site({"/": Page(listing(link("/a.pdf", 2021)))}, tls_folder=tmp_path_factory.mktemp("tls"))
    with busy, closed, forged:
        world = World(site, tmp_path_factory.mktemp("home"), busy, closed, forged)
        world.run()
    world.log = list(site.log)
    return world


def test_reports_are_found_through_pagination(first):
    found = first.sightings("paged")
    assert {(u, r["year"], r["role"], r["published_on"]) for u, r in found.items()} == {
        ("/paged/2023.html", 2023, "page", "2024-01-19"),
        ("/paged/2022.html", 2022, "page", "2023-01-10"),
        ("/paged/files/2021.pdf", 2021, "page", None),
        ("/paged/2020.docx", 2020, "page", "2021-01-28"),
        ("/paged/files/2022.pdf", 2022, "attachment", None),
    }
    assert found["/paged/files/2022.pdf"]["parent_url"] == first.site.url("/paged/2022.html")
    assert found["/paged/2022.html"]["title"] == title(2022)
    assert not first.problems("paged")
    assert not [a for a in first.log if a.path in ("/paged/tz.html", "/guide.pdf")]
    state = first.state("paged")
    assert (state.index_read, state.reports_found, state.conditional, state.unchanged, state.fetched) == (True, 4, 0, 0, 8)


def test_media_come_from_the_bytes(first):
    media = {u: first.document(u).media for u in first.sightings("paged")}
    assert media == {
        "/paged/2023.html": "html",
        "/paged/2022.html": "html",
        "/paged/files/2021.pdf": "pdf",
        "/paged/2020.docx": "docx",
        "/paged/files/2022.pdf": "pdf",
    }


def test_every_candidate_is_in_the_archive(first):
    with first.ledger() as ledger:
        candidates = ledger.candidates()
    assert len(candidates) > 15
    for c in candidates:
        page = first.site.pages[c.url.removeprefix(first.site.base)]
        if isinstance(page, Page) and page.status == 200:
            expected = page.body.encode() if isinstance(page.body, str) else page.body
            assert read_body(first.home / "archive", c.archive_file, c.archive_offset) == expected


def test_every_answer_is_a_valid_record(first):
    files = sorted({name for name, *_ in first.records()})
    command = type("Arguments", (), {"inputs": [str(first.home / "archive" / f) for f in files], "verbose": False})
    assert Checker(command).process_all() == 0
    archived = [urlsplit(u)._replace(scheme="", netloc="").geturl() for _, kind, u, _ in first.records() if kind == "response"]
    logs = first.log + first.busy.log + first.closed.log
    answered = [a.path for a in logs if a.path not in ("/trouble/slow", "/trouble/big")]
    assert sorted(archived) == sorted(answered)
    packed = next(r for _, _, u, r in first.records() if u and u.endswith("/paged/2023.html"))
    assert packed.http_headers.get_header("Content-Encoding") == "gzip"
    assert packed.rec_headers.get_header("WARC-IP-Address") == "127.0.0.1"


def test_the_site_is_treated_politely(first):
    quiet = [a for a in first.log if not a.path.startswith("/trouble/")]
    assert {a.headers["user-agent"] for a in quiet} == {"gongkai/2026.11.0 (+https://example.org/gongkai)"}
    assert not any("cookie" in a.headers for a in quiet)
    assert first.log[0].path == "/robots.txt"
    assert sum(a.path == "/robots.txt" for a in first.log) == 1


def test_robots_txt_is_obeyed(first):
    assert [k for k in first.problems("trouble") if k[1] == "robots_disallowed"] == [("/private/private", "robots_disallowed")]
    assert not [a for a in first.log if a.path.startswith("/private/")]


def test_what_recovers_is_read_and_what_does_not_is_a_problem(first):
    problems = first.problems("trouble")
    assert {k: p.message.partition(":")[0] for k, p in problems.items() if "torn" not in k[0]} == {
        ("/trouble/404", "http_error"): "HTTP 404 Not Found",
        ("/trouble/500", "http_error"): "HTTP 500 Internal Server Error",
        ("/trouble/slow", "unreachable"): "DownloadTimeoutError",
        ("/trouble/big", "too_large"): "DownloadCancelledError",
        ("/trouble/bomb", "too_large"): "DownloadCancelledError",
        ("/private/private", "robots_disallowed"): "Forbidden by robots.txt",
    }
    assert ("/trouble/torn", "unreachable") in problems
    assert all(p.year == 2021 and p.severity == "failure" for p in problems.values())
    assert first.document("/trouble/500-once").status == 200
    assert first.document("/trouble/429-once").status == 200
    assert first.document("/trouble/404").status == 404
    assert first.document("/trouble/404").sha256 is None
    assert first.document("/trouble/slow") is None


def test_retry_after_is_waited_out(first):
    """Nothing at all is asked of the host in the meantime."""
    at = [a.at for a in first.log]
    index = next(n for n, a in enumerate(first.log) if a.status == 429)
    assert at[index + 1] - at[index] >= 1.0


def test_a_host_that_asks_for_too_long_a_wait_is_left_alone(first):
    """One of its two reports is asked for, once; the other not at all."""
    assert [a.status for a in first.busy.asked() if a.path != "/"] == [503]
    kinds = {k: p.message for (_, k), p in first.problems("busy").items()}
    assert kinds["http_error"].startswith("HTTP 503")
    assert "Retry-After 3600 s" in kinds["unreachable"]


def test_a_robots_txt_that_fails_forbids_everything(first):
    assert [(k, p.message) for (_, k), p in first.problems("closed").items()] == [("robots_disallowed", "Forbidden by robots.txt")]
    assert {a.path for a in first.closed.log} == {"/robots.txt"}


def test_a_certificate_nobody_vouches_for_is_not_accepted(first):
    ((_, kind),) = first.problems("forged")
    assert kind == "unreachable"
    assert first.forged.log == []


def test_failed_requests_are_tried_again_once(first):
    tries = {p: sum(a.path == f"/trouble/{p}" for a in first.log) for p in ("500", "500-once", "404", "slow", "big")}
    assert tries == {"500": 2, "500-once": 2, "404": 1, "slow": 2, "big": 1}


def test_redirects(first):
    problems = first.problems("moved")
    assert set(problems) == {(f"/moved/{n}", "http_error") for n in ("home", "login", "away", "round")}
    assert "home or login page" in problems[("/moved/home", "http_error")].message
    assert "www.example.com" in problems[("/moved/away", "http_error")].message
    moved_page = first.document("/moved/moved")
    assert (moved_page.status, moved_page.sha256) == (302, first.document("/moved/target.html").sha256)
    assert first.sightings("moved")["/moved/x.pdf"]["parent_url"] == first.site.url("/moved/moved")
    with first.ledger() as ledger:
        assert first.site.url("/moved/moved") in {c.url for c in ledger.candidates(["moved"])}


def test_pagination_ends(first):
    endless_problem = first.problems("endless")[("/endless/?p=0", "trap")]
    assert (endless_problem.severity, "more than 5" in endless_problem.message) == ("failure", True)
    assert first.state("endless").index_read is False
    assert first.state("endless").reports_found == 5
    assert {k: p.severity for k, p in first.problems("loop").items()} == {("/loop/?p=2", "trap"): "warning"}
    assert len([a for a in first.log if a.path.startswith("/loop/?")]) == 3
    assert first.state("loop").index_read is True


def test_an_index_without_reports(first):
    assert list(first.problems("empty")) == [("/empty/", "empty_index")]


def test_nothing_leaves_the_sites(first):
    problems = first.problems("offsite")
    assert {(u, p.severity) for (u, _), p in problems.items()} == {
        ("http://www.example.com/2019.html", "warning"),
        ("http://files.example.com/a.pdf", "warning"),
    }
    assert not any(u and "example.com" in u for _, _, u, _ in first.records())


def test_a_dead_host_stops_nobody(first):
    (_, kind), problem = next(iter(first.problems("dead").items()))
    assert kind == "unreachable"
    assert "refused" in problem.message
    assert first.state("dead").index_read is False
    assert sorted(first.result.sources_done) == sorted(s.id for s in first.sources())


def test_declared_reports(first):
    found = first.sightings("declared")
    assert {(u, r["year"], r["declared"], r["title"], r["published_on"]) for u, r in found.items()} == {
        ("/declared/2018.pdf", 2018, 1, None, None),
        ("/declared/x.html", None, 1, title(2017), "2022-01-20"),
    }
    state = first.state("declared")
    assert (state.index_read, state.reports_found) == (False, 2)


def test_odd_bytes(first):
    assert not first.problems("odd")
    assert first.document("/odd/a.pdf").media == "empty"


def test_events_tell_what_the_ledger_holds(first):
    with first.ledger() as ledger:
        problems = ledger.problems(first.run_id)
    assert first.result.problems == len(problems) == sum(e["event"] == "problem" for e in first.events)
    assert first.result.fetched == sum(first.state(s.id).fetched for s in first.sources())
    assert {e["publisher_id"] for e in first.events} == {s.id for s in first.sources()}


@pytest.fixture(scope="module")
def second(first):
    """The same night once more: nothing is due but the indexes."""
    first.run(only={"paged", "declared", "moved"})
    return first


def test_a_second_run_asks_only_for_the_indexes_and_conditionally(second):
    asked = {a.path: a for a in second.site.asked("/paged") + second.site.asked("/declared")}
    assert set(asked) == {"/paged/index.html", "/paged/index_1.html", "/paged/index_2.html"}
    assert asked["/paged/index.html"].status == asked["/paged/index_1.html"].status == 304
    assert not asked["/paged/index_2.html"].conditional
    state = second.state("paged")
    assert (state.reports_found, state.conditional, state.unchanged, state.fetched, state.index_read) == (4, 2, 3, 0, True)
    assert {r["last_run_id"] for r in second.sightings("paged").values()} == {second.run_id}
    assert {r["last_run_id"] for r in second.sightings("declared").values()} == {second.run_id}


def test_unchanged_answers_are_revisit_records(second):
    revisits = {
        u.removeprefix(second.site.base): r.rec_headers.get_header("WARC-Profile").rpartition("/")[2]
        for name, kind, u, r in second.records()
        if kind == "revisit" and second.run_id in name
    }
    assert {p: k for p, k in revisits.items() if p.startswith("/paged")} == {
        "/paged/index.html": "server-not-modified",
        "/paged/index_1.html": "server-not-modified",
        "/paged/index_2.html": "identical-payload-digest",
    }
    assert second.run_id not in second.document("/paged/index.html").archive_file


def test_what_failed_is_asked_again(second):
    asked = {a.path for a in second.site.asked("/moved")}
    assert {"/moved/home", "/moved/login", "/moved/away", "/moved/round"} <= asked
    assert "/moved/moved" not in asked
    assert "/moved/x.pdf" not in asked


@pytest.fixture(scope="module")
def third(second):
    """`--refetch`, after one report was changed, one vanished from its index, and one record of the archive was lost."""
    pages = second.site.pages
    pages["/paged/2022.html"] = Page(report_html(2022, "corrected", '<a href="files/2022.pdf">附件：2022年报告</a>'), etag=True)
    pages["/paged/index_2.html"] = Page(listing())
    damage(second.home / "archive", second.document("/declared/2018.pdf"))
    second.run(only={"paged", "declared"}, refetch=True, years=[2022, 2020, 2018])
    return second


def damage(folder: Path, document):
    with (folder / document.archive_file).open("r+b") as file:
        file.seek(document.archive_offset)
        file.write(b"\xff" * 40)


def test_refetch_asks_for_every_known_address_of_the_years(third):
    asked = {a.path: (a.status, a.conditional) for a in third.site.asked("/paged")}
    assert {p: v for p, v in asked.items() if "index" not in p} == {
        "/paged/2022.html": (200, True),
        "/paged/files/2022.pdf": (304, True),
        "/paged/2020.docx": (200, False),
    }
    seen = third.sightings("paged")
    assert seen["/paged/2020.docx"]["last_run_id"] != third.run_id
    assert seen["/paged/2023.html"]["last_run_id"] == third.run_id


def test_one_connection_and_one_request_at_a_time(third):
    assert len(third.site.log) > 5
    assert (third.site.most_open, third.site.most_busy) == (1, 1)


def test_both_versions_of_a_changed_report_are_kept(third):
    versions = [r for r in third.rows("content") if r["url"] == third.site.url("/paged/2022.html")]
    bodies = [read_body(third.home / "archive", r["archive_file"], r["archive_offset"]) for r in versions]
    assert sorted("corrected" in b.decode() for b in bodies) == [False, True]
    with third.ledger() as ledger:
        current = next(c for c in ledger.candidates(["paged"]) if c.url.endswith("/2022.html"))
    assert b"corrected" in read_body(third.home / "archive", current.archive_file, current.archive_offset)


def test_a_lost_record_is_fetched_anew(third):
    """The server says 304, the archive can't give the body: asked again without conditions, and the place is put right."""
    assert [(a.status, a.conditional) for a in third.site.asked("/declared/2018")] == [(304, True), (200, False)]
    document = third.document("/declared/2018.pdf")
    assert read_body(third.home / "archive", document.archive_file, document.archive_offset) == PDF + b"2018"


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
    with Site({"/": Page(listing(link("/a.pdf", 2021))), "/a.pdf": Page(PDF, wait=0.5)}) as site:
        source = CrawlSource(id="s", publisher="s", index=[site.url("/")])
        job = CrawlJob(home=tmp_path, run_id="r", sources=[source], settings=SETTINGS)

        def stop(event):
            raise RuntimeError(json.dumps(event))

        with pytest.raises(RuntimeError, match="fetched"):
            run_crawl(job, stop)
    assert children(os.getpid()) == []
