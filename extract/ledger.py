"""The ledger: what was asked, answered, seen and what went wrong (SQLite; tables of docs/architecture.md § Ledger)."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from extract import ledger_history as history
from extract import ledger_left as left
from extract import ledger_upgrade as upgrade
from extract.ledger_rows import (
    Body,
    Candidate,
    ContentRow,
    DocumentRow,
    Place,
    Role,
    RunRow,
    RunStatus,
    Sighting,
    SourceState,
)
from extract.problem import Problem

__all__ = [
    "Body",
    "Candidate",
    "ContentRow",
    "DocumentRow",
    "Ledger",
    "Place",
    "Role",
    "RunRow",
    "RunStatus",
    "Sighting",
    "SourceState",
    "new_run_id",
    "utc_now",
    "utc_text",
]

SCHEMA = (
    history.SCHEMA
    + left.SCHEMA
    + """
CREATE TABLE IF NOT EXISTS run (
    run_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, finished_at TEXT, version TEXT NOT NULL, command TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'published', 'nothing_new', 'failed')), counts TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TABLE IF NOT EXISTS document (
    url TEXT PRIMARY KEY, first_seen TEXT NOT NULL, last_seen TEXT, last_checked TEXT NOT NULL, status INTEGER NOT NULL,
    media TEXT, sha256 TEXT, bytes INTEGER, etag TEXT, last_modified TEXT, archive_file TEXT, archive_offset INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS content (
    url TEXT NOT NULL, sha256 TEXT NOT NULL, fetched_at TEXT NOT NULL, media TEXT NOT NULL, bytes INTEGER NOT NULL,
    archive_file TEXT NOT NULL, archive_offset INTEGER NOT NULL, PRIMARY KEY (url, sha256)
) STRICT;
CREATE TABLE IF NOT EXISTS sighting (
    publisher_id TEXT NOT NULL, url TEXT NOT NULL, title TEXT, year INTEGER, declared INTEGER NOT NULL DEFAULT 0,
    role TEXT NOT NULL CHECK (role IN ('page', 'attachment')), parent_url TEXT, published_on TEXT,
    first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, last_run_id TEXT NOT NULL, PRIMARY KEY (publisher_id, url)
) STRICT;
CREATE TABLE IF NOT EXISTS source_state (
    publisher_id TEXT PRIMARY KEY, last_run_id TEXT NOT NULL, checked_at TEXT NOT NULL, index_read INTEGER NOT NULL,
    reports_found INTEGER NOT NULL, conditional INTEGER NOT NULL, unchanged INTEGER NOT NULL, fetched INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS problem (
    id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, stage TEXT NOT NULL, publisher_id TEXT, url TEXT, year INTEGER,
    kind TEXT NOT NULL, message TEXT NOT NULL, severity TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sighting_url ON sighting (url);
CREATE INDEX IF NOT EXISTS sighting_parent ON sighting (publisher_id, parent_url);
CREATE INDEX IF NOT EXISTS problem_run ON problem (run_id);
"""
)
UPSERT_DOCUMENT = """
INSERT INTO document VALUES (:url, :at, :at, :at, :status, :media, :sha256, :bytes, :etag, :modified, :file, :offset)
ON CONFLICT (url) DO UPDATE SET
    last_seen = :at, last_checked = :at, status = :status, media = :media, sha256 = :sha256, bytes = :bytes,
    etag = :etag, last_modified = :modified, archive_file = :file, archive_offset = :offset
"""
# what was declared outranks what a title says; a page stays a page even where another page links to it as an attachment
UPSERT_SIGHTING = """
INSERT INTO sighting VALUES
    (:publisher_id, :url, :title, :year, :declared, :role, :parent_url, :published_on, :at, :at, :run_id)
ON CONFLICT (publisher_id, url) DO UPDATE SET
    title = COALESCE(:title, title),
    year = CASE WHEN :declared >= declared THEN COALESCE(:year, year) ELSE year END,
    declared = MAX(declared, :declared),
    role = CASE WHEN role = 'page' THEN role ELSE :role END,
    parent_url = CASE WHEN role = 'page' OR :role = 'page' THEN NULL ELSE :parent_url END,
    published_on = COALESCE(:published_on, published_on),
    last_seen = :at, last_run_id = :run_id
"""
CANDIDATES = """
SELECT s.*, d.status, d.sha256, d.media, d.bytes, d.archive_file, d.archive_offset, c.fetched_at
FROM sighting s JOIN document d ON d.url = s.url JOIN content c ON c.url = d.url AND c.sha256 = d.sha256
ORDER BY s.publisher_id, s.url
"""
# bodies that addresses had before the one they have now
EARLIER = CANDIDATES.replace("c.sha256 = d.sha256", "c.sha256 <> d.sha256").replace(
    "d.sha256, d.media, d.bytes, d.archive_file, d.archive_offset", "c.sha256, c.media, c.bytes, c.archive_file, c.archive_offset"
)
ADD_PROBLEM = """
INSERT INTO problem (run_id, stage, publisher_id, url, year, kind, message, severity) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
TABLES = ("run", "document", "content", "sighting", "source_state", "problem", *history.TABLES, *left.TABLES)


def utc_text(moment: datetime) -> str:
    """ISO 8601 UTC text to the second, as every time of the ledger is written: `2026-11-22T18:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_now() -> str:
    """The present moment as text of the ledger."""
    return utc_text(datetime.now(UTC))


_Row = TypeVar("_Row")


def _read(kind: type[_Row], row: sqlite3.Row) -> _Row:
    """A row as its dataclass; 0/1 becomes a truth value where the field is one."""
    values = {f.name: row[f.name] for f in fields(kind)}  # type: ignore[arg-type]
    for f in fields(kind):  # type: ignore[arg-type]
        if f.type == "bool":
            values[f.name] = bool(values[f.name])
    return kind(**values)


def _package_version() -> str:
    try:
        return version("gongkai")
    except PackageNotFoundError:
        return "unknown"


def new_run_id(now: datetime) -> str:
    """`20261122T180000Z-3f2a`: sorts by time; four random hex digits keep two runs of one second apart."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


class Ledger:
    """The ledger of a home; safe to use from several processes at once (WAL, one transaction per write).

    With `durable=False` a power cut may lose the last transactions before `secure()` (a killed process loses none): for a crawler,
    which then asks once more. What is written stays whole and in order either way.
    A context manager. Raises sqlite3.DatabaseError where the file is no ledger, sqlite3.OperationalError where it can't
    be opened or stays locked for more than 30 s.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA busy_timeout = 30000")
        upgrade.write_ahead(self._db, seconds=30)
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        with self._transaction():
            upgrade.refuse_newer(self._db)
            for statement in SCHEMA.split(";"):
                self._db.execute(statement)
            upgrade.add_columns(self._db, SCHEMA)
            history.backfill(self._db)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def secure(self) -> None:
        """Bring to disk all that was written, with `durable=False` too."""
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # Runs

    def start_run(self, command: str) -> str:
        """Open a run and return its id. A run that a killed process left `running` becomes `failed` first."""
        now = datetime.now(UTC)
        run_id = new_run_id(now)
        with self._transaction():
            self._fail_dead_runs()
            self._db.execute(
                "INSERT INTO run (run_id, started_at, version, command, status) VALUES (?, ?, ?, ?, 'running')",
                (run_id, utc_text(now), _package_version(), command),
            )
        return run_id

    def fail_dead_runs(self) -> list[str]:
        """Mark every run still `running` as `failed`; returns their ids. Call only while holding the single-runner lock."""
        with self._transaction():
            return self._fail_dead_runs()

    def _fail_dead_runs(self) -> list[str]:
        dead = self._db.execute("UPDATE run SET status = 'failed', finished_at = ? WHERE status = 'running' RETURNING run_id", (utc_now(),))
        return [row["run_id"] for row in dead.fetchall()]

    def finish_run(self, run_id: str, status: RunStatus, counts: Mapping[str, Any], at: str | None = None) -> None:
        """Close a run, at the present moment where none is given. Raises KeyError where there is no such run."""
        with self._transaction():
            done = self._db.execute(
                "UPDATE run SET finished_at = ?, status = ?, counts = ? WHERE run_id = ?",
                (at or utc_now(), status, json.dumps(counts, ensure_ascii=False), run_id),
            )
            if done.rowcount != 1:
                raise KeyError(run_id)

    def runs(self) -> list[RunRow]:
        """All runs, newest first, in the order they were begun in: a clock that was set back does not change it."""
        rows = self._db.execute("SELECT * FROM run ORDER BY rowid DESC")
        return [RunRow(**{**dict(row), "counts": json.loads(row["counts"])}) for row in rows]

    # Documents

    def record_body(self, url: str, status: int, body: Body, at: str | None = None, *, moved: bool = False) -> bool:
        """Record an answer that came with a body; returns whether it differs from the body the address had last.

        The record at `body.place` must be on disk already. Bytes the address had before keep the place and time of
        the first record; with `moved` (that record can't be read any more) they get the new place.
        """
        at = at or utc_now()
        with self._transaction():
            known = self.document(url)
            new = known is None or known.sha256 != body.sha256
            self._insert_content(url, body, at)
            if moved:
                self._db.execute(
                    "UPDATE content SET archive_file = ?, archive_offset = ? WHERE url = ? AND sha256 = ?",
                    (body.place.archive_file, body.place.archive_offset, url, body.sha256),
                )
            self._upsert_document(url, status, body, at)
        return new

    def _insert_content(self, url: str, body: Body, at: str) -> None:
        self._db.execute(
            "INSERT INTO content VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (url, sha256) DO NOTHING",
            (url, body.sha256, at, body.media, body.bytes, body.place.archive_file, body.place.archive_offset),
        )

    def _upsert_document(self, url: str, status: int, body: Body, at: str) -> None:
        first = self._db.execute(
            "SELECT archive_file, archive_offset FROM content WHERE url = ? AND sha256 = ?", (url, body.sha256)
        ).fetchone()
        values = {"url": url, "at": at, "status": status, "media": body.media, "sha256": body.sha256, "bytes": body.bytes}
        values |= {"etag": body.etag, "modified": body.last_modified, "file": first[0], "offset": first[1]}
        self._db.execute(UPSERT_DOCUMENT, values)
        history.note_body(self._db, url, body.sha256, at)

    def record_unchanged(self, url: str, at: str | None = None) -> None:
        """Record an answer 304: the body on record is still the one. Raises KeyError for an address without a body."""
        at = at or utc_now()
        with self._transaction():
            done = self._db.execute(
                "UPDATE document SET last_seen = ?, last_checked = ?, status = 200 WHERE url = ? AND sha256 IS NOT NULL",
                (at, at, url),
            )
            if done.rowcount != 1:
                raise KeyError(url)
            same = self._db.execute("SELECT sha256 FROM document WHERE url = ?", (url,)).fetchone()
            history.note_body(self._db, url, same[0], at)

    def record_status(self, url: str, status: int, at: str | None = None) -> None:
        """Record an answer without a body worth keeping (an error, a redirect); the last good body stays.

        A redirect alone does not make an address checked: that is for the body it leads to.
        """
        at = at or utc_now()
        with self._transaction():
            self._db.execute(
                "INSERT INTO document (url, first_seen, last_checked, status) VALUES (:url, :at, :at, :status) "
                "ON CONFLICT (url) DO UPDATE SET status = :status, "
                "last_checked = CASE WHEN :status BETWEEN 300 AND 399 THEN last_checked ELSE :at END",
                {"url": url, "at": at, "status": status},
            )
            history.note_status(self._db, url, status, at)

    def record_redirect(self, url: str, target: str, at: str | None = None) -> None:
        """Give an address the body of the address it redirected to, so that what is linked can be read; its status stays.

        Raises KeyError where the target has no body.
        """
        at = at or utc_now()
        with self._transaction():
            found, own = self.document(target), self.document(url)
            if found is None or found.sha256 is None or found.media is None or found.bytes is None:
                raise KeyError(target)
            if found.archive_file is None or found.archive_offset is None:
                raise KeyError(target)
            body = Body(found.sha256, found.media, found.bytes, Place(found.archive_file, found.archive_offset))
            self._insert_content(url, body, at)
            self._upsert_document(url, own.status if own else found.status, body, at)

    def document(self, url: str) -> DocumentRow | None:
        """The newest answer of an address, None where it was never asked."""
        row = self._db.execute("SELECT * FROM document WHERE url = ?", (url,)).fetchone()
        return None if row is None else _read(DocumentRow, row)

    def content(self, url: str, sha256: str) -> ContentRow | None:
        """A body an address has or had."""
        row = self._db.execute("SELECT * FROM content WHERE url = ? AND sha256 = ?", (url, sha256)).fetchone()
        return None if row is None else _read(ContentRow, row)

    # Sightings, sources, problems

    def record_sighting(self, run_id: str, seen: Sighting, at: str | None = None) -> None:
        """Record that a report link was seen in this run. What an earlier sighting knew stays where this one knows nothing."""
        values = {f.name: getattr(seen, f.name) for f in fields(seen)} | {"at": at or utc_now(), "run_id": run_id}
        with self._transaction():
            self._db.execute(UPSERT_SIGHTING, values)

    def sighting(self, publisher_id: str, url: str) -> Sighting | None:
        """What is known of a report link of a publisher."""
        row = self._db.execute("SELECT * FROM sighting WHERE publisher_id = ? AND url = ?", (publisher_id, url)).fetchone()
        return None if row is None else _read(Sighting, row)

    def known_sightings(self, publisher_id: str, parent_url: str | None = None) -> list[Sighting]:
        """What was ever sighted of a publisher; with `parent_url` only the attachments of that page."""
        where, values = "publisher_id = ?", [publisher_id]
        if parent_url is not None:
            where, values = where + " AND parent_url = ?", [publisher_id, parent_url]
        return [_read(Sighting, row) for row in self._db.execute(f"SELECT * FROM sighting WHERE {where} ORDER BY url", values)]

    def record_source(self, state: SourceState, listed: int | None = None, years: Collection[int] | None = None) -> None:
        """Record how the visit to a source went.

        `listed` is how many reports its index pages list (without those the registry names; default: all that were found), `years`
        what the run was narrowed to.
        """
        values = tuple(getattr(state, f.name) for f in fields(state))
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO source_state VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            history.note_visit(self._db, values, state.reports_found if listed is None else listed, years)

    def leave(self, run_id: str, address: left.LeftOver) -> None:
        """See `extract.ledger_left.leave`."""
        with self._transaction():
            left.leave(self._db, run_id, address)

    def left_over(self, publisher_id: str) -> list[left.LeftOver]:
        """See `extract.ledger_left.left_over`."""
        return left.left_over(self._db, publisher_id)

    def take_up(self, publisher_id: str, url: str) -> None:
        """See `extract.ledger_left.take_up`."""
        with self._transaction():
            left.take_up(self._db, publisher_id, url)

    def last_listed(self, publisher_id: str, run_id: str) -> history.Listed | None:
        """See `extract.ledger_history.last_listed`."""
        return history.last_listed(self._db, publisher_id, run_id)

    def most_listed(self, publisher_id: str, run_id: str, since: str) -> history.Listed | None:
        """See `extract.ledger_history.most_listed`."""
        return history.most_listed(self._db, publisher_id, run_id, since)

    def left_the_list(self, publisher_id: str, run_id: str, stale: str) -> list[str]:
        """See `extract.ledger_history.left_the_list`."""
        return history.left_the_list(self._db, publisher_id, run_id, stale)

    def source_states(self) -> list[SourceState]:
        """The last visit to every source."""
        return [_read(SourceState, row) for row in self._db.execute("SELECT * FROM source_state ORDER BY publisher_id")]

    def add_problems(self, run_id: str, problems: Iterable[Problem]) -> None:
        """Record what went wrong, all or nothing."""
        rows = [(run_id, p.stage, p.publisher_id, p.url, p.year, p.kind, p.message, p.severity) for p in problems]
        with self._transaction():
            self._db.executemany(ADD_PROBLEM, rows)

    def problems(self, run_id: str) -> list[Problem]:
        """What went wrong in a run, in the order it was recorded."""
        rows = self._db.execute("SELECT * FROM problem WHERE run_id = ? ORDER BY id", (run_id,))
        return [_read(Problem, row) for row in rows]

    # Reading back

    def candidates(
        self, publisher_ids: Collection[str] | None = None, years: Collection[int] | None = None, *, earlier: bool = False
    ) -> list[Candidate]:
        """Every sighted report document that has a body, with the body's place, by publisher and address.

        With `earlier` the bodies that these addresses had before, one row for each.
        A sighting without a year passes the `years` filter: its year is not known before it is read.
        """
        rows = self._db.execute(EARLIER if earlier else CANDIDATES)
        found = (_read(Candidate, row) for row in rows)
        return [
            c
            for c in found
            if (publisher_ids is None or c.publisher_id in publisher_ids) and (years is None or c.year is None or c.year in years)
        ]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table by column name, for mirroring into the warehouse. Raises KeyError for an unknown table."""
        if table not in TABLES:
            raise KeyError(table)
        return [dict(row) for row in self._db.execute(f"SELECT * FROM {table}")]
