"""What `gongkai status` tells, as data: from the published warehouse and, for runs that published nothing, from the ledger."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from warehouse.mirror import GOOD_VISIT, BuildError
from warehouse.query import QueryError, connect


@dataclass(frozen=True, slots=True)
class Selection:
    """What to tell of. `district` is a code or the head of one (33: a province, 3303: a prefecture); None and no year: everything."""

    district: str | None = None
    source: str | None = None
    years: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """A publisher and year of which nothing is loaded, or of which what is loaded needs a look."""

    publisher_id: str
    publisher: str
    year: int
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Cells:
    """How many publishers of a place are in a state in a year. `code` is NULL where the district has no such upper division."""

    code: str
    place: str
    year: int
    state: str
    publishers: int


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
class ProblemGroup:
    """Open problems of one kind: how many, of how many publishers, and one of them."""

    severity: str
    kind: str
    problems: int
    publishers: int
    example: str


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
    """How the visits to a source went. `last_success` is the last one that went well; None when none did.

    `failing` counts the visits since then, `listed` the reports its index listed at the last visit.
    """

    publisher_id: str
    checked_at: str
    index_read: bool
    reports_found: int
    last_success: str | None
    failing: int
    listed: int


@dataclass(frozen=True, slots=True)
class Status:
    """`coverage` counts publisher-years by state; `built_at` is None when nothing was published yet. `alarms` are problems of an index that
    lists less than it did, and come first."""

    built_at: str | None
    coverage: dict[str, int]
    missing: list[Missing]
    problems: list[OpenProblem]
    runs: list[Run]
    sources: list[Source]
    cells: list[Cells] = field(default_factory=list)
    groups: list[ProblemGroup] = field(default_factory=list)
    alarms: list[OpenProblem] = field(default_factory=list)


ALARMS = ("index_emptied", "index_shrunk")
_CHOSEN = """
WITH chosen AS (
    SELECT publisher_id, name, district_code FROM publisher
    WHERE ($district IS NULL OR starts_with(district_code, $district)) AND ($source IS NULL OR publisher_id = $source)
)
"""
_YEARS = "(len($years::SMALLINT[]) = 0 OR list_contains($years::SMALLINT[], year))"
_MISSING = f"""{_CHOSEN}
SELECT publisher_id, name, year, state::VARCHAR, reason FROM coverage JOIN chosen USING (publisher_id)
WHERE state NOT IN ('loaded', 'flagged', 'not_due') AND {_YEARS} ORDER BY publisher_id, year
"""
_CELLS = f"""{_CHOSEN}
SELECT coalesce(u.district_code, d.district_code), coalesce(u.name, d.name), c.year, c.state::VARCHAR, count(*)
FROM coverage AS c
JOIN chosen USING (publisher_id)
LEFT JOIN district AS d ON d.district_code = chosen.district_code
LEFT JOIN district AS u ON u.district_code = CASE $grain
    WHEN 'province' THEN d.province_code WHEN 'prefecture' THEN d.prefecture_code ELSE d.district_code END
WHERE {_YEARS}
GROUP BY ALL ORDER BY ALL
"""
_PROBLEMS = f"""{_CHOSEN}
SELECT run_id, stage::VARCHAR, publisher_id, url, year, kind, message, severity::VARCHAR FROM problem
WHERE is_open AND (publisher_id IN (SELECT publisher_id FROM chosen) OR (publisher_id IS NULL AND $district IS NULL AND $source IS NULL))
    AND (year IS NULL OR {_YEARS})
ORDER BY severity, publisher_id, year, kind, url, message
"""
_RUNS = """
SELECT run_id, started_at, finished_at, command, status,
    coalesce(json_extract(counts, '$.problems'), (SELECT count(*) FROM problem WHERE problem.run_id = run.run_id)) AS problems
FROM run ORDER BY rowid DESC LIMIT ?
"""
# Visits in the order they were made in, whatever the clock said.
_SOURCES = f"""
SELECT publisher_id, checked_at, index_read, reports_found,
    (SELECT checked_at FROM visit AS v WHERE v.rowid = last_good),
    (SELECT count(*) FROM visit AS v WHERE v.publisher_id = s.publisher_id AND v.rowid > coalesce(last_good, -1)),
    coalesce((SELECT listed FROM visit AS v WHERE v.publisher_id = s.publisher_id ORDER BY v.rowid DESC LIMIT 1), reports_found)
