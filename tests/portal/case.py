"""A case: one source of the registry with its site, and what a right crawl makes of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from portal.reports import Body, Printed, body_of, listing, page
from portal.server import Answer, Pages, Portal, Reply, Site

INDEX = "/zfxxgknb/index.html"
FROM_SCRATCH = 10_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem row that must be there, once: one of these kinds, at this address (path or whole), its message naming `says`."""

    kinds: tuple[str, ...]
    path: str
    says: str = ""
    severity: str | None = None


@dataclass(slots=True)
class Case:
    """One source: its pages, what must be loaded and from which of its addresses, and which troubles it must have, no other."""

    body: Body
    site: Site
    index: list[str] = field(default_factory=lambda: [INDEX])
    known: dict[int, str] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)
    tls: dict[str, str] | None = None
    loaded: dict[Printed, tuple[str, ...]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    perhaps: list[Trouble] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    least_gap: float = 0.0
    most_requests: int = 40

    @property
    def id(self) -> str:
        return self.body.id

    @property
    def pages(self) -> Pages:
        return self.site.pages

    def url(self, path: str) -> str:
        return urljoin(self.site.base, path) if self.site.base else path

    def report(self, year: int, seed: int | None = None) -> Printed:
        return Printed(self.body, year, seed if seed is not None else year % 100 + sum(map(ord, self.id)) % 900)

    def put(self, path: str, report: Printed, answer: Answer | None = None, lost: bool = False) -> tuple[str, Printed]:
        """A report at a path; gives its line for an index. A report that is not `lost` must be loaded."""
        self.pages[path] = answer or Reply(page(report), etag=True)
        if not lost:
            self.loaded[report] = (*self.loaded.get(report, ()), path)
        return path, report

    def list(self, links: Iterable[tuple[str, Printed | str]], path: str = INDEX, after: str = "", **more: Any) -> None:
        self.pages[path] = Reply(listing(links, after), etag=True, **more)

    def entry(self) -> dict[str, Any]:
        """Its entry in the registry."""
        found: dict[str, Any] = {"id": self.id, "publisher": self.body.name, "district": self.body.district, "kind": "office"}
        if self.index:
            found["index"] = [self.url(p) for p in self.index]
        if self.known:
            found["reports"] = [{"year": y, "url": self.url(p)} for y, p in self.known.items()]
        if self.hosts:
            found["hosts"] = self.hosts
        if self.tls:
            found["tls"] = self.tls
        return found


class Builder:
    """Makes cases, each on an address of its own."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.cases: dict[str, Case] = {}
        self._late: list[Callable[[], None]] = []

    def new(self, id_: str, tls: ssl.SSLContext | None = None, **more: Any) -> Case:
        case = Case(body_of(id_, len(self.cases)), Site(id_, {}, tls=tls), **more)
        self.portal.add(case.site)
        self.cases[id_] = case
        return case

    def one_bad(self, id_: str, bad: Answer, *kinds: str, says: str = "", path: str = "/art/bad.html", **more: Any) -> Case:
        """A site with a good report and one that fails at `path`."""
        case = self.new(id_, **more)
        links = [case.put("/art/good.html", case.report(2022)), case.put(path, case.report(2021), bad, lost=True)]
        case.list(links)
        case.troubles.append(Trouble(kinds, path, says))
        return case

    def no_index(self, id_: str, bad: Answer, *kinds: str, says: str = "", **more: Any) -> Case:
        """A site whose index can't be read; the reports it would list lie there all the same."""
        case = self.new(id_, **more)
        case.put("/art/good.html", case.report(2022), lost=True)
        case.pages[INDEX] = bad
        case.troubles.append(Trouble(kinds, INDEX, says))
        case.forbidden.append("/art/")
        return case
