"""Columns that are the report: the text stands at the column's own address, and next year's replaces it (domain.md Q-20).

Also the address of one year that shows its report. Known by the parts of a report in the page's text, links and drop-downs left out.
"""

from __future__ import annotations

import re

from lxml.etree import _Element as Element

from extract.crawl.families.base import FamilyPage
from extract.crawl.links import ReportLink
from extract.crawl.page import Page
from extract.titles import ReportTitle, report_title

_PARTS = (
    re.compile(r"总体情况|概述|基本情况"),
    re.compile(r"主动公开"),
    re.compile(r"收到和处理政府信息公开申请|依申请公开"),
    re.compile(r"行政复议|行政诉讼"),
    re.compile(r"存在的?(?:主要)?问题|改进(?:情况|措施)"),
    re.compile(r"收费|费用"),
)
MIN_PARTS, MIN_PARTS_WITH_TABLE = 4, 2

name = "column"


def reads(page: Page) -> FamilyPage | None:
    """The page itself, where it is a report; its year is for its text to say, not for its address."""
    if page.json is not None or not is_report(page):
        return None
    heading = next((h for h in page.headings if report_title(h)), None)
    title = report_title(heading) if heading else None
    return FamilyPage(reports=[ReportLink(page.url, heading or "", title or ReportTitle(None, "disclosure"), None)])


def is_report(page: Page) -> bool:
    """Whether the page holds the text of a report: its parts, or some of them and a table of figures."""
    prose = re.sub(r"\s", "", page.prose)
    parts = sum(bool(part.search(prose)) for part in _PARTS)
    return parts >= MIN_PARTS or (parts >= MIN_PARTS_WITH_TABLE and any(is_data_table(t) for t in page.root.iter("table")))


def is_data_table(table: Element) -> bool:
    """Whether a table has rows of cells, as tables of figures do."""
    return sum(sum(cell.tag in ("td", "th") for cell in row) >= 3 for row in table.iter("tr")) >= 3
