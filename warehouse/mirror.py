"""Tables of the warehouse that are copies: the ledger's, the seeds' and the registry's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
import yaml

from warehouse.duck import SEEDS

_VISIT = "v.publisher_id, v.run_id, v.checked_at, v.index_read, v.listed, v.reports_found, v.years, v.conditional, v.unchanged, v.fetched"
#: A visit that went well: its whole index was read and lists reports; or there is no index, the registry names the reports themselves.
GOOD_VISIT = "((index_read AND listed > 0) OR (NOT index_read AND listed = 0 AND reports_found > 0))"
_LAST = "SELECT run_id FROM visit AS w WHERE w.publisher_id = s.publisher_id"

# Ledger table -> what the warehouse keeps of it (docs/architecture.md, Ledger).
LEDGER_QUERIES = {
    "run": "SELECT run_id, started_at, finished_at, version, command, status, counts FROM run ORDER BY rowid",
    "document": """SELECT url, first_seen, last_seen, last_checked, status, media, sha256, bytes, archive_file, archive_offset
        FROM document""",
    # unlisted_since: the first whole visit after it was last met that read the index and found other reports on it.
    "sighting": """SELECT publisher_id, url, title, year, declared, role, parent_url, published_on, first_seen, last_seen, last_run_id, (
            SELECT v.checked_at FROM visit AS v
            WHERE v.publisher_id = sighting.publisher_id AND v.checked_at >= sighting.last_seen AND v.run_id <> sighting.last_run_id
                AND v.years IS NULL AND v.index_read AND v.listed > 0 AND role = 'page' AND sighting.url NOT LIKE 'urn:%'
            ORDER BY v.checked_at LIMIT 1
        ) AS unlisted_since
        FROM sighting""",
    "source_state": """SELECT publisher_id, last_run_id, checked_at, index_read, reports_found, conditional, unchanged, fetched
        FROM source_state""",
    # The visits of the last 30 runs and, of every source, the last one, the last whole one and the last that found its index in order.
    "visit": f"""SELECT {_VISIT} FROM visit AS v
        WHERE v.run_id IN (SELECT run_id FROM run ORDER BY rowid DESC LIMIT 30)
        UNION SELECT {_VISIT} FROM source_state AS s JOIN visit AS v ON v.publisher_id = s.publisher_id AND v.run_id IN (
            ({_LAST} ORDER BY w.rowid DESC LIMIT 1),
            ({_LAST} AND years IS NULL ORDER BY w.rowid DESC LIMIT 1),
            ({_LAST} AND {GOOD_VISIT} ORDER BY w.rowid DESC LIMIT 1)
        )""",
    "presence": "SELECT id AS presence_no, url, sha256, first_seen, last_seen, gone_at, gone_status FROM presence",
    "problem": "SELECT run_id, stage, publisher_id, url, year, kind, message, severity FROM problem",
}
BATCH = 20_000  # rows of the ledger that are Python objects at once
COUNTS = ("documents_fetched", "documents_parsed", "reports_loaded", "observations_loaded", "problems")

_INSERTS = {
    "run": "SELECT *, " + ", ".join(f"TRY_CAST(counts::JSON ->> '{name}' AS BIGINT) AS {name}" for name in COUNTS) + " FROM incoming",
    "document": "SELECT * FROM incoming",
    "sighting": "SELECT * REPLACE (TRY_CAST(published_on AS DATE) AS published_on) FROM incoming",
    "source_state": "SELECT * FROM incoming",
    "visit": "SELECT * REPLACE (years::JSON::SMALLINT[] AS years) FROM incoming",
    "presence": "SELECT * FROM incoming",
    # Problems of a document come with the part it was read into; one that stands in the ledger only is not lost.
    "problem": """SELECT *, 'ledger' AS origin FROM incoming
        ANTI JOIN (SELECT DISTINCT run_id, kind, url FROM problem WHERE origin = 'document') USING (run_id, kind, url)""",
}


class BuildError(Exception):
    """The warehouse can't be built: a part, the ledger or a seed is not what it should be. The message names it."""


@dataclass(frozen=True, slots=True)
class PublisherRow:
    """A publishing body of the registry. `scope` is None where the registry leaves it to the report."""

    publisher_id: str
    name: str
    district_code: str
    kind: str
    scope: str | None = None


