"""Figures of a simulated national panel: they satisfy every identity, except where an error is planted and recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Marks = npt.NDArray[np.int8]
Cell = tuple[str, str | None]
Key = tuple[str, str, str | None]

YEARS = tuple(range(2019, 2026))
SCOPES = ("own", "consolidated")
ONE = 10_000  # figures are whole numbers of 1/10,000
PARTS = ("natural_person", "business", "research_institution", "public_interest_organization", "legal_service", "other_organization")
SHARE = (0.72, 0.12, 0.02, 0.02, 0.07, 0.05)
REPORTED, BLANK, NOT_APPLICABLE, UNREADABLE = range(4)

RESULTS = [
    "granted",
    "partially_granted",
    "denied_state_secret",
    "denied_prohibited_by_law",
    "denied_security_stability",
    "denied_third_party",
    "denied_internal_affairs",
    "denied_process",
    "denied_enforcement_file",
    "denied_administrative_query",
    "unavailable_not_held",
    "unavailable_needs_creation",
    "unavailable_unclear",
    "not_processed_petition",
    "not_processed_repeat",
    "not_processed_publication",
    "not_processed_excessive",
    "not_processed_confirmation",
]
OTHER = {2019: ["other_total"], 2021: ["other_no_correction", "other_fee_unpaid", "other_other"]}
WEIGHTS = np.array([44, 11, 0.5, 1.5, 0.5, 3, 1, 1.5, 0.5, 1, 20, 2, 1.5, 4, 2, 0.3, 0.3, 0.4])
BLOCKS = ("reconsideration", "litigation_direct", "litigation_after_reconsideration")
OUTCOMES = ("upheld", "corrected", "other", "pending")
DOCUMENTS = ("regulation", "normative_document")
AUTHORITY = ("administrative_license", "other_external_service", "administrative_penalty", "administrative_coercion", "administrative_fee")
DECISIONS = ("administrative_license", "administrative_penalty", "administrative_coercion")


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted error: what kind, in which cells of which report, and the identities it breaks as (report_id, check_id, applicant)."""

    kind: str
    report_id: str
    cells: tuple[Cell, ...]
    breaks: tuple[Key, ...]


@dataclass(slots=True)
class Sheet:
    """The figures of one year and scope for the districts of a chunk: cell -> one figure each, cell -> its status where not reported."""

    year: int
    scope: str
    values: dict[Cell, Ints]
    marks: dict[Cell, Marks] = field(default_factory=dict)

    @property
    def form(self) -> int:
        return form_of(self.year)

    def mark(self, cell: Cell, at: int) -> int:
        marks = self.marks.get(cell)
        return REPORTED if marks is None else int(marks[at])

    def set_mark(self, cell: Cell, at: int, mark: int) -> None:
        self.marks.setdefault(cell, np.zeros(len(self.values[cell]), np.int8))[at] = mark


def form_of(year: int) -> int:
    return 2019 if year <= 2020 else 2021


def publisher_id(district_code: str, scope: str, seat: int = 0) -> str:
    """Key of a body. Each seat of a district has two, one with few figures (`own`) and one with many (`consolidated`)."""
    return f"sim-{district_code}-{scope}" + (f"-{seat}" if seat else "")


def sheets(rng: np.random.Generator, districts: int, scope: str) -> list[Sheet]:
    """Seven years of one scope; what one year carries out, the next carries in, and stocks follow from flows."""
    size = rng.lognormal(2.6 if scope == "own" else 4.8, 0.9, districts)
    out: list[Sheet] = []
    for year in YEARS:
        sheet = Sheet(year, scope, {})
        before = out[-1] if out else None
        _proactive(rng, sheet, size, before)
        _requests(rng, sheet, size, before)
        _litigation(rng, sheet, size)
        out.append(sheet)
    return out


def _requests(rng: np.random.Generator, sheet: Sheet, size: npt.NDArray[np.float64], before: Sheet | None) -> None:
    rows = ["new_received", "carried_in", *RESULTS, *OTHER[sheet.form], "processed_total", "carried_out"]
    weights = np.append(WEIGHTS, [4.0] if sheet.form == 2019 else [1.0, 0.2, 2.8])
    columns: dict[Cell, Ints] = {}
    for part, share in zip(PARTS, SHARE, strict=True):
        new = rng.poisson(size * share)
        carried_in = before.values["carried_out", part] // ONE if before else rng.poisson(size * share * 0.05)
        carried_out = rng.binomial(new + carried_in, 0.06)
        handled = new + carried_in - carried_out
        results = rng.multinomial(handled, weights / weights.sum()).T
        for row, figures in zip(rows, [new, carried_in, *results, handled, carried_out], strict=True):
            columns[row, part] = figures * ONE
    for row in rows:
        sheet.values.update({(row, part): columns[row, part] for part in PARTS})
        sheet.values[row, "total"] = sum((columns[row, part] for part in PARTS), start=np.zeros(len(size), np.int64))


