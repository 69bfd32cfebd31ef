"""What is read again although it was read before, and what came of it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

from extract.home import Home
from extract.ledger import Candidate, Ledger
from transform.parser_changes import affected
from warehouse.changes import known_parses
from warehouse.gate import GateError
from warehouse.rereading import Reading, readings, write_changes

log = logging.getLogger("gongkai")


Keys = set[tuple[str, str]]


def new_candidates(home: Home, ledger: Ledger, publishers: set[str], years: set[int] | None) -> tuple[list[Candidate], Keys]:
    """What addresses hold now, and the documents (publisher_id, sha256) that are read already."""
    return ledger.candidates(publishers, years), set(known_parses(home.warehouse))


def reparse_candidates(home: Home, ledger: Ledger, publishers: set[str], years: set[int] | None) -> tuple[list[Candidate], Keys]:
    """What addresses hold now and the bodies they had before that were read, and the documents whose reading stands.

    An earlier body of a page with pictures is left as it was read: which pictures it had then is not known.
    """
    now = ledger.candidates(publishers, years)
    pictured = {(c.publisher_id, c.parent_url) for c in now if c.media == "image"}
    known, held = readings(home.warehouse), {(c.publisher_id, c.sha256) for c in now}
    earlier = [c for c in ledger.candidates(publishers, years, earlier=True) if c.media != "image"]
    unread = [c for c in earlier if (c.publisher_id, c.sha256) not in known or (c.publisher_id, c.sha256) in held]
    found = [*now, *(c for c in earlier if c not in unread and (c.publisher_id, c.url) not in pictured)]
    return found, _standing(known, found)


def _standing(known: dict[tuple[str, str], Reading], found: list[Candidate]) -> Keys:
    """Documents that no version of the reader since their reading affects; none where that are all: who asks then wants all of them."""
    standing, again = set(), 0
    for c in found:
        reading = known.get((c.publisher_id, c.sha256))
        if reading and not affected(reading.parser_version, c.media, reading.formats):
            standing.add((c.publisher_id, c.sha256))
        elif c.media != "image":
            again += 1
    if standing and again:
        log.info("%d documents are read again; %d others no new version of the reader affects", again, len(standing))
    return standing if again else set()


def changes_path(home: Home, run_id: str) -> Path:
    """Where the cells that a run reads differently are listed."""
    return home.root / "runs" / f"{run_id}-reading-changes.csv"


def report_changes(home: Home, run_id: str, again: Collection[tuple[str, str]]) -> dict[str, int]:
    """List the cells of these documents that read differently now, and say how many; counts for the run. Raises duckdb.Error, OSError."""
    path = changes_path(home, run_id)
    counts = write_changes(home.warehouse, again, path)
    if counts:
        told = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
        log.info("%d documents read again: %s; cell by cell in %s", len(again), told, path)
    else:
        log.info("%d documents read again: every cell as before", len(again))
    return {"documents_read_again": len(again), "cells_read_differently": counts.total()}


def failure_facts(error: BaseException) -> dict[str, object]:
    """What the ledger keeps of a run that failed: the red gates, or the error."""
    if not isinstance(error, GateError):
        return {"error": str(error) or type(error).__name__}
    red: Sequence[dict[str, object]] = [
        {"gate": r.gate, "measure": r.measure, "before": r.before, "after": r.after, "bound": r.bound} for r in error.red
    ]
    return {"gate": error.name, "error": error.detail, "red": red}


def tell_of_rollback(home: Home) -> None:
    """Say so where the published file is one that somebody went back to: what was rolled back is read again and judged again."""
    with Ledger(home.ledger) as ledger:
        last = next((r for r in ledger.runs() if r.status == "published"), None)
    if last and last.command.startswith("rollback"):
        log.warning(
            "the published file is that of run %s: run %s rolled back %s (%s); this run goes on from there",
            last.counts.get("to"),
            last.run_id,
            last.counts.get("from"),
            last.counts.get("reason") or "no reason given",
        )
