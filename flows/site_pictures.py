"""Pictures of the pages that figures stand on, drawn from the archive for the site; drawn once, kept as long as the bytes are the same."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from extract.archive import Archive, ArchiveError, read_body
from extract.home import Home
from extract.ledger import Ledger
from extract.picture import PictureError
from extract.picture_pages import sheets
from extract.picture_table import FontMissingError
from warehouse.site.model import Box, Picture, Wanted

SECONDS = 120  # one document; it was read in less before
Drawn = list[Picture] | str


class Pictures:
    """What `warehouse.site.build` calls to have pictures drawn, by processes of its own, so that no document can end the site."""

    def __init__(self, home: Home, workers: int = 2) -> None:
        self.home, self.workers = home, workers

    def __call__(self, wanted: Sequence[Wanted], folder: Path) -> Iterator[tuple[str, Drawn]]:
        """For each report its pictures in `folder`, or why there are none. Pictures that lie there already are taken as they are."""
        documents: dict[str, list[Wanted]] = defaultdict(list)
        for report in wanted:
            documents[report.document_sha256].append(report)
        todo = []
        for sha256, reports in documents.items():
            if (kept := _kept(folder, sha256, reports)) is not None:
                yield from ((r.report_id, kept) for r in reports)
            else:
                todo.append(reports)
        yield from self._draw(todo, folder)

    def _draw(self, documents: list[list[Wanted]], folder: Path) -> Iterator[tuple[str, Drawn]]:
        if not documents:
            return
        with ProcessPool(min(self.workers, len(documents)), max_tasks=200, context=get_context("spawn")) as pool:
            jobs = [
                (reports, pool.schedule(draw_document, args=[self.home.root, reports, folder], timeout=SECONDS)) for reports in documents
            ]
            for reports, job in jobs:
                drawn: Drawn = _why(error) if (error := job.exception()) else job.result()
                yield from ((r.report_id, drawn) for r in reports)


def _why(error: BaseException) -> str:
    """Why a document could not be drawn, whatever went wrong in the process that drew it."""
    match error:
        case NotInTime():
            return f"drawing it took more than {SECONDS} seconds"
        case ProcessExpired():
            return f"the process that drew it died: {error}"
    return f"{type(error).__name__}: {error}"


def draw_document(root: Path, reports: Sequence[Wanted], folder: Path) -> Drawn:
    """Draw the pages and tables that the reports of one document need. Returns the pictures, or why there are none."""
    home, first = Home(root), reports[0]
    try:
        data, pictures = _bytes(home, first)
        turns = {page: turn for r in reports for page, turn in r.turns.items()}
        drawn = sheets(data, {p for r in reports for p in r.pages}, {t for r in reports for t in r.tables}, pictures, turns)
    except (PictureError, FontMissingError, ArchiveError) as error:
        return str(error)
    found = []
    for sheet in drawn:
        name = f"{_stem(first.document_sha256)}-{'p' if sheet.page else 't'}{sheet.page or sheet.table}.png"
        sheet.image.save(folder / name, "PNG", optimize=True)
        cells: dict[str, Box] = {f"{row},{col}": _rounded(box) for (row, col), box in sheet.cells.items()}
        found.append(Picture(name, round(sheet.width, 1), round(sheet.height, 1), sheet.page, sheet.table, cells, sheet.turn))
    (folder / f"{_stem(first.document_sha256)}.json").write_text(json.dumps([asdict(p) for p in found]), "utf-8")
    return found


def _rounded(box: Box) -> Box:
    x0, top, x1, bottom = (round(value, 1) for value in box)
    return x0, top, x1, bottom


def _bytes(home: Home, report: Wanted) -> tuple[bytes, list[bytes]]:
    """The archived document, and the pictures of a web page whose tables are pictures. Raises ArchiveError."""
    archive = Archive.of(home)
    with Ledger(home.ledger) as ledger:
        content = ledger.content(report.url, report.document_sha256)
        if content is None:
            raise ArchiveError(f"the ledger knows no document {report.document_sha256[:16]} of {report.url}")
        data = read_body(archive, content.archive_file, content.archive_offset)
        parts = ledger.candidates({report.publisher_id}) if report.pages and data[:4] != b"%PDF" else []
    return data, [read_body(archive, c.archive_file, c.archive_offset) for c in parts if c.media == "image" and c.parent_url == report.url]


def _stem(sha256: str) -> str:
    return sha256[:24]


def _kept(folder: Path, sha256: str, reports: Sequence[Wanted]) -> list[Picture] | None:
    """The pictures of a document that an earlier site has drawn, where all that is wanted is there."""
    note = folder / f"{_stem(sha256)}.json"
    if not note.is_file():
        return None
    pictures = [_picture(entry) for entry in json.loads(note.read_text("utf-8"))]
    have = {(p.page, p.table) for p in pictures if (folder / p.file).is_file()}
    need = {(p, None) for r in reports for p in r.pages} | {(None, t) for r in reports for t in r.tables}
    return pictures if need <= have else None


def _picture(entry: dict[str, Any]) -> Picture:
    cells: dict[str, Box] = {key: (box[0], box[1], box[2], box[3]) for key, box in entry["cells"].items()}
    return Picture(**{**entry, "cells": cells})
