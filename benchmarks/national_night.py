"""The next night of a simulated panel: one report in a hundred was replaced at its address by one with another title and the same figures.

The part lies in `night` beside the parts of the panel. Publishers with a planted error are left alone, so that the same identities fail.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import duckdb

from transform.frames import SCHEMAS

RUN = "r2"
AT = "2026-11-23T18:00:00Z"
_KEYS = {
    "report": f"""REPLACE (
        c.new_id AS report_id, c.new_sha AS document_sha256, f.title || '（更正）' AS title, '{AT}' AS fetched_at
    )""",
    "parse": f"REPLACE (c.new_id AS report_id, c.new_sha AS document_sha256, '{RUN}' AS run_id)",
}
_CHILD = "REPLACE (c.new_id AS report_id)"


def write_night(root: Path, spared: Collection[str], one_in: int = 100) -> tuple[Path, int]:
    """Write the part and bring the ledger of the panel to the next night. `spared` are reports whose publishers keep theirs.

    Returns the part and how many reports it has. A part that is there is kept.
    """
    folder = root / "night"
    if not folder.exists():
        folder.mkdir()
        with duckdb.connect() as con:
            _choose(con, root, spared, one_in)
            for table in SCHEMAS:
                _write(con, root, folder, table)
            addresses = con.execute("SELECT url, new_sha FROM chosen").fetchall()
        _update_ledger(root / "ledger.sqlite", addresses)
    with duckdb.connect() as con:
        [(reports,)] = con.execute("SELECT count(*) FROM read_parquet(?)", [str(folder / "report.parquet")]).fetchall()
    return folder, int(reports)


def _choose(con: duckdb.DuckDBPyConnection, root: Path, spared: Collection[str], one_in: int) -> None:
    con.execute("CREATE TABLE spared AS SELECT unnest(?::VARCHAR[]) AS report_id", [sorted(spared)])
    con.execute(
        f"""CREATE TABLE chosen AS
        WITH told AS (FROM read_parquet('{root}/parts/*/report.parquet') SELECT report_id, publisher_id, year, url, document_sha256)
        SELECT report_id, url, sha256(document_sha256 || '{RUN}') AS new_sha, concat_ws('-', publisher_id, year, new_sha[:8]) AS new_id
        FROM told
        WHERE publisher_id NOT IN (SELECT publisher_id FROM told SEMI JOIN spared USING (report_id))
            AND ('0x' || document_sha256[:8])::BIGINT % {one_in} = 0"""
    )


def _write(con: duckdb.DuckDBPyConnection, root: Path, folder: Path, table: str) -> None:
    rows = f"read_parquet('{root}/parts/*/{table}.parquet')"
    names = [name for name, *_ in con.execute(f"DESCRIBE FROM {rows}").fetchall()]
    if "report_id" in names:
        query = f"SELECT f.* {_KEYS.get(table, _CHILD)} FROM {rows} AS f JOIN chosen AS c USING (report_id)"
    else:
        query = f"SELECT * FROM {rows} LIMIT 0"
    con.execute(f"COPY ({query}) TO '{folder / table}.parquet'")


def _update_ledger(path: Path, addresses: list[tuple[str, str]]) -> None:
    with closing(sqlite3.connect(path)) as con, con:
        con.execute(
            """INSERT INTO run (run_id, started_at, version, command, status, counts)
            VALUES (?, ?, 'simulated', 'run', 'running', ?)""",
            [RUN, AT, json.dumps({})],
        )
        con.executemany(
            "UPDATE document SET sha256 = ?, last_seen = ?, last_checked = ? WHERE url = ?", [(s, AT, AT, u) for u, s in addresses]
        )
        con.executemany(
            "INSERT INTO presence (url, sha256, first_seen, last_seen) VALUES (?, ?, ?, ?)", [(u, s, AT, AT) for u, s in addresses]
        )
