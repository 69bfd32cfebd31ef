"""The picture of a page with one cell framed: what `gongkai explain` and the site show as evidence for a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import pypdfium2 as pdfium
from PIL import Image, ImageChops, ImageDraw, ImageOps

from extract.grid import BBox, Cell, Grid
from extract.media import sniff
from extract.picture_table import draw_table
from extract.reader import read_document

DPI = 144
POINTS = 72
FRAME = (214, 39, 40)
SHADE = (255, 247, 178)


class PictureError(Exception):
    """No picture can be made; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a figure stands in its document: the place columns of `observation`, and the text printed there."""

    table_no: int
    row_no: int
    col_no: int
    page: int | None
    bbox: BBox | None
    raw_text: str


def draw(data: bytes, place: Place, caption: Sequence[str] = (), pictures: Sequence[bytes] = ()) -> bytes:
    """A PNG of the page (PDF, scan, picture) or of the table (web page, Word) with the cell framed.

    `data` is the archived document, `pictures` those of a web page whose tables are pictures, in the order they were read in; `caption`
    stands above a drawn table. Raises PictureError where the cell is not found in the document again, or a font is missing.
    """
    media = sniff(data)
    if place.bbox and place.page:
        if media == "pdf":
            return _framed(page_image(data, place.page, DPI), place.bbox, DPI / POINTS)
        source = data if media == "image" else pictures[place.page - 1] if place.page <= len(pictures) else None
        if source is not None:
            return _framed(opened(source), place.bbox, 1.0)
    grid, cell = find_cell(data, place, pictures)
    return draw_table(grid, cell, caption)


def find_cell(data: bytes, place: Place, pictures: Sequence[bytes] = ()) -> tuple[Grid, Cell]:
    """The grid and the cell at a place, read from the bytes again. Raises PictureError where another text stands there now."""
    grids = list(read_document(data, None, pictures).grids())
    if not 0 < place.table_no <= len(grids):
        raise PictureError(f"the document has {len(grids)} tables when it is read again, no table {place.table_no}")
    grid = grids[place.table_no - 1]
    cell = next((c for c in grid.cells if (c.row + 1, c.col + 1) == (place.row_no, place.col_no)), None)
    if cell is None or cell.text.strip() != place.raw_text:
        found = "no cell" if cell is None else repr(cell.text.strip())
        raise PictureError(
            f"{found} at table {place.table_no}, row {place.row_no}, column {place.col_no}, where {place.raw_text!r} was read"
        )
    return grid, cell


def page_image(data: bytes, number: int, dpi: int) -> Image.Image:
    """A page of a PDF, counted from 1. Raises PictureError."""
    try:
        pdf = pdfium.PdfDocument(data)
        page: Image.Image = pdf[number - 1].render(scale=dpi / POINTS).to_pil().convert("RGB")
    except (pdfium.PdfiumError, IndexError) as error:
        raise PictureError(f"page {number} can't be drawn: {error}") from error
    return page


def opened(data: bytes) -> Image.Image:
    """A picture file, upright as its EXIF says: boxes are those of the upright one. Raises PictureError."""
    try:
        return ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB")
    except OSError as error:
        raise PictureError(f"the picture can't be opened: {error}") from error


def _framed(page: Image.Image, bbox: BBox, scale: float) -> bytes:
    """The page with a frame around a box that is given in units of 1/scale pixels."""
    x0, top, x1, bottom = (value * scale for value in bbox)
    width = max(2, round(page.width / 400))
    shade = Image.new("RGB", page.size, "white")
    ImageDraw.Draw(shade).rectangle((x0, top, x1, bottom), fill=SHADE)
    shown = ImageChops.multiply(page, shade)
    ImageDraw.Draw(shown).rectangle((x0 - width, top - width, x1 + width, bottom + width), outline=FRAME, width=width)
    out = BytesIO()
    shown.save(out, "PNG", optimize=True)
    return out.getvalue()
