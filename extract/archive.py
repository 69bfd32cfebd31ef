"""The archive: every response as a WARC 1.1 record, one record per gzip member (ISO 28500:2017); in a folder, or in an object store.

A file of an object store can't be appended to. Records go to a local spool first, HOME/state/spool; whole files are uploaded from there,
and taken away once the store has them. A reader looks in the spool, then asks the store for the record alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import BinaryIO

from extract.archive_members import members
from extract.archive_record import (
    DAMAGE,
    Answer,
    ArchiveError,
    Asked,
    BodyTooLarge,
    Headers,
    Stored,
    decode_body,
    header,
    load_record,
    payload_digest,
)
from extract.archive_seal import SUFFIX, Seal, seal_path, sha256_of, write_seal
from extract.archive_settings import ArchiveSettings
from extract.archive_store import Store, StoreUnreachable
from extract.archive_write import Profile, WarcArchive, ingest_uri
from extract.home import Home

__all__ = [
    "Answer",
    "Archive",
    "ArchiveError",
    "ArchiveFile",
    "ArchiveSettings",
    "Asked",
    "BodyTooLarge",
    "Headers",
    "Profile",
    "StoreUnreachable",
    "Stored",
    "WarcArchive",
    "decode_body",
    "header",
    "ingest_uri",
    "payload_digest",
    "read_body",
    "read_record",
]

_ENDING = ".warc.gz"
_BUFFER = 1 << 18


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of the archive: its name, size in bytes, the folder or store it is in, and whether a run is writing it."""

    name: str
    bytes: int
    where: str
    in_use: bool = False


@dataclass(frozen=True, slots=True)
class Archive:
    """Where records lie: `folders`, the first of which is written to, and the address of an object store.

    Can be pickled; options and secrets of the store are read from the environment where they are needed.
    """

    folders: tuple[Path, ...]
    store: str | None = None
    warc_bytes: int = 1 << 30

    @classmethod
    def of(cls, home: Home, settings: ArchiveSettings | None = None) -> Archive:
        """The archive of a home as the settings have it. What an earlier setting left in the home's own folders is still found.

        Raises pydantic.ValidationError for settings that can't be.
        """
        present = settings or ArchiveSettings()
        if present.archive_store:
            return cls((home.spool, home.archive), present.archive_store, present.warc_bytes)
        own = present.archive_folder or home.archive
        others = tuple(f for f in (home.archive, home.spool) if f != own)
        return cls((own, *others), None, present.warc_bytes)

    def writer(self, run_id: str, worker: str | int, about: Mapping[str, str] | None = None) -> WarcArchive:
        """A writer for one worker of a run; `about` are fields of the warcinfo record (robots, operator …)."""
        return WarcArchive(self.folders[0], run_id, worker, self.warc_bytes, about)

    @contextmanager
    def open(self, name: str, *, whole: bool = False) -> Iterator[BinaryIO]:
        """A file of the archive for reading, `whole` from start to end or for single records.

        Raises FileNotFoundError, PermissionError, StoreUnreachable, ArchiveError for what is no plain name.
        """
        if Path(name).name != name:
            raise ArchiveError(f"not a plain file name: {name!r}")
        for folder in self.folders:
            try:
                file = (folder / name).open("rb", buffering=_BUFFER if whole else -1)
            except FileNotFoundError:
                continue
            with file:
                yield file
            return
        if self.store is None:
            raise FileNotFoundError(f"{name} is in none of {', '.join(map(str, self.folders))}")
        store = Store(self.store)
        yield store.open_whole(name) if whole else store.open(name)

    def files(self) -> list[ArchiveFile]:
        """All WARC files by name. Raises OSError, StoreUnreachable."""
        found = {f.name: f for f in self._all() if f.name.endswith(_ENDING)}
        return [found[name] for name in sorted(found)]

    def seals(self) -> set[str]:
        """Names of the files that have a seal, whether they are there or not. Raises OSError, StoreUnreachable."""
        return {f.name.removesuffix(SUFFIX) for f in self._all() if f.name.endswith(SUFFIX) and not f.name.startswith(".")}

    def _all(self) -> Iterator[ArchiveFile]:
        """Every file, first what is in the store: where a file is in both, the local one comes last and counts."""
        if self.store:
            yield from (ArchiveFile(name, size, self.store) for name, size in Store(self.store).sizes().items())
        for folder in reversed(self.folders):
            if not folder.is_dir():
                continue
            for path in folder.iterdir():
                if path.is_file():
                    yield ArchiveFile(path.name, path.stat().st_size, str(folder), _in_use(path))

    def seal(self, name: str) -> Seal | None:
        """The checksum written when a file was finished; None where it has none, or one that can't be read as one."""
        try:
            with self.open(name + SUFFIX, whole=True) as file:
                return Seal.parse(file.read().decode("ascii", "replace"), name)
        except FileNotFoundError:
            return None

    def ship(self) -> list[str]:
        """Seal what killed runs left, and bring finished files to the store; returns the names of those uploaded.

        A file goes from the spool only when the store has it whole. What fails stays, for the next time. Raises OSError,
        StoreUnreachable at the first file that can't be brought there.
        """
        folder, shipped = self.folders[0], []
        for path in sorted(folder.glob(f"*{_ENDING}")):
            with _claimed(path) as free:
                if free and _finished(path) and self.store:
                    _upload(Store(self.store), path)
                    shipped.append(path.name)
        return shipped


@contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Whether nobody writes or uploads the file; then it is ours until the end of the block."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield False
        return
    with file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield bool(os.fstat(file.fileno()).st_nlink)


def _in_use(path: Path) -> bool:
    if not path.name.endswith(_ENDING):
        return False
    try:
        with path.open("rb") as file:
            flock(file, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return True
    except (FileNotFoundError, PermissionError):
        return False
    return False


def _finished(path: Path) -> bool:
    """Seal a file that its writer left without a seal; a file that was never written to is removed."""
    if seal_path(path).exists():
        return True
    size = path.stat().st_size
    if not size:
        path.unlink()
        return False
    with path.open("rb") as file:
        records = sum(m.damage is None for m in members(file, size))
        file.seek(0)
        write_seal(path, Seal(sha256_of(file)[0], size, records))
    return True


def _upload(store: Store, path: Path) -> None:
    seal = seal_path(path)
    store.put(path)
    store.put(seal)
    path.unlink()
    seal.unlink()


def _where(archive: Archive | Path) -> Archive:
    return Archive((archive,)) if isinstance(archive, Path) else archive


def read_record(archive: Archive | Path, archive_file: str, offset: int) -> Stored:
    """Read a `response` or `resource` record of an archive, or of a plain folder, and verify its digests.

    Raises StoreUnreachable where the store does not answer, else ArchiveError where the file or the record is missing, cut off or
    damaged, or is of another type.
    """
    try:
        with _where(archive).open(archive_file) as file:
            file.seek(offset)
            return load_record(file)
    except StoreUnreachable:
        raise
    except ArchiveError as error:
        raise ArchiveError(f"{archive_file} at {offset}: {error}") from error
    except (OSError, *DAMAGE) as error:
        raise ArchiveError(f"{archive_file} at {offset}: {type(error).__name__}: {error}") from error


def read_body(archive: Archive | Path, archive_file: str, offset: int) -> bytes:
    """The entity body of the record at `offset` of `archive_file`, content-encoding undone. Raises as `read_record` does."""
    return read_record(archive, archive_file, offset).body
