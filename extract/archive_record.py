"""Records of the archive as data: what goes into one, what comes out of one, and its digests (ISO 28500:2017)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.utils import Digester

GZIP_MAGIC = b"\x1f\x8b"

Headers = list[tuple[str, str]]


class ArchiveError(Exception):
    """A record that is not there, is damaged, or holds no body."""


class BodyTooLarge(ArchiveError):  # noqa: N818
    """A body that unpacks to more than the limit."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An HTTP request as sent."""

    method: str
    headers: Headers
    body: bytes = b""

    def http(self, url: str) -> StatusAndHeaders:
        """Request line and header fields; with the Host field, which the client adds last."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = list(self.headers)
        if header(headers, "Host") is None:
            headers.insert(0, ("Host", parts.netloc.rpartition("@")[2]))
        return StatusAndHeaders(f"{self.method} {target} HTTP/1.1", headers, is_http_request=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as received: header fields and entity body as sent (content-encoding kept, transfer-encoding undone).

    `request` is what was asked, where that is to be kept beside it.
    """

    url: str
    status: int
    headers: Headers
    body: bytes
    at: datetime
    protocol: str = "HTTP/1.1"
    ip: str | None = None
    request: Asked | None = None

    def http(self) -> StatusAndHeaders:
        known = {s.value: s.phrase for s in HTTPStatus}
        return StatusAndHeaders(f"{self.status} {known.get(self.status, '')}".strip(), list(self.headers), protocol=self.protocol)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record read back: its type, address, time, payload digest, HTTP header fields, decoded entity body, and id."""

    kind: str
    url: str
    date: str
    payload_digest: str | None
    headers: Headers
    body: bytes
    record_id: str | None = None


#: What reading a damaged record may raise.
DAMAGE = (ArchiveLoadFailed, EOFError, StopIteration, zlib.error, UnicodeDecodeError, ValueError)


def load_record(file: BinaryIO) -> Stored:
    """The `response` or `resource` record at the position of `file`, its digests verified. Raises ArchiveError or one of DAMAGE."""
    record = next(ArchiveIterator(file, check_digests="raise"))
    if record.rec_type not in ("response", "resource"):
        raise ArchiveError(f"a {record.rec_type} record has no body")
    about, http = record.rec_headers, record.http_headers
    raw = record.raw_stream.read()
    digest = about.get_header("WARC-Payload-Digest")
    # warcio verifies a digest only when it has read the whole record: a cut-off record would pass as a short one
    if not digest or digest_of(raw, digest.partition(":")[0]) != digest:
        raise ArchiveError("payload digest does not match: record cut off or damaged")
    return Stored(
        record.rec_type,
        about.get_header("WARC-Target-URI"),
        about.get_header("WARC-Date"),
        digest,
        list(http.headers) if http else [],
        decode_body(raw, http.get_header("Content-Encoding") if http else None),
        about.get_header("WARC-Record-ID"),
    )


def digest_of(data: bytes, algorithm: str) -> str:
    """A WARC digest: the algorithm's name, a colon, and base 32."""
    digester = Digester(algorithm)
    digester.update(data)
    return str(digester)


def payload_digest(body: bytes) -> str:
    """The WARC-Payload-Digest of a body as sent: `sha1:` and base 32."""
    return digest_of(body, "sha1")


def header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """The first value of a header field, by case-insensitive name."""
    return next((value for key, value in headers if key.lower() == name.lower()), None)


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