def insert(
    con: duckdb.DuckDBPyConnection, table: str, data: dict[str, list[Any]] | pyarrow.Table, select: str = "SELECT * FROM incoming"
) -> None:
    """Bulk insert of columns into a table, by name, through `select`. Raises duckdb.Error for a value the table refuses."""
    con.register("incoming", data if isinstance(data, pyarrow.Table) else pyarrow.table(data))
    con.execute(f"INSERT INTO {table} BY NAME {select}")
    con.unregister("incoming")


def read_ledger(ledger: Path) -> Iterator[tuple[str, pyarrow.Table]]:
    """The mirrored tables of the ledger, one after the other, from one snapshot. Raises BuildError when it can't be read."""
    try:
        with closing(sqlite3.connect(f"{ledger.resolve().as_uri()}?mode=ro", uri=True)) as con:
            con.execute("BEGIN")
            for table, query in LEDGER_QUERIES.items():
                yield table, _table(con, query)
    except sqlite3.Error as error:
        raise BuildError(f"ledger {ledger}: {error}") from error


def _table(con: sqlite3.Connection, sql: str) -> pyarrow.Table:
    cursor = con.execute(sql)
    names = [column[0] for column in cursor.description]
    batches = [_batch(names, [])]
    while rows := cursor.fetchmany(BATCH):
        batches.append(_batch(names, rows))
    return pyarrow.concat_tables(batches, promote_options="permissive")


def _batch(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pyarrow.Table:
    return pyarrow.table({name: pyarrow.array([row[i] for row in rows]) for i, name in enumerate(names)})


def mirror_ledger(con: duckdb.DuckDBPyConnection, ledger: Path) -> None:
    """Replace the mirrored tables. Raises BuildError, duckdb.Error."""
    for table, data in read_ledger(ledger):
        con.execute(f"DELETE FROM {table}" + (" WHERE origin <> 'document'" if table == "problem" else ""))
        insert(con, table, data, _INSERTS[table])


def load_seeds(con: duckdb.DuckDBPyConnection) -> None:
    """Replace `district` and `indicator`. Raises OSError, duckdb.Error for a file that is missing or malformed, or a missing definition."""
    options = "header = true, all_varchar = true, nullstr = ''"
    con.execute("DELETE FROM district")
    con.execute(f"INSERT INTO district BY NAME SELECT * FROM read_csv(?, {options})", [str(SEEDS / "district.csv")])
    definitions: dict[str, str] = yaml.safe_load((SEEDS / "definitions.yml").read_text("utf-8"))
    con.register("definitions", pyarrow.table({"indicator": [*definitions], "definition": [*definitions.values()]}))
    con.execute("DELETE FROM indicator")
    con.execute(
        f"""INSERT INTO indicator BY NAME
        SELECT * REPLACE (
            format_2014 IS NOT NULL AS format_2014, format_2019 IS NOT NULL AS format_2019, format_2021 IS NOT NULL AS format_2021
        )
        FROM read_csv(?, {options}) LEFT JOIN definitions USING (indicator)""",
        [str(SEEDS / "indicators.csv")],
    )
    con.unregister("definitions")
    for table in ("break_flag", "crosswalk", "district_name", "district_succession"):
        con.execute(f"DELETE FROM {table}")
        con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM read_csv(?, {options})", [str(SEEDS / f"{table}.csv")])


def load_publishers(con: duckdb.DuckDBPyConnection, publishers: Sequence[PublisherRow], complete: bool) -> None:
    """Insert or replace publishers. With `complete`, one that left the registry goes, unless there are reports of it."""
    names = ("publisher_id", "name", "district_code", "kind", "scope")
    data = {name: [asdict(row)[name] for row in publishers] for name in names}
    con.register("registry", pyarrow.table({name: pyarrow.array(values, pyarrow.string()) for name, values in data.items()}))
    con.execute("DELETE FROM publisher WHERE publisher_id IN (SELECT publisher_id FROM registry)")
    if complete:
        con.execute("DELETE FROM publisher WHERE publisher_id NOT IN (SELECT publisher_id FROM report)")
    con.execute("INSERT INTO publisher BY NAME SELECT * FROM registry")
    con.unregister("registry")
