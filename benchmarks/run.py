"""`make bench`: every reader side by side, then the pipeline from the archive; results as tables, docs/performance.md and its chart.

`--quick` measures one document of each medium but scans and one small night, and writes nothing: to see that all works. `--only` measures
one part and keeps the others in the page as they were measured last (build/bench/results.json).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.markdown import Markdown  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402

from benchmarks import page, pipeline, rivals, worker  # noqa: E402
from benchmarks.samples import Sample, samples  # noqa: E402

RESULTS = ROOT / "build" / "bench" / "results.json"
OUR_PACKAGES = [
    "camelot-py",
    "playa-pdf",
    "pypdfium2",
    "opencv-python-headless",
    "lxml",
    "pandas",
    "python-docx",
    "rapidocr",
    "onnxruntime",
]
PIPELINE_PACKAGES = ["prefect", "pebble", "duckdb", "pandas", "pandera", "pyarrow"]
RIVAL_PACKAGES = ["pdfplumber", "pymupdf", "tablers", "tabula-py", "jpype1"]
#: How busy the machine is with other things: read before anything is measured.
LOAD = os.getloadavg()[0]
#: Seconds between two lines of progress where there is no terminal.
EVERY = 30.0
MEDIA = {"pdf": rivals.PDF, "html": rivals.HTML, "docx": rivals.DOCX}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures readers and pipeline side by side, writes docs/performance.md.")
    parser.add_argument("--quick", action="store_true", help="one document of each medium but scans, one small night; nothing is written")
    parser.add_argument("--only", choices=["readers", "pipeline", "page"], help="measure only this; page: write the page again")
    parser.add_argument("--rounds", type=int, help="measured rounds of the readers (5); of scans 3 at most")
    parser.add_argument("--documents", type=int, nargs="+", help="documents of the nights (100 1000 10000)")
    parser.add_argument("--pdfs", type=int, help="PDFs read by one reader and by two (1000)")
    return parser.parse_args()


def facts(packages: Sequence[str], rival_python: Path | None = None) -> dict[str, Any]:
    """When, where and with what something is measured."""
    versions = worker.versions(sys.executable, list(packages))
    if rival_python is not None:
        versions |= worker.versions(rival_python, RIVAL_PACKAGES)
    cores = os.cpu_count() or 1
    cpu = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    machine = f"{cores} cores ({cpu}), {memory:.0f} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    command = " ".join(["python benchmarks/run.py", *sys.argv[1:]]) if sys.argv[1:] else "make bench"
    return {
        "date": str(date.today()),
        "machine": machine,
        "cores": cores,
        "load": LOAD,
        "versions": versions,
        "command": command,
    }


def measure_readers(quick: bool, rounds: int, console: Console) -> dict[str, Any]:
    """All media; each tool on the same documents."""
    python, missing = worker.rivals_python()
    if missing:
        console.print(f"rivals: {missing}")
    found = {m: [s for s in samples() if s.medium == m][: 1 if quick else None] for m in (*MEDIA, *(() if quick else ("scan",)))}
    out: dict[str, Any] = {**facts(OUR_PACKAGES, python), "rounds": rounds, "documents": {}, "media": {}}
    pythons: dict[str, Path | str] = {"ours": sys.executable, "rivals": python}
    for medium, documents in ((m, d) for m, d in found.items() if d):
        out["documents"][medium] = told(medium, documents)
        if medium == "scan":
            out["media"][medium] = scans(documents, min(rounds, 3), console)
            continue
        with progress(console, medium) as step:
            results = rivals.compare(MEDIA[medium], documents, rounds, pythons, step, missing)
        out["media"][medium] = plain(results)
    return out


def scans(documents: Sequence[Sample], rounds: int, console: Console) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder, progress(console, "scan") as step:
        return plain(rivals.compare_scans(documents, rounds, Path(folder), step))


def told(medium: str, documents: Sequence[Sample]) -> str:
    """Which documents were read, in words."""
    corpus = sum("corpus" in d.path.parts for d in documents)
    what = {"pdf": "reports", "html": "pages", "docx": "reports", "scan": "reports in pictures"}[medium]
    return f"{len(documents)} {what}: {corpus} of the sample reports, {len(documents) - corpus} of the sample portal"


def plain(results: Sequence[rivals.Result]) -> list[dict[str, Any]]:
    """Results as plain values; the first row that was measured is the base of the ratios."""
    base = next((r for r in results if not r.reason), None)
    out = []
    for r in results:
        row: dict[str, Any] = {"tool": r.rival.tool, "label": r.rival.label, "reason": r.reason, "peak": r.peak}
        row |= {"cells": r.score.cells, "right": r.score.right, "wrong": r.score.wrong}
        if not r.reason and base:
            row |= {"cpu": r.per_document(r.cpu), "wall": r.per_document(r.wall), "ratio": rivals.ratio(r, base)}
        out.append(row)
    return out


@contextmanager
def progress(console: Console, name: str) -> Iterator[rivals.Step]:
    """Says what is being done, how many steps were, and for how long: a bar on a terminal, else a line every half minute."""
    if not console.is_terminal:
        yield _lines(console, name)
        return
    columns = (
        TextColumn("{task.fields[part]:10}"),
        MofNCompleteColumn(),
        BarColumn(10),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=None, part=name)
        yield lambda text: bar.update(task, advance=1, description=text)


def _lines(console: Console, name: str) -> rivals.Step:
    began, last, steps = time.monotonic(), float("-inf"), 0

    def step(text: str) -> None:
        nonlocal last, steps
        steps += 1
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            console.print(f"{name}: {last - began:.0f} s, step {steps}: {text}", soft_wrap=True)

    return step


def measure_pipeline(sizes: Sequence[int], pdfs: int, console: Console) -> dict[str, Any]:
    """Nights over made documents, in homes that are thrown away."""
    out = facts(PIPELINE_PACKAGES)
    with tempfile.TemporaryDirectory() as folder, progress(console, "pipeline") as step:
        return out | pipeline.measure(Path(folder), sizes, pdfs, step)


def main() -> None:
    """Measure, print, write."""
    chosen, console, began = arguments(), Console(), time.monotonic()
    results: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() and not chosen.quick else {}
    if chosen.only in (None, "readers"):
        results["readers"] = measure_readers(chosen.quick, chosen.rounds or (1 if chosen.quick else 5), console)
        keep(results, chosen.quick)
    if chosen.only in (None, "pipeline"):
        sizes = chosen.documents or ([20] if chosen.quick else [100, 1000, 10000])
        results["pipeline"] = measure_pipeline(sizes, chosen.pdfs or (20 if chosen.quick else 1000), console)
        keep(results, chosen.quick)
    for part in (page.readers, page.pipeline, page.targets):
        console.print(Markdown(part(results)), "")
    if not chosen.quick:
        page.write(results)
        console.print(f"written to {page.PAGE.relative_to(ROOT)} and {page.CHART.relative_to(ROOT)}")
    console.print(f"{(time.monotonic() - began) / 60:.1f} minutes")


def keep(results: dict[str, Any], quick: bool) -> None:
    """Keep what is measured for the next page, unless it was only to see that it works."""
    if not quick:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
