"""Data files of the overview: `overview` (counts, coverage by province, what is new, what failed), `coverage/<province>` and `errors`."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb

from warehouse.site.districts import above
from warehouse.site.files import encode, put
from warehouse.site.model import Accuracy
from warehouse.story import rows

#: States in the order they are stacked; a data file names one by its place.
STATES = ("loaded", "flagged", "unreadable", "no_tables", "unreachable", "robots_disallowed", "withdrawn", "not_found", "not_due")
RECENT = 200  # problems and revisions listed at most; their numbers are those of all

_COUNTS = """
SELECT
    (SELECT count(DISTINCT district_code) FROM report WHERE is_current) AS districts,
    (SELECT count(*) FROM publisher) AS publishers,
    (SELECT count(*) FROM report WHERE is_current) AS reports,
    (SELECT count(*) FROM report) AS versions,
    (SELECT sum(q.cells) FROM report_quality AS q JOIN report USING (report_id) WHERE is_current)::BIGINT AS cells,
    (SELECT sum(q.reported) FROM report_quality AS q JOIN report USING (report_id) WHERE is_current)::BIGINT AS figures,
    (SELECT sum(q.unreadable) FROM report_quality AS q JOIN report USING (report_id) WHERE is_current)::BIGINT AS unreadable,
    (SELECT sum(q.checks_passed) FROM report_quality AS q JOIN report USING (report_id) WHERE is_current)::BIGINT AS checks_passed,
    (SELECT sum(q.checks_failed) FROM report_quality AS q JOIN report USING (report_id) WHERE is_current)::BIGINT AS checks_failed,
    (SELECT min(year) FROM report) AS first_year,
    (SELECT max(year) FROM report) AS last_year,
    (SELECT max(last_checked) FROM document) AS last_checked,
    (SELECT max(checked_at) FROM source_state) AS last_visit,
    (SELECT max(fetched_at) FROM report) AS last_fetched
"""
_CELLS = """
SELECT left(district_code, 2) || '0000' AS province, year, state::VARCHAR AS state, count(*) AS n
FROM coverage GROUP BY ALL ORDER BY 1, 2, 3
"""
_BODIES = """
SELECT p.publisher_id AS id, p.name, p.district_code AS district, p.kind::VARCHAR AS kind, c.year, c.state::VARCHAR AS state, c.reason
FROM coverage AS c JOIN publisher AS p USING (publisher_id) WHERE left(p.district_code, 2) = $province
ORDER BY p.district_code, p.publisher_id, c.year
"""
_PREVIOUS = """
SELECT max(started_at) FROM run
WHERE status = 'published' AND started_at < (SELECT max(started_at) FROM run WHERE status = 'published')
"""
_NEW = """
SELECT r.report_id AS id, p.name AS publisher, r.publisher_id, r.district_code AS district, r.year,
    r.scope::VARCHAR AS scope, r.version, r.fetched_at
FROM report AS r LEFT JOIN publisher AS p USING (publisher_id) WHERE $since IS NULL OR r.fetched_at >= $since
ORDER BY r.fetched_at DESC, r.report_id
"""
_WITHDRAWN = """
SELECT p.name AS publisher, c.district_code AS district, c.year, c.withdrawn_on, c.reason
FROM coverage AS c JOIN publisher AS p USING (publisher_id)
WHERE c.state = 'withdrawn' AND ($since IS NULL OR c.withdrawn_on >= $since::DATE)
ORDER BY c.withdrawn_on DESC, c.district_code, c.year
"""
_RUNS = """
SELECT run_id AS id, started_at, finished_at, command, status, documents_fetched, documents_parsed, reports_loaded, problems
FROM run ORDER BY started_at DESC LIMIT 8
"""
_PROBLEMS = """
SELECT q.severity::VARCHAR AS severity, q.stage::VARCHAR AS stage, q.kind, q.message, q.year, q.url,
    p.name AS publisher, p.district_code AS district
