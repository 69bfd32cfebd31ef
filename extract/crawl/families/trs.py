"""TRS (拓尔思) and its kin: the pager is drawn by a call that states the number of pages.

- `createPageHTML(9, 0, "index", "html")`, also with further arguments: index.html, index_1.html … index_8.html.
- `createPageHTML('page_div', 8, 1, 'list', 'shtml', 118)`: list.shtml, list_2.shtml … list_8.shtml.
- `var currentPage = 0; … var countPage = 5; … "index" + "_" + n + ".shtml"`: as the first.

Whether the second page is number 1 or 2 is told by the number that the first page gives itself.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin

from extract.crawl.families.base import MAX_PAGES, FamilyPage, Notice, Pager, listing_key
from extract.crawl.page import Page

_CALL = re.compile(r"createPageHTML\s*\(([^()]*)\)\s*(?!\s*\{)")
_COUNT = re.compile(r"\bcountPage\s*=\s*[\"']?(\d{1,4})")
_CURRENT = re.compile(r"\bcurrentPage\s*=\s*[\"']?(\d{1,4})")
_STEM = re.compile(r"[\"']([A-Za-z][\w-]*?)_?[\"']\s*\+[^;]{0,40}?[\"']_?\.(s?html?|jhtml)[\"']")
_FILE = re.compile(r"/([^/?]*?)(?:_(\d{1,4}))?\.(s?html?|jhtml)$")

name = "trs"


def reads(page: Page) -> FamilyPage | None:
    """The pages that the pager's call would link to."""
    calls = [_arguments(match[1]) for match in _CALL.finditer(page.scripts)]
    drawn = [found for found in (_from_call(page, arguments) for arguments in calls) if found]
    if not calls and (old := _from_variables(page)):
        drawn = [old]
    if drawn:
        return FamilyPage(pagers=drawn)
    if any(arguments and arguments[0].isdigit() for arguments in calls):
        call = next(match[0] for match in _CALL.finditer(page.scripts))
        return FamilyPage(notices=[Notice("script_listing", f"the pager is drawn by a call no family can read: {call[:160]}")])
    return None


def _arguments(text: str) -> list[str]:
    return [part.strip().strip("\"'").strip() for part in text.split(",")]


def _from_call(page: Page, arguments: list[str]) -> Pager | None:
    values = arguments[1:] if arguments and not arguments[0].isdigit() else arguments
    if len(values) < 4 or not (values[0].isdigit() and values[1].isdigit()) or not re.fullmatch(r"[A-Za-z][\w-]*", values[2]):
        return None
    if not re.fullmatch(r"s?html?|jhtml|jsp|aspx?|php", values[3], re.I):
        return None
    first = 1 if values is not arguments else 0
    return _pager(page, int(values[0]), int(values[1]), values[2], values[3], first)


def _from_variables(page: Page) -> Pager | None:
    count, current = _COUNT.search(page.scripts), _CURRENT.search(page.scripts)
    if not count or not current:
        return None
    written = _STEM.search(page.scripts)
    file = _FILE.search(page.url.partition("?")[0])
    stem = written[1] if written else file[1] if file and file[1] else "index"
    suffix = written[2] if written else file[3] if file else "html"
    return _pager(page, int(count[1]), int(current[1]), stem, suffix, 0)


def _pager(page: Page, count: int, current: int, stem: str, suffix: str, first: int) -> Pager:
    """`first` is what pages of this kind usually call the first page; its own number decides, where this is the first page."""
    file = _FILE.search(page.url.partition("?")[0])
    if not (file and file[2]) and current in (0, 1):
        first = current
    numbers = range(first + 1, first + min(count, MAX_PAGES))
    addresses = tuple(urljoin(page.url, f"{stem}_{number}.{suffix}") for number in numbers)
    return Pager(listing_key(urljoin(page.url, f"{stem}.{suffix}")), count, addresses)
