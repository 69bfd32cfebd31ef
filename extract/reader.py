"""From the bytes of one document to its text and grids, whatever its medium."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from extract.docx import DocxError, read_docx
from extract.grid import Document
from extract.html import read_html
from extract.join import join_pages
from extract.media import sniff
from extract.office import OfficeError, read_mht, read_office
from extract.pdf import read_pdf
from extract.pdf_page import PdfError
from extract.problem import Problem


def read_document(data: bytes, expected: str | None = None, pictures: Sequence[bytes] = ()) -> Document:
    """Read a document by what its bytes are.

    `expected` is the media its name or server promised: a difference is a `wrong_media` warning. `pictures` are those of a web page, in
    order: where the page has no table of its own, theirs are its tables, and their cells' page is the number of the picture. A document
    that can't be read comes back without blocks and with a problem that says why; nothing is raised for bad bytes.
    """
    media = sniff(data)
    document = _read(data, media)
    if media == "html" and pictures and not any(grid.n_rows >= 3 and grid.n_cols >= 3 for grid in document.grids()):
        _take_pictures(document, pictures)
    if expected and media != expected and media not in ("empty", "unknown"):
        message = f"promised as {expected}, but its bytes are {media}"
        document.problems.insert(0, Problem("extract", "wrong_media", message, severity="warning"))
    return document


def _take_pictures(document: Document, pictures: Sequence[bytes]) -> None:
    for number, data in enumerate(pictures, 1):
        seen = _read(data, sniff(data))
        document.problems.extend(p for p in seen.problems if p.kind != "needs_ocr")  # a logo has no table
        for grid in seen.grids():
            document.blocks.append(replace(grid, cells=[replace(cell, page=number) for cell in grid.cells]))
    document.again = None


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
                from extract.scan import read_image  # slow to import: only where there is a picture

                return read_image(data)
            case _:
                start = data[:24].decode("latin-1").encode("ascii", "backslashreplace").decode()
                return _failed(media, "wrong_media", f"no reader for media {media!r}; it starts with {start!r}")
    except (PdfError, OfficeError) as error:
        return _failed(media, error.kind, str(error))
    except (DocxError, ValueError) as error:
        return _failed(media, "broken_document", str(error))


def _failed(media: str, kind: str, message: str) -> Document:
    return Document(media, [], problems=[Problem("extract", kind, message)])
