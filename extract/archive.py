"""The archive: every response as a WARC 1.1 record, one record per gzip member (ISO 28500:2017), through warcio."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self
from urllib.parse import quote

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.utils import Digester
from warcio.warcwriter import WARCWriter

from extract.ledger import Place, utc_text

SIZE_LIMIT = 1 << 30
GZIP_MAGIC = b"\x1f\x8b"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

Headers = list[tuple[str, str]]
Profile = Literal["identical-payload-digest", "server-not-modified"]


class ArchiveError(Exception):
    """A record that is not there, is damaged, or holds no body."""


class BodyTooLarge(ArchiveError):  # noqa: N818
    """A body that unpacks to more than the limit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as received: header fields and entity body as sent (content-encoding kept, transfer-encoding undone)."""

    url: str
    status: int
    headers: Headers
    body: bytes
    at: datetime
    protocol: str = "HTTP/1.1"
    ip: str | None = None

    def http(self) -> StatusAndHeaders:
        known = {s.value: s.phrase for s in HTTPStatus}
        return StatusAndHeaders(f"{self.status} {known.get(self.status, '')}".strip(), list(self.headers), protocol=self.protocol)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record read back: its type, address, time, payload digest, HTTP header fields, and decoded entity body."""

    kind: str
    url: str
    date: str
    payload_digest: str | None
    headers: Headers
    body: bytes


def ingest_uri(sha256: str, name: str) -> str:
    """The target URI of a local file: `urn:gongkai:ingest:<sha256>/<quoted name>`; the plain name only, no path of the machine."""
    return f"urn:gongkai:ingest:{sha256}/{quote(Path(name).name, safe='')}"


