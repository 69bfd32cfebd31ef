"""A fetched page, opened once: its text, its tree, its scripts, the JSON it is, and what its links are relative to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml.etree import _Element as Element
from parsel import Selector
from w3lib.html import get_base_url
from w3lib.url import safe_url_string

from extract.charset import read_text

_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_END = re.compile(r"</(?:body|html)\s*>", re.I)
_SPACE = re.compile(r"\s+")
_CALLBACK = re.compile(r"^\s*[\w.$]{1,60}\s*\(\s*([{\[].*[}\]])\s*\)\s*;?\s*$", re.S)
#: Hanweb: list items that the page's script would draw, in XML (an answer of dataproxy.jsp, or an island in the page) …
_RECORDS = re.compile(r"<(record|nextgroup)>\s*<!\[CDATA\[(.*?)\]\]>\s*</\1>", re.S)
#: … and, in older pages, in an array of a script: InitData49468=['<tr>…</tr>','<tr>…</tr>']
_SCRIPT_RECORDS = re.compile(r"\bInitData\w*\s*=\s*\[(.*?)\]\s*;", re.S | re.I)
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.S)
_MOVES = re.compile(r"(?:location(?:\.href)?\s*=|window\.open\()\s*[\"']([^\"']+)[\"']")
_SESSION = re.compile(r";jsessionid=[^/?#]*", re.I)
_OUT_OF_TEXT = {"script", "style", "option", "title"}


@dataclass(frozen=True)
class Page:
    """A page as the crawler sees it. `url` is its own address; everything else is worked out once, when it is first asked for."""

    url: str
    body: bytes

    @cached_property
    def _decoded(self) -> tuple[str, str]:
        return read_text(self.body)

    @property
    def text(self) -> str:
        """The page as text, markup and all."""
        return self._decoded[0]

    @cached_property
    def json(self) -> Any:
        """What the page holds where it is JSON or JSONP, else None."""
        text = self.text.strip()
        call = _CALLBACK.match(text) if text[:1] not in ("{", "[", "<") else None
        try:
            return json.loads(call[1] if call else text) if call or text[:1] in ("{", "[") else None
        except (ValueError, RecursionError):
            return None

    @cached_property
    def root(self) -> Element:
        """The tree, with the list items that scripts would draw: those of Hanweb's records, and HTML inside JSON."""
        if self.json is not None:
            source = "\n".join(text for text in strings(self.json) if "<a" in text)
        else:
            hidden = self._hidden_records()
            # what follows </html> is no part of the tree
            source = _XML_DECLARATION.sub("", _END.sub("", self.text) if hidden else self.text) + hidden
        root: Element = Selector(text=source or "<html></html>", type="html").root
        return root

    def _hidden_records(self) -> str:
        found = [match[2] for match in _RECORDS.finditer(self.text)]
        for match in _SCRIPT_RECORDS.finditer(self.text):
            found += [re.sub(r"\\(.)", r"\1", one or two) for one, two in _STRING.findall(match[1])]
        return "".join(found)

    @cached_property
    def base(self) -> str:
        """What relative addresses are relative to."""
        return get_base_url(self.text, self.url, self._decoded[1])

    @cached_property
    def scripts(self) -> str:
        """The scripts that stand in the page, and its comments: pagers are called in both."""
        pieces = [s.text or "" for s in self.root.iter("script")]
        return "\n".join([*pieces, *re.findall(r"<!--(.*?)-->", self.text, re.S)])

    @cached_property
    def headings(self) -> list[str]:
        """What the page calls itself, best first: the metadata field government sites must carry, headings, <title>."""
        metas = [m.get("content") or "" for m in self.root.iter("meta") if (m.get("name") or "").lower() == "articletitle"]
        texts = metas + [text_of(e) for tag in ("h1", "h2", "h3", "title") for e in self.root.iter(tag)]
        return [t for t in texts if t]

    @cached_property
    def prose(self) -> str:
        """Its text without that of links, drop-downs and scripts."""
        return " ".join(
            piece
            for element in self.root.iter()
            if isinstance(element.tag, str)
            for piece in (None if _is_out_of_text(element) else element.text, element.tail)
            if piece and not piece.isspace()
        )

    @cached_property
    def links(self) -> list[tuple[Element, str]]:
        """Its links that lead to a page, with their addresses; a link by script counts where its script names an address."""
        found = ((anchor, self.address(_target(anchor))) for anchor in self.root.iter("a"))
        return [(anchor, url) for anchor, url in found if url is not None]

    def address(self, href: str) -> str | None:
        """The absolute address of a link, percent-encoded as a browser would, without a session of ours in its path.

        None where it leads to no page (javascript:, mailto:, #).
        """
        href = href.strip()
        if not href or href.startswith("#"):
            return None
        try:
            joined = _SESSION.sub("", urldefrag(urljoin(self.base, href)).url)
            parts = urlsplit(joined)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                return None
            return safe_url_string(joined, encoding=self._decoded[1])
        except ValueError:
            return None


def _is_out_of_text(element: Element) -> bool:
    return element.tag in _OUT_OF_TEXT or (element.tag == "a" and element.get("href") is not None)


def _target(anchor: Element) -> str:
    href = anchor.get("href") or ""
    if href.strip() and not href.strip().lower().startswith(("javascript:", "#")):
        return href
    move = _MOVES.search(href) or _MOVES.search(anchor.get("onclick") or "")
    return move[1] if move else ""


def strings(value: Any) -> Iterator[str]:
    """Every text within a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def one_line(text: str) -> str:
    """A text on one line."""
    return _SPACE.sub(" ", text).strip()


def text_of(element: Element) -> str:
    """The text of an element without that of comments, on one line."""
    return one_line(str(element.xpath("string()")))


def texts_of(element: Element) -> list[str]:
    """The pieces of text within an element, without scripts, styles and comments."""
    found = element.xpath(".//text()[not(ancestor::script or ancestor::style)]")
    assert isinstance(found, list)
    return [text for piece in found if (text := one_line(str(piece)))]


def name_of(element: Element) -> str:
    """Class and id of an element."""
    return f"{element.get('class') or ''} {element.get('id') or ''}"
