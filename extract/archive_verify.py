"""Checking the archive: every record and digest of every file, and that every row of the ledger leads to its bytes."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

from warcio.archiveiterator import ArchiveIterator

from extract.archive import Archive, ArchiveFile
from extract.archive_members import Member, members
from extract.archive_record import DAMAGE, ArchiveError, decode_body, digest_of
from extract.archive_seal import HashingReader
from extract.archive_store import StoreUnreachable

_RUN = re.compile(r"gongkai-(?P<run>\d{8}T\d{6}Z-[0-9a-f]{4})-.+\.warc\.gz")  # see `extract.ledger.new_run_id`

# what the ledger points at; a redirecting address has the place of its target's body
_POINTERS = """
CREATE TEMP TABLE pointer AS
    SELECT archive_file, archive_offset, url, sha256 FROM l.document WHERE archive_file IS NOT NULL
    UNION SELECT archive_file, archive_offset, url, sha256 FROM l.content
"""
_AT = "SELECT url, sha256 FROM pointer WHERE archive_file = ? AND archive_offset = ? ORDER BY url"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: the file, the offset of the record where it is one, its address, why, and how bad it is.

    `damage`: something was lost. `warning`: the tail that a killed run left, a file without a checksum.
    """

    file: str
    offset: int | None
    url: str | None
    reason: str
    severity: Literal["damage", "warning"] = "damage"


@dataclass(slots=True)
class Tally:
    """What was checked: files, bytes, records by type, rows of the ledger (addresses and their bodies)."""

    files: int = 0
    bytes: int = 0
    rows: int = 0
    records: Counter[str] = field(default_factory=Counter)


class Pointer(NamedTuple):
    """What a row of the ledger says lies at a place."""

    url: str
    sha256: str


def run_of(name: str) -> str | None:
    """The run that wrote a file of the archive; None for a file of another kind."""
    found = _RUN.fullmatch(name)
    return found["run"] if found else None


def verify(archive: Archive, ledger: Path, tally: Tally, progress: Callable[[int], None] = lambda _: None) -> Iterator[Finding]:
    """Check the whole archive; findings as they are made. `progress` is called with bytes done.

    One record is in memory at a time; what the ledger points at is in a temporary table on disk. Raises OSError, StoreUnreachable,
    sqlite3.Error where there is no checking at all.
    """
    with closing(_pointers(ledger)) as db:
        runs = {row[0] for row in db.execute("SELECT run_id FROM l.run")}
        found = archive.files()
        sealed = archive.seals()
        tally.rows = db.execute("SELECT count(*) FROM pointer").fetchone()[0]
        for file in found:
            yield from _check_file(archive, db, file, file.name in sealed, runs, tally, progress)
        yield from _missing(db, {f.name for f in found}, sealed)


def _pointers(ledger: Path) -> sqlite3.Connection:
    db = sqlite3.connect("", isolation_level=None, uri=True)
    db.execute("ATTACH ? AS l", (f"{ledger.absolute().as_uri()}?mode=ro",)) if ledger.exists() else _no_ledger(db)
    db.execute(_POINTERS)
    db.execute("CREATE INDEX temp.pointer_place ON pointer (archive_file, archive_offset)")
    return db


def _no_ledger(db: sqlite3.Connection) -> None:
    db.execute("ATTACH ':memory:' AS l")
    db.execute("CREATE TABLE l.run (run_id TEXT)")
    for table in ("document", "content"):
        db.execute(f"CREATE TABLE l.{table} (archive_file TEXT, archive_offset INTEGER, url TEXT, sha256 TEXT)")


def _missing(db: sqlite3.Connection, present: set[str], sealed: set[str]) -> Iterator[Finding]:
    """Files that the ledger points at, or that have a checksum, and are not there."""
    for (name,) in db.execute("SELECT DISTINCT archive_file FROM pointer ORDER BY 1").fetchall():
        if name not in present:
            for offset, url in db.execute("SELECT archive_offset, url FROM pointer WHERE archive_file = ? ORDER BY 1, 2", (name,)):
                yield Finding(name, offset, url, "the file is missing")
            sealed = sealed - {name}
    for name in sorted(sealed - present):
        yield Finding(name, None, None, "the file is missing; its checksum is there")


