"""Lists by year: a drop-down, tabs or a menu of years, each with an address of its own or a parameter of the page's.

- `<option value="/xxgk/nb/2021/index.html">2021年</option>`
- `<select name="year">` in a form that is sent by GET; hidden fields go along.
- `<select onchange="location.href='list.jsp?year=' + this.value">`, also through a function of the page.
- links whose whole text is a year, on a page about yearly reports.

What lies at such an address may be a list or the report itself: the crawler looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from lxml.etree import _Element as Element

from extract.crawl.families.base import FamilyPage, Notice, YearPage
from extract.crawl.families.plain import is_calendar
from extract.crawl.page import Page, text_of
from extract.titles import FIRST_YEAR, LAST_YEAR

_YEAR = re.compile(r"^[（(\[【]?\s*(20\d{2})\s*年?\s*度?\s*(?:年报|报告|年度报告|政府信息公开(?:工作)?年度报告)?\s*[】\])）]?$")
_ABOUT = re.compile(r"年度报告|年报")
_ADDRESS = re.compile(r"^(?:https?://|/|\./|\.\./|\?)|\.(?:s?html?|jhtml|jsp|php|aspx?)(?:\?|$)", re.I)
#: location.href = "list.jsp?year=" + this.value + ".html"
_GOES = re.compile(
    r"(?:location(?:\.href)?\s*=|window\.open\()\s*[\"']([^\"']*)[\"']\s*\+\s*[\w.$()\[\]'\"#]+?(?:\s*\+\s*[\"']([^\"']*)[\"'])?\s*(?:[;)}]|$)"
)
_CALLS = re.compile(r"^\s*(?:javascript:)?\s*(?:return\s+)?(\w+)\s*\(")

name = "years"


def reads(page: Page) -> FamilyPage | None:
    """An address for each year the page offers."""
    found = FamilyPage()
    for select in page.root.iter("select"):
        options = [(option, year) for option in select.iter("option") if (year := _year_of(text_of(option)))]
        if options:
            _read_select(page, select, options, found)
    if _is_about_reports(page):
        found.years += _year_links(page)
    return found if found.years or found.doubts else None


def _read_select(page: Page, select: Element, options: list[tuple[Element, int]], found: FamilyPage) -> None:
    pattern = _pattern(page, select)
    known = [(page.address(address), year) for option, year in options if (address := _address(option, pattern))]
    found.years += [YearPage(url, year) for url, year in known if url]
    if not known and _is_about_reports(page):
        call = select.get("onchange") or select.get("name") or select.get("id") or "select"
        found.doubts.append(Notice("script_listing", f"a drop-down of {len(options)} years leads nowhere a link could: {call[:160]}"))


def _address(option: Element, pattern: tuple[str, str] | None) -> str | None:
    value = option.get("value")
    value = text_of(option) if value is None else value.strip()
    if not value:
        return None
    if _ADDRESS.search(value):
        return value
    return f"{pattern[0]}{value}{pattern[1]}" if pattern else None


def _pattern(page: Page, select: Element) -> tuple[str, str] | None:
    """What stands before and after an option's value in the address it leads to."""
    script = select.get("onchange") or ""
    if match := _GOES.search(script):
        return match[1], match[2] or ""
    if call := _CALLS.match(script):
        body = re.search(
            rf"function\s+{call[1]}\s*\([^)]*\)\s*\{{(.*?)\}}|\b{call[1]}\s*=\s*function\s*\([^)]*\)\s*\{{(.*?)\}}", page.scripts, re.S
        )
        if body and (match := _GOES.search(body[1] or body[2] or "")):
            return match[1], match[2] or ""
    return _form_pattern(page, select)


def _form_pattern(page: Page, select: Element) -> tuple[str, str] | None:
    form = next((a for a in select.iterancestors() if a.tag == "form"), None)
    if form is None or not select.get("name") or (form.get("method") or "get").lower() != "get":
        return None
    hidden: list[tuple[str, str]] = [
        (i.get("name") or "", i.get("value") or "") for i in form.iter("input") if i.get("type") == "hidden" and i.get("name")
    ]
    action = (form.get("action") or page.url).partition("?")[0]
    return f"{action}?{urlencode([*hidden, (str(select.get('name')), '')])}", ""


def _year_links(page: Page) -> Iterator[YearPage]:
    for anchor, url in page.links:
        year = _year_of(text_of(anchor))
        if year and not is_calendar(anchor, url) and url != page.url:
            yield YearPage(url, year)


def _year_of(text: str) -> int | None:
    match = _YEAR.match(text)
    year = int(match[1]) if match else 0
    return year if FIRST_YEAR <= year <= LAST_YEAR else None


def _is_about_reports(page: Page) -> bool:
    """Whether the page calls itself, or its place on the site, one of yearly reports."""
    crumbs = (
        text_of(e) for e in page.root.iter("div", "p", "span", "ul") if "当前位置" in (e.text or "") or "位置" in (e.get("class") or "")
    )
    return any(_ABOUT.search(text) for text in [*page.headings, *crumbs])
