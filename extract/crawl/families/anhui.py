"""Anhui's `/XxgkAnnualReport/show/4570.html` and `/OpennessAnnualReport/show/…`: the address says that it is a yearly report.

The link may then say less than a title: the year and the body, or the year alone (domain.md §5.3, Q-36).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lxml.etree import _Element as Element

from extract.crawl.families.base import FamilyPage
from extract.crawl.links import ReportLink, date_beside, report_link, wordings
from extract.crawl.page import Page
from extract.titles import ReportTitle, is_other_document, title_year

_PATH = re.compile(r"/(?:Xxgk|Openness)AnnualReport/show/\d+(?:\.s?html?)?/?$", re.I)

name = "anhui"


def reads(page: Page) -> FamilyPage | None:
    """Its reports; the list's pager is one of links."""
    found = {url: link for anchor, url in page.links if _PATH.search(urlsplit(url).path) and (link := _report(anchor, url))}
    return FamilyPage(reports=list(found.values())) if found else None


def _report(anchor: Element, url: str) -> ReportLink | None:
    link = report_link(anchor, url)
    if link is not None:
        return link
    for text in wordings(anchor):
        year = None if is_other_document(text) else title_year(text)
        if year is not None:
            return ReportLink(url, text, ReportTitle(year, "disclosure"), date_beside(anchor))
    return None