def _check_file(
    archive: Archive, db: sqlite3.Connection, file: ArchiveFile, sealed: bool, runs: set[str], tally: Tally, progress: Callable[[int], None]
) -> Iterator[Finding]:
    tally.files += 1
    tally.bytes += file.bytes
    if run_of(file.name) not in runs:
        yield Finding(file.name, None, None, "the file is of no run that the ledger knows")
    lost = False
    try:
        with archive.open(file.name, whole=True) as raw:
            stream = HashingReader(raw)
            for finding in _check_records(db, file, stream, tally, progress):
                lost = lost or finding.severity == "damage"
                yield finding
            if not file.in_use:
                yield from _check_seal(archive, file.name, sealed, stream.finish(), lost)
    except (OSError, ArchiveError) as error:
        yield Finding(file.name, None, None, f"the file can't be read: {error}")
        if isinstance(error, StoreUnreachable):
            raise


def _check_records(
    db: sqlite3.Connection, file: ArchiveFile, stream: HashingReader, tally: Tally, progress: Callable[[int], None]
) -> Iterator[Finding]:
    """Findings in the records of a file, then the rows of the ledger that lead to no record of it."""
    starts, done = array("Q"), 0
    for member in members(stream, file.bytes):
        starts.append(member.offset)
        pointers = [Pointer(*row) for row in db.execute(_AT, (file.name, member.offset))]
        yield from _check_member(file, member, pointers, tally)
        progress(stream.hashed - done)
        done = stream.hashed
    for offset, url in db.execute("SELECT archive_offset, url FROM pointer WHERE archive_file = ? ORDER BY 1, 2", (file.name,)):
        at = bisect_left(starts, offset)
        if at == len(starts) or starts[at] != offset:
            yield Finding(file.name, offset, url, "no record begins here")


def _check_member(file: ArchiveFile, member: Member, pointers: list[Pointer], tally: Tally) -> Iterator[Finding]:
    url = pointers[0].url if pointers else None
    if member.damage:
        if member.cut_off and not pointers:
            if not file.in_use:
                yield Finding(file.name, member.offset, None, f"incomplete tail, nothing points at it: {member.damage}", "warning")
        else:
            yield Finding(file.name, member.offset, url, member.damage)
        return
    try:
        kind, address, body = read_member(member.data, body=bool(pointers))
    except (ArchiveError, *DAMAGE) as error:
        yield Finding(file.name, member.offset, url, f"{type(error).__name__}: {error}")
        return
    tally.records[kind] += 1
    yield from (
        Finding(file.name, member.offset, p.url, reason) for p in pointers for reason in _mismatch(kind, address, body, p, pointers)
    )


def read_member(data: bytes, *, body: bool) -> tuple[str, str | None, bytes | None]:
    """Type and address of a record, its digests verified, and with `body` its decoded entity body where it has one.

    Raises ArchiveError or one of DAMAGE.
    """
    record = next(ArchiveIterator(BytesIO(data), check_digests="raise"))
    about, http, kind = record.rec_headers, record.http_headers, record.rec_type
    raw = record.raw_stream.read()
    if about.get_header("WARC-Block-Digest") is None:
        raise ArchiveError("the record has no block digest")
    url = about.get_header("WARC-Target-URI")
    if kind not in ("response", "resource"):
        return kind, url, None
    digest = about.get_header("WARC-Payload-Digest")
    if digest is None or digest_of(raw, digest.partition(":")[0]) != digest:
        raise ArchiveError("the payload digest does not match")
    return kind, url, decode_body(raw, http.get_header("Content-Encoding") if http else None) if body else None


def _mismatch(kind: str, address: str | None, body: bytes | None, pointer: Pointer, all_here: list[Pointer]) -> Iterator[str]:
    """Why a record is not what a row of the ledger says, if it is not."""
    if body is None:
        yield f"the ledger points at a {kind} record, which has no body"
        return
    if pointer.url != address and Pointer(address or "", pointer.sha256) not in all_here:
        yield f"the record is of another address: {address}"
    if (found := hashlib.sha256(body).hexdigest()) != pointer.sha256:
        yield f"other bytes: sha256 is {found}, the ledger has {pointer.sha256}"


def _check_seal(archive: Archive, name: str, sealed: bool, found: tuple[str, int], lost: bool) -> Iterator[Finding]:
    """Whether the file is the one that was finished; a file whose run was killed has no checksum until the next run."""
    seal = archive.seal(name) if sealed else None
    if seal is None:
        reason = "its checksum can't be read" if sealed else "no checksum: the run that wrote it was killed"
        yield Finding(name, None, None, reason, "damage" if sealed else "warning")
        return
    if found != (seal.sha256, seal.bytes):
        where = "" if lost else ", though every record is sound: the change is in bytes that carry nothing"
        yield Finding(name, None, None, f"the file is not as it was finished (checksum){where}")
