"""Prefect's database of a new home, copied from one that an earlier new home left: Prefect's migrations take 8 CPU seconds, a copy none.

The copy is taken before anything ran, by SQLite itself, and kept under the user's cache folder by Prefect's version. It is a
shortcut and nothing more: the server still brings whatever it finds up to date, and where the copy is missing or can't be read it makes
the database as always.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

NAME = "prefect.db"


def template() -> Path:
    """Where the database of a new home is kept: $XDG_CACHE_HOME or ~/.cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "gongkai" / f"prefect-{version('prefect')}.db"


def begin(home: Path) -> bool:
    """Give a home without a database a copy of the template; whether the home still has none."""
    if (home / NAME).exists():
        return False
    return not _copied(template(), home / NAME)


def keep(home: Path) -> None:
    """Make the template of the database of a home in which nothing has run yet."""
    kept = template()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    _copied(home / NAME, kept)


def _copied(source: Path, target: Path) -> bool:
    """Whether `target` is now a sound copy of the database `source`; it appears whole or not at all."""
    if not source.exists():
        return False
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(aside)) as new:
            old.backup(new)
            sound = new.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if sound:
            aside.replace(target)
        return sound
    except (OSError, sqlite3.Error):
        return False
    finally:
        aside.unlink(missing_ok=True)
