"""A ledger of an older version: columns it lacks are added, in the transaction that opens it.

`PRAGMA user_version` counts the versions. A new column of the schema stands last in its table and may be NULL or has a default: rows of
before get that.
"""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing

#: Raised by one whenever an older program could no longer write to the ledger as it should be.
VERSION = 2


class NewerLedgerError(sqlite3.DatabaseError):
    """The ledger was written by a newer version of the program: it is left alone."""


def write_ahead(db: sqlite3.Connection, *, seconds: float) -> None:
    """Set the journal to WAL. SQLite's busy timeout does not hold for this statement where several processes open a new file at once.

    Raises sqlite3.OperationalError where the file stays locked for `seconds`, sqlite3.DatabaseError where it is no database.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(random.uniform(0.001, 0.05))


def refuse_newer(db: sqlite3.Connection) -> None:
    """Raises NewerLedgerError."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        raise NewerLedgerError(
            f"the ledger is of version {found}, this gongkai knows {VERSION}: nothing was changed; install a newer gongkai"
        )


def add_columns(db: sqlite3.Connection, schema: str) -> list[str]:
    """Bring the tables of a ledger to `schema`, whose tables are there; the columns that were added, as `table.column`."""
    added = []
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(schema)
        tables = [name for (name,) in fresh.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        for table in tables:
            held = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
            for _, column, kind, not_null, default, _ in fresh.execute(f"PRAGMA table_info({table})"):
                if column not in held:
                    rule = (" NOT NULL" if not_null else "") + (f" DEFAULT {default}" if default is not None else "")
                    db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}{rule}")
                    added.append(f"{table}.{column}")
    if added or db.execute("PRAGMA user_version").fetchone()[0] < VERSION:
        db.execute(f"PRAGMA user_version = {VERSION}")
    return added