FROM problem AS q LEFT JOIN publisher AS p USING (publisher_id) WHERE q.is_open
ORDER BY q.severity, q.year DESC, q.kind, p.district_code, q.message
"""
_KINDS = "SELECT severity::VARCHAR AS severity, kind, count(*) AS n FROM problem WHERE is_open GROUP BY ALL ORDER BY 1, 3 DESC, 2"
_ERRORS = """
SELECT report_id AS report, publisher, district_code AS district, year, scope::VARCHAR AS scope, section::VARCHAR AS section,
    check_id AS "check", applicant::VARCHAR AS applicant, left_value AS "left", right_value AS "right", difference, rule_source AS source,
    is_current AS current
FROM publisher_error ORDER BY year DESC, district_code, report_id, check_id, applicant
"""


def overview(con: duckdb.DuckDBPyConnection, accuracy: Accuracy | None, places: dict[str, Any]) -> dict[str, Any]:
    """The data file `overview`, with the names of the places in it out of `places`, the data file `districts`."""
    meta = dict(con.execute("SELECT key, value FROM meta").fetchall())
    since = con.execute(_PREVIOUS).fetchone()
    changed_since = since[0] if since else None
    problems = rows(con, _PROBLEMS)
    found = {
        "built_at": meta["built_at"],
        "version": meta["gongkai_version"],
        "run": meta["run_id"],
        "counts": rows(con, _COUNTS)[0],
        "states": STATES,
        "coverage": _coverage(con),
        "runs": rows(con, _RUNS),
        "since": changed_since,
        "new": _capped(rows(con, _NEW, {"since": changed_since})),
        "revised": _capped(_revised(con, changed_since)),
        "withdrawn": _capped(rows(con, _WITHDRAWN, {"since": changed_since})),
        "problems": _capped(problems),
        "kinds": rows(con, _KINDS),
        "accuracy": {"made_on": accuracy.made_on, "media": accuracy.media} if accuracy else None,
        "errors": rows(con, "SELECT count(*) AS errors, count(DISTINCT report_id) AS reports FROM publisher_error WHERE is_current")[0],
    }
    listed = {row["district"] for part in ("new", "revised", "withdrawn", "problems") for row in found[part]["rows"] if "district" in row}
    return {**found, **above(places, listed | set(found["coverage"]))}


def _capped(found: list[dict[str, Any]]) -> dict[str, Any]:
    """At most RECENT rows, without empty members, and how many there are."""
    return {"n": len(found), "rows": [{k: v for k, v in row.items() if v is not None} for row in found[:RECENT]]}


def _revised(con: duckdb.DuckDBPyConnection, since: Any) -> list[dict[str, Any]]:
    """Reports that took the place of another since the last build, with the number of cells that differ."""
    sql = """SELECT report_id_to AS id, report_id_from AS "from", publisher_id, district_code AS district, year,
            count(*) AS cells, max(seen_to) AS seen
        FROM site_revision WHERE $since IS NULL OR seen_to >= $since GROUP BY ALL ORDER BY seen DESC, id"""
    return rows(con, sql, {"since": since})


def _coverage(con: duckdb.DuckDBPyConnection) -> dict[str, dict[int, list[int]]]:
    """Province -> year -> number of publishers in each state."""
    counts: dict[str, dict[int, list[int]]] = defaultdict(dict)
    for province, year, state, n in con.execute(_CELLS).fetchall():
        counts[province].setdefault(year, [0] * len(STATES))[STATES.index(state)] = n
    return dict(counts)


def write_coverage(con: duckdb.DuckDBPyConnection, folder: Path, province: str, places: dict[str, Any]) -> None:
    """`coverage/<province>`: [publisher, name, district, kind, states by year, reasons by year] of each publisher of a province."""
    bodies: dict[str, list[Any]] = {}
    years: set[int] = set()
    for row in rows(con, _BODIES, {"province": province}):
        body = bodies.setdefault(row["id"], [row["id"], row["name"], row["district"], row["kind"], {}, {}])
        body[4][row["year"]] = STATES.index(row["state"])
        years.add(row["year"])
        if row["reason"]:
            body[5][row["year"]] = row["reason"]
    names = above(places, {body[2] for body in bodies.values()})
    put(folder, f"coverage/{province}", encode({"years": sorted(years), "publishers": list(bodies.values()), **names}))


def errors(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The data file `errors`: the publishers' own arithmetic errors; their cells are in the report's data file."""
    return [{k: v for k, v in row.items() if v is not None} for row in rows(con, _ERRORS)]
