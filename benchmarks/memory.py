"""`python -m benchmarks.memory [documents]`: memory of one reader worker over 5,000 documents, beyond what its imports take.

Reads a mix of web pages, Word files and PDFs (of the sample portal and the corpus) over and over in one process that is set up as a
worker of a run is. Every copy of a document gets a text of its own, so that what is
kept from earlier documents (vocabularies, figures) grows as it would over different ones.
"""

from __future__ import annotations

import resource
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from rich.console import Console

from extract.grid import Document, Grid, Text
from extract.reader import read_document
from flows.pipeline import warm_up
from sources.sample.server import PORTAL
from transform.tidy import Context, tidy

DOCUMENTS, EACH = 5000, 500
CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
#: Of ten documents: as in `benchmarks.pipeline` and docs/performance.md, 3 PDFs, 5 web pages, 2 Word files.
MIX = (".html", ".pdf", ".html", ".docx", ".html", ".pdf", ".html", ".docx", ".html", ".pdf")
MIB = 1024**2
CONTEXT = Context("bench", "330302", "urn:bench", "00" * 32, "2026-01-01T00:00:00Z", "bench")


def mix(count: int) -> Iterator[bytes]:
    """So many documents of the sample portal and the corpus, scans left out."""
    found = sorted([*PORTAL.rglob("*"), *(CORPUS.iterdir() if CORPUS.exists() else [])])
    paths = {kind: [p for p in found if p.suffix == kind and "-scan" not in p.name] for kind in set(MIX)}
    bodies = {kind: cycle([p.read_bytes() for p in files]) for kind, files in paths.items()}
    return (next(bodies[kind]) for kind in islice(cycle(MIX), count))


def resident() -> int:
    """Bytes of memory this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def made_different(document: Document, number: int) -> Document:
    """The document with a text of its own in every paragraph and every label."""
    blocks: list[Text | Grid] = []
    for block in document.blocks:
        if isinstance(block, Text):
            blocks.append(replace(block, text=f"{block.text} {number}"))
        else:
            blocks.append(replace(block, cells=[replace(c, text=f"{c.text}（{number}号）") if len(c.text) > 9 else c for c in block.cells]))
    return replace(document, blocks=blocks)


def main(count: int) -> None:
    """Print one line for each EACH documents."""
    console = Console()
    warm_up()
    before = resident()
    console.print(f"imports: {before / MIB:.0f} MiB")
    for number, data in enumerate(mix(count), 1):
        tidy(made_different(read_document(data), number), CONTEXT)
        if number % EACH == 0:
            now, most = (resident() - before) / MIB, (peak() - before) / MIB
            console.print(f"{number:5} documents: {now:4.0f} MiB beyond imports, peak {most:4.0f} MiB")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS)
