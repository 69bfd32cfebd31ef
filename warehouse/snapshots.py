"""Published files: each lies in snapshots/RUN/, and the published name is a symbolic link to one of them.

DuckDB opens a file three times by its path. It resolves a link first and once, so that a reader never gets the parts of two files while
one takes the other's place. Where a file system has no symbolic links the published name is a second name of the file, or a copy.
What gates refused lies in refused/.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.duck import quoted, scratch

log = logging.getLogger("gongkai")

#: Refused builds that are kept for inspection.
REFUSED = 2

# The file system has no links, or no more of them for this file.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


class SnapshotError(Exception):
    """There is no such snapshot, or it is no warehouse. The message says which there are."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How many snapshots are kept, besides the published file itself, and how many bytes they may take (None: any).

    The one published before always stays: a reader may be opening it.
    """

    number: int = 7
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file that is or was published. `built_at` is UTC, `bytes` its size, of which nothing is used twice where it is published too."""

    run_id: str
    built_at: str
    reports: int
    observations: int
    bytes: int
    path: Path
    is_published: bool


def folder(published: Path) -> Path:
    """Where the snapshots of a published file lie."""
    return published.parent / "snapshots"


def show(built: Path, published: Path, run_id: str) -> Path:
    """Move a built file to its place among the snapshots and publish it; its path there.

    Raises OSError where the disk refuses: the published file is then what it was, and the built file is gone.
    """
    snapshot = _place(published, run_id)
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    built.replace(snapshot)
    try:
        sync(snapshot.parent)
        _point(published, snapshot)
    except OSError:
        if not (published.exists() and published.samefile(snapshot)):
            _remove(snapshot)
        raise
    return snapshot


def keep(published: Path) -> Path:
    """The snapshot that the published file is, made where it lies alone (an older version of the program put it there); its path.

    Raises OSError, SnapshotError.
    """
    if (real := published.resolve()).parent.parent == folder(published).resolve():
        return real
    snapshot = _place(published, _facts(published)["run_id"])
    if snapshot.exists() and snapshot.stat().st_size == published.stat().st_size and _same_build(snapshot, published):
        return snapshot
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    aside = snapshot.with_name(f".{snapshot.name}")
    aside.unlink(missing_ok=True)
    try:
        _link(published, aside)
        aside.replace(snapshot)
    finally:
        aside.unlink(missing_ok=True)
    sync(snapshot.parent)
    return snapshot


def prune(published: Path, limit: Keep) -> list[Path]:
    """Remove the oldest snapshots beyond the limits, and what a killed run left half-copied; the removed ones. Raises OSError."""
    for stale in [*folder(published).glob(".*"), *folder(published).glob("*/.*")]:
        stale.unlink()
    removed, size = [], 0
    for n, path in enumerate(p for p in _newest_first(published) if not p.samefile(published)):
        size += path.stat().st_size
        if n > 0 and (n >= limit.number or (limit.max_bytes is not None and size > limit.max_bytes)):
            _remove(path)
            removed.append(path)
    return removed


def snapshots(published: Path) -> list[Snapshot]:
    """The published file and what is kept, newest build first. Raises SnapshotError for a file that is no warehouse."""
    now = published.stat().st_ino if published.exists() else None
    found = [_snapshot(path, path.stat().st_ino == now) for path in _newest_first(published)]
    if now is not None and not any(s.is_published for s in found):
        alone = _snapshot(published, True)
        found = [s for s in found if (s.run_id, s.built_at) != (alone.run_id, alone.built_at)] + [alone]
    return sorted(found, key=lambda s: (s.built_at, s.run_id), reverse=True)


def restore(published: Path, run_id: str | None = None) -> tuple[Snapshot | None, Snapshot]:
    """Publish a snapshot again: that of a run, or the newest that was built before the published file. Readers keep what they opened.

    Returns what was published before, which is kept as a snapshot, and what is published now. Raises SnapshotError where there is
    nothing to go back to, OSError where the disk refuses: the published file is then what it was.
    """
    found = snapshots(published)
    before = next((s for s in found if s.is_published), None)
    chosen = _choose(found, before, run_id)
    if before is not None:
        keep(published)
    _point(published, chosen.path)
    return before, chosen


