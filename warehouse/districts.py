"""The districts of China by GB/T 2260 code, from the seed warehouse/seeds/district.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, cast

Level = Literal["province", "prefecture", "county"]


@dataclass(frozen=True, slots=True)
class District:
    """One GB/T 2260 code that was in force at some time since 2008, with its newest name and parents.

    `prefecture_code` is None for provinces, for the districts of the four municipalities and for counties directly under a province.
    `valid_from` and `valid_to` are the years in which the code came into and went out of force; None: before 2008, and still in force.
    """

    district_code: str
    name: str
    name_en: str
    level: Level
    province_code: str
    prefecture_code: str | None
    valid_from: int | None
    valid_to: int | None


@cache
def read_districts() -> tuple[District, ...]:
    """All districts, by code."""
    return tuple(_district(row) for row in _rows("district.csv"))


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a code had, from the year `valid_from` (None: before 2008) to `valid_to`, the first year without it (None: still so)."""

    district_code: str
    name: str
    valid_from: int | None
    valid_to: int | None


@dataclass(frozen=True, slots=True)
class Succession:
    """An area, or a part of it, that got another code in `year`; the columns are those of the table district_succession."""

    from_code: str
    to_code: str
    year: int
    kind: str
    whole: bool
    main: bool
    source: str


@cache
def read_names() -> tuple[Name, ...]:
    """Every name that every code had since 2008, by code and time."""
    rows = _rows("district_name.csv")
    return tuple(Name(row["district_code"], row["name"], _year(row["valid_from"]), _year(row["valid_to"])) for row in rows)


@cache
def read_successions() -> tuple[Succession, ...]:
    """Every change of codes since 2008, by old code and year."""
    return tuple(
        Succession(
            row["from_code"],
            row["to_code"],
            int(row["year"]),
            row["kind"],
            row["whole"] == "true",
            row["main"] == "true",
            row["source"],
        )
        for row in _rows("district_succession.csv")
    )


@cache
def codes() -> frozenset[str]:
    """Every code that was in force at some time since 2008."""
    return frozenset(district.district_code for district in read_districts())


def _rows(name: str) -> Iterator[dict[str, str]]:
    lines = (files("warehouse") / "seeds" / name).read_text(encoding="utf-8").splitlines()
    yield from csv.DictReader(lines)


def _district(row: dict[str, str]) -> District:
    return District(
        row["district_code"],
        row["name"],
        row["name_en"],
        cast(Level, row["level"]),
        row["province_code"],
        row["prefecture_code"] or None,
        _year(row["valid_from"]),
        _year(row["valid_to"]),
    )


def _year(text: str) -> int | None:
    return int(text) if text else None
