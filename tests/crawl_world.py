"""A site with every kind of listing and trouble, a home, and the crawls over them."""

import gzip
import os
import socket

from site_server import Page
from warcio.archiveiterator import ArchiveIterator

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