class WarcArchive:
    """Writes the records of one worker of one run, to files of its own in `folder`.

    A file is begun with the first record, with a warcinfo record first, and followed by the next when it has reached `size_limit`.
    When a write method returns, the record is on disk (fsync); a ledger row may point at it. A record that can't be written whole
    (disk full) is cut off again and the OSError passed on. A context manager.
    """

    def __init__(self, folder: Path, run_id: str, worker: str | int, size_limit: int = SIZE_LIMIT) -> None:
        self._folder = folder
        self._stem = f"gongkai-{run_id}-{worker}"
        self._size_limit = size_limit
        self._file: BinaryIO | None = None
        self._name = ""
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def write_response(self, answer: Answer) -> Place:
        """Write a `response` record; returns where it starts."""
        writer, out = self._writer()
        body, size = BytesIO(answer.body), len(answer.body)
        record = writer.create_warc_record(
            answer.url, "response", payload=body, length=size, http_headers=answer.http(), warc_headers_dict=_about(answer)
        )
        return self._append(writer, out, record)

    def write_revisit(self, answer: Answer, original: Stored, profile: Profile) -> Place:
        """Write a `revisit` record: the answer's header fields, and a reference to the record that holds the body."""
        writer, out = self._writer()
        record = writer.create_revisit_record(
            answer.url,
            original.payload_digest,
            original.url,
            original.date,
            http_headers=answer.http(),
            warc_headers_dict=_about(answer),
        )
        if profile == "server-not-modified":
            record.rec_headers.replace_header("WARC-Profile", NOT_MODIFIED)
        return self._append(writer, out, record)

    def write_local_file(self, path: Path, at: datetime) -> tuple[str, str, Place]:
        """Write a local file as a `resource` record; returns its URI (see `ingest_uri`), sha256 and place. Raises OSError."""
        body = path.read_bytes()
        sha256 = hashlib.sha256(body).hexdigest()
        uri = ingest_uri(sha256, path.name)
        writer, out = self._writer()
        record = writer.create_warc_record(
            uri,
            "resource",
            payload=BytesIO(body),
            length=len(body),
            warc_content_type="application/octet-stream",
            warc_headers_dict={"WARC-Date": utc_text(at)},
        )
        return uri, sha256, self._append(writer, out, record)

    @staticmethod
    def _writer() -> tuple[WARCWriter, BytesIO]:
        out = BytesIO()
        return WARCWriter(out, gzip=True, warc_version="1.1"), out

    def _append(self, writer: WARCWriter, out: BytesIO, record: ArcWarcRecord) -> Place:
        writer.write_record(record)
        file = self._open_file()
        return Place(self._name, _append_durably(file, out.getbuffer()))

    def _open_file(self) -> BinaryIO:
        if self._file is not None and self._file.tell() >= self._size_limit:
            self.close()
        if self._file is None:
            self._file = self._begin_file()
        return self._file

    def _begin_file(self) -> BinaryIO:
        """The next file whose name is free: a task that is tried again must not write into the file of the try that died."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            self._name = f"{self._stem}-{self._next:05d}.warc.gz"
            self._next += 1
            try:
                file = (self._folder / self._name).open("xb", buffering=0)
            except FileExistsError:
                continue
            writer, out = self._writer()
            info = {"software": "gongkai (warcio)", "format": "WARC File Format 1.1", "conformsTo": "ISO 28500:2017"}
            writer.write_record(writer.create_warcinfo_record(self._name, info))
            _append_durably(file, out.getbuffer())
            _sync_folder(self._folder)
            return file


def _about(answer: Answer) -> Mapping[str, str]:
    about = {"WARC-Date": utc_text(answer.at)}
    if answer.ip:
        about["WARC-IP-Address"] = answer.ip
    return about


def _append_durably(file: BinaryIO, data: memoryview) -> int:
    start = file.seek(0, os.SEEK_END)
    try:
        while data:
            data = data[file.write(data) :]
        os.fsync(file.fileno())
    except OSError:
        file.truncate(start)
        raise
    return start


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def decode_body(body: bytes, content_encoding: str | None, limit: int | None = None) -> bytes:
    """The body with its content-encoding (gzip, deflate) undone; as it is where the encoding is another or was not really applied.

    Raises BodyTooLarge above `limit` bytes, ArchiveError where the packed body is cut off or damaged.
    """
    for coding in reversed([c.strip().lower() for c in (content_encoding or "").split(",")]):
        if coding in ("gzip", "x-gzip") and body.startswith(GZIP_MAGIC):
            body = _unpack(body, 16 + zlib.MAX_WBITS, limit)
        elif coding == "deflate" and body:
            body = _unpack(body, zlib.MAX_WBITS if _has_zlib_header(body) else -zlib.MAX_WBITS, limit)
    return body


def _has_zlib_header(body: bytes) -> bool:
    """RFC 1950 §2.2; some servers send raw RFC 1951 data under the name deflate."""
    return len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0


def _unpack(body: bytes, window_bits: int, limit: int | None) -> bytes:
    out = bytearray()
    while body:
        unpacker = zlib.decompressobj(window_bits)
        try:
            out += unpacker.decompress(body, 0 if limit is None else limit - len(out) + 1)
        except zlib.error as error:
            raise ArchiveError(f"content-encoding: {error}") from error
        if limit is not None and len(out) > limit:
            raise BodyTooLarge(f"unpacks to more than {limit} bytes")
        if not unpacker.eof:
            raise ArchiveError("content-encoding: packed body is cut off")
        body = unpacker.unused_data if unpacker.unused_data.startswith(GZIP_MAGIC) else b""
    return bytes(out)


def read_record(folder: Path, archive_file: str, offset: int) -> Stored:
    """Read a `response` or `resource` record and verify its digests.

    Raises ArchiveError where the file or the record is missing, cut off or damaged, or is of another type.
    """
    if Path(archive_file).name != archive_file:
        raise ArchiveError(f"not a plain file name: {archive_file!r}")
    try:
        with (folder / archive_file).open("rb") as file:
            file.seek(offset)
            return _load(file)
    except (OSError, ArchiveLoadFailed, EOFError, StopIteration, zlib.error, UnicodeDecodeError, ValueError) as error:
        raise ArchiveError(f"{archive_file} at {offset}: {type(error).__name__}: {error}") from error
    except ArchiveError as error:
        raise ArchiveError(f"{archive_file} at {offset}: {error}") from error


def _load(file: BinaryIO) -> Stored:
    record = next(ArchiveIterator(file, check_digests="raise"))
    if record.rec_type not in ("response", "resource"):
        raise ArchiveError(f"a {record.rec_type} record has no body")
    about, http = record.rec_headers, record.http_headers
    raw = record.raw_stream.read()
    digest = about.get_header("WARC-Payload-Digest")
    # warcio verifies a digest only when it has read the whole record: a cut-off record would pass as a short one
    if not digest or _digest(raw, digest.partition(":")[0]) != digest:
        raise ArchiveError("payload digest does not match: record cut off or damaged")
    return Stored(
        record.rec_type,
        about.get_header("WARC-Target-URI"),
        about.get_header("WARC-Date"),
        digest,
        list(http.headers) if http else [],
        decode_body(raw, http.get_header("Content-Encoding") if http else None),
    )


def _digest(data: bytes, algorithm: str) -> str:
    digester = Digester(algorithm)
    digester.update(data)
    return str(digester)


def payload_digest(body: bytes) -> str:
    """The WARC-Payload-Digest of a body as sent: `sha1:` and base 32."""
    return _digest(body, "sha1")


def read_body(folder: Path, archive_file: str, offset: int) -> bytes:
    """The entity body of the record at `offset` of `archive_file`, content-encoding undone. Raises as `read_record` does."""
    return read_record(folder, archive_file, offset).body


def header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """The first value of a header field, by case-insensitive name."""
    return next((value for key, value in headers if key.lower() == name.lower()), None)
