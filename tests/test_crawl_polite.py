"""What a webmaster would see: who is asked how often, and that nobody is asked more than he allows. Told from the servers' own logs."""

import threading
from itertools import pairwise

import pytest
from site_server import Page, Site

from extract.crawl.job import CrawlJob, CrawlSettings, CrawlSource, run_crawl
from extract.ledger import Ledger

SETTINGS = CrawlSettings(min_delay=0, timeout=3, retry_times=0, backoff=0.05)


def title(year):
    return f"某某区政府办公室{year}年政府信息公开工作年度报告"


def report(year):
    return Page(f"<html><h1>{title(year)}</h1><p>{'已按期答复。' * 100}</p></html>", etag=True)


def listing(*paths, after=""):
    items = "".join(f'<li><a href="{p}">{title(2010 + n)}</a></li>' for n, p in enumerate(paths))
    return Page(f"<html><ul>{items}</ul>{after}</html>")


def robots(*lines):
    return Page("\n".join(["User-agent: *", *lines, ""]), headers={"Content-Type": "text/plain"}, etag=True)


def small_site(count=3, **more):
    paths = [f"/{n}.html" for n in range(count)]
    return {"/": listing(*paths), **{p: report(2010 + n) for n, p in enumerate(paths)}} | more


def crawl(home, *urls, run="r", settings=SETTINGS, **more):
    sources = [CrawlSource(id=f"s{n}", publisher="某某区政府办公室", index=[url]) for n, url in enumerate(urls)]
    return run_crawl(CrawlJob(home=home, run_id=run, sources=sources, settings=settings, **more), lambda event: None)


def problems(home, run="r"):
    with Ledger(home / "state" / "ledger.sqlite") as ledger:
        return ledger.problems(run)


def fetched(home):
    with Ledger(home / "state" / "ledger.sqlite") as ledger:
        return {c.url.rpartition("/")[2] for c in ledger.candidates()}


def gaps(asked):
    return [b.at - a.at for a, b in pairwise(asked)]


# robots.txt


def test_crawl_delay_is_kept_from_robots_txt_on(tmp_path):
    with Site(small_site(**{"/robots.txt": robots("Crawl-delay: 0.4")})) as site:
        crawl(tmp_path, site.url("/"))
    assert [a.path for a in site.log][:2] == ["/robots.txt", "/"]
    assert len(site.log) == 5
    assert min(gaps(site.log)) >= 0.4
    assert problems(tmp_path) == []


def test_a_request_rate_is_a_delay(tmp_path):
    with Site(small_site(**{"/robots.txt": robots("Request-rate: 4/1s")})) as site:
        crawl(tmp_path, site.url("/"))
    assert min(gaps(site.log)) >= 0.25


def test_a_crawl_delay_beyond_the_limit_is_a_warning(tmp_path):
    with Site(small_site(1, **{"/robots.txt": robots("Crawl-delay: 86400")})) as site:
        crawl(tmp_path, site.url("/"), settings=SETTINGS.model_copy(update={"max_crawl_delay": 0.3}))
    (row,) = problems(tmp_path)
    assert (row.kind, row.severity, row.url) == ("crawl_delay", "warning", site.url("/robots.txt"))
    assert "86400 s" in row.message
    assert min(gaps(site.log)) >= 0.3
    assert fetched(tmp_path) == {"0.html"}


def test_robots_txt_is_archived_and_asked_conditionally(tmp_path):
    with Site(small_site(1, **{"/robots.txt": robots("Disallow: /private/")})) as site:
        crawl(tmp_path, site.url("/"))
        crawl(tmp_path, site.url("/"), run="r2")
        asked = [(a.status, a.conditional) for a in site.log if a.path == "/robots.txt"]
        with Ledger(tmp_path / "state" / "ledger.sqlite") as ledger:
            assert ledger.document(site.url("/robots.txt")).archive_file is not None
    assert asked == [(200, False), (304, True)]


def test_a_forbidden_index_is_a_problem_and_not_read(tmp_path):
    with Site(small_site(1, **{"/robots.txt": robots("Disallow: /")})) as site:
        crawl(tmp_path, site.url("/"))
    assert [(p.kind, p.url) for p in problems(tmp_path)] == [("robots_disallowed", site.url("/"))]
    assert [a.path for a in site.log] == ["/robots.txt"]
    with Ledger(tmp_path / "state" / "ledger.sqlite") as ledger:
        assert ledger.source_states()[0].index_read is False


@pytest.mark.parametrize("target", ["http://www.example.com/robots.txt", "/elsewhere.txt"])
def test_a_robots_txt_elsewhere(tmp_path, target):
    """It is followed on the host, and never to a host the crawler has no business with."""
    moved = Page("", 302, {"Location": target})
    with Site(small_site(1, **{"/robots.txt": moved, "/elsewhere.txt": robots("Disallow: /0.html")})) as site:
        crawl(tmp_path, site.url("/"))
    assert [p.kind for p in problems(tmp_path)] == (["robots_disallowed"] if target.startswith("/") else [])


# One request at a time


