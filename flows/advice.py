"""What to do about an error that ended a command: the disk, its rights, a client that holds the file."""

from __future__ import annotations

import errno
import sqlite3

import duckdb

from extract.home import Home
from warehouse.build import BuildError
from warehouse.query import QueryError

_ROOM = "make room on that disk and run again: what was fetched and read is kept"
_WRITABLE = "make it writable for the user that runs gongkai and run again: what was fetched and read is kept"
_HELD = "a program has that file open for writing: end it, open the warehouse read-only (duckdb -readonly), and run again"

#: SQLite's primary result codes.
_SQLITE = {
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_READONLY: _WRITABLE,
    sqlite3.SQLITE_CANTOPEN: _WRITABLE,
    sqlite3.SQLITE_PERM: _WRITABLE,
    sqlite3.SQLITE_IOERR: "look at the disk (dmesg) and whether there is room on it, and run again",
    sqlite3.SQLITE_NOTADB: "the ledger is damaged: restore it from a backup; the archive and the warehouse are untouched",
    sqlite3.SQLITE_CORRUPT: "the ledger is damaged: restore it from a backup; the archive and the warehouse are untouched",
    sqlite3.SQLITE_BUSY: "another program keeps the ledger locked: end it and run again",
}
_OS = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EROFS: _WRITABLE,
    errno.EACCES: _WRITABLE,
    errno.EPERM: _WRITABLE,
    errno.EIO: "look at the disk (dmesg) and run again",
}
#: What DuckDB says in its message of an error of the system, in small letters.
_SAID = {
    "no space left": _ROOM,
    "file too large": _ROOM,
    "quota exceeded": _ROOM,
    "read-only file system": _WRITABLE,
    "permission denied": _WRITABLE,
    "could not set lock": _HELD,
    "conflicting lock": _HELD,
}


def told(error: BaseException, home: Home) -> str:
    """The error in words and, where it is one of the disk, the file or the home it is about, and a line on what to do."""
    text, advice = str(error) or type(error).__name__, _advice(error)
    place = home.ledger if isinstance(error, sqlite3.Error) else home.root
    if (advice or isinstance(error, sqlite3.Error)) and str(place) not in text:
        text = f"{place}: {text}"
    return f"{text}\n{advice}" if advice else text


def _advice(error: BaseException) -> str | None:
    if isinstance(error, sqlite3.Error):
        return _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(error, BuildError) and error.__cause__ is not None and (found := _advice(error.__cause__)):
        return found
    if isinstance(error, OSError) and error.errno in _OS:
        return _OS[error.errno]
    if isinstance(error, OSError | duckdb.Error | BuildError | QueryError):
        return next((advice for said, advice in _SAID.items() if said in str(error).lower()), None)
    return None
