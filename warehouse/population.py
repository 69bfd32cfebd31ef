"""Population and area of the divisions: a CSV file that the user gives.

Format: UTF-8, header `district_code,year,population,area_km2,source` in any order, no other column. One row per district and year.
`district_code` is a code of GB/T 2260, `year` 2007 or later, `population` a whole number of residents, `area_km2` a decimal number; either
of the two may be empty. `source` says where the figures are from and is never empty. No thousands separators, no units.
"""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path
from typing import Any

import duckdb

from warehouse.districts import codes
from warehouse.mirror import insert

COLUMNS = ("district_code", "year", "population", "area_km2", "source")
_WHOLE, _DECIMAL = re.compile(r"[0-9]{1,12}"), re.compile(r"[0-9]{1,9}(\.[0-9]+)?")
FIRST_YEAR, LAST_YEAR = 2007, 2100


class PopulationError(Exception):
    """The population file is not what it should be; the message names file, line and value."""


def read_population(path: Path) -> list[dict[str, Any]]:
    """The rows of a population file, typed, None for an empty cell. Raises PopulationError for the first fault, OSError without a file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_header(path, reader.fieldnames)
            rows = [(reader.line_num, _row(path, reader.line_num, row)) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise PopulationError(f"{path}: not a CSV file in UTF-8: {error}") from error
    _check_repeats(path, rows)
    return [row for _, row in rows]


def _check_header(path: Path, names: Any) -> None:
    if sorted(names or ()) != sorted(COLUMNS):
        raise PopulationError(f"{path}, line 1: the columns are {', '.join(names or ['(none)'])}; they must be {', '.join(COLUMNS)}")


def _row(path: Path, line: int, row: dict[str, Any]) -> dict[str, Any]:
    if None in row or None in row.values():
        raise PopulationError(f"{path}, line {line}: {'more' if None in row else 'fewer'} cells than columns")
    text = {name: str(row[name]).strip() for name in COLUMNS}
    fault = _fault(text)
    if fault:
        raise PopulationError(f"{path}, line {line}: {fault}")
    return {
        "district_code": text["district_code"],
        "year": int(text["year"]),
        "population": int(text["population"]) if text["population"] else None,
        "area_km2": float(text["area_km2"]) if text["area_km2"] else None,
        "source": text["source"],
    }


def _fault(text: dict[str, str]) -> str | None:
    year, population, area = text["year"], text["population"], text["area_km2"]
    if text["district_code"] not in codes():
        return f"district_code {text['district_code']!r} is no code of GB/T 2260"
    if not _WHOLE.fullmatch(year) or not FIRST_YEAR <= int(year) <= LAST_YEAR:
        return f"year {year!r} is no year from {FIRST_YEAR} on"
    if population and (not _WHOLE.fullmatch(population) or int(population) == 0):
        return f"population {population!r} is no whole number of residents"
    if area and (not _DECIMAL.fullmatch(area) or float(area) == 0):
        return f"area_km2 {area!r} is no number of square kilometres"
    if not population and not area:
        return "neither population nor area_km2"
    return None if text["source"] else "source is empty: say where the figures are from"


def _check_repeats(path: Path, rows: list[tuple[int, dict[str, Any]]]) -> None:
    first: dict[tuple[str, int], int] = {}
    for line, row in rows:
        key = (row["district_code"], row["year"])
        if key in first:
            raise PopulationError(f"{path}, line {line}: {key[0]} in {key[1]} stands in line {first[key]} already")
        first[key] = line


def fingerprint(path: Path | None) -> str:
    """Hash of the file; empty without one."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""


def load_population(con: duckdb.DuckDBPyConnection, path: Path | None) -> None:
    """Replace the table `population` by the rows of the file, by nothing without one. Raises PopulationError, OSError."""
    rows = read_population(path) if path else []
    con.execute("DELETE FROM population")
    if rows:
        insert(con, "population", {name: [row[name] for row in rows] for name in COLUMNS})
