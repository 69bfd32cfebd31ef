"""What lies beside a finished file of the archive: its checksum, as `sha256sum -c` reads it, with its records and bytes as a comment."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

SUFFIX = ".sha256"
_TEXT = re.compile(r"# records=(?P<records>\d+) bytes=(?P<bytes>\d+)\n(?P<sha256>[0-9a-f]{64})  (?P<name>\S+)\n")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Seal:
    """A finished file: sha256 and size of the file as it lies on disk, and how many records it has."""

    sha256: str
    bytes: int
    records: int

    def text(self, name: str) -> str:
        return f"# records={self.records} bytes={self.bytes}\n{self.sha256}  {name}\n"

    @classmethod
    def parse(cls, text: str, name: str) -> Seal | None:
        """The seal of the file `name`; None where the text is none."""
        found = _TEXT.fullmatch(text)
        if found is None or found["name"] != name:
            return None
        return cls(found["sha256"], int(found["bytes"]), int(found["records"]))


def seal_path(path: Path) -> Path:
    """Where the seal of a file lies."""
    return path.with_name(path.name + SUFFIX)


def write_seal(path: Path, seal: Seal) -> None:
    """Write the seal of a file, whole or not at all, durably. Raises OSError."""
    aside = path.with_name(f".{path.name}{SUFFIX}")
    with aside.open("w", encoding="ascii") as file:
        file.write(seal.text(path.name))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(seal_path(path))
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a new or renamed entry of a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Readable(Protocol):
    """What a stream must do to be read here."""

    def seek(self, offset: int, whence: int = ..., /) -> int: ...

    def read(self, size: int = ..., /) -> bytes: ...


class HashingReader:
    """Reads a seekable stream and hashes it on the way, every byte once, in order. Reading must leave no gaps."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.hashed = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        start = self._file.tell()
        data = self._file.read(size)
        if start <= self.hashed < start + len(data):
            self._hash.update(data[self.hashed - start :])
            self.hashed = start + len(data)
        return data

    def finish(self) -> tuple[str, int]:
        """sha256 and size of the whole stream, what was not read yet included."""
        self.seek(self.hashed)
        while self.read(_CHUNK):
            pass
        return self._hash.hexdigest(), self.hashed


def sha256_of(file: Readable) -> tuple[str, int]:
    """sha256 and length of what is left of a stream."""
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
