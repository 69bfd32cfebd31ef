"""How a run ends in the ledger, whatever ended it: what the published file says it did counts, not who came to write it down."""

from __future__ import annotations

import logging
import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import duckdb

from extract.home import Home
from extract.ledger import Ledger, utc_text
from warehouse.query import QueryError, WarehouseMissing, connect

log = logging.getLogger("gongkai")

#: Held while a file is published and while a run is closed: a run that is told to stop is either published by then, or never.
LAST_WORD = threading.Lock()

_PUBLISHED = """
SELECT run_id, finished_at, documents_fetched, documents_parsed, reports_loaded, observations_loaded, problems,
    (SELECT count(*) FROM problem WHERE problem.run_id = run.run_id AND severity = 'failure')
FROM run WHERE run_id = (SELECT value FROM meta WHERE key = 'run_id')
"""
_ACCEPTED = "SELECT DISTINCT gate, accepted_reason FROM gate_result WHERE run_id = ? AND accepted_reason IS NOT NULL ORDER BY gate"
_NAMES = ("documents_fetched", "documents_parsed", "reports_loaded", "observations_loaded", "problems")


@dataclass(frozen=True, slots=True)
class Published:
    """The run that built the published file, as the file tells it. `failures` are its problems of that severity."""

    run_id: str
    finished_at: str
    counts: dict[str, int]
    accepted: dict[str, str]
    failures: int


def published(home: Home) -> Published | None:
    """The run that built the published file; None where there is no file, or none that says so."""
    try:
        with connect(home.warehouse) as con:
            row = con.execute(_PUBLISHED).fetchone()
            accepted = dict(con.execute(_ACCEPTED, [row[0]]).fetchall()) if row else {}
    except (WarehouseMissing, QueryError, duckdb.Error):
        return None
    if row is None:
        return None
    counts = {name: int(number or 0) for name, number in zip(_NAMES, row[2:7], strict=True)}
    return Published(row[0], utc_text(row[1].replace(tzinfo=UTC)), counts, accepted, int(row[7]))


def settle_published(home: Home) -> Published | None:
    """Close the run that built the published file as published, where its process ended before it could; that run, None where there is
    none such. Raises sqlite3.Error."""
    if not home.ledger.exists():
        return None
    with Ledger(home.ledger) as ledger:
        unsettled = {r.run_id: r for r in ledger.runs() if r.status in ("running", "failed")}
        found = published(home) if unsettled else None
        if found is None or found.run_id not in unsettled:
            return None
        facts: dict[str, Any] = found.counts | ({"accepted_gates": found.accepted} if found.accepted else {})
        ledger.finish_run(found.run_id, "published", facts, at=found.finished_at)
    log.warning("run %s had published its file before it ended: it is closed as published", found.run_id)
    return found


def fail(home: Home, run_id: str, facts: dict[str, object]) -> None:
    """Close a run as failed, unless it has published or is closed already. What the disk refuses is a warning: the next run closes it."""
    try:
        settle_published(home)
        with Ledger(home.ledger) as ledger:
            if run_id not in {r.run_id for r in ledger.runs() if r.status != "running"}:
                ledger.finish_run(run_id, "failed", facts)
    except (sqlite3.Error, OSError) as error:
        log.warning("run %s could not be closed in %s (%s): the next run closes it", run_id, home.ledger, error)
