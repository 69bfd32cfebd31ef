"""Small worlds for comparisons: whole reports with every cell of their form, written figure by figure."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from warehouse_world import Rows, World, parsed, sha

from transform.check import Operand, check
from transform.frames import APPLICANTS
from warehouse.build import PublisherRow
from warehouse.duck import SEEDS

Cell = tuple[str, str | None]
STATUS = {"": "blank", "/": "not_applicable", "l2": "unreadable"}


@cache
def cells(form: int) -> list[tuple[str, Cell]]:
    """(section, cell) of a form, every cell."""
    with (SEEDS / "indicators.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row[f"format_{form}"]]
    return [(row["section"], (row["indicator"], who)) for row in rows for who in (APPLICANTS if row["section"] == "requests" else (None,))]


def put(**figures: object) -> dict[Cell, str]:
    """Figures by indicator: the total, or (name__applicant) the figure of an applicant."""
    out: dict[Cell, str] = {}
    for name, value in figures.items():
        indicator, _, who = name.partition("__")
        out[indicator, who or None] = str(value)
    return out


def report(
    publisher: str,
    year: int,
    figures: Mapping[Cell, str],
    form: int = 2021,
    *,
    name: str | None = None,
    sections: Sequence[str] = ("proactive", "requests", "litigation"),
    without: Sequence[str] = (),
    unit: str | None = None,
    **columns: Any,
) -> Rows:
    """Frames of a report: all cells of its form, 0 where `figures` says nothing. `without`: rows that are not in the table."""
    name = name or f"{publisher}-{year}"
    url = f"http://127.0.0.1/{publisher}/{year}/{name}.html"
    report_id = f"{publisher}-{year}-{sha(name)[:16]}"
    rows = [
        _observation(report_id, n, section, cell, form, _text(figures, cell), unit)
        for n, (section, cell) in enumerate(cells(form), 1)
        if section in sections and cell[0] not in without
    ]
    about = {
        "report_id": report_id,
        "publisher_id": publisher,
        "district_code": "330302",
        "year": year,
        "scope": "own",
        "scope_evidence": "source",
        "title": f"{year}年政府信息公开工作年度报告",
        "format": form,
        "media": "html",
        "url": url,
        "document_sha256": sha(name),
        "published_on": f"{year + 1}-01-20",
        "fetched_at": f"{year + 1}-02-01T00:00:00Z",
        "figures": sum(row["value"] is not None for row in rows),
        "year_evidence": "title",
    }
    return {
        "report": [about | columns],
        "observation": rows,
        "check_result": _checks(report_id, rows, form),
        "parse": [parsed(name, url, "loaded", publisher, year, report_id=report_id)],
    }


def _text(figures: Mapping[Cell, str], cell: Cell) -> str:
    indicator, who = cell
    return figures.get(cell, figures.get((indicator, None), "0") if who in ("total", None) else "0")


def _observation(report_id: str, n: int, section: str, cell: Cell, form: int, text: str, unit: str | None) -> dict[str, Any]:
    status = STATUS.get(text, "reported")
    units = {"requests": "request", "litigation": "case"}
    return {
        "report_id": report_id,
        "section": section,
        "format": form,
        "indicator": cell[0],
        "applicant": cell[1],
        "value": Decimal(text) if status == "reported" else None,
        "value_status": status,
        "raw_text": text,
        "unit": unit or units.get(section, "unknown"),
        "page": None,
        "bbox": None,
        "method": "html",
        "table_no": 1,
        "row_no": n,
        "col_no": 1,
    }


def _checks(report_id: str, rows: list[dict[str, Any]], form: int) -> list[dict[str, Any]]:
    figures = {(row["indicator"], row["applicant"]): Operand(row["value"]) for row in rows}
    names = ("check_id", "applicant", "left_value", "right_value", "difference", "passed", "cause", "soft")
    formats = {str(row["section"]): form for row in rows}
    return [{"report_id": report_id} | {name: getattr(r, name) for name in names} for r in check(figures, formats)]


def body(publisher: str, district: str = "330302", kind: str = "office", scope: str | None = "own") -> PublisherRow:
    return PublisherRow(publisher, f"机关{publisher}", district, kind, scope)


def publish(world: World, bodies: Sequence[PublisherRow], *reports: Rows) -> World:
    """Load and publish reports of these bodies, and nothing else."""
    world.publishers = list(bodies)
    world.publish(world.part("p1", *reports))
    return world
