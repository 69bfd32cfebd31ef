"""The gzip members of an archive file one by one, straight from its bytes: what is damaged is told, and reading goes on behind it.

warcio takes a member that can't be inflated for the end of the file; checking an archive needs the rest, too.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from extract.archive_seal import Readable

#: RFC 1952 §2.3.1: magic, deflate, no flags, no time; then extra flags and system.
START = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
#: Read at once; what is behind the end of a member is read again with the next, from the buffer of the file.
CHUNK = 1 << 14
#: More than any record of the crawler may take; a damaged member can inflate to anything.
MEMBER_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class Member:
    """One gzip member: where it starts, its inflated bytes, and why they are not to be had.

    `cut_off`: the file ends within it (or holds nothing but zeros from there) and no other member follows.
    """

    offset: int
    data: bytes
    damage: str | None = None
    cut_off: bool = False


def members(file: Readable, size: int) -> Iterator[Member]:
    """All members of a file of `size` bytes; only one is in memory at a time. Raises OSError."""
    offset = 0
    while offset < size:
        member, end = _inflate(file, offset)
        if member.damage is None:
            yield member
            offset = end
            continue
        following = _find_start(file, offset + 1)
        yield Member(offset, b"", member.damage, member.cut_off and following is None)
        if following is None:
            return
        offset = following


def _inflate(file: Readable, offset: int) -> tuple[Member, int]:
    """The member at `offset`, and where it ends."""
    file.seek(offset)
    unpacker, out, taken = zlib.decompressobj(16 + zlib.MAX_WBITS), bytearray(), 0
    try:
        while not unpacker.eof:
            chunk = file.read(CHUNK)
            if not chunk:
                return Member(offset, b"", "the file ends within the record", cut_off=True), offset
            taken += len(chunk)
            out += unpacker.decompress(chunk, MEMBER_LIMIT - len(out) + 1)
            if len(out) > MEMBER_LIMIT:
                return Member(offset, b"", f"inflates to more than {MEMBER_LIMIT} bytes"), offset
    except zlib.error as error:
        return Member(offset, b"", f"not whole: {error}", cut_off=_zeros_only(file, offset)), offset
    return Member(offset, bytes(out)), offset + taken - len(unpacker.unused_data)


def _zeros_only(file: Readable, offset: int) -> bool:
    """Whether only zeros follow: a file system may have grown the file and lost what was written (power failure)."""
    file.seek(offset)
    while chunk := file.read(CHUNK):
        if chunk.strip(b"\0"):
            return False
    return True


def _find_start(file: Readable, offset: int) -> int | None:
    """Where the next record starts: a member that begins with a WARC version line."""
    file.seek(offset)
    window, base = b"", offset
    while chunk := file.read(CHUNK):
        window += chunk
        at = -1
        while (at := window.find(START, at + 1)) >= 0:
            head = window[at : at + 512] if len(window) - at >= 512 else window[at:] + file.read(512)
            if _begins_record(head):
                return base + at
            file.seek(base + len(window))
        keep = len(START) - 1
        base, window = base + max(len(window) - keep, 0), window[-keep:]
    return None


def _begins_record(head: bytes) -> bool:
    try:
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(head, 5) == b"WARC/"
    except zlib.error:
        return False
