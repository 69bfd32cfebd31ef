"""A small home for warehouse tests: a real ledger file, real Parquet parts, hand-made figures."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from extract.ledger import SCHEMA
from extract.ledger_history import note_body, note_status
from transform.frames import SCHEMAS, frame
from warehouse.build import BuildResult, PublisherRow, build
from warehouse.gate import ACCEPTABLE
from warehouse.publish import publish

#: Gates that compare a home with what it was.
HOME_GATES = ACCEPTABLE & {
    "rows_fall",
    "publisher_vanished",
    "same_reader_same_figures",
    "identities_share",
    "unreadable_share",
    "failed_share",
}
HEX = "0123456789abcdef"
R1 = {"new_received": "58", "carried_in": "2", "processed_total": "55", "carried_out": "5"}
Rows = dict[str, list[dict[str, Any]]]


def sha(name: str) -> str:
    """A made-up hash that can be told from others."""
    return (name.encode().hex() + HEX * 4)[:64]


def night(run_id: str, minutes: int = 30) -> str:
    """Minutes into the n-th run (`r<n>`), which starts on day n."""
    return f"{datetime(2026, 11, 20, 17, 30) + timedelta(days=int(run_id[1:]), minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def observation(report_id: str, indicator: str, text: str, n: int, status: str = "reported", section: str = "requests") -> dict[str, Any]:
    return {
        "report_id": report_id,
        "section": section,
        "format": 2021,
        "indicator": indicator,
        "applicant": "total" if section == "requests" else None,
        "value": Decimal(text) if status == "reported" else None,
        "value_status": status,
        "raw_text": text,
        "unit": "request" if section == "requests" else "unknown",
        "page": 1,
        "bbox": [1.0, 2.0, 3.0, 4.5],
        "method": "html",
        "table_no": 1,
        "row_no": n,
        "col_no": 10,
    }


def check_row(report_id: str, check_id: str, passed: bool | None = True, soft: bool = False) -> dict[str, Any]:
    return {
        "report_id": report_id,
        "check_id": check_id,
        "applicant": "total",
        "left_value": Decimal(60),
        "right_value": Decimal(60 if passed else 61),
        "difference": Decimal(0 if passed else -1),
        "passed": passed,
        "cause": None if passed else "publisher",
        "soft": soft,
    }


def claim(report_id: str, n: int = 1, indicator: str | None = "new_received") -> dict[str, Any]:
    return {
        "report_id": report_id,
        "claim_no": n,
        "section_no": 1,
        "what": "收到政府信息公开申请",
        "value": Decimal(58),
        "unit": "件",
        "qualifier": None,
        "sentence": "收到政府信息公开申请58件。",
        "start": 10,
        "indicator": indicator,
        "applicant": "total" if indicator else None,
        "agrees": True if indicator else None,
    }


def unmapped(report_id: str, col: int = 5) -> dict[str, Any]:
    return {
        "report_id": report_id,
        "table_no": 1,
        "row_no": 3,
        "col_no": col,
        "row_label": "规章",
        "column_label": "历史累计",
        "text": "812",
        "page": 1,
        "bbox": [1.0, 2.0, 3.0, 4.5],
        "method": "html",
    }


def problem(kind: str, name: str, url: str, publisher: str = "lucheng", year: int | None = 2021, **more: Any) -> dict[str, Any]:
    row = {
        "run_id": "r1",
        "stage": "extract",
        "publisher_id": publisher,
        "url": url,
        "year": year,
        "kind": kind,
        "message": f"{kind} at {url}",
        "severity": "failure",
        "document_sha256": sha(name),
    }
    return row | more


def parsed(name: str, url: str, outcome: str, publisher: str = "lucheng", year: int | None = None, **more: Any) -> dict[str, Any]:
    row = {
        "publisher_id": publisher,
        "document_sha256": sha(name),
        "url": url,
        "parser_version": "1",
        "run_id": "r1",
        "outcome": outcome,
        "report_id": None,
        "year": year,
    }
    return row | more


def loaded(
    name: str,
    url: str,
    year: int = 2021,
    publisher: str = "lucheng",
    figures: dict[str, str] | None = None,
    fetched_at: str = "2026-11-20T18:00:00Z",
    passed: bool | None = True,
    **report: Any,
) -> Rows:
    """Frames of a document that gave a report."""
    report_id = f"{publisher}-{year}-{sha(name)[:8]}"
    values = R1 if figures is None else figures
    row = {
        "report_id": report_id,
        "publisher_id": publisher,
        "district_code": "330302",
        "year": year,
        "scope": "own",
        "scope_evidence": "source",
        "title": f"{year}年政府信息公开工作年度报告",
        "format": 2021,
        "media": "html",
        "url": url,
        "document_sha256": sha(name),
        "published_on": "2022-01-20",
        "fetched_at": fetched_at,
        "figures": len(values),
        "year_evidence": "title",
    }
    return {
        "report": [row | report],
        "observation": [observation(report_id, i, text, n) for n, (i, text) in enumerate(values.items(), 1)],
        "check_result": [check_row(report_id, "R1", passed), check_row(report_id, "R2.granted"), check_row(report_id, "R3", None)],
        "narrative": [{"report_id": report_id, "section_no": 1, "heading": "一、总体情况", "text": "本年度……"}],
        "parse": [parsed(name, url, "loaded", publisher, year, report_id=report_id)],
    }


@cache
def empty_warehouse() -> bytes:
    """A published file without reports: views, seeds and comments are in it."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder), first=True)
        world.publish()
        return world.published.read_bytes()


