"""Hanweb jpaas: a script asks `…/front/page/build/unit` for the list and gets JSON whose `data.html` is the list's HTML.

The script element says with what: `<script src="…/unitbuild.js" url="/api-gateway/jpaas-publish-server/front/page/build/unit"
queryData="{'webId':'…','pageId':'…',…}">`. Further pages are asked for with `paramJson={"pageNo":2,"pageSize":15}`; the list states them in
its pager (`<div class="pagination" rows="15" count="42">`) or in the pager's script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from extract.crawl.families.base import MAX_PAGES, FamilyPage, Pager, listing_key, parameters, unique, with_parameters
from extract.crawl.page import Page

_UNIT = re.compile(r"/front/page/build/unit(?:\?|$)")
_PAIR = re.compile(r"[\"'](\w+)[\"']\s*:\s*[\"']([^\"']*)[\"']")

name = "jpaas"


def reads(page: Page) -> FamilyPage | None:
    """The address of the list, or, in the list itself, those of its further pages."""
    if page.json is not None:
        return _answer(page) if _UNIT.search(page.url) else None
    found = unique(_units(page))
    return FamilyPage(pages=found) if found else None


def _units(page: Page) -> Iterator[str]:
    for script in page.root.iter("script"):
        address, asked = script.get("url") or "", script.get("querydata") or ""
        if _UNIT.search(address) and asked and (url := page.address(address)):
            yield with_parameters(url, **dict(_PAIR.findall(asked)))


def _answer(page: Page) -> FamilyPage:
    stated = next(((e.get("rows"), e.get("count")) for e in page.root.iter() if e.get("rows") and e.get("count")), None)
    if stated is None or not all(str(value).isdigit() for value in stated) or not int(str(stated[0])):
        return FamilyPage()
    size, total = int(str(stated[0])), int(str(stated[1]))
    pages = -(-total // size)
    key = listing_key(with_parameters(page.url, paramJson=""))
    if json_number(page.url) not in (None, 1):
        return FamilyPage(pagers=[Pager(key, pages)])
    numbers = range(2, min(pages, MAX_PAGES) + 1)
    addresses = tuple(
        with_parameters(page.url, paramJson=json.dumps({"pageNo": n, "pageSize": size}, separators=(",", ":"))) for n in numbers
    )
    return FamilyPage(pagers=[Pager(key, pages, addresses)])


def json_number(url: str) -> int | None:
    """The page number in an address's `paramJson`."""
    match = re.search(r"\"pageNo\"\s*:\s*\"?(\d+)", parameters(url).get("paramJson", ""))
    return int(match[1]) if match else None
