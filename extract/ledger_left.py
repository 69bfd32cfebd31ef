"""What the budget of a host left over: addresses that come first in the next run (table `left_over`)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

SCHEMA = """
CREATE TABLE IF NOT EXISTS left_over (
    publisher_id TEXT NOT NULL, url TEXT NOT NULL, role TEXT NOT NULL, year INTEGER, listing TEXT, run_id TEXT NOT NULL,
    PRIMARY KEY (publisher_id, url)
) STRICT;
"""
TABLES = ("left_over",)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """An address that was not asked any more. `listing` is the index of the registry that an index page belongs to."""

    publisher_id: str
    url: str
    role: Literal["index", "page", "attachment"]
    year: int | None
    listing: str | None


def leave(db: sqlite3.Connection, run_id: str, left: LeftOver) -> None:
    """Put an address off to the next run; one that was put off before keeps its place."""
    db.execute(
        "INSERT INTO left_over VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (publisher_id, url) DO NOTHING",
        (left.publisher_id, left.url, left.role, left.year, left.listing, run_id),
    )


def left_over(db: sqlite3.Connection, publisher_id: str) -> list[LeftOver]:
    """What was put off of a source, longest waiting first."""
    rows = db.execute(
        "SELECT publisher_id, url, role, year, listing FROM left_over WHERE publisher_id = ? ORDER BY run_id, rowid", (publisher_id,)
    )
    return [LeftOver(*row) for row in rows]


def take_up(db: sqlite3.Connection, publisher_id: str, url: str) -> None:
    """An address was asked: it is no longer put off."""
    db.execute("DELETE FROM left_over WHERE publisher_id = ? AND url = ?", (publisher_id, url))
