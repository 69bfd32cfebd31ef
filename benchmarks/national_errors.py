"""What is wrong with a simulated panel: blanks, missing years, restated reports, and planted errors with the identities they break."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmarks.national_figures import BLANK, BLOCKS, NOT_APPLICABLE, ONE, PARTS, RESULTS, UNREADABLE, YEARS, Cell, Planted, Sheet, terms

KINDS = ("carried_out", "row_total", "result", "litigation_total", "swapped", "shifted_carry", "stock", "items", "digit")
Place = tuple[int, int]  # position of the year, position of the district


@dataclass(slots=True)
class Flaws:
    """Places of one scope: reports that are not there, reports with an older version, and errors as (kind, place, cell -> by how much)."""

    missing: set[Place] = field(default_factory=set)
    older: dict[Place, dict[Cell, int]] = field(default_factory=dict)
    errors: list[tuple[str, Place, dict[Cell, int]]] = field(default_factory=list)


def spoil(rng: np.random.Generator, sheets: list[Sheet], districts: int) -> Flaws:
    """Change the sheets in place. Every district has at most one flaw, so that no error hides another."""
    flaws = Flaws()
    for district in range(districts):
        draw = rng.random()
        place = (int(rng.integers(len(YEARS))), district)
        if draw < 0.10:
            _gaps(rng, sheets[place[0]], district)
        elif draw < 0.15:
            flaws.missing.add((int(rng.integers(1, len(YEARS) - 1)), district))
        elif draw < 0.22:
            _restate(sheets, (int(rng.integers(len(YEARS) - 1)), district), flaws)
        elif draw < 0.67:
            _plant(rng, sheets, place, flaws)
    return flaws


def _gaps(rng: np.random.Generator, sheet: Sheet, district: int) -> None:
    """A few cells without a number; in places the whole column of totals or a whole block."""
    cells = list(sheet.values)
    draw = rng.random()
    if draw < 0.2:
        chosen = [c for c in cells if c[1] == "total"]
    elif draw < 0.4:
        chosen = [c for c in cells if c[0].startswith(BLOCKS[int(rng.integers(3))] + "_")]
    else:
        chosen = [cells[i] for i in rng.choice(len(cells), 6, replace=False)]
    for cell in chosen:
        sheet.set_mark(cell, district, (BLANK, NOT_APPLICABLE, UNREADABLE)[int(rng.integers(3))])


def _restate(sheets: list[Sheet], place: Place, flaws: Flaws) -> None:
    """The current version carries one natural person's request more to the next year, whose report still goes by the older one."""
    year, district = place
    values = sheets[year].values
    taken = next((row for row in RESULTS if values[row, "natural_person"][district] >= ONE), None)
    if taken is None:
        return
    now = {
        (row, who): by * ONE
        for who in ("natural_person", "total")
        for row, by in ((taken, -1), ("processed_total", -1), ("carried_out", 1))
    }
    for cell, by in now.items():
        values[cell][district] += by
    flaws.older[place] = {cell: -by for cell, by in now.items()}
    flaws.errors.append(("restated", place, now))


def _plant(rng: np.random.Generator, sheets: list[Sheet], place: Place, flaws: Flaws) -> None:
    kind = KINDS[int(rng.integers(len(KINDS)))]
    year, district = place
    if kind == "items":
        year = int(rng.integers(2))
    if kind == "stock":
        year = int(rng.integers(2, len(YEARS)))
    changes = {cell: by for cell, by in _changes(rng, kind, sheets[year], district).items() if by}
    if not changes:
        return
    for cell, by in changes.items():
        sheets[year].values[cell][district] += by
    flaws.errors.append((kind, (year, district), changes))


def _changes(rng: np.random.Generator, kind: str, sheet: Sheet, district: int) -> dict[Cell, int]:
    part, row = PARTS[int(rng.integers(len(PARTS)))], RESULTS[int(rng.integers(len(RESULTS)))]
    figure = {cell: int(column[district]) for cell, column in sheet.values.items()}
    if kind == "swapped":
        other = RESULTS[(RESULTS.index(row) + 1) % len(RESULTS)]
        by = figure[other, part] - figure[row, part]
        return {(row, part): by, (other, part): -by}
    if kind == "shifted_carry":
        if figure["new_received", part] < ONE:
            return {}
        return {(r, w): by * ONE for w in (part, "total") for r, by in (("carried_in", 1), ("new_received", -1))}
    if kind == "digit":
        return {("granted", "total"): 9 * figure["granted", "total"]}
    cell: Cell = {
        "carried_out": ("carried_out", part),
        "row_total": (row, "total"),
        "result": (row, part),
        "litigation_total": (f"{BLOCKS[int(rng.integers(3))]}_total", None),
        "stock": ("normative_document_in_force", None),
        "items": ("administrative_penalty_items_previous", None),
    }[kind]
    return {cell: int(rng.integers(1, 5)) * ONE}


def planted(flaws: Flaws, sheets: list[Sheet], ids: dict[Place, str]) -> Iterator[Planted]:
    """The errors with the identities they break; `ids` are the current reports that are there, by place."""
    for kind, place, changes in flaws.errors:
        yield Planted(kind, ids[place], tuple(changes), tuple(_broken(place, changes, sheets, ids)))


def _broken(place: Place, changes: dict[Cell, int], sheets: list[Sheet], ids: dict[Place, str]) -> Iterable[tuple[str, str, str | None]]:
    year, district = place
    off: dict[tuple[str, str | None, int], int] = defaultdict(int)
    for cell, by in changes.items():
        for check_id, who, sign, later in terms(cell, sheets[year].form):
            off[check_id, who, year + later] += sign * by
    for (check_id, who, checked), by in off.items():
        across = check_id[:2] in ("R5", "R6", "R7")
        if by and not (across and not _comparable(check_id, checked, len(sheets))):
            yield ids[checked, district], check_id, who


def _comparable(check_id: str, year: int, years: int) -> bool:
    """Whether the report of this position and the one before both have the figures: R6 in the form of 2021, R7 in that of 2019."""
    if not 0 < year < years:
        return False
    return check_id[:2] == "R5" or (YEARS[year - 1] >= 2021 if check_id[:2] == "R6" else YEARS[year] <= 2020)
