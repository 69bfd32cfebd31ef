"""Pictures of whole pages and of whole tables, without a mark: the site draws frames over them, so that one picture serves every cell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from PIL import Image

from extract.grid import BBox
from extract.media import sniff
from extract.picture import PictureError, opened, page_image
from extract.picture_table import draw_plain, table_image
from extract.reader import read_document

DPI = 120
POINTS = 72
COLOURS = 32
WIDEST = 1600  # pixels: a photographed page may have far more than anyone needs to read it


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture with its size in the unit of the boxes: that of the cells' `bbox` for a page, points for a drawn table.

    `cells`: (row, column), counted from 1, -> box; for tables only. `turn`: by how many degrees clockwise the picture was turned to set its
    text upright; the size is that of the turned picture, boxes of cells are those of the page as it lies.
    """

    image: Image.Image
    width: float
    height: float
    page: int | None = None
    table: int | None = None
    cells: dict[tuple[int, int], BBox] = field(default_factory=dict)
    turn: int = 0


def sheets(
    data: bytes, pages: Collection[int], tables: Collection[int], pictures: Sequence[bytes] = (), turns: Mapping[int, int] | None = None
) -> list[Sheet]:
    """Pictures of the pages and of the tables (both counted from 1) of a document.

    `turns`: page -> degrees clockwise that set it upright, for pages that lie on their side. `pictures` are those of a web page whose
    tables are pictures. Raises PictureError where one can't be drawn, FontMissingError.
    """
    media = sniff(data)
    found = [_turned(_page(data, media, number, pictures), (turns or {}).get(number, 0)) for number in sorted(pages)]
    return found + (_tables(data, tables, pictures) if tables else [])


def _page(data: bytes, media: str, number: int, pictures: Sequence[bytes]) -> Sheet:
    if media == "pdf":
        image = page_image(data, number, DPI)
        return Sheet(_small(image), image.width * POINTS / DPI, image.height * POINTS / DPI, page=number)
    source = data if media == "image" else pictures[number - 1] if number <= len(pictures) else None
    if source is None:
        raise PictureError(f"there is no picture {number}: a {media} with {len(pictures)} pictures")
    image = opened(source)
    return Sheet(_small(image), image.width, image.height, page=number)


def _turned(sheet: Sheet, turn: int) -> Sheet:
    if not turn:
        return sheet
    width, height = (sheet.width, sheet.height) if turn == 180 else (sheet.height, sheet.width)
    return replace(sheet, image=sheet.image.rotate(-turn, expand=True), width=width, height=height, turn=turn)


def _tables(data: bytes, tables: Collection[int], pictures: Sequence[bytes]) -> list[Sheet]:
    grids = list(read_document(data, None, pictures).grids())
    found = []
    for number in sorted(tables):
        if not 0 < number <= len(grids):
            raise PictureError(f"the document has {len(grids)} tables when it is read again, no table {number}")
        pdf, size, cells = draw_plain(grids[number - 1])
        found.append(Sheet(_small(table_image(pdf)), *size, table=number, cells=cells))
    return found


def _small(image: Image.Image) -> Image.Image:
    """No wider than WIDEST, and few colours: a page of print takes a tenth of the bytes."""
    if image.width > WIDEST:
        image = image.resize((WIDEST, round(image.height * WIDEST / image.width)), Image.Resampling.LANCZOS)
    return image.quantize(COLOURS)