def _litigation(rng: np.random.Generator, sheet: Sheet, size: npt.NDArray[np.float64]) -> None:
    for block, rate in zip(BLOCKS, (0.12, 0.04, 0.03), strict=True):
        figures = rng.multinomial(rng.poisson(size * rate), (0.55, 0.12, 0.2, 0.13)).T
        for outcome, column in zip(OUTCOMES, figures, strict=True):
            sheet.values[f"{block}_{outcome}", None] = column * ONE
        sheet.values[f"{block}_total", None] = figures.sum(axis=0) * ONE


def _proactive(rng: np.random.Generator, sheet: Sheet, size: npt.NDArray[np.float64], before: Sheet | None) -> None:
    n = len(size)
    if sheet.form == 2019:
        for what in DOCUMENTS:
            disclosed = rng.poisson(size * 0.2)
            for name, column in zip(("made", "disclosed", "disclosed_total"), (rng.poisson(3, n), disclosed, disclosed + 40), strict=True):
                sheet.values[f"{what}_{name}", None] = column * ONE
        for what in AUTHORITY:
            _items(rng, sheet, what, n, before)
        sheet.values["government_procurement_projects", None] = rng.poisson(30, n) * ONE
        sheet.values["government_procurement_amount", None] = rng.integers(1, 5_000_000, n) * 100
        decided = (*DECISIONS, "other_external_service")
    else:
        for what in DOCUMENTS:
            _stock(rng, sheet, what, n, before)
        sheet.values["administrative_fee_amount", None] = rng.integers(0, 500_000, n) * 100
        decided = DECISIONS
    for what in decided:
        sheet.values[f"{what}_decisions", None] = rng.poisson(size * 20) * ONE


def _items(rng: np.random.Generator, sheet: Sheet, what: str, n: int, before: Sheet | None) -> None:
    previous, change = (f"{what}_items_previous", None), (f"{what}_items_change", None)
    sheet.values[previous] = before.values[previous] + before.values[change] if before else rng.integers(20, 90, n) * ONE
    sheet.values[change] = rng.integers(-5, 6, n) * ONE


def _stock(rng: np.random.Generator, sheet: Sheet, what: str, n: int, before: Sheet | None) -> None:
    stock = (f"{what}_in_force", None)
    issued, repealed = rng.poisson(4, n) * ONE, rng.integers(0, 4, n) * ONE
    held = before.values[stock] if before and stock in before.values else rng.integers(30, 200, n) * ONE
    sheet.values[f"{what}_issued", None], sheet.values[f"{what}_repealed", None] = issued, repealed
    sheet.values[stock] = held + issued - repealed


# --- what an identity is made of; written down here once more, so that the checker and the SQL are not held against themselves


def terms(cell: Cell, form: int) -> Iterator[tuple[str, str | None, int, int]]:
    """The identities a cell takes part in: (check_id, applicant, sign, years later that it is checked)."""
    indicator, who = cell
    if who is not None:
        yield from _request_terms(indicator, who, form)
    for block in BLOCKS:
        if indicator in {f"{block}_{name}" for name in (*OUTCOMES, "total")}:
            yield f"R4.{block}", None, -1 if indicator.endswith("_total") else 1, 0
    for what in DOCUMENTS:
        names = {f"{what}_in_force": 1, f"{what}_issued": -1, f"{what}_repealed": 1}
        if indicator in names:
            yield f"R6.{what}", None, names[indicator], 0
        if indicator == f"{what}_in_force":
            yield f"R6.{what}", None, -1, 1
    for what in AUTHORITY:
        if indicator == f"{what}_items_previous":
            yield f"R7.{what}", None, -1, 0
        if indicator in (f"{what}_items_previous", f"{what}_items_change"):
            yield f"R7.{what}", None, 1, 1


def _request_terms(indicator: str, who: str, form: int) -> Iterator[tuple[str, str | None, int, int]]:
    edge = {"new_received": 1, "carried_in": 1, "processed_total": -1, "carried_out": -1}
    if indicator in edge:
        yield "R1", who, edge[indicator], 0
    yield f"R2.{indicator}", "total", -1 if who == "total" else 1, 0
    if indicator in RESULTS or indicator in OTHER[form]:
        yield "R3", who, 1, 0
    if indicator == "processed_total":
        yield "R3", who, -1, 0
    if indicator == "carried_in":
        yield "R5", who, 1, 0
    if indicator == "carried_out":
        yield "R5", who, -1, 1
