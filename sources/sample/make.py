"""Makes the portal, the registry and the truth from `figures.yml`: `python -m sources.sample.make [--out FOLDER]`.

The same figures always give the same bytes. PDFs need the font of the Debian package fonts-wqy-microhei; without it nothing is
written and the message names the package.
"""

from __future__ import annotations

import argparse
import csv
import io
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from sources.sample.as_pdf import FontMissingError
from sources.sample.figures import HERE, Publisher, Report, load, value_of
from sources.sample.site import index_path, site

BASE_URL = "http://127.0.0.1:8765"
TRUTH_COLUMNS = ("publisher_id", "year", "section", "indicator", "applicant", "value", "value_status")


def make(folder: Path, reports: Sequence[Report]) -> None:
    """Writes portal/, sources.yml and truth.csv into a folder, replacing an older portal. Raises FontMissingError before writing."""
    files = site(reports)
    portal = folder / "portal"
    shutil.rmtree(portal, ignore_errors=True)
    for name, content in files.items():
        path = portal / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "sources.yml").write_text(registry_text(reports), encoding="utf-8")
    (folder / "truth.csv").write_text(truth_text(reports), encoding="utf-8")


def registry_text(reports: Sequence[Report]) -> str:
    """The sources registry of the portal."""
    publishers = {report.publisher.id: report.publisher for report in reports}
    head = "# The sample portal's sources; made by make.py. `gongkai demo` puts in the address that it really serves on.\n"
    return head + "\n".join(_entry(publisher) for publisher in publishers.values())


def _entry(publisher: Publisher) -> str:
    lines = [
        f"- id: {publisher.id}",
        f"  publisher: {publisher.name}",
        f'  district: "{publisher.district}"',
        "  kind: office",
        *([f"  scope: {publisher.scope}"] if publisher.scope else []),
        "  index:",
        f"    - {BASE_URL}/{index_path(publisher)}",
    ]
    return "\n".join(lines) + "\n"


def truth_text(reports: Sequence[Report]) -> str:
    """Every figure that the portal's readable reports print, as CSV. Amounts in 万元 where the unit is printed, else as printed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(TRUTH_COLUMNS)
    for report in reports:
        if not report.truncated:
            writer.writerows(_truth(report))
    return out.getvalue()


def _truth(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for (section, indicator, applicant), text in report.cells.items():
        value, status = value_of(text)
        number = "" if value is None else f"{value.normalize():f}"
        rows.append((report.publisher.id, str(report.year), section, indicator, applicant or "", number, status))
    return rows


def main() -> int:
    """Runs the script; 1 where the font is missing."""
    parser = argparse.ArgumentParser(description="Makes the sample portal from its figures file.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write into (default: where this script is)")
    try:
        make(parser.parse_args().out, load())
    except FontMissingError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
