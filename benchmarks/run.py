"""`make bench`: how long reports take to read, beside plain Camelot on the same PDFs, in one run.

Reads the sample portal's documents and, where it lies beside the repository, ../shared/corpus. CPU seconds of this process; medians.
"""

from __future__ import annotations

import gc
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from extract.reader import read_document
from sources.sample.server import PORTAL
from transform.frames import frames
from transform.tidy import Context, tidy

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
ROUNDS = 5
CONTEXT = Context("bench", "330302", "urn:bench", "00" * 32, "2026-01-01T00:00:00Z", "bench")


def documents() -> dict[str, list[Path]]:
    """Documents with tables by media; broken ones and scans left out."""
    found = sorted([*PORTAL.rglob("*"), *(CORPUS.iterdir() if CORPUS.exists() else [])])
    out: dict[str, list[Path]] = {}
    for path in found:
        if path.suffix in (".pdf", ".html", ".docx") and "-scan" not in path.name and figures(path):
            out.setdefault(path.suffix[1:], []).append(path)
    return out


def figures(path: Path) -> int:
    """Observations of a document."""
    return len(tidy(read_document(path.read_bytes()), CONTEXT)["observation"])


def ours(path: Path) -> None:
    tidy(read_document(path.read_bytes()), CONTEXT)


def batch(paths: list[Path]) -> float:
    """CPU milliseconds per document of the validated frames, made for all of them at once as a run does."""
    rows = [tidy(read_document(p.read_bytes()), replace(CONTEXT, publisher_id=f"bench-{i}")) for i, p in enumerate(paths)]
    start = time.process_time()
    frames(rows)
    return (time.process_time() - start) / len(paths) * 1000


def read_only(path: Path) -> None:
    read_document(path.read_bytes())


def plain_camelot(path: Path) -> None:
    import camelot

    camelot.read_pdf(str(path), pages="all")


def cpu(work: Callable[[Path], None], paths: list[Path], rounds: int = ROUNDS) -> float:
    """CPU milliseconds per document, median of rounds after a warm-up."""
    work(paths[0])
    taken = []
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        for path in paths:
            work(path)
        taken.append((time.process_time() - start) / len(paths) * 1000)
    return statistics.median(taken)


def main() -> None:
    """Print one table."""
    console = Console()
    machine = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    console.print(f"{date.today()}, {machine}; camelot-py {version('camelot-py')}, playa-pdf {version('playa-pdf')}, medians of {ROUNDS}")
    table = Table("media", "documents", "read", "read + tidy", "frames", "plain camelot.read_pdf", "ratio", box=None, pad_edge=False)
    for media, paths in documents().items():
        whole = cpu(ours, paths)
        rival = cpu(plain_camelot, paths, 3) if media == "pdf" else None
        row = [media, str(len(paths)), f"{cpu(read_only, paths):.1f} ms", f"{whole:.1f} ms", f"{batch(paths):.1f} ms"]
        table.add_row(*row, f"{rival:.0f} ms" if rival else "", f"1/{rival / whole:.1f}" if rival else "")
    console.print(table)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
