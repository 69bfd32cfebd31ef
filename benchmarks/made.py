"""Homes full of made documents: an archive and a ledger as the crawler leaves them, a registry of their publishers, and the truth.

The documents come from the generator of the tests, without quirks: every one has figures of its own. Publishers have one report a year.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import yaml

from extract.archive import Answer, Archive, Asked
from extract.archive_write import WarcArchive
from extract.home import Home
from extract.ledger import Body, Ledger, Sighting, utc_text
from warehouse.districts import codes

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the generator

SITE = "http://127.0.0.1"
AT = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)
#: Forms of the documents in turn: those of today most often, the annex of 2014 not at all.
LAYOUTS = ("2021", "2019", "2021", "mixed")
#: Of ten documents: three PDFs, five web pages, two Word files.
MIX = ("pdf", "html", "docx", "html", "pdf", "html", "html", "docx", "pdf", "html")
TYPES = {
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
BATCH = 50

TruthRow = tuple[str, str | None, str, str | None]


@dataclass(frozen=True, slots=True)
class Paper:
    """A made document: bytes, medium, whose report on which year, and what it prints."""

    data: bytes
    medium: str
    publisher: str
    year: int
    truth: list[TruthRow]


@dataclass(frozen=True, slots=True)
class Place:
    """A filled home, its registry, and the number of its documents by medium."""

    home: Home
    registry: Path
    documents: dict[str, int]

    @property
    def truth(self) -> Path:
        """Pattern of the files with the truth of every cell."""
        return self.home.root / "truth" / "*.parquet"


def papers(numbered: Sequence[tuple[int, str]]) -> list[Paper]:
    """Documents of these seeds and media; runs in a process of its own."""
    from generator import Plan, compose
    from generator_judge import make

    out = []
    for seed, medium in numbered:
        plan = Plan(LAYOUTS[seed % len(LAYOUTS)], medium, (), 9_000_000 + seed)
        made = make(plan)
        [(year, truth)] = made.reports
        rows = [(i, who, status, None if value is None else str(value)) for (i, who), (status, value) in truth.items()]
        data = packed(made.data) if medium == "docx" else made.data
        out.append(Paper(data, medium, compose(plan).publisher, year, rows))
    return out


def packed(data: bytes) -> bytes:
    """A Word file compressed as Word does it: the generator only stores its members."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return out.getvalue()


class _Filler:
    """Puts documents where the crawler puts them, and keeps the truth of their cells."""

    def __init__(self, root: Path, ledger: Ledger, archive: WarcArchive) -> None:
        self._root, self._ledger, self._archive = root, ledger, archive
        self._taken: Counter[tuple[str, int]] = Counter()
        self._truth: list[tuple[object, ...]] = []
        self._places = sorted(codes())
        self.publishers: dict[str, tuple[str, str]] = {}
        self.media: Counter[str] = Counter()
        (root / "truth").mkdir()

    def add(self, paper: Paper) -> str:
        """Archive a document and tell the ledger; its address."""
        number = self._taken[paper.publisher, paper.year]
        self._taken[paper.publisher, paper.year] += 1
        key = f"body-{hashlib.sha256(paper.publisher.encode()).hexdigest()[:6]}-{number}"
        self.publishers[key] = (paper.publisher, self._places[number % len(self._places)])
        self.media[paper.medium] += 1
        url, sha256 = f"{SITE}/{key}/{paper.year}.{paper.medium}", hashlib.sha256(paper.data).hexdigest()
        asked = Asked("GET", [("User-Agent", "gongkai/bench"), ("Accept", "*/*")])
        answer = Answer(url, 200, [("Content-Type", TYPES[paper.medium])], paper.data, AT, ip="127.0.0.1", request=asked)
        where = self._archive.write_response(answer, sync=False)
        self._ledger.record_body(url, 200, Body(sha256, paper.medium, len(paper.data), where), utc_text(AT))
        title = f"{paper.publisher}{paper.year}年政府信息公开工作年度报告"
        self._ledger.record_sighting("made", Sighting(key, url, title, paper.year, "page", declared=False), utc_text(AT))
        self._truth += [(key, sha256, *row) for row in paper.truth]
        if self.media.total() % 500 == 0:
            self.write_truth()
        return url

    def write_truth(self) -> None:
        """Write the truth of the documents since the last time."""
        if not self._truth:
            return
        columns = ["publisher_id", "sha256", "indicator", "applicant", "value_status", "value"]
        frame = pd.DataFrame(self._truth, columns=columns, dtype="str")
        frame.to_parquet(self._root / "truth" / f"{self.media.total()}.parquet", index=False)
        self._truth.clear()


def fill(root: Path, documents: int, mix: Sequence[str] = MIX, step: Callable[[str], None] = lambda _: None) -> Place:
    """Make a home at `root` with so many documents, their media in the order of `mix`."""
    home = Home(root).create()
    with Ledger(home.ledger, durable=False) as ledger, Archive.of(home).writer("made", 0) as archive:
        filler = _Filler(root, ledger, archive)
        for paper in _made([(i, mix[i % len(mix)]) for i in range(documents)]):
            step(filler.add(paper))
        filler.write_truth()
        ledger.secure()
    registry = root / "sources.yml"
    registry.write_text(yaml.safe_dump(list(_entries(filler.publishers)), allow_unicode=True, sort_keys=False), "utf-8")
    return Place(home, registry, dict(filler.media))


def _made(numbered: list[tuple[int, str]]) -> Iterator[Paper]:
    batches = [numbered[i : i + BATCH] for i in range(0, len(numbered), BATCH)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for found in pool.map(papers, batches):
            yield from found


def _entries(names: dict[str, tuple[str, str]]) -> Iterator[dict[str, object]]:
    for key, (name, district) in names.items():
        yield {"id": key, "publisher": name, "district": district, "kind": "office", "index": [f"{SITE}/{key}/"]}
