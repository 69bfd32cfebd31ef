"""`make accuracy`: a fixed sample of generated documents and every sample report, each cell right, flagged or silently wrong.

Prints the tables and writes docs/accuracy.md. Needs LibreOffice for its exports and fonts-wqy-microhei for scans; without them these are
left out, and the page says so.
"""

from __future__ import annotations

import csv
import os
import platform
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from generator import LAYOUTS, QUIRKS, Plan, Truth, fitting, plan
from generator_judge import CONTEXT, Verdict, compare, judge, make_all, total
from generator_paper import office
from rich.console import Console
from rich.progress import track
from rich.table import Table

from extract.reader import read_document
from sources.sample.as_pdf import font_installed
from transform.tidy import tidy

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
PAGE = ROOT / "docs" / "accuracy.md"
SEED = 500_000
#: Documents with up to three quirks drawn at random, by medium.
DOCUMENTS = {"html": 500, "docx": 500, "pdf": 120, "export": 24, "scan": 3}
MEDIA = {"html": "web page", "docx": "Word file", "pdf": "PDF", "export": "PDF by LibreOffice", "scan": "scan (pictures only)"}
#: Every quirk alone in so many documents of media that cost little, and in one PDF.
EACH, BATCH = 3, 24
PACKAGES = ("camelot-py", "playa-pdf", "pypdfium2", "lxml", "python-docx", "rapidocr", "reportlab")
COLUMNS = ("documents", "cells", "right", "flagged", "silently wrong")

Row = tuple[str, Counter[str]]


def sample() -> list[Plan]:
    """The plans of the sample: the same on every machine that can make them."""
    out: list[Plan] = []
    for number, medium in enumerate(usable()):
        out += [plan(SEED + 10_000 * number + i, (medium,)) for i in range(DOCUMENTS[medium])]
    return out + list(_each_alone())


def usable() -> list[str]:
    """Media that this machine can make documents of."""
    lacking = {"export"} if office() is None else set()
    return [m for m in DOCUMENTS if m not in lacking | (set() if font_installed() else {"scan"})]


def _each_alone() -> Iterator[Plan]:
    for number, name in enumerate(sorted(QUIRKS)):
        for i in range(EACH):
            layout = list(LAYOUTS)[(number + i) % len(LAYOUTS)]
            media = [m for m in ("html", "docx", "pdf") if QUIRKS[name] in fitting(layout, m)]
            if media:
                yield Plan(layout, media[i % len(media)], (name,), SEED + i)


def judged(plans: Sequence[Plan]) -> list[Verdict]:
    """Verdicts of a batch; runs in a process of its own."""
    warnings.simplefilter("ignore")
    return [judge(made) for made in make_all(plans)]


def corpus() -> list[tuple[str, Verdict]]:
    """Every sample report beside the repository against its CSV."""
    out = []
    for path in sorted(p for p in CORPUS.glob("*") if p.suffix in (".pdf", ".html", ".docx")):
        rows = tidy(read_document(path.read_bytes()), CONTEXT)
        medium = "scan" if path.stem.endswith("-scan") else path.suffix[1:]
        year = rows["report"][0]["year"] if rows["report"] else 0
        out.append((path.name, compare(Plan("", medium, (), 0), rows, [(int(str(year)), _printed(path))])))
    return out


def _printed(path: Path) -> Truth:
    with path.with_name(path.stem.removesuffix("-scan") + ".csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {(r["indicator"], r["applicant"] or None): (r["value_status"], Decimal(r["value"]) if r["value"] else None) for r in rows}


# --- tables


def by(verdicts: Iterable[Verdict], names: Callable[[Verdict], Iterable[str]]) -> list[Row]:
    groups: dict[str, list[Verdict]] = {}
    for v in verdicts:
        for name in names(v):
            groups.setdefault(name, []).append(v)
    return [(name, total(found)) for name, found in groups.items()]


def cells(row: Row) -> list[str]:
    name, n = row
    shares = [f"{n[k]} ({_share(n[k], n['cells'])})" for k in ("right", "flagged", "wrong")]
    return [name, str(n["documents"]), str(n["cells"]), *shares]


def _share(part: int, whole: int) -> str:
    """Per cent, never rounded to 0 or 100 where it is not."""
    if part in (0, whole):
        return "100 %" if part else "0 %"
    return f"{min(max(100 * part / whole, 0.01), 99.99):.2f} %"


def show(console: Console, first: str, rows: Sequence[Row]) -> None:
    table = Table(first, *COLUMNS, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*cells(row), style="red" if row[1]["wrong"] else None)
    console.print(table, "")


def markdown(first: str, rows: Sequence[Row]) -> str:
    lines = [[first, *COLUMNS], ["---", *["---:"] * len(COLUMNS)], *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Print the tables and write docs/accuracy.md."""
    console = Console()
    plans = sample()
    batches = [plans[i : i + BATCH] for i in range(0, len(plans), BATCH)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        verdicts = [v for found in track(pool.map(judged, batches), "reading", len(batches), console=console) for v in found]
    media = by(verdicts, lambda v: [MEDIA[v.plan.medium]])
    layouts = by(verdicts, lambda v: [v.plan.layout])
    quirks = sorted(by(verdicts, lambda v: v.plan.quirks or ["(none)"]))
    reports = [(name, total([v])) for name, v in corpus()]
    tables = [("medium", media), ("layout", layouts), ("quirk", quirks), ("sample report", reports)]
    for first, rows in tables:
        show(console, first, rows)
    PAGE.write_text(page(media, layouts, quirks, reports, total(verdicts)), encoding="utf-8")
    console.print(f"written to {PAGE.relative_to(ROOT)}")


def page(media: list[Row], layouts: list[Row], quirks: list[Row], reports: list[Row], everything: Counter[str]) -> str:
    """The page as published."""
    machine = f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    left_out = [MEDIA[m] for m in DOCUMENTS if m not in usable()]
    lacking = f" Left out here: {', '.join(left_out)}." if left_out else ""
    return f"""# Accuracy

Made by `make accuracy` on {date.today()}: {machine}; {versions}.{lacking}

{everything["documents"]} documents made by the generator of the tests ([generator.py](../tests/generator.py)): random figures that
keep the form's identities, written in {len(LAYOUTS)} layouts and {len(MEDIA) - len(left_out)} media, with up to three of
{len(QUIRKS)} quirks seen in real reports or found by search. A cell is **right** where value and status are those printed; **flagged**
where it is `unreadable`, missing with a failure, in a failed identity, or in a table that a failure names; **silently wrong** where it
is neither. Some quirks take figures away or make them doubtful (a lost row, two numbers in one cell, a table without rules): there,
flagged is the right answer.

{markdown("medium", media)}

{markdown("layout", layouts)}

## Sample reports

Every document of the sample reports against its CSV of figures read by eye.

{markdown("sample report", reports) if reports else "They were not there."}

## What the figures do not say

- Flagged is judged by place, not by cell: a failure that names a table or a section marks every wrong cell in it.
- `swapped_header_cells` makes a table in which nobody can tell whether heads or figures are wrong: its cells are not counted.
- Rows that lack a cell (`lost_cell`, `lost_leading_cells`, `extra_cell`, `extra_leading_cells`) are made in web pages and Word files only:
  drawn on paper, the figures stand shifted in print.
- Scans are few, because they are slow.

## By quirk

A document counts under each of its quirks. What a quirk is: the function of its name in `tests/generator_*.py`.

{markdown("quirk", quirks)}
"""


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
