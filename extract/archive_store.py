"""An object store behind fsspec: records read by range requests, whole files uploaded and compared."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec

from extract.archive_record import ArchiveError
from extract.archive_seal import sha256_of
from extract.archive_settings import ArchiveSettings

try:
    from botocore.exceptions import BotoCoreError, ClientError

    #: What a file system raises when the store does not answer, or not as it should.
    STORE_ERRORS: tuple[type[Exception], ...] = (OSError, BotoCoreError, ClientError, ValueError, TypeError)
except ImportError:  # without the extra s3
    STORE_ERRORS = (OSError, ValueError, TypeError)

#: Bytes of one range request, and how many such blocks of a file are kept: neighbouring records cost one request.
BLOCK, BLOCKS = 1 << 20, 16
#: Seconds for which a store that did not answer is not asked again by this process.
PAUSE = 60.0
#: s3fs uploads in parts of this size from twice that on; the ETag of an object in parts is made of theirs.
PART = 50 * 1024 * 1024

_S3 = {"config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 2}}}
_down: dict[str, tuple[float, str]] = {}


class StoreUnreachable(ArchiveError):  # noqa: N818
    """The object store does not answer, refuses the credentials, or has no such bucket: the record may well be there."""


class NotInStoreError(FileNotFoundError):
    """The store answers, and has no such file."""


@contextmanager
def _asking(store: str) -> Iterator[None]:
    """Turns what a file system raises into StoreUnreachable, and spares a store that did not answer for PAUSE seconds."""
    until, reason = _down.get(store, (0.0, ""))
    if time.monotonic() < until:
        raise StoreUnreachable(reason)
    try:
        yield
    except NotInStoreError:
        raise
    except STORE_ERRORS as error:
        text = f"{store}: {type(error).__name__}: {_without_secrets(' '.join(str(error).split()))}"[:400]
        _down[store] = (time.monotonic() + PAUSE, text)
        raise StoreUnreachable(text) from None  # the cause may carry the request with its credentials


def _without_secrets(text: str) -> str:
    for secret in _secrets(ArchiveSettings().store_options()):
        text = text.replace(secret, "***")
    return text


def _secrets(options: dict[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _secrets(value)
        elif isinstance(value, str) and len(value) > 3 and any(w in name.lower() for w in ("key", "secret", "token", "password")):
            yield value


class Store:
    """The files under one address of an object store. Methods raise StoreUnreachable."""

    def __init__(self, address: str) -> None:
        self.address = address

    def _fs(self) -> tuple[Any, str]:
        """The file system and the prefix in it; fsspec keeps one instance a process and thread."""
        options: dict[str, Any] = {"use_listings_cache": False}
        if self.address.startswith(("s3://", "s3a://")):
            options |= _S3
        fs, prefix = fsspec.core.url_to_fs(self.address, **(options | ArchiveSettings().store_options()))
        return fs, str(prefix).rstrip("/")

    def sizes(self) -> dict[str, int]:
        """Names and sizes of all files."""
        with _asking(self.address):
            fs, prefix = self._fs()
            try:
                found = fs.ls(prefix, detail=True)
            except FileNotFoundError:
                return {}
            return {Path(f["name"]).name: int(f["size"]) for f in found if f["type"] == "file"}

    def open(self, name: str) -> BinaryIO:
        """A file for reading records here and there. Raises FileNotFoundError where the store has none of this name."""
        handle = _handle(self.address, name, os.getpid(), threading.get_ident())
        handle.seek(0)
        return cast(BinaryIO, handle)

    def open_whole(self, name: str) -> BinaryIO:
        """A file for reading from start to end. Raises FileNotFoundError."""
        remote = _Remote(self.address, self._opened(name, {"cache_type": "readahead", "block_size": 8 * BLOCK}))
        return io.BufferedReader(remote, BLOCK)

    def _opened(self, name: str, how: dict[str, Any]) -> Any:
        with _asking(self.address):
            fs, prefix = self._fs()
            try:
                return fs.open(f"{prefix}/{name}", "rb", **how)
            except FileNotFoundError:
                raise NotInStoreError(f"{name} is not in {self.address}") from None

    def put(self, path: Path) -> None:
        """Upload a file under its name, and compare. One that is there whole is left; one that is there with other bytes is an error."""
        size = path.stat().st_size
        with _asking(self.address):
            fs, prefix = self._fs()
            remote = f"{prefix}/{path.name}"
            there = _info(fs, remote)
            if there is None or int(there["size"]) < size:
                fs.put_file(str(path), remote)
                there = fs.info(remote)
            if int(there["size"]) != size or not _same(fs, remote, there, path):
                raise OSError(f"{path.name}: what is in the store is not what was sent")


def _info(fs: Any, remote: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = fs.info(remote)
    except FileNotFoundError:
        return None
    return found


def _same(fs: Any, remote: str, info: dict[str, Any], path: Path) -> bool:
    """Whether the object's ETag is the file's MD5 (S3, unless encrypted with KMS); else whether it reads back as the file."""
    if str(info.get("ETag", "")).strip('"') in _etags(path):
        return True
    with fs.open(remote, "rb") as there, path.open("rb") as here:
        return sha256_of(there) == sha256_of(here)


def _etags(path: Path) -> tuple[str, str]:
    """The ETags S3 gives this file: of one upload, and of an upload in parts of PART bytes."""
    whole, parts = hashlib.md5(usedforsecurity=False), []
    with path.open("rb") as file:
        while part := file.read(PART):
            whole.update(part)
            parts.append(hashlib.md5(part, usedforsecurity=False).digest())
    return whole.hexdigest(), f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"


class _Remote(io.RawIOBase):
    """A file of a store whose errors are StoreUnreachable."""

    def __init__(self, store: str, file: Any) -> None:
        self._store, self._file = store, file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        with _asking(self._store):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@lru_cache(maxsize=8)
def _handle(store: str, name: str, _pid: int, _thread: int) -> _Remote:
    """An open file with its read blocks. Files in the store never change; a process and a thread have handles of their own."""
    how = {"cache_type": "blockcache", "block_size": BLOCK, "cache_options": {"maxblocks": BLOCKS}}
    return _Remote(store, Store(store)._opened(name, how))
