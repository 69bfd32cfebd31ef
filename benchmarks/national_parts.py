"""Simulated figures as parts of the warehouse: tidy frames with the results of the real checker, and a ledger that knows the documents."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow

from benchmarks.national_errors import Flaws, planted, spoil
from benchmarks.national_figures import ONE, REPORTED, SCOPES, YEARS, Cell, Ints, Planted, Sheet, publisher_id, sheets
from benchmarks.national_texts import claims, prose, sentence, stated_figures
from extract.ledger import SCHEMA
from transform.check import Operand, check
from transform.frames import SCHEMAS, frame

TOKENS = {1: "", 2: "/", 3: "l2"}
STATUSES = ("reported", "blank", "not_applicable", "unreadable")
MONEY = ("administrative_fee_amount", "government_procurement_amount")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Districts whose reports make one part. The same number and seed give the same figures. Seat 0 is the government and its office, every
    further one a department and a town, which report on themselves."""

    number: int
    codes: tuple[str, ...]
    seed: int
    folder: Path
    seat: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a report: where its figures are, and what an older version had more or less."""

    sheet: Sheet
    at: int
    code: str
    number: int
    older: dict[Cell, int]
    seat: int = 0

    @property
    def place(self) -> str:
        return f"{self.code}/{self.sheet.scope}" + (f"-{self.seat}" if self.seat else "")

    @property
    def sha256(self) -> str:
        return hashlib.sha256(f"{self.place}/{self.sheet.year}/{self.number}".encode()).hexdigest()

    @property
    def publisher(self) -> str:
        return publisher_id(self.code, self.sheet.scope, self.seat)

    @property
    def scope(self) -> str:
        return "own" if self.seat else self.sheet.scope

    @property
    def report_id(self) -> str:
        return f"{self.publisher}-{self.sheet.year}-{self.sha256[:8]}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1/{self.place}/{self.sheet.year}.html"

    def figures(self) -> Ints:
        base = np.array([column[self.at] for column in self.sheet.values.values()], np.int64)
        return base + np.array([self.older.get(cell, 0) for cell in self.sheet.values], np.int64)

    def marks(self) -> Ints:
        return np.array([self.sheet.mark(cell, self.at) for cell in self.sheet.values], np.int64)

    def printed(self) -> dict[Cell, int | None]:
        """Cell -> figure; None where no number is printed."""
        rows = zip(self.sheet.values, self.figures().tolist(), self.marks().tolist(), strict=True)
        return {cell: value if mark == REPORTED else None for cell, value, mark in rows}


def write_chunk(chunk: Chunk) -> list[Planted]:
    """Write one part and return its planted errors."""
    rng = np.random.default_rng([chunk.seed, chunk.number])
    versions: list[Version] = []
    errors: list[Planted] = []
    for scope in SCOPES:
        made = sheets(rng, len(chunk.codes), scope)
        flaws = spoil(rng, made, len(chunk.codes))
        mine = list(_versions(made, flaws, chunk))
        ids = {(YEARS.index(v.sheet.year), v.at): v.report_id for v in mine if not v.older}
        errors += planted(flaws, made, ids)
        versions += mine
    _write(chunk.folder, versions, rng)
    return errors


def _versions(made: list[Sheet], flaws: Flaws, chunk: Chunk) -> Iterator[Version]:
    for number, sheet in enumerate(made):
        for at, code in enumerate(chunk.codes):
            if (number, at) in flaws.missing:
                continue
            yield Version(sheet, at, code, 2, {}, chunk.seat)
            if (number, at) in flaws.older:
                yield Version(sheet, at, code, 1, flaws.older[number, at], chunk.seat)


def _write(folder: Path, versions: list[Version], rng: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    tables: dict[str, pd.DataFrame] = {name: frame(name, []) for name in SCHEMAS}
    tables["observation"] = SCHEMAS["observation"].validate(_observations(versions))
    tables["check_result"] = frame("check_result", [row for v in versions for row in _checks(v)])
    tables["report"] = frame("report", [_report(v) for v in versions])
    tables["parse"] = frame("parse", [_parse(v) for v in versions])
    stated = {v.report_id: stated_figures(v.printed()) for v in versions}
    tables["narrative"] = frame("narrative", [row for key, told in stated.items() for row in prose(key, rng, sentence(told))])
    tables["claim"] = frame("claim", [row for key, told in stated.items() for row in claims(key, told)])
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)


def _report(v: Version) -> dict[str, Any]:
    day = 10 + int(v.sha256[:2], 16) % 18
    return {
        "report_id": v.report_id,
        "publisher_id": v.publisher,
        "district_code": v.code,
        "year": v.sheet.year,
        "scope": v.scope,
        "scope_evidence": "source",
        "title": f"{v.sheet.year}年政府信息公开工作年度报告",
        "format": v.sheet.form,
        "media": "html",
        "url": v.url,
        "document_sha256": v.sha256,
        "published_on": f"{v.sheet.year + 1}-0{1 if v.scope == 'own' else 3}-{day}",
        "fetched_at": f"{v.sheet.year + 1}-0{3 + v.number}-01T00:00:00Z",
        "figures": int((v.marks() == REPORTED).sum()),
        "year_evidence": "title",
    }


def _parse(v: Version) -> dict[str, Any]:
    keys = {"publisher_id": v.publisher, "document_sha256": v.sha256, "url": v.url, "report_id": v.report_id, "year": v.sheet.year}
    return keys | {"parser_version": "simulated", "run_id": "r1", "outcome": "loaded"}


def _checks(v: Version) -> Iterator[dict[str, Any]]:
    figures = {
        cell: Operand(None if value is None else Decimal(value) / ONE, confirmed=True)
        for cell, value in v.printed().items()
        if cell[1] is not None or cell[0].startswith(("reconsideration", "litigation"))
    }
    for r in check(figures, dict.fromkeys(("requests", "litigation"), v.sheet.form)):
        yield {name: getattr(r, name) for name in SCHEMAS["check_result"].columns if name != "report_id"} | {"report_id": v.report_id}


# --- observations, by column: a dictionary for each of eight million rows would take minutes


def _observations(versions: list[Version]) -> pd.DataFrame:
    cells = {form: list(next(v.sheet for v in versions if v.sheet.form == form).values) for form in {v.sheet.form for v in versions}}
    lengths = [len(cells[v.sheet.form]) for v in versions]
    values = np.concatenate([v.figures() for v in versions])
    marks = np.concatenate([v.marks() for v in versions])
    layout = {form: _layout(form, of_form) for form, of_form in cells.items()}
    columns: dict[str, Any] = {"report_id": pyarrow.array(np.repeat([v.report_id for v in versions], lengths))}
    for name in ("section", "format", "indicator", "applicant", "unit", "row_no", "col_no", "table_no"):
        columns[name] = pyarrow.concat_arrays([layout[v.sheet.form][name] for v in versions])
    columns["value"] = _decimals(values, marks)
    columns["value_status"] = pyarrow.array(np.array(STATUSES)[marks])
    columns["raw_text"] = pyarrow.array([TOKENS[m] if m else _printed(v) for v, m in zip(values.tolist(), marks.tolist(), strict=True)])
    n = len(values)
    columns |= {"page": pyarrow.nulls(n, pyarrow.int32()), "bbox": pyarrow.nulls(n, pyarrow.list_(pyarrow.float64()))}
    columns["method"] = pyarrow.array(["html"] * n)
    table = pyarrow.table({name: columns[name] for name in SCHEMAS["observation"].columns})
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def _printed(value: int) -> str:
    whole, rest = divmod(abs(value), ONE)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{rest:04}".rstrip("0") if rest else f"{sign}{whole}"


def _layout(form: int, cells: list[Cell]) -> dict[str, pyarrow.Array]:
    """The columns that are the same for every report of a form."""
    sections = [
        "requests" if who else "litigation" if name.startswith(("reconsideration", "litigation")) else "proactive" for name, who in cells
    ]
    tables = {"proactive": 1, "requests": 2, "litigation": 3}
    units = {"requests": "request", "litigation": "case"}
    amounts = {name: "10k_cny" if name == MONEY[0] else "unknown" for name in MONEY}
    plain = [
        units.get(s) or amounts.get(name) or ("decision" if name.endswith("decisions") else "item")
        for s, (name, _) in zip(sections, cells, strict=True)
    ]
    numbers = pyarrow.array(range(1, len(cells) + 1), pyarrow.int32())
    return {
        "section": pyarrow.array(sections),
        "format": pyarrow.array([form] * len(cells), pyarrow.int32()),
        "indicator": pyarrow.array([name for name, _ in cells]),
        "applicant": pyarrow.array([who for _, who in cells], pyarrow.string()),
        "unit": pyarrow.array(plain),
        "row_no": numbers,
        "col_no": pyarrow.array([1] * len(cells), pyarrow.int32()),
        "table_no": pyarrow.array([tables[s] for s in sections], pyarrow.int32()),
    }


def _decimals(values: Ints, marks: Ints) -> pyarrow.Array:
    """Whole numbers of 1/10,000 as DECIMAL(18, 4): the number and its sign, in 16 bytes each."""
    wide = np.stack([values, values >> 63], axis=1)
    valid = pyarrow.array(marks == REPORTED).buffers()[1]
    return pyarrow.Array.from_buffers(pyarrow.decimal128(18, 4), len(values), [valid, pyarrow.py_buffer(wide.tobytes())])


# --- ledger


def write_ledger(path: Path, parts: list[Path]) -> None:
    """A ledger that lists every report, holding its newest version; from when to when an address held which, it knows from their days."""
    at = "2026-11-22T18:00:00Z"
    with closing(sqlite3.connect(path)) as con, con:
        con.executescript(SCHEMA)
        con.execute(
            """INSERT INTO run (run_id, started_at, version, command, status, counts)
            VALUES ('r1', ?, 'simulated', 'run', 'running', '{}')""",
            [at],
        )
        for part in parts:
            report = pd.read_parquet(part / "report.parquet", columns=["publisher_id", "url", "year", "document_sha256", "fetched_at"])
            report = report.sort_values("fetched_at")
            con.executemany(
                f"INSERT INTO presence (url, sha256, first_seen, last_seen) VALUES (?, ?, ?, '{at}')",
                report[["url", "document_sha256", "fetched_at"]].itertuples(index=False),
            )
            rows = report.drop_duplicates("url", keep="last").itertuples(index=False)
            listed = [(r.publisher_id, r.url, int(r.year), r.document_sha256) for r in rows]
            con.executemany(
                f"""INSERT INTO sighting (publisher_id, url, year, declared, role, first_seen, last_seen, last_run_id)
                VALUES (?, ?, ?, 1, 'page', '{at}', '{at}', 'r1')""",
                [row[:3] for row in listed],
            )
            con.executemany(
                f"""INSERT INTO document (url, sha256, first_seen, last_seen, last_checked, status, media, bytes)
                VALUES (?, ?, '{at}', '{at}', '{at}', 200, 'text/html', 50000)""",
                [(row[1], row[3]) for row in listed],
            )
