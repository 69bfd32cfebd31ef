"""The ledger's memory: every visit to a source, and from when to when an address held which body.

Tables `visit` (one row per source and run) and `presence` (one row per stretch of time in which an address answered with the same body).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

SCHEMA = """
CREATE TABLE IF NOT EXISTS visit (
    publisher_id TEXT NOT NULL, run_id TEXT NOT NULL, checked_at TEXT NOT NULL, index_read INTEGER NOT NULL,
    listed INTEGER NOT NULL, reports_found INTEGER NOT NULL, years TEXT, conditional INTEGER NOT NULL, unchanged INTEGER NOT NULL,
    fetched INTEGER NOT NULL, PRIMARY KEY (publisher_id, run_id)
) STRICT;
CREATE TABLE IF NOT EXISTS presence (
    id INTEGER PRIMARY KEY, url TEXT NOT NULL, sha256 TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL,
    gone_at TEXT, gone_status INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS visit_source ON visit (publisher_id, checked_at);
CREATE INDEX IF NOT EXISTS visit_run ON visit (run_id);
CREATE INDEX IF NOT EXISTS presence_url ON presence (url, id);
"""
TABLES = ("visit", "presence")

#: Answers that say a document is no longer there; any other error may pass.
GONE = (404, 410)

# A ledger of an older version: its last visits, and what its bodies tell.
_BACKFILL = (
    """INSERT INTO visit
        SELECT publisher_id, last_run_id, checked_at, index_read, reports_found, reports_found, NULL, conditional, unchanged,
            fetched
        FROM source_state WHERE NOT EXISTS (SELECT 1 FROM visit)""",
    """INSERT INTO presence (url, sha256, first_seen, last_seen, gone_at, gone_status)
    SELECT c.url, c.sha256, c.fetched_at, CASE WHEN d.sha256 = c.sha256 THEN COALESCE(d.last_seen, c.fetched_at) ELSE c.fetched_at END,
        CASE WHEN d.sha256 = c.sha256 AND d.status IN (404, 410) THEN d.last_checked END,
        CASE WHEN d.sha256 = c.sha256 AND d.status IN (404, 410) THEN d.status END
    FROM content c JOIN document d ON d.url = c.url WHERE NOT EXISTS (SELECT 1 FROM presence) ORDER BY c.fetched_at""",
)
_LATEST = "SELECT id, sha256, gone_at FROM presence WHERE url = ? ORDER BY id DESC LIMIT 1"
_MOST_LISTED = """
SELECT listed, checked_at FROM visit WHERE publisher_id = ? AND run_id <> ? AND index_read AND listed > 0 AND checked_at >= ?
ORDER BY listed DESC, checked_at DESC LIMIT 1
"""
_LAST_LISTED = """
SELECT listed, checked_at FROM visit WHERE publisher_id = ? AND run_id <> ? AND index_read AND listed > 0
ORDER BY checked_at DESC LIMIT 1
"""
_LEFT = """
SELECT s.url FROM sighting s JOIN document d ON d.url = s.url
LEFT JOIN visit v ON v.publisher_id = s.publisher_id AND v.run_id = s.last_run_id
WHERE s.publisher_id = :publisher_id AND s.role = 'page' AND s.last_run_id <> :run_id AND d.sha256 IS NOT NULL
    AND s.url NOT LIKE 'urn:%' AND (d.last_checked <= COALESCE(v.checked_at, s.last_seen) OR d.last_checked <= :stale)
ORDER BY s.url
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """How many reports the index pages of a source listed, and when."""

    reports: int
    at: str


def backfill(db: sqlite3.Connection) -> None:
    """Give a ledger without history what its other tables still tell."""
    for statement in _BACKFILL:
        db.execute(statement)


def note_body(db: sqlite3.Connection, url: str, sha256: str, at: str) -> None:
    """An address answered with this body: its stretch goes on, or a new one begins."""
    latest = db.execute(_LATEST, (url,)).fetchone()
    if latest and latest[1] == sha256 and latest[2] is None:
        db.execute("UPDATE presence SET last_seen = ? WHERE id = ?", (at, latest[0]))
    else:
        db.execute("INSERT INTO presence (url, sha256, first_seen, last_seen) VALUES (?, ?, ?, ?)", (url, sha256, at, at))


def note_status(db: sqlite3.Connection, url: str, status: int, at: str) -> None:
    """An address answered without a body; where it says that nothing is there any more, the stretch has ended."""
    latest = db.execute(_LATEST, (url,)).fetchone()
    if latest and latest[2] is None and status in GONE:
        db.execute("UPDATE presence SET gone_at = ?, gone_status = ? WHERE id = ?", (at, status, latest[0]))


def note_visit(
    db: sqlite3.Connection, state: tuple[str, str, str, bool, int, int, int, int], listed: int, years: Collection[int] | None
) -> None:
    """A visit that came to its end. `state` is the row of `source_state`, `years` what the run was narrowed to."""
    publisher_id, run_id, checked_at, index_read, found, *counts = state
    told = json.dumps(sorted(years)) if years else None
    db.execute(
        "INSERT OR REPLACE INTO visit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (publisher_id, run_id, checked_at, index_read, listed, found, told, *counts),
    )


def last_listed(db: sqlite3.Connection, publisher_id: str, run_id: str) -> Listed | None:
    """What the newest complete visit before this run found that listed anything; None where none ever did."""
    row = db.execute(_LAST_LISTED, (publisher_id, run_id)).fetchone()
    return Listed(*row) if row else None


def most_listed(db: sqlite3.Connection, publisher_id: str, run_id: str, since: str) -> Listed | None:
    """The complete visit that listed most since a moment, this run aside; None where none listed anything."""
    row = db.execute(_MOST_LISTED, (publisher_id, run_id, since)).fetchone()
    return Listed(*row) if row else None


def left_the_list(db: sqlite3.Connection, publisher_id: str, run_id: str, stale: str) -> list[str]:
    """Report pages with a body that this run did not meet, and that were not asked since they were last met, or not since `stale`."""
    values = {"publisher_id": publisher_id, "run_id": run_id, "stale": stale}
    return [row[0] for row in db.execute(_LEFT, values)]