def refuse(built: Path, published: Path, run_id: str) -> Path:
    """Put a build that gates refused aside for inspection, and remove all but the last ones; where it lies now. Raises OSError."""
    place = published.parent / "refused"
    place.mkdir(exist_ok=True)
    refused = place / f"{run_id}.duckdb"
    built.replace(refused)
    for old in sorted(place.glob("*.duckdb"), key=_age)[:-REFUSED]:
        old.unlink()
    return refused


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _place(published: Path, run_id: str) -> Path:
    """Where the file of a run lies. It is named as the published one: DuckDB names the database after it."""
    return folder(published) / run_id / published.name


def _point(published: Path, snapshot: Path) -> None:
    """Let the published name lead to a snapshot, in one step."""
    aside = published.parent / f".build-link-{os.getpid()}.duckdb"
    aside.unlink(missing_ok=True)
    try:
        try:
            aside.symlink_to(snapshot.relative_to(published.parent))
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _link(snapshot, aside)
        aside.replace(published)
    finally:
        aside.unlink(missing_ok=True)
    sync(published.parent)


def _remove(snapshot: Path) -> None:
    snapshot.unlink()
    if snapshot.parent.name != "snapshots":
        snapshot.parent.rmdir()


def _choose(found: list[Snapshot], before: Snapshot | None, run_id: str | None) -> Snapshot:
    if run_id is None:
        older = [s for s in found if before is None or (s.built_at, s.run_id) < (before.built_at, before.run_id)]
        if not older:
            raise SnapshotError("there is no snapshot older than the published file")
        return older[0]
    chosen = next((s for s in found if s.run_id == run_id), None)
    if chosen is None:
        raise SnapshotError(f"there is no snapshot of run {run_id}; there are: {', '.join(s.run_id for s in found) or 'none'}")
    if chosen.is_published:
        raise SnapshotError(f"run {run_id} is what is published now")
    return chosen


def _newest_first(published: Path) -> list[Path]:
    """The snapshots. Those of older versions of the program are files of snapshots/ itself."""
    found = [*folder(published).glob(f"[!.]*/{published.name}"), *folder(published).glob("[!.]*.duckdb")]
    return sorted(found, key=_age, reverse=True)


def _age(path: Path) -> tuple[int, str]:
    """When the file was last written; further names and copies of it keep that time."""
    return path.stat().st_mtime_ns, path.name


def _snapshot(path: Path, is_published: bool) -> Snapshot:
    facts = _facts(path)
    counts = int(facts["reports"]), int(facts["observations"])
    return Snapshot(facts["run_id"], facts["built_at"], *counts, path.stat().st_size, path, is_published)


def _facts(path: Path) -> dict[str, str]:
    try:
        with scratch() as con:
            con.execute(f"ATTACH {quoted(path)} AS file (READ_ONLY)")
            facts = dict(con.execute("SELECT key, value FROM file.meta").fetchall())
            for name in ("report", "observation"):
                facts[f"{name}s"] = str(con.execute(f"SELECT count(*) FROM file.{name}").fetchall()[0][0])
    except duckdb.Error as error:
        raise SnapshotError(f"{path} is no warehouse: {error}") from error
    return {"run_id": "unknown", "built_at": "", **facts}


def _same_build(one: Path, other: Path) -> bool:
    return one.samefile(other) or _facts(one) == _facts(other)


def _link(source: Path, target: Path) -> None:
    """A second name for the file; where the file system has none, a copy, which shares its blocks where the file system can."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _copy(source, target)
        shutil.copystat(source, target)
        sync(target)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("wb") as new:
        for size in _copied(old.fileno(), new.fileno()):
            if size == 0:
                return


def _copied(old: int, new: int) -> Iterator[int]:
    while True:
        yield os.copy_file_range(old, new, 1 << 30)
