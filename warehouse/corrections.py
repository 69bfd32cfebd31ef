"""Corrections as data: YAML entries, checked when they are read, and shown beside the printed figures, never in their place."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from warehouse.codebook import enums
from warehouse.duck import ROOT, SEEDS
from warehouse.mirror import insert

#: The corrections that ship with the project.
FOLDER = ROOT / "corrections"

_MODEL = ConfigDict(extra="forbid", frozen=True)
_Text = Annotated[str, Field(min_length=1)]
_Value = Annotated[Decimal, Field(max_digits=18, decimal_places=4)]


class CorrectionError(Exception):
    """A corrections file is malformed. The message names file, line and entry."""


class Locator(BaseModel):
    """The figure that is corrected: a report, by its id or by publisher, year and scope, and one figure of it."""

    model_config = _MODEL

    report_id: _Text | None = None
    publisher: _Text | None = None
    year: int | None = None
    scope: Literal["own", "level", "consolidated", "unknown"] | None = None
    document_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    indicator: str
    applicant: str | None = None

    @model_validator(mode="after")
    def _names_one_figure(self) -> Self:
        named = [self.publisher, self.year, self.scope]
        if self.report_id is not None and any(v is not None for v in (*named, self.document_sha256)):
            raise ValueError("report_id names the report already: leave out publisher, year, scope and document_sha256")
        if self.report_id is None and any(v is None for v in named):
            raise ValueError("needs report_id, or publisher, year and scope")
        section = _sections().get(self.indicator)
        if section is None:
            raise ValueError(f"there is no indicator {self.indicator}")
        if (section == "requests") != (self.applicant is not None):
            raise ValueError(f"{self.indicator} {'needs an' if section == 'requests' else 'has no'} applicant")
        if self.applicant is not None and self.applicant not in enums()["applicant_enum"]:
            raise ValueError(f"there is no applicant {self.applicant}")
        return self


class Expect(BaseModel):
    """What the report prints: the entry holds only as long as it does."""

    model_config = _MODEL

    raw_text: str | None = None
    value: _Value | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.raw_text is None and self.value is None:
            raise ValueError("needs raw_text or value")
        return self


class Correction(BaseModel):
    """One entry of a corrections file (warehouse/corrections/README.md)."""

    model_config = _MODEL

    id: Annotated[str, Field(pattern="^[a-z0-9-]+$")]
    locator: Locator
    expect: Expect
    action: Literal["set_value", "set_status", "drop"]
    value: _Value | None = None
    value_status: Literal["blank", "not_applicable", "unreadable"] | None = None
    reason: _Text
    evidence: Annotated[str, Field(pattern=r"^(https?://|urn:)\S+$")]
    status: Literal["proposed", "accepted", "rejected", "obsolete"]
    author: _Text
    date: date

    @model_validator(mode="after")
    def _action_has_what_it_sets(self) -> Self:
        if (self.action == "set_value") != (self.value is not None):
            raise ValueError("set_value needs value, and no other action has one")
        if (self.action == "set_status") != (self.value_status is not None):
            raise ValueError("set_status needs value_status, and no other action has one")
        return self


@cache
def _sections() -> dict[str, str]:
    with (SEEDS / "indicators.csv").open(encoding="utf-8") as file:
        return {row["indicator"]: row["section"] for row in csv.DictReader(file)}


def load_corrections(folder: Path | None = None) -> list[tuple[str, Correction]]:
    """(file name, entry) of every entry in the YAML files of a folder, by file and place; None: those that ship with the project.

    Raises CorrectionError for a folder that can't be read, a malformed entry, an id that is used twice, or two accepted entries for one
    locator.
    """
    found = [entry for path in _files(folder or FOLDER) for entry in _entries(path)]
    ids: set[str] = set()
    places: set[Locator] = set()
    for where, entry in found:
        if entry.id in ids:
            raise CorrectionError(f"{where}: entry {entry.id}: the id is used twice")
        if entry.status == "accepted" and entry.locator in places:
            raise CorrectionError(f"{where}: entry {entry.id}: another accepted entry corrects the same figure")
        ids.add(entry.id)
        places |= {entry.locator} if entry.status == "accepted" else set()
    return [(where.rpartition(", line ")[0], entry) for where, entry in found]


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise CorrectionError(f"{folder}: no such folder")
    return sorted(path for path in folder.iterdir() if path.suffix in (".yml", ".yaml"))


def _entries(path: Path) -> Iterator[tuple[str, Correction]]:
    try:
        text = path.read_text("utf-8")
        node, raw = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CorrectionError(f"{path.name}: {error}") from error
    if node is None:
        return
    if not isinstance(raw, list):
        raise CorrectionError(f"{path.name}: not a list of entries")
    for item, place in zip(raw, node.value, strict=True):
        yield _entry(f"{path.name}, line {place.start_mark.line + 1}", item)


def _entry(where: str, item: Any) -> tuple[str, Correction]:
    try:
        return where, Correction.model_validate(item)
    except ValidationError as error:
        name = item.get("id", "without id") if isinstance(item, dict) else "that is no mapping"
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'entry'}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors())
        raise CorrectionError(f"{where}: entry {name}: {faults}") from error


def fingerprint(folder: Path | None = None) -> str:
    """Hash over the entries: changes when a build would show other corrections. Raises CorrectionError as `load_corrections` does."""
    told = "".join(f"{file} {entry.model_dump_json()}\n" for file, entry in load_corrections(folder))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def insert_corrections(con: duckdb.DuckDBPyConnection, entries: Sequence[tuple[str, Correction]]) -> None:
    """Replace the table `correction`; steps/70_corrections.sql then finds the figures. Raises duckdb.Error."""
    con.execute("DELETE FROM correction")
    rows = [_row(file, entry) for file, entry in entries]
    if rows:
        insert(con, "correction", {name: [row[name] for row in rows] for name in rows[0]})


def _row(file: str, entry: Correction) -> dict[str, object]:
    place = entry.locator
    return {
        "correction_id": entry.id,
        "file": file,
        "located_report_id": place.report_id,
        "publisher_id": place.publisher,
        "year": place.year,
        "scope": place.scope,
        "document_sha256": place.document_sha256,
        "indicator": place.indicator,
        "applicant": place.applicant,
        "expected_text": entry.expect.raw_text,
        "expected_value": entry.expect.value,
        "action": entry.action,
        "corrected_value": entry.value,
        "corrected_status": "reported" if entry.action == "set_value" else entry.value_status,
        "reason": entry.reason,
        "evidence": entry.evidence,
        "status": entry.status,
        "author": entry.author,
        "decided_on": entry.date,
        "outcome": "inactive",
    }


def failed_corrections(con: duckdb.DuckDBPyConnection) -> int:
    """How many accepted corrections hold for no figure of a published warehouse."""
    row = con.execute("SELECT count(*) FROM correction WHERE status = 'accepted' AND outcome <> 'applied'").fetchone()
    return int(row[0]) if row else 0
