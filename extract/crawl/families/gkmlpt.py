"""Guangdong's catalogue platform (gkmlpt): the page is a shell, its lists are JSON at `gkmlpt/api/all/<category>?page=N&sid=<SID>`.

The shell (`/gkmlpt/index`, `/gkmlpt/annualreport`) holds `window._CONFIG = {…, SID: '755031', TREE: [{"id": 2629, "name": …}]}`.
The categories of yearly reports are known by their names; their lists are read by `json_list`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from extract.crawl.families.base import FamilyPage, Notice
from extract.crawl.page import Page

_SID = re.compile(r"\bSID[\"']?\s*:\s*[\"']?(\d+)")
_TREE = re.compile(r"\bTREE[\"']?\s*:\s*(?=\[)")
_SHELL = re.compile(r"^(.*?/gkmlpt)(?:/(?:index|annualreport|guide|policy)?)?(?:[?#].*)?$")
_REPORTS = re.compile(r"(?:信息|政务)公开.*(?:年报|年度报告)|公开年报|^(?:年报|年度报告|工作年度报告|历年年报)$")

name = "gkmlpt"


def reads(page: Page) -> FamilyPage | None:
    """The lists of yearly reports the catalogue has."""
    sid, tree, shell = _SID.search(page.text), _tree(page.text), _SHELL.match(page.url)
    if not sid or tree is None or not shell:
        return None
    found = FamilyPage()
    for node in _categories(tree):
        jump = node.get("jump_url")
        address = jump if isinstance(jump, str) and jump else f"{shell[1]}/api/all/{node.get('id')}?page=1&sid={sid[1]}"
        if url := page.address(address):
            found.pages.append(url)
    if not found.pages:
        found.notices.append(Notice("script_listing", f"no category of the catalogue is named as one of yearly reports (SID {sid[1]})"))
    return found


def _tree(text: str) -> Any:
    match = _TREE.search(text)
    if match is None:
        return None
    try:
        return json.JSONDecoder().raw_decode(text, match.end())[0]
    except (ValueError, RecursionError):
        return None


def _categories(nodes: Any) -> Iterator[dict[str, Any]]:
    """The lowest categories whose name says that they hold yearly reports."""
    for node in nodes if isinstance(nodes, list) else []:
        if not isinstance(node, dict):
            continue
        below = list(_categories(node.get("children")))
        if below:
            yield from below
        elif _REPORTS.search(str(node.get("name") or "")):
            yield node
