"""From the bytes of one document to its text and grids, whatever its medium."""

from __future__ import annotations

from extract.docx import DocxError, read_docx
from extract.grid import Document
from extract.html import read_html
from extract.join import join_pages
from extract.media import sniff
from extract.office import OfficeError, read_mht, read_office
from extract.pdf import PdfError, read_pdf
from extract.problem import Problem


def read_document(data: bytes, expected: str | None = None) -> Document:
    """Read a document by what its bytes are.

    `expected` is the media its name or server promised: a difference is a `wrong_media` warning. A document that can't be read comes back
    without blocks and with a problem that says why; nothing is raised for bad bytes.
    """
    media = sniff(data)
    document = _read(data, media)
    if expected and media != expected and media not in ("empty", "unknown"):
        message = f"promised as {expected}, but its bytes are {media}"
        document.problems.insert(0, Problem("extract", "wrong_media", message, severity="warning"))
    return document


def _read(data: bytes, media: str) -> Document:
    try:
        match media:
            case "html":
                return read_html(data)
            case "pdf":
                return join_pages(read_pdf(data))
            case "docx":
                return read_docx(data)
            case "doc" | "rtf":
                return read_office(data, media)
            case "mht":
                return read_mht(data)
            case "empty":
                return _failed(media, "empty_document", "zero bytes")
            case "image":
                return _failed(media, "needs_ocr", "a picture; scans are not read yet")
            case _:
                start = data[:24].decode("latin-1").encode("ascii", "backslashreplace").decode()
                return _failed(media, "wrong_media", f"no reader for media {media!r}; it starts with {start!r}")
    except (PdfError, OfficeError) as error:
        return _failed(media, error.kind, str(error))
    except (DocxError, ValueError) as error:
        return _failed(media, "broken_document", str(error))


def _failed(media: str, kind: str, message: str) -> Document:
    return Document(media, [], problems=[Problem("extract", kind, message)])