def test_a_host_is_one_host_under_all_its_ports_and_through_redirects(tmp_path):
    """`localhost` is another host than 127.0.0.1; what is redirected to it waits for its turn there."""
    settings = SETTINGS.model_copy(update={"min_delay": 0.25})
    with Site(small_site(2)) as other, Site({}) as site:
        over = other.base.replace("127.0.0.1", "localhost")
        site.pages |= {"/": listing("/a.html", "/b.html")}
        site.pages |= {f"/{n}.html": Page("", 302, {"Location": f"{over}/{i}.html"}) for i, n in enumerate("ab")}
        crawl(tmp_path, site.url("/"), over + "/", other.url("/"), settings=settings)
        both = sorted(site.log + other.log, key=lambda a: a.at)
    by_host = {name: [a for a in both if a.headers["host"].startswith(name)] for name in ("127.0.0.1", "localhost")}
    assert [len(asked) > 4 for asked in by_host.values()] == [True, True]
    assert all(min(gaps(asked)) >= 0.25 for asked in by_host.values())


def test_two_crawlers_share_a_host(tmp_path):
    """Attachments on a host of another job's sources: two processes, one host, still one request at a time with the delay between."""
    settings = SETTINGS.model_copy(update={"min_delay": 0.4})  # long enough for the second process to start beside the first
    pages = {f"/{s}/{n}.html": report(2010 + n) for s in "ab" for n in range(8)}
    pages |= {f"/{s}/": listing(*(f"/{s}/{n}.html" for n in range(8))) for s in "ab"}
    with Site(pages) as site:
        threads = [
            threading.Thread(target=crawl, args=(tmp_path, site.url(f"/{s}/")), kwargs={"worker": s, "settings": settings}) for s in "ab"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert len(site.log) == 20
    assert site.most_busy == 1
    assert min(gaps(site.log)) >= 0.4
    order = [a.path[1] for a in site.log if a.path != "/robots.txt"]
    assert order not in (sorted(order), sorted(order, reverse=True))  # they did run at the same time


def test_the_delay_is_kept_between_runs(tmp_path):
    settings = SETTINGS.model_copy(update={"min_delay": 4})
    with Site({"/robots.txt": robots("Disallow: /")}) as site:
        crawl(tmp_path, site.url("/"), settings=settings)
        crawl(tmp_path, site.url("/"), run="r2", settings=settings)
    assert min(gaps(site.log)) >= 4


# Budget


def spent(home, run):
    return [(p.severity, p.message) for p in problems(home, run) if p.kind == "budget_spent"]


def test_what_the_budget_leaves_comes_first_in_the_next_run(tmp_path):
    """robots.txt, the index, and what is left of four requests: nothing is asked twice, nothing starves."""
    settings = SETTINGS.model_copy(update={"max_requests_per_host": 4})
    asked = []
    with Site(small_site(7)) as site:
        for run in ("r1", "r2", "r3", "r4"):
            site.log.clear()
            crawl(tmp_path, site.url("/"), run=run, settings=settings)
            assert len(site.log) <= 4
            asked.append([a.path for a in site.log if a.path != "/robots.txt"])
    reports = [path for run in asked for path in run if path != "/"]
    assert sorted(reports) == sorted(f"/{n}.html" for n in range(7))
    assert len(fetched(tmp_path)) == 7
    assert [s for s, _ in spent(tmp_path, "r1")] == ["failure"]
    assert "5 address(es) left for the next run" in spent(tmp_path, "r1")[0][1]
    assert spent(tmp_path, "r4") == []
    with Ledger(tmp_path / "state" / "ledger.sqlite") as ledger:
        assert ledger.left_over("s0") == []


def test_index_pages_beyond_the_budget_are_reached_in_turn(tmp_path):
    """An index longer than the budget is never taken for read, but all its reports are found in the end."""
    pages = {}
    for n in range(4):
        more = f'<a href="/?p={n + 1}">下一页</a>' if n < 3 else ""
        pages["/" if n == 0 else f"/?p={n}"] = listing(f"/{n}.html", after=more)
        pages[f"/{n}.html"] = report(2010 + n)
    settings = SETTINGS.model_copy(update={"max_requests_per_host": 4})
    with Site(pages) as site:
        for number in range(5):
            crawl(tmp_path, site.url("/"), run=f"r{number}", settings=settings)
            with Ledger(tmp_path / "state" / "ledger.sqlite") as ledger:
                assert ledger.source_states()[0].index_read is False
    assert fetched(tmp_path) == {f"{n}.html" for n in range(4)}


def test_a_budget_that_leaves_only_what_is_known_is_a_warning(tmp_path):
    with Site(small_site(4)) as site:
        crawl(tmp_path, site.url("/"), run="r1")
        crawl(tmp_path, site.url("/"), run="r2", refetch=True, settings=SETTINGS.model_copy(update={"max_requests_per_host": 3}))
    assert spent(tmp_path, "r1") == []
    assert [s for s, _ in spent(tmp_path, "r2")] == ["warning"]


@pytest.mark.parametrize("limit", [{"max_mb_per_host": 0.002}, {"max_seconds_per_host": 0.4}])
def test_bytes_and_seconds_are_a_budget_too(tmp_path, limit):
    with Site(small_site(6)) as site:
        crawl(tmp_path, site.url("/"), settings=SETTINGS.model_copy(update={"min_delay": 0.1} | limit))
    assert [s for s, _ in spent(tmp_path, "r")] == ["failure"]
    assert 2 < len(site.log) < 7