FROM (
    SELECT *, (
        SELECT max(v.rowid) FROM visit AS v WHERE v.publisher_id = source_state.publisher_id AND {GOOD_VISIT}
    ) AS last_good
    FROM source_state
) AS s ORDER BY publisher_id
"""
# A ledger of an older version has no visits; the next run makes the table.
_NO_VISITS = """
CREATE TEMP TABLE visit AS SELECT publisher_id, checked_at, index_read, reports_found, reports_found AS listed FROM source_state
"""


def status(published: Path, ledger: Path, runs: int = 10, chosen: Selection | None = None) -> Status:
    """State of a home; empty where nothing was published or crawled yet. `chosen` narrows all but the runs.

    Raises QueryError, BuildError for a file that can't be read.
    """
    wanted = chosen or Selection()
    built_at, coverage, missing, problems, cells, publishers = _of_warehouse(published, wanted)
    last_runs, sources = _of_ledger(ledger, runs)
    if publishers is not None and (wanted.source or wanted.district):
        sources = [s for s in sources if s.publisher_id in publishers]
    alarms = [p for p in problems if p.kind in ALARMS]
    return Status(built_at, coverage, missing, problems, last_runs, sources, cells, _grouped(problems), alarms)


_Warehouse = tuple[str | None, dict[str, int], list[Missing], list[OpenProblem], list[Cells], set[str] | None]


def _of_warehouse(published: Path, chosen: Selection) -> _Warehouse:
    if not published.exists():
        return None, {}, [], [], [], None
    values = {"district": chosen.district, "source": chosen.source, "years": list(chosen.years)}
    try:
        with connect(published) as con:
            built = con.execute("SELECT value FROM meta WHERE key = 'built_at'").fetchone()
            cells = [Cells(*row) for row in _fetch(con, _CELLS, {**values, "grain": _grain(con, values)})]
            missing = [Missing(*row) for row in _fetch(con, _MISSING, values)]
            problems = [OpenProblem(*row) for row in _fetch(con, _PROBLEMS, values)]
            publishers = {str(row[0]) for row in _fetch(con, f"{_CHOSEN} SELECT publisher_id FROM chosen", _known(values, "years"))}
    except duckdb.Error as error:
        raise QueryError(f"{published}: {error}") from error
    coverage: dict[str, int] = {}
    for cell in sorted(cells, key=lambda c: c.state):
        coverage[cell.state] = coverage.get(cell.state, 0) + cell.publishers
    return (str(built[0]) if built else None), coverage, missing, problems, cells, publishers


def _known(values: dict[str, Any], *without: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in without}


def _grain(con: duckdb.DuckDBPyConnection, values: dict[str, Any]) -> str:
    """How fine the matrix is: the districts themselves where they are few, else their prefectures, else their provinces."""
    row = con.execute(
        f"""{_CHOSEN} SELECT count(DISTINCT district_code), count(DISTINCT coalesce(prefecture_code, district_code))
        FROM chosen JOIN district USING (district_code)""",
        _known(values, "years"),
    ).fetchone()
    districts, prefectures = row or (0, 0)
    return "district" if districts <= _ROWS else "prefecture" if prefectures <= _ROWS else "province"


_ROWS = 40


def _fetch(con: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return con.execute(sql, values).fetchall()


def _grouped(problems: list[OpenProblem]) -> list[ProblemGroup]:
    """Open problems by severity and kind, most first."""
    kinds: dict[tuple[str, str], list[OpenProblem]] = {}
    for problem in problems:
        kinds.setdefault((problem.severity, problem.kind), []).append(problem)
    groups = [
        ProblemGroup(severity, kind, len(found), len({p.publisher_id for p in found}), found[0].message)
        for (severity, kind), found in kinds.items()
    ]
    return sorted(groups, key=lambda g: (g.severity, -g.problems, g.kind))


def _of_ledger(ledger: Path, runs: int) -> tuple[list[Run], list[Source]]:
    if not ledger.exists():
        return [], []
    try:
        with closing(sqlite3.connect(f"{ledger.resolve().as_uri()}?mode=ro", uri=True)) as con:
            if not con.execute("SELECT 1 FROM sqlite_master WHERE name = 'visit'").fetchone():
                con.execute(_NO_VISITS)
            last_runs = [Run(*row) for row in con.execute(_RUNS, [runs])]
            rows = con.execute(_SOURCES).fetchall()
    except sqlite3.Error as error:
        raise BuildError(f"ledger {ledger}: {error}") from error
    return last_runs, [Source(p, at, bool(read), found, success, failing, listed) for p, at, read, found, success, failing, listed in rows]
