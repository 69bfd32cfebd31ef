"""The districts of China by GB/T 2260 code, from the seed warehouse/seeds/district.csv."""

from __future__ import annotations

import csv
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
    lines = (files("warehouse") / "seeds" / "district.csv").read_text(encoding="utf-8").splitlines()
    return tuple(_district(row) for row in csv.DictReader(lines))


@cache
def codes() -> frozenset[str]:
    """Every code that was in force at some time since 2008."""
    return frozenset(district.district_code for district in read_districts())


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
