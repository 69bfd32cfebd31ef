"""Reads `figures.yml`, the one source that every document of the sample portal is made from.

A cell of the file is a number (printed as it stands), a text (printed verbatim: `/`, `1,113`, `388.6万元`) or null (nothing is
printed). A cell that the file does not name is printed as the report's `fill` says for its section or column, else as 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from sources.sample.layouts import APPLICANTS, LITIGATION, PROACTIVE, REQUESTS

HERE = Path(__file__).resolve().parent
NOT_APPLICABLE = frozenset({"/", "-", "—", "——", "无"})
AMOUNT = re.compile(r"^(?P<number>[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?)(?P<unit>万元|元)?$")

Key = tuple[str, str, str | None]
"""(section, indicator, applicant); the applicant is None outside `requests`."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """A publishing body of the portal. `scope` is None where the registry leaves it to the report's preface."""

    id: str
    name: str
    place: str
    district: str
    city: str
    folder: str
    own: str
    scope: str | None
    number: int


@dataclass(frozen=True, slots=True)
class Report:
    """One report as it is printed. `cells` holds the printed text of every cell of the layout; None is an empty cell."""

    publisher: Publisher
    year: int
    layout: int
    medium: str
    look: str
    linked: str
    published: date
    title: str
    real: bool
    truncated: bool
    own_error: str | None
    cut_after: str | None
    repeat_header: bool
    relabel: Mapping[str, str]
    narrative: Mapping[str, int]
    cells: Mapping[Key, str | None]

    def number(self, section: str, indicator: str, applicant: str | None = None) -> Decimal | None:
        """The value of a cell, None where no number is printed there."""
        return value_of(self.cells[section, indicator, applicant])[0]


def keys(layout: int) -> Iterator[Key]:
    """Every cell of a layout, in the order of the codebook: 198 for 2019, 200 for 2021."""
    for indicator in PROACTIVE[layout]:
        yield "proactive", indicator, None
    for indicator in REQUESTS[layout]:
        for applicant in APPLICANTS:
            yield "requests", indicator, applicant
    for indicator in LITIGATION:
        yield "litigation", indicator, None


def value_of(text: str | None) -> tuple[Decimal | None, str]:
    """The value and the value_status of a printed text. 元 is converted to 万元; an amount without a unit stays as printed.

    Raises ValueError for a text that is no figure: the sample prints none.
    """
    if text is None:
        return None, "blank"
    if text in NOT_APPLICABLE:
        return None, "not_applicable"
    match = AMOUNT.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a figure")
    number = Decimal(match["number"].replace(",", ""))
    return (number / 10000 if match["unit"] == "元" else number), "reported"


def load(path: Path = HERE / "figures.yml") -> list[Report]:
    """Every report of the figures file, by publisher and year. Raises ValueError where the file names an unknown cell."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [_report(_publisher(entry, number), raw) for number, entry in enumerate(data["publishers"]) for raw in entry["reports"]]


def _publisher(entry: Mapping[str, Any], number: int) -> Publisher:
    names = ("id", "name", "place", "district", "city", "folder", "own")
    return Publisher(**{name: entry[name] for name in names}, scope=entry.get("scope"), number=number)


def _report(publisher: Publisher, raw: Mapping[str, Any]) -> Report:
    return Report(
        publisher=publisher,
        year=raw["year"],
        layout=raw["layout"],
        medium=raw["medium"],
        look=raw["look"],
        linked=raw.get("linked", "page"),
        published=raw["published"],
        title=raw["title"],
        real=raw.get("real", False),
        truncated=raw.get("truncated", False),
        own_error=raw.get("own_error"),
        cut_after=raw.get("cut_after"),
        repeat_header=raw.get("repeat_header", False),
        relabel=raw.get("relabel", {}),
        narrative=raw["narrative"],
        cells=_cells(raw),
    )


def _cells(raw: Mapping[str, Any]) -> dict[Key, str | None]:
    given = dict(_given(raw))
    fill = raw.get("fill", {})
    known = list(keys(raw["layout"]))
    if strange := set(given) - set(known):
        raise ValueError(f"report on {raw['year']}: no such cell: {sorted(strange, key=str)}")
    return {key: given[key] if key in given else _filled(fill, key) for key in known}


def _given(raw: Mapping[str, Any]) -> Iterator[tuple[Key, str | None]]:
    for section in ("proactive", "litigation"):
        for indicator, value in raw.get(section, {}).items():
            yield (section, indicator, None), _printed(value)
    for indicator, row in raw.get("requests", {}).items():
        for applicant, value in zip(APPLICANTS, row, strict=True):
            yield ("requests", indicator, applicant), _printed(value)


def _filled(fill: Mapping[str, str | None], key: Key) -> str | None:
    section, _, applicant = key
    for name in (f"{section}.{applicant}", section):
        if name in fill:
            return _printed(fill[name])
    return "0"


def _printed(value: str | int | float | None) -> str | None:
    return None if value is None else str(value)