@dataclass
class World:
    """Ledger, parts and published file under one folder. With `first`, nothing was published yet."""

    root: Path
    first: bool = False
    publishers: list[PublisherRow] = field(
        default_factory=lambda: [PublisherRow("lucheng", "温州市鹿城区人民政府办公室", "330302", "office", "own")]
    )

    exists: bool = False

    def __post_init__(self) -> None:
        self.published = self.root / "warehouse" / "gongkai.duckdb"
        self.ledger = self.root / "ledger.sqlite"
        if self.exists:
            return
        with closing(sqlite3.connect(self.ledger)) as con:
            con.executescript(SCHEMA)
        self.run("r1")
        if not self.first:
            self.published.parent.mkdir()
            self.published.write_bytes(empty_warehouse())

    @classmethod
    def copy(cls, template: World, root: Path) -> World:
        shutil.copytree(template.root, root, symlinks=True, dirs_exist_ok=True)
        return cls(root, publishers=list(template.publishers), exists=True)

    def write(self, table: str, **row: Any) -> None:
        with closing(sqlite3.connect(self.ledger)) as con, con:
            marks = ", ".join("?" * len(row))
            con.execute(f"INSERT OR REPLACE INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()])

    def run(self, run_id: str, **counts: int) -> None:
        """The n-th run starts on day n."""
        self.write(
            "run",
            run_id=run_id,
            started_at=night(run_id, minutes=0),
            version="1",
            command="run",
            status="running",
            counts=json.dumps(counts),
        )

    def seen(self, url: str, name: str | None, run_id: str = "r1", publisher: str = "lucheng", **more: Any) -> None:
        """A listed address and, where `name` is given, what it holds: met and asked half an hour into the run."""
        at = night(run_id)
        first = self.value("SELECT first_seen FROM sighting WHERE publisher_id = ? AND url = ?", publisher, url) or at
        row = {"year": 2021, "role": "page", "first_seen": first, "last_seen": at, "last_run_id": run_id}
        self.write("sighting", publisher_id=publisher, url=url, **(row | more))
        if name:
            self.answers(url, name, run_id)

    def answers(self, url: str, name: str, run_id: str = "r1") -> None:
        """What an address holds when it is asked, listed or not."""
        at = night(run_id)
        first = self.value("SELECT first_seen FROM document WHERE url = ?", url) or at
        row = {"first_seen": first, "last_seen": at, "last_checked": at, "status": 200, "media": "text/html", "bytes": 10}
        self.write("document", url=url, sha256=sha(name), **row)
        with closing(sqlite3.connect(self.ledger)) as con, con:
            note_body(con, url, sha(name), at)

    def refuses(self, url: str, status: int, run_id: str) -> None:
        """An address that answered before answers with a status alone."""
        at = night(run_id)
        with closing(sqlite3.connect(self.ledger)) as con, con:
            con.execute("UPDATE document SET status = ?, last_checked = ? WHERE url = ?", (status, at, url))
            note_status(con, url, status, at)

    def crawled(
        self,
        run_id: str = "r1",
        publisher: str = "lucheng",
        index_read: int = 1,
        listed: int = 1,
        years: list[int] | None = None,
    ) -> None:
        """The end of a visit, an hour into the run."""
        at = night(run_id, minutes=60)
        counts = {"reports_found": listed, "conditional": 0, "unchanged": 0, "fetched": 3}
        self.write("source_state", publisher_id=publisher, last_run_id=run_id, checked_at=at, index_read=index_read, **counts)
        told = json.dumps(years) if years else None
        self.write(
            "visit", publisher_id=publisher, run_id=run_id, checked_at=at, index_read=index_read, listed=listed, years=told, **counts
        )

    def value(self, sql: str, *values: Any) -> Any:
        """The first value of a query on the ledger, None where there is no row."""
        with closing(sqlite3.connect(self.ledger)) as con:
            row = con.execute(sql, values).fetchone()
        return row[0] if row else None

    def failed(self, kind: str, url: str | None, run_id: str = "r1", publisher: str | None = "lucheng", year: int | None = None) -> None:
        message = f"{kind}: no answer from {url}"
        self.write(
            "problem",
            run_id=run_id,
            stage="crawl",
            publisher_id=publisher,
            url=url,
            year=year,
            kind=kind,
            message=message,
            severity="failure",
        )

    def part(self, name: str, *documents: Rows) -> Path:
        folder = self.root / "parts" / name
        folder.mkdir(parents=True)
        for table in SCHEMAS:
            rows = [row for document in documents for row in document.get(table, [])]
            frame(table, rows).to_parquet(folder / f"{table}.parquet", index=False)
        return folder

    def build(
        self, *parts: Path, run_id: str = "r1", complete: bool = True, now: datetime | None = None, reread: bool = False
    ) -> BuildResult:
        return build(
            self.published,
            parts,
            self.ledger,
            self.publishers,
            run_id=run_id,
            version="2026.11.0",
            registry_complete=complete,
            now=now,
            reread=reread,
        )

    def publish(self, *parts: Path, run_id: str = "r1", now: datetime | None = None, reread: bool = False) -> BuildResult:
        """Build and publish; a home of one or two reports may lose half of them in a night."""
        built = self.build(*parts, run_id=run_id, now=now, reread=reread)
        publish(built, accepted=dict.fromkeys(HOME_GATES, "a small home"))
        return built

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.published, read_only=True) as con:
            return con.execute(sql).fetchall()
