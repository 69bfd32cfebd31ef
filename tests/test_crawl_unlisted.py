"""What leaves a list is asked once more; an index that lists nothing any more is an alarm. Real crawls on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from site_server import Page, Site

from extract.crawl.job import CrawlJob, CrawlSettings, CrawlSource, run_crawl
from extract.ledger import Ledger

QUICK = CrawlSettings(min_delay=0, timeout=5, retry_times=0, backoff=0)


def index(*years: int) -> Page:
    items = "".join(f'<li><a href="/{y}.html">甲区人民政府办公室{y}年政府信息公开工作年度报告</a></li>' for y in years)
    return Page(f"<html><body><ul>{items}<li>栏目</li></ul></body></html>")


def report(year: int) -> Page:
    title = f"甲区人民政府办公室{year}年政府信息公开工作年度报告"
    return Page(f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>正文</p></body></html>", etag=True)


@pytest.fixture
def site() -> Iterator[Site]:
    years = (2019, 2020, 2021, 2022, 2023)
    with Site({"/": index(*years)} | {f"/{y}.html": report(y) for y in years}) as running:
        yield running


class Nights:
    """Runs over one source."""

    def __init__(self, site: Site, home: Path) -> None:
        self.site, self.home, self.number = site, home, 0

    def run(self, years: list[int] | None = None) -> tuple[list[str], list[tuple[str, str]]]:
        """One run: the report pages that were asked for, and the problems (kind, severity)."""
        self.number += 1
        asked, run_id = len(self.site.log), f"2026112{self.number}T180000Z-0000"
        source = CrawlSource(id="a", publisher="甲区人民政府办公室", index=[self.site.url("/")])
        run_crawl(CrawlJob(home=self.home, run_id=run_id, sources=[source], years=years, settings=QUICK), lambda event: None)
        with Ledger(self.home / "state" / "ledger.sqlite") as ledger:
            problems = [(p.kind, p.severity) for p in ledger.problems(run_id)]
        return [a.path for a in self.site.log[asked:] if a.path.endswith(".html")], problems

    def rows(self, table: str) -> list[dict]:
        with Ledger(self.home / "state" / "ledger.sqlite") as ledger:
            return ledger.rows(table)


def test_what_leaves_the_list_is_asked_once_and_gone_is_no_failure(site: Site, tmp_path: Path) -> None:
    nights = Nights(site, tmp_path)
    assert nights.run() == ([f"/{y}.html" for y in range(2019, 2024)], [])
    site.pages["/"] = index(2021, 2022, 2023)
    del site.pages["/2019.html"]
    assert nights.run() == (["/2019.html", "/2020.html"], [])
    gone = {r["url"]: (r["gone_at"] is not None, r["gone_status"]) for r in nights.rows("presence") if r["gone_at"]}
    assert gone == {site.url("/2019.html"): (True, 404)}
    assert {r["url"] for r in nights.rows("sighting") if r["last_run_id"].startswith("20261121")} == {
        site.url("/2019.html"),
        site.url("/2020.html"),
    }
    assert nights.run() == ([], []), "asked once, then as rarely as any other page"
    assert [(v["listed"], v["index_read"], v["years"]) for v in nights.rows("visit")] == [(5, 1, None), (3, 1, None), (3, 1, None)]


def test_an_unlisted_page_that_fails_otherwise_is_a_warning(site: Site, tmp_path: Path) -> None:
    nights = Nights(site, tmp_path)
    nights.run()
    site.pages["/"] = index(2020, 2021, 2022, 2023)
    site.pages["/2019.html"] = Page("oops", 500)
    assert nights.run() == (["/2019.html"], [("http_error", "warning")])


def test_an_emptied_index_is_an_alarm_every_night_and_asks_for_nothing(site: Site, tmp_path: Path) -> None:
    nights = Nights(site, tmp_path)
    nights.run()
    site.pages["/"] = index()
    assert nights.run() == ([], [("index_emptied", "failure")])
    assert nights.run() == ([], [("index_emptied", "failure")])
    site.pages["/"] = index(2019, 2020, 2021, 2022, 2023)
    assert nights.run() == ([], [])


def test_an_index_that_lists_less_than_half_is_a_warning(site: Site, tmp_path: Path) -> None:
    nights = Nights(site, tmp_path)
    nights.run()
    site.pages["/"] = index(2022, 2023)
    asked, problems = nights.run()
    assert (asked, problems) == (["/2019.html", "/2020.html", "/2021.html"], [("index_shrunk", "warning")])
    assert "2 reports; it listed 5 on" in nights.rows("problem")[0]["message"]


def test_a_narrowed_run_says_so(site: Site, tmp_path: Path) -> None:
    nights = Nights(site, tmp_path)
    assert nights.run(years=[2021])[0] == ["/2021.html"]
    assert [v["years"] for v in nights.rows("visit")] == ["[2021]"]
