"""Readers side by side: every tool in a process of its own, on the same documents, in rounds in which each document goes to each tool in
turn, so that a busy moment of the machine hits all alike."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

from benchmarks.adapter import CONTEXT, Score, from_answer, score, with_words
from benchmarks.samples import Sample
from benchmarks.worker import Worker
from extract.grid import Document
from extract.reader import read_document
from transform.tidy import tidy

OURS = "gongkai"


@dataclass(frozen=True, slots=True)
class Rival:
    """A tool as a row of a table. `home`: whose environment it runs in, ours or that of the rivals."""

    tool: str
    label: str
    home: str = "ours"
    reads: bool = True  # gives cells that can be scored


PDF = (
    Rival(OURS, "gongkai: read + tidy"),
    Rival("gongkai-read", "gongkai: reading alone", reads=False),
    Rival("floor", "floor: pypdfium2, text and paths of all pages", reads=False),
    Rival("camelot", 'camelot.read_pdf(pages="all")'),
    Rival("camelot-vector", 'Camelot, engine="vector", boxes_flow=None'),
    Rival("pdfplumber", "pdfplumber, find_tables + extract", "rivals"),
    Rival("pymupdf", "PyMuPDF find_tables (as it comes, with layout)", "rivals"),
    Rival("pymupdf-lines", "PyMuPDF find_tables(use_layout=False)", "rivals"),
    Rival("tablers", "tablers find_tables", "rivals"),
    Rival("tabula", "tabula-py lattice, jpype (JVM started once)", "rivals"),
)
HTML = (
    Rival(OURS, "gongkai: read + tidy"),
    Rival("gongkai-read", "gongkai: reading alone", reads=False),
    Rival("read_html", "pandas.read_html"),
)
DOCX = (
    Rival(OURS, "gongkai: read + tidy"),
    Rival("gongkai-read", "gongkai: reading alone", reads=False),
    Rival("python-docx", "python-docx, row.cells"),
)
SCAN = (Rival("gongkai-read", "gongkai: reading the page"), Rival("rapidocr", "RapidOCR on the whole page, words with boxes"))


@dataclass(slots=True)
class Result:
    """What a tool did: seconds of CPU and by the clock for each round and document, cells, memory; or why it could not."""

    rival: Rival
    cpu: list[list[float]] = field(default_factory=list)
    wall: list[list[float]] = field(default_factory=list)
    score: Score = field(default_factory=Score)
    peak: float = 0.0
    reason: str | None = None

    def per_document(self, times: list[list[float]]) -> float:
        """Seconds per document: the median over rounds of the mean of a round."""
        return statistics.median(statistics.fmean(r) for r in times)


def ratio(one: Result, other: Result) -> float:
    """CPU of one tool to that of another: the median over rounds of the ratio inside the round."""
    return statistics.median(sum(a) / sum(b) for a, b in zip(one.cpu, other.cpu, strict=True))


Step = Callable[[str], None]


def compare(
    rivals: Sequence[Rival],
    documents: Sequence[Sample],
    rounds: int,
    pythons: dict[str, Path | str],
    step: Step,
    missing: str | None = None,
) -> list[Result]:
    """One unmeasured round, which warms up and gives the cells, then `rounds` measured ones. `missing`: why there are no rivals here."""
    results = [Result(r, reason=missing if r.home == "rivals" else None) for r in rivals]
    with ExitStack() as stack:
        workers = {r.rival.tool: stack.enter_context(Worker(r.rival.tool, pythons[r.rival.home])) for r in results if not r.reason}
        for number in range(rounds + 1):
            for result in (r for r in results if not r.reason):
                result.cpu.append([])
                result.wall.append([])
            for document, result in ((d, r) for d in documents for r in results if not r.reason):
                _measure(workers[result.rival.tool], document, result, number == 0)
                step(f"round {number} of {rounds}: {document.name}")
    for result in results:
        result.cpu, result.wall = result.cpu[1:], result.wall[1:]
    return results


def _measure(worker: Worker, document: Sample, result: Result, first: bool) -> None:
    answer = worker.ask(document.path, wanted=first and result.rival.reads)
    if "error" in answer:
        result.reason = f"{document.name}: {answer['error']}"
        return
    result.cpu[-1].append(answer["cpu"])
    result.wall[-1].append(answer["wall"])
    result.peak = max(result.peak, answer["peak"])
    if first and ("tables" in answer or "observations" in answer):
        result.score += score(from_answer(answer, document.year), document.truth)


# --- scans


def table_pages(document: Document) -> list[int]:
    """Pages on which a table was found, from 1."""
    return sorted({cell.page for grid in document.grids() for cell in grid.cells if cell.page})


def one_page(path: Path, number: int, folder: Path) -> Path:
    """A page of a PDF as a file of its own."""
    out = folder / f"{path.stem}-{number}.pdf"
    with pdfium.PdfDocument(path) as source, pdfium.PdfDocument.new() as target:
        target.import_pages(source, [number - 1])
        target.save(out)
    return out


def compare_scans(documents: Sequence[Sample], rounds: int, folder: Path, step: Step) -> list[Result]:
    """The pages with tables of each scan, each as a file of its own. Words of the whole-page reading are put into the cells of our grids:
    it finds no tables itself."""
    pages: list[Sample] = []
    ours: dict[str, Document] = {}
    for sample in documents:
        ours[sample.name] = read_document(sample.path.read_bytes())
        step(f"{sample.name}: our own reading")
        for number in table_pages(ours[sample.name]):
            pages.append(replace(sample, path=one_page(sample.path, number, folder)))
    mine, theirs = compare(SCAN, pages, rounds, {"ours": sys.executable}, step)
    words = dict(_words(pages, step))
    for sample in documents:
        read = ours[sample.name]
        mine.score += score(from_rows(read, sample), sample.truth)
        by_page = {n: words[f"{sample.path.stem}-{n}.pdf"] for n in table_pages(read)}
        theirs.score += score(from_rows(with_words(read, by_page), sample), sample.truth)
    return [mine, theirs]


def _words(pages: Sequence[Sample], step: Step) -> Iterator[tuple[str, list[list[Any]]]]:
    with Worker("rapidocr") as worker:
        for page in pages:
            yield page.name, worker.ask(page.path, wanted=True).get("words", [[]])[0]
            step(f"{page.name}: words of the whole page")


def from_rows(document: Document, sample: Sample) -> dict[tuple[str, str, str | None], Any]:
    """The figures of a document."""
    rows = tidy(document, replace(CONTEXT, year=sample.year))
    return {(r["section"], r["indicator"], r["applicant"]): (r["value_status"], r["value"]) for r in rows["observation"]}
