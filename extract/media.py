"""The media type of a document from its bytes, never from its name or header."""

from __future__ import annotations

import json
import re
import zipfile
from io import BytesIO
from typing import Literal

Media = Literal["pdf", "html", "docx", "doc", "rtf", "mht", "zip", "image", "xml", "json", "text", "empty", "unknown"]

HEAD = 4096
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
IMAGE = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*", b"MM\x00+")
HTML = re.compile(r"<\s*(!doctype\s+html|html|head|body|title|meta|table|div|script|p|span|font|center|h[1-6])[\s>/]", re.I)
#: The first line of a message (RFC 5322) that a page was saved as.
MESSAGE = re.compile(r"(?:from|subject|date|mime-version|content-[a-z-]+|snapshot-[a-z-]+|x-[a-z-]+):", re.I)
WEB_PART = re.compile(r"^content-type:\s*(?:multipart/related|multipart/alternative|text/html)", re.I | re.M)
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def sniff(body: bytes) -> Media:
    """The media type of a body.

    `docx` is a zip with a Word document, `doc` any OLE2 file but a workbook (also WPS Writer's, and encrypted Office
    files), `rtf` Rich Text, `mht` a page saved as one MIME message, `zip` every other zip (xlsx, OFD, plain), `html` also an XHTML
    page or a fragment, `text` what decodes without control characters.
    """
    if not body:
        return "empty"
    return _binary(body) or _textual(body)


def _binary(body: bytes) -> Media | None:
    # ISO 32000-1 annex H.3.4.1: readers accept the header anywhere in the first 1024 bytes
    if b"%PDF-" in body[:1024] and body.lstrip()[:1] != b"<":
        return "pdf"
    if body.startswith(ZIP):
        return "docx" if _holds_word(body) else "zip"
    if body.startswith(OLE2):
        return "unknown" if _is_workbook(body) else "doc"
    if body.startswith(IMAGE) or _is_bmp(body) or _is_webp(body):
        return "image"
    return None


def _holds_word(body: bytes) -> bool:
    """Whether the zip has word/document.xml; in a damaged one, whether a local header names it."""
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            return "word/document.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return b"word/document.xml" in body


def _is_workbook(body: bytes) -> bool:
    """Streams are named in UTF-16 in the directory of an OLE2 file ([MS-CFB] 2.6.1)."""
    names = {name: name.encode("utf-16-le") + b"\x00\x00" in body for name in ("WordDocument", "Workbook", "Book")}
    return not names["WordDocument"] and (names["Workbook"] or names["Book"])


def _is_bmp(body: bytes) -> bool:
    return body[:2] == b"BM" and len(body) > 26 and body[6:10] == b"\x00\x00\x00\x00"


def _is_webp(body: bytes) -> bool:
    return body[:4] == b"RIFF" and body[8:12] == b"WEBP"


def _textual(body: bytes) -> Media:
    head = _decode(body[:HEAD])
    if head is None or CONTROL.search(head):
        return "unknown"
    start = head.lstrip("\ufeff \t\r\n\f")
    if not start:
        return "text"
    if start[0] in "{[" and _is_json(body):
        return "json"
    if start.startswith("{\\rtf"):
        return "rtf"
    if MESSAGE.match(start) and WEB_PART.search(start):
        return "mht"
    if HTML.search(start):
        return "html"
    return "xml" if start.startswith("<?xml") else "text"


def _decode(head: bytes) -> str | None:
    """The head as text: by its byte order mark, else as UTF-8, else as GB18030; None where it is neither.

    A character cut at the end of the head is dropped.
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):
            try:
                return head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
    return None


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
