"""What `gongkai status` tells, as data: from the published warehouse and, for runs that published nothing, from the ledger."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.mirror import BuildError
from warehouse.query import connect


@dataclass(frozen=True, slots=True)
class Missing:
    """A publisher and year of which nothing is loaded."""

    publisher_id: str
    publisher: str
    year: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class OpenProblem:
    """A problem that still stands."""

    run_id: str
    stage: str
    publisher_id: str | None
    url: str | None
    year: int | None
    kind: str
    message: str
    severity: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the ledger, whether it published or not. Times are ISO 8601 UTC."""

    run_id: str
    started_at: str
    finished_at: str | None
    command: str
    status: str
    problems: int


@dataclass(frozen=True, slots=True)
class Source:
    """How the last crawl of a source went. `last_success` is the last time any of it was read; None when it never was."""

    publisher_id: str
    checked_at: str
    index_read: bool
    reports_found: int
    last_success: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """`coverage` counts publisher-years by state; `built_at` is None when nothing was published yet."""

    built_at: str | None
    coverage: dict[str, int]
    missing: list[Missing]
    problems: list[OpenProblem]
    runs: list[Run]
    sources: list[Source]


_MISSING = """
SELECT publisher_id, name, year, state, reason FROM coverage JOIN publisher USING (publisher_id)
WHERE state NOT IN ('loaded', 'flagged') ORDER BY publisher_id, year
"""
_PROBLEMS = """
SELECT run_id, stage, publisher_id, url, year, kind, message, severity FROM problem
WHERE is_open ORDER BY severity, publisher_id, year, kind, url, message
"""
_RUNS = """
SELECT run_id, started_at, finished_at, command, status,
    coalesce(json_extract(counts, '$.problems'), (SELECT count(*) FROM problem WHERE problem.run_id = run.run_id)) AS problems
FROM run ORDER BY started_at DESC, run_id DESC LIMIT ?
"""
_SOURCES = """
SELECT publisher_id, checked_at, index_read, reports_found,
    CASE WHEN index_read THEN checked_at
         ELSE (SELECT max(last_seen) FROM sighting WHERE sighting.publisher_id = source_state.publisher_id) END AS last_success
FROM source_state ORDER BY publisher_id
"""


def status(published: Path, ledger: Path, runs: int = 10) -> Status:
    """State of a home; empty where nothing was published or crawled yet. Raises QueryError, BuildError for a file that can't be read."""
    built_at, coverage, missing, problems = _of_warehouse(published)
    last_runs, sources = _of_ledger(ledger, runs)
    return Status(built_at, coverage, missing, problems, last_runs, sources)


def _of_warehouse(published: Path) -> tuple[str | None, dict[str, int], list[Missing], list[OpenProblem]]:
    if not published.exists():
        return None, {}, [], []
    with connect(published) as con:
        built = con.execute("SELECT value FROM meta WHERE key = 'built_at'").fetchone()
        coverage = dict(_fetch(con, "SELECT state, count(*) FROM coverage GROUP BY state ORDER BY state"))
        missing = [Missing(*row) for row in _fetch(con, _MISSING)]
        problems = [OpenProblem(*row) for row in _fetch(con, _PROBLEMS)]
    return (built[0] if built else None), coverage, missing, problems


def _fetch(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()


def _of_ledger(ledger: Path, runs: int) -> tuple[list[Run], list[Source]]:
    if not ledger.exists():
        return [], []
    try:
        with closing(sqlite3.connect(f"{ledger.resolve().as_uri()}?mode=ro", uri=True)) as con:
            last_runs = [Run(*row) for row in con.execute(_RUNS, [runs])]
            sources = [Source(p, at, bool(read), found, success) for p, at, read, found, success in con.execute(_SOURCES)]
    except sqlite3.Error as error:
        raise BuildError(f"ledger {ledger}: {error}") from error
    return last_runs, sources
