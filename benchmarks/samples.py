"""Documents with the truth of every cell: the sample portal's reports from their figures, and ../shared/corpus with its CSV files."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sources.sample.figures import load, value_of
from sources.sample.server import PORTAL
from sources.sample.site import article_path, attachment_path

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"

#: (section, indicator, applicant) -> status and value.
Truth = dict[tuple[str, str, str | None], tuple[str, Decimal | None]]


@dataclass(frozen=True, slots=True)
class Sample:
    """A document: where it is, its medium (pdf, html, docx, scan), the year of its report and what it prints."""

    path: Path
    medium: str
    year: int
    truth: Truth

    @property
    def name(self) -> str:
        return self.path.name


def samples() -> list[Sample]:
    """Every document with figures: the corpus, where it lies beside the repository, then the sample portal."""
    return [*_corpus(), *_portal()]


def _corpus() -> list[Sample]:
    out = []
    for path in sorted(p for p in CORPUS.glob("*") if p.suffix in (".pdf", ".html", ".docx")):
        name = path.stem.removesuffix("-scan")
        medium = "scan" if name != path.stem else path.suffix[1:]
        with path.with_name(f"{name}.csv").open(encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        truth = {
            (r["section"], r["indicator"], r["applicant"] or None): (r["value_status"], Decimal(r["value"]) if r["value"] else None)
            for r in rows
        }
        out.append(Sample(path, medium, int(name[-4:]), truth))
    return out


def _portal() -> list[Sample]:
    out = []
    for report in (r for r in load() if not r.truncated):
        number = report.publisher.number * 1000 + 40000 + report.year
        html = report.medium == "html"
        place = article_path(report.publisher, report.published, number) if html else attachment_path(report, number)
        truth: Truth = {}
        for key, text in report.cells.items():
            value, status = value_of(text)
            truth[key] = (status, value)
        out.append(Sample(PORTAL / place, report.medium, report.year, truth))
    return out
