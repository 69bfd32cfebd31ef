"""Hanweb `/module/xxgk/xxgkAnnualReport.jsp?area=…&fbtime=YYYY`: the report stands in the page, one address a year (Wenzhou, Zoucheng …).

`fbtime` is the year reported on, not that of publication (domain.md §5.3). The page without it shows the newest report and lists the years:
as links, as options of a drop-down, or as arguments of a script's calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from extract.crawl.families.base import FamilyPage, YearPage, parameters, with_parameters
from extract.crawl.page import Page, text_of
from extract.titles import FIRST_YEAR

_PATH = re.compile(r"xxgkAnnualReport\.jsp", re.I)
_YEAR = re.compile(r"^\s*(20\d{2})\s*年?度?(?:年报|年度报告)?\s*$")
_CALL = re.compile(r"(?:fbtime|year|nd)\w*\s*\(\s*[\"']?(20\d{2})[\"']?\s*\)|\(\s*[\"'](20\d{2})[\"']\s*\)", re.I)

name = "annual_jsp"


def reads(page: Page) -> FamilyPage | None:
    """The addresses of all years the page offers."""
    own = bool(_PATH.search(page.url.partition("?")[0]))
    linked = [(url, int(year)) for _, url in page.links if (year := _year_asked(url))]
    if not own and not linked:
        return None
    years = {YearPage(_plain(url), year) for url, year in linked}
    if own:
        years |= {YearPage(_plain(with_parameters(page.url, fbtime=year)), year) for year in _years_offered(page)}
    return FamilyPage(years=sorted(years, key=lambda y: (-y.year, y.url)))


def _year_asked(url: str) -> str | None:
    if not _PATH.search(url.partition("?")[0]):
        return None
    year = parameters(url).get("fbtime", "")
    return year if re.fullmatch(r"20\d{2}", year) and int(year) >= FIRST_YEAR else None


def _plain(url: str) -> str:
    """An address as the page itself writes it: nothing is dropped, because `showType` and `artid` may matter."""
    return url


def _years_offered(page: Page) -> Iterator[int]:
    """The years of drop-downs, and of links that call a script with a year."""
    for option in page.root.iter("option"):
        match = _YEAR.match(option.get("value") or "") or _YEAR.match(text_of(option))
        if match:
            yield int(match[1])
    for anchor in page.root.iter("a"):
        call = _CALL.search(f"{anchor.get('href') or ''} {anchor.get('onclick') or ''}")
        if call and _YEAR.match(text_of(anchor)):
            yield int(call[1] or call[2])
