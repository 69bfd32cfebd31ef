"""Hanweb (大汉) jpage: the first records lie in the page, further ones are asked for by their numbers at `dataproxy.jsp`.

The page holds `<script type="text/xml"><datastore>…<recordset><record><![CDATA[<li>…</li>]]></record>` and a call
`$('#212860').jpage({totalRecord:4895, perPage:19, proxyUrl:'/module/web/jpage/dataproxy.jsp', ajaxParam:{columnid:33718, …}})`; the script
posts `ajaxParam` to `proxyUrl?startrecord=58&endrecord=114&perpage=19`. All of it is asked for in the query here: a JSP does not tell the
two apart (`ServletRequest.getParameter`), and the archive is keyed on the address. Older pages name the next group in `<nextgroup>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from extract.crawl.families.base import MAX_PAGES, FamilyPage, Pager, parameters, with_parameters
from extract.crawl.page import Page

_CALL = re.compile(r"\.jpage\s*\(\s*\{")
_PROXY = re.compile(r"proxyUrl\s*:\s*[\"']([^\"']*dataproxy\.jsp[^\"']*)[\"']")
_NUMBER = r"\b{}\s*[:=]\s*[\"']?(\d+)"
_TOTAL, _PER_PAGE, _GROUP = (re.compile(_NUMBER.format(name)) for name in ("totalRecord", "perPage", "groupSize"))
_PARAMETERS = re.compile(r"ajaxParam\s*:\s*(?:\{([^{}]*)\}|([A-Za-z_]\w*))")
_PAIR = re.compile(r"[\"']?(\w+)[\"']?\s*:\s*(?:'([^']*)'|\"([^\"]*)\"|([\w./-]+))")
_NEXT_GROUP = re.compile(r"<nextgroup>\s*<!\[CDATA\[(.*?)\]\]>\s*</nextgroup>", re.S)
_HREF = re.compile(r"href\s*=\s*[\"']([^\"']+)[\"']")
_RECORD = re.compile(r"<record>")
_ARRAY = re.compile(r"\bInitData\w*\s*=\s*\[(.*?)\]\s*;", re.S | re.I)
_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.S)

name = "jpage"


def reads(page: Page) -> FamilyPage | None:
    """The addresses of the records that are not in the page, and how many answers they make."""
    calls = list(_calls(page.text))
    if calls:
        here = _records_here(page.text, len(calls))
        return FamilyPage(pagers=[pager for call, n in zip(calls, here, strict=True) if (pager := _pager(page, call, n))])
    if not _RECORD.search(page.text) and "<datastore" not in page.text:
        return None
    # its totalpage counts pages of the screen, not answers
    return FamilyPage(pages=[url for link in _next_group(page.text) if (url := page.address(link))])


def _calls(text: str) -> Iterator[str]:
    """The settings of each call: from its brace to the one that closes it."""
    for match in _CALL.finditer(text):
        depth = 0
        for at in range(match.end() - 1, min(len(text), match.end() + 4000)):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            if depth == 0:
                yield text[match.end() : at]
                break


def _pager(page: Page, call: str, here: int) -> Pager | None:
    """The answers that a call stands for, `here` of its records being in the page."""
    proxy, total, per_page = _PROXY.search(call), _TOTAL.search(call), _PER_PAGE.search(call)
    if not (proxy and total and per_page and int(per_page[1])):
        return None
    asked = _parameters(page.text, call)
    size = int(per_page[1])
    group = _GROUP.search(call)
    step = size * max(int(group[1]) if group else 0, -(-here // size), 1)
    starts = range(here + 1, int(total[1]) + 1, step)[:MAX_PAGES]
    base = urljoin(page.base, proxy[1])
    addresses = tuple(
        with_parameters(base, startrecord=start, endrecord=min(start + step - 1, int(total[1])), perpage=size, **asked) for start in starts
    )
    return Pager(_key(base, asked), (1 if here else 0) + len(starts), addresses)


def _records_here(text: str, calls: int) -> list[int]:
    """How many records of each listing lie in the page: listings and their data stand in the same order."""
    islands = [len(_RECORD.findall(island)) for island in text.split("<datastore")[1:]]
    if not islands:
        islands = [len(_STRING.findall(array)) for array in _ARRAY.findall(text)]
    return islands if len(islands) == calls else [sum(islands)] * calls


def _parameters(text: str, call: str) -> dict[str, str]:
    """What the script posts: the object in the call, or the variable it names."""
    match = _PARAMETERS.search(call)
    if match is None:
        return {}
    inner = match[1]
    if match[2]:
        variable = re.search(rf"\b{match[2]}\s*=\s*\{{([^{{}}]*)\}}", text)
        inner = variable[1] if variable else ""
    return {found[0]: found[1] or found[2] or found[3] for found in _PAIR.findall(inner or "")}


def _key(url: str, asked: dict[str, str]) -> str:
    known = parameters(url) | asked
    return f"jpage {known.get('columnid', '')} {known.get('unitid', '')}"


def key_of(url: str) -> str | None:
    """What an answer of dataproxy.jsp shares with the page that named it; None for other addresses."""
    return _key(url, {}) if "dataproxy.jsp" in url else None


def _next_group(text: str) -> Iterator[str]:
    for match in _NEXT_GROUP.finditer(text):
        for link in _HREF.findall(match[1]):
            yield link.replace("&amp;", "&")
