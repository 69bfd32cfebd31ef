"""A crawler that was killed after it kept a page and before it read what the page links to: the next run reads it from the archive.

Found by 200 kills (`make faults`): an attachment was missing until its page fell due again, a month or a quarter later.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from site_server import Page, Site
from test_crawl_unlisted import Nights, index

TITLE = "甲区人民政府办公室2021年政府信息公开工作年度报告"
PAGE = f"<html><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1><p><a href='files/2021.pdf'>{TITLE}.pdf</a></p></body></html>"


@pytest.fixture
def nights(tmp_path: Path):
    pages = {"/": index(2021), "/2021.html": Page(PAGE, etag=True), "/files/2021.pdf": Page(b"%PDF-1.4 made up")}
    with Site(pages) as site:
        yield Nights(site, tmp_path)


def killed_before_reading(nights: Nights, *, ended: bool = False) -> None:
    """Take out of the ledger what a crawler killed at that moment would not have written; with `ended`, the visit had come to its end."""
    with closing(sqlite3.connect(nights.home / "state" / "ledger.sqlite")) as db, db:
        for table in ("sighting", "document", "content", "presence"):
            db.execute(f"DELETE FROM {table} WHERE url LIKE '%.pdf'")
        if ended:
            db.execute("UPDATE source_state SET checked_at = '9999-01-01T00:00:00Z'")
        else:
            db.execute("DELETE FROM source_state")
            db.execute("DELETE FROM visit")


def asked(nights: Nights) -> list[str]:
    before = len(nights.site.log)
    nights.run()
    return [a.path for a in nights.site.log[before:] if a.path != "/robots.txt"]


def test_what_a_kept_page_links_to_is_fetched_without_asking_for_the_page(nights: Nights) -> None:
    assert asked(nights) == ["/", "/2021.html", "/files/2021.pdf"]
    killed_before_reading(nights)
    assert asked(nights) == ["/", "/files/2021.pdf"]
    assert asked(nights) == ["/"]
    (attachment,) = (s for s in nights.rows("sighting") if s["role"] == "attachment")
    assert (attachment["year"], attachment["parent_url"]) == (2021, nights.site.url("/2021.html"))


def test_a_visit_that_came_to_its_end_has_read_its_pages(nights: Nights) -> None:
    asked(nights)
    killed_before_reading(nights, ended=True)
    assert asked(nights) == ["/"]


def test_a_kept_page_that_the_archive_lost_is_asked_for(nights: Nights) -> None:
    asked(nights)
    killed_before_reading(nights)
    for file in (nights.home / "archive").glob("*.warc.gz"):
        file.unlink()
    assert list(dict.fromkeys(asked(nights))) == ["/", "/2021.html", "/files/2021.pdf"]
