"""What the published warehouse knows already: which documents are read, and whether there is anything new to publish."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from warehouse.corrections import fingerprint
from warehouse.duck import code_version, create_schema, create_views, quoted, scratch, scripts
from warehouse.mirror import PublisherRow, load_publishers, mirror_ledger
from warehouse.population import fingerprint as population_fingerprint
from warehouse.rereading import remember

# Tables the refreshed state is derived from, and the facts that make a difference to a query.
_CARRIED = ("sighting", "parse", "problem", "report", "report_quality", "report_figures", "publisher", "document")
_FACTS = {
    "sighting": """SELECT s.publisher_id, s.url, s.year, s.role, s.parent_url, s.is_alive, s.is_listed, d.sha256
        FROM {db}.sighting AS s LEFT JOIN {db}.document AS d USING (url)""",
    "crawl problem": "SELECT publisher_id, url, year, kind FROM {db}.problem WHERE origin = 'ledger' AND is_open",
    "source": "SELECT publisher_id, index_read FROM {db}.source_state",
    "publisher": "FROM {db}.publisher",
    # Problems made in the build are not carried, so what only flags a report is left to the parts that bring it.
    "coverage": """SELECT publisher_id, year, CASE WHEN state = 'flagged' THEN 'loaded' ELSE state::VARCHAR END AS state, withdrawn_on
        FROM {db}.coverage_cell""",
}


def known_parses(published: Path) -> dict[tuple[str, str], str]:
    """(publisher_id, sha256) of every document that was read -> version of the reader. Empty without a published file.

    Raises duckdb.Error when the file is no warehouse.
    """
    if not published.exists():
        return {}
    with scratch() as con:
        con.execute(f"ATTACH {quoted(published)} AS published (READ_ONLY)")
        rows = con.execute("SELECT publisher_id, document_sha256, parser_version FROM published.parse").fetchall()
    return {(publisher, sha256): version for publisher, sha256, version in rows}


def needs_publish(
    published: Path,
    parts: Sequence[Path],
    ledger: Path,
    publishers: Sequence[PublisherRow],
    *,
    registry_complete: bool = True,
    corrections: Path | None = None,
    population: Path | None = None,
) -> bool:
    """Whether a build would answer any query differently than the published file, times and run counts aside."""
    return (
        bool(parts)
        or not published.exists()
        or bool(news(published, ledger, publishers, registry_complete=registry_complete, corrections=corrections, population=population))
    )


def news(
    published: Path,
    ledger: Path,
    publishers: Sequence[PublisherRow],
    *,
    registry_complete: bool = True,
    corrections: Path | None = None,
    population: Path | None = None,
) -> list[str]:
    """What changed since the published file was built, parts aside: `code`, `corrections`, `population`, `sighting`, `crawl problem`,
    `source`, `publisher`.

    Raises BuildError when the ledger can't be read, CorrectionError for a malformed entry, duckdb.Error when the published file is no
    warehouse.
    """
    with scratch() as con:
        con.execute(f"ATTACH {quoted(published)} AS published (READ_ONLY)")
        if con.execute("SELECT value FROM published.meta WHERE key = 'code_version'").fetchone() != (code_version(),):
            return ["code"]
        if con.execute("SELECT value FROM published.meta WHERE key = 'corrections'").fetchone() != (fingerprint(corrections),):
            return ["corrections"]
        held = con.execute("SELECT value FROM published.meta WHERE key = 'population_sha256'").fetchone()
        if held != (population_fingerprint(population),):
            return ["population"]
        _refresh(con, ledger, publishers, registry_complete)
        return [name for name, sql in _FACTS.items() if _differ(con, sql)]


def _refresh(con: duckdb.DuckDBPyConnection, ledger: Path, publishers: Sequence[PublisherRow], complete: bool) -> None:
    create_schema(con)
    create_views(con)
    con.execute("INSERT INTO meta VALUES ('built_at', strftime(now() AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S'))")
    con.execute("CREATE TEMP TABLE replaced (publisher_id VARCHAR, document_sha256 VARCHAR, part_no INTEGER)")
    for table in _CARRIED:
        con.execute(f"INSERT INTO {table} BY NAME FROM published.{table}")
    load_publishers(con, publishers, complete)
    remember(con)
    mirror_ledger(con, ledger)
    for step in scripts("steps"):
        con.execute(step)


def _differ(con: duckdb.DuckDBPyConnection, sql: str) -> bool:
    old, new = (sql.format(db=db) for db in ("published", "memory"))
    row = con.execute(f"SELECT EXISTS (FROM ({old}) EXCEPT FROM ({new})) OR EXISTS (FROM ({new}) EXCEPT FROM ({old}))").fetchone()
    return bool(row and row[0])
