"""Plain lists: links with titles, and a pager made of links (下一页, numbers, sibling pages index_1.html). Reads every page.

Many content management systems write such pages, among them Guangdong's (`/content/post_<id>.html`) and the static ones of TRS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml.etree import _Element as Element

from extract.crawl.families.base import FamilyPage, Notice, Pager, listing_key, unique
from extract.crawl.links import ReportLink, report_link
from extract.crawl.page import Page, name_of, text_of

_NEXT = {"下一页", "下页", "后页", "后一页", "下一頁", "下頁", "next", "nextpage", ">", ">>", "»", "›", "下一页>", "下页>", "下一页>>"}
_PAGE_NUMBER = re.compile(r"^(?:第?\d{1,4}页?|\[\d{1,4}\])$")
_TURNS = re.compile(r"^(?:[上下前后]一?[页頁]|首[页頁]|[尾末][页頁]|最后一页|第一页|prev(?:ious)?|first|last|[<«‹]+|[>»›]+)$")
_PAGER_WORDS = re.compile(r"[上下前后]一?页|首页.*[尾末]页|[尾末]页|共\s*\d+\s*页|页次")
_PAGER_NAME = re.compile(r"pag(?:e|ing|ination|er)|fenye|fanye", re.I)
#: How a pager states its pages: 共 5 页, 页次：1/5, 第1页/共5页.
_STATED = re.compile(r"共\s*(\d{1,4})\s*页|(?:页次|页码)\s*[:：]?\s*\d{1,4}\s*/\s*(\d{1,4})|(?<![\d/])\d{1,4}\s*/\s*(\d{1,4})\s*页")
_CALENDAR_NAME = re.compile(r"calendar|rili|datepick", re.I)
_CALENDAR_LINK = re.compile(r"[?&](?:month|yuefen|day|date|riqi|week|ym)=[\d-]*(?:&|$)", re.I)

name = "plain"


def reads(page: Page) -> FamilyPage:
    """Reports by their titles, further pages by their links, and how many pages the pager says there are."""
    reports: dict[str, ReportLink] = {}
    for anchor, target in page.links:
        link = report_link(anchor, target) if target not in reports else None
        if link is not None:
            reports[target] = link
    found = FamilyPage(reports=list(reports.values()))
    calendars = {target for anchor, target in page.links if _is_pager_link(anchor) and is_calendar(anchor, target)}
    further = [p for p in unique(_further_pages(page)) if p not in reports and p not in calendars and p != page.url]
    found.pages = further
    if calendars:
        found.notices.append(Notice("trap", f"a calendar, its months are not followed: {min(calendars)}", "warning"))
    stated = stated_pages(page)
    if stated:
        found.pagers.append(Pager(listing_key(page.url), stated))
    return found


def is_calendar(anchor: Element, target: str) -> bool:
    """Whether a link turns the pages of a calendar, which has no end."""
    if _CALENDAR_LINK.search(target):
        return True
    return any(_CALENDAR_NAME.search(name_of(a)) for _, a in zip(range(4), anchor.iterancestors(), strict=False))


def stated_pages(page: Page) -> int | None:
    """How many pages the pager states; None where it does not, or states different numbers."""
    if not re.search(r"[下尾末]一?[页頁]", page.text):
        return None
    stated = {int(next(filter(None, match.groups()))) for match in _STATED.finditer(page.prose)}
    return stated.pop() if len(stated) == 1 else None


def turns_pages(anchor: Element) -> bool:
    """Whether a link belongs to a pager, forwards or backwards."""
    text = text_of(anchor).replace(" ", "").lower()
    return bool(_TURNS.match(text)) or _is_pager_link(anchor)


def _further_pages(page: Page) -> Iterator[str]:
    host = urlsplit(page.url).netloc
    sibling = _sibling_pattern(page.url)
    for link in page.root.iter("link"):
        if "next" in (link.get("rel") or "").lower().split() and (target := page.address(link.get("href") or "")):
            yield target
    for anchor, target in page.links:
        if urlsplit(target).netloc == host and (_is_pager_link(anchor) or sibling.fullmatch(target)):
            yield target


def _is_pager_link(anchor: Element) -> bool:
    text = text_of(anchor).replace(" ", "").lower()
    if "next" in (anchor.get("rel") or "").lower().split() or text in _NEXT:
        return True
    return bool(_PAGE_NUMBER.match(text)) and _in_pager(anchor)


def _in_pager(anchor: Element) -> bool:
    """Whether a numbered link stands in a pager: within three levels there is a pager's name or its words."""
    for level, ancestor in enumerate(anchor.iterancestors()):
        if level == 3:
            return False
        if _PAGER_NAME.search(name_of(ancestor)) or _PAGER_WORDS.search(text_of(ancestor)[:400]):
            return True
    return False


def _sibling_pattern(url: str) -> re.Pattern[str]:
    """Static listings number their pages index.html, index_1.html, index_2.html."""
    folder, _, file = url.partition("?")[0].rpartition("/")
    match = re.fullmatch(r"(.+?)(?:_\d{1,4})?\.(s?html?|jhtml)", file)
    stem, suffix = (re.escape(match[1]), re.escape(match[2])) if match else ("(?:index|list)", "(?:s?html?|jhtml)")
    return re.compile(rf"{re.escape(folder)}/{stem}_\d{{1,4}}\.{suffix}")
