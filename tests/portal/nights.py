"""Whole nights over the portal: `gongkai run` as a user runs it, with short waits, and what it left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import yaml
from typer.testing import CliRunner, Result

from extract.crawl.job import CrawlSettings
from extract.ledger import Ledger
from flows.cli import app
from flows.settings import Settings
from portal import changes, content, elsewhere, families, faults, traps
from portal.case import Builder, Case
from portal.server import Asked, Portal

MIN_DELAY, TIMEOUT, RETRIES = 0.05, 1.0, 1
CONTACT = "https://example.org/gongkai-test"
ENVIRONMENT = {
    "CONTACT": CONTACT,
    "MIN_DELAY": str(MIN_DELAY),
    "REQUEST_TIMEOUT": str(TIMEOUT),
    "REQUEST_RETRIES": str(RETRIES),
    "MAX_INDEX_PAGES": str(traps.PAGES),
    "MAX_DOCUMENT_MB": "1",
    "TASK_RETRIES": "0",
    "TASK_RETRY_DELAY": "0",
    "WORKERS": "1",
    "CRAWLERS": "2",
    "CRAWLER_SOURCES": "60",
}
QUICK = {"backoff": 0.05, "max_backoff": 0.2, "max_retry_after": 5.0, "give_up_after": 10}
Row = tuple[Any, ...]


def build_all(portal: Portal, folder: Path) -> dict[str, Case]:
    """Every case, on the portal."""
    builder = Builder(portal)
    for part in (families, faults, traps, content):
        part.build(builder)
    elsewhere.build(builder, folder)
    changes.build(builder)
    elsewhere.shared(builder, 2)
    return builder.cases


def write_registry(path: Path, cases: dict[str, Case]) -> Path:
    path.write_text(yaml.safe_dump([c.entry() for c in cases.values()], allow_unicode=True, sort_keys=False), "utf-8")
    return path


@contextmanager
def surroundings(portal: Portal, trusted: Path | None = None) -> Iterator[dict[str, str]]:
    """The environment of a night: settings, the proxy that stands for the internet, the certificate to trust."""
    mine = {f"GONGKAI_{name}": value for name, value in ENVIRONMENT.items()}
    mine |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), portal.proxy)
    mine |= dict.fromkeys(("no_proxy", "NO_PROXY"), portal.no_proxy() + ",localhost")
    if trusted:
        mine["SSL_CERT_FILE"] = str(trusted)
    before = dict(os.environ)
    os.environ.update(mine)
    try:
        yield mine
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def quick() -> Iterator[None]:
    """Waits that no variable of the environment sets, shortened: back-off, the longest Retry-After."""
    real = Settings.crawl

    def crawl(self: Settings, hosts: Any) -> CrawlSettings:
        return real(self, hosts).model_copy(update=QUICK)

    Settings.crawl = crawl  # type: ignore[method-assign]
    try:
        yield
    finally:
        Settings.crawl = real  # type: ignore[method-assign]


@dataclass(slots=True)
class Night:
    """One run and what it asked."""

    result: Result
    run_id: str
    log: list[Asked]


@dataclass(slots=True)
class World:
    """The portal, a home, and the nights so far."""

    portal: Portal
    cases: dict[str, Case]
    folder: Path
    nights: list[Night] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)
    second: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def run(self, *words: str) -> Night:
        """One night; `words` are further options of `gongkai run`."""
        self.portal.night = len(self.nights) + 1
        sources = write_registry(self.folder / "sources.yml", self.cases)
        result = CliRunner().invoke(app, ["run", "--sources", str(sources), "--home", str(self.home), *words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        if result.exit_code not in (0, 3):
            raise AssertionError(f"status {result.exit_code}: {result.output[-3000:]}")
        with Ledger(self.home / "state" / "ledger.sqlite") as ledger:
            run_id = ledger.runs()[0].run_id
        self.nights.append(Night(result, run_id, [a for a in self.portal.log if a.night == self.portal.night]))
        return self.nights[-1]

    def query(self, sql: str, *values: Any) -> list[Row]:
        with duckdb.connect(self.home / "warehouse" / "gongkai.duckdb", read_only=True) as con:
            return con.execute(sql, list(values)).fetchall()

    def asked(self, case: Case, night: int = 1) -> list[Asked]:
        """What a case's own site was asked in a night, robots.txt left out."""
        return [a for a in self.nights[night - 1].log if a.host == case.site.host and a.path != "/robots.txt"]
