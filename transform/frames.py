"""The tidy frames: their columns and types, checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pandas as pd
import pandera.pandas as pa
import pyarrow
import pyarrow.ipc

from transform.rows import APPLICANTS as APPLICANTS
from transform.rows import FORMATS, OUTCOMES, SCOPES, SECTIONS, STATUSES, no_rows
from transform.rows import Rows as Rows

#: The rows of a document by kind, each a serialised Arrow record batch.
Packed = dict[str, bytes]

TEXT = pd.ArrowDtype(pyarrow.string())
INT = pd.ArrowDtype(pyarrow.int32())
DECIMAL = pd.ArrowDtype(pyarrow.decimal128(18, 4))
BOOL = pd.ArrowDtype(pyarrow.bool_())
BOX = pd.ArrowDtype(pyarrow.list_(pyarrow.float64()))


def _text(nullable: bool = False, isin: tuple[str, ...] | None = None) -> pa.Column:
    return pa.Column(TEXT, pa.Check.isin(isin) if isin else None, nullable=nullable)


def _int(nullable: bool = False, isin: tuple[int, ...] | None = None) -> pa.Column:
    return pa.Column(INT, pa.Check.isin(isin) if isin else None, nullable=nullable)


def _schema(name: str, columns: dict[str, pa.Column], unique: list[str] | None = None) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, name=name, strict=True, ordered=True, unique=unique)


SCHEMAS: dict[str, pa.DataFrameSchema] = {
    "report": _schema(
        "report",
        {
            "report_id": _text(),  # {publisher_id}-{year}-{first 8 hex digits of the document's sha256}
            "publisher_id": _text(),
            "district_code": _text(),
            "year": _int(),  # year the report is about
            "scope": _text(isin=SCOPES),
            "scope_evidence": _text(nullable=True),  # phrase of the preface, or "source"
            "title": _text(nullable=True),
            "format": _int(nullable=True, isin=FORMATS),  # of table three, else of the first table
            "media": _text(),  # pdf, html, docx
            "url": _text(),
            "document_sha256": _text(),
            "published_on": _text(nullable=True),  # ISO date
            "fetched_at": _text(),  # ISO 8601 UTC, when these bytes were first fetched
            "figures": _int(),  # observations with status reported
            "year_evidence": _text(),
        },
        unique=["report_id"],
    ),
    "observation": _schema(
        "observation",
        {
            "report_id": _text(),
            "section": _text(isin=SECTIONS),
            "format": _int(isin=FORMATS),
            "indicator": _text(),
            "applicant": _text(nullable=True, isin=APPLICANTS),
            "value": pa.Column(DECIMAL, nullable=True),
            "value_status": _text(isin=STATUSES),
            "raw_text": _text(),  # as printed, white space trimmed
            "unit": _text(),
            "page": _int(nullable=True),
            "bbox": pa.Column(BOX, nullable=True),  # x0, top, x1, bottom; PDF points from the upper left corner
            "method": _text(),
            "table_no": _int(),  # grid of the document, from 1
            "row_no": _int(),  # row of the grid, from 1
            "col_no": _int(),
        },
        unique=["report_id", "indicator", "applicant"],
    ),
    "check_result": _schema(
        "check_result",
        {
            "report_id": _text(),
            "check_id": _text(),
            "applicant": _text(nullable=True),
            "left_value": pa.Column(DECIMAL, nullable=True),
            "right_value": pa.Column(DECIMAL, nullable=True),
            "difference": pa.Column(DECIMAL, nullable=True),
            "passed": pa.Column(BOOL, nullable=True),
            "cause": _text(nullable=True, isin=("publisher", "extraction", "unknown")),
            "soft": pa.Column(BOOL),  # a failure is worth a look, not an error: other years, the text of the report
        },
        unique=["report_id", "check_id", "applicant"],
    ),
    "narrative": _schema(
        "narrative",
        {
            "report_id": _text(),
            "section_no": _int(),  # 0 is what stands before the first heading
            "heading": _text(nullable=True),
            "text": _text(),
        },
        unique=["report_id", "section_no"],
    ),
    "unmapped_cell": _schema(
        "unmapped_cell",
        {
            "report_id": _text(),
            "table_no": _int(),
            "row_no": _int(),
            "col_no": _int(),
            "row_label": _text(nullable=True),  # text of the first label of the row
            "column_label": _text(nullable=True),  # texts above, joined by " / "
            "text": _text(),
            "page": _int(nullable=True),
            "bbox": pa.Column(BOX, nullable=True),
            "method": _text(),
        },
        unique=["report_id", "table_no", "row_no", "col_no"],
    ),
    "claim": _schema(
        "claim",
        {
            "report_id": _text(),
            "claim_no": _int(),  # from 1, in reading order
            "section_no": _int(),
            "what": _text(),  # the counted thing, as printed: 收到政府信息公开申请
            "value": pa.Column(DECIMAL),
            "unit": _text(nullable=True),  # as printed: 件, 条, 次
            "qualifier": _text(nullable=True),  # as printed: 余, 约, 近
            "sentence": _text(),
            "start": _int(),  # offset of the number in the section's text
            "indicator": _text(nullable=True),  # the figure it should equal, NULL where there is none
            "applicant": _text(nullable=True),
            "agrees": pa.Column(BOOL, nullable=True),  # NULL where there is no figure, or none that can be compared
        },
        unique=["report_id", "claim_no"],
    ),
    "proof": _schema(
        "proof",
        {
            "report_id": _text(),
            "indicator": _text(),
            "applicant": _text(nullable=True, isin=APPLICANTS),
            "proved_value": pa.Column(DECIMAL),  # what the identities of the table give; the printed figure stays in observation
            "rules": _text(),  # identities that give it, each with its applicant: "R2.granted/total, R3/total"
        },
        unique=["report_id", "indicator", "applicant"],
    ),
    "problem": _schema(
        "problem",
        {
            "run_id": _text(),
            "stage": _text(isin=("crawl", "extract", "transform", "check", "load")),
            "publisher_id": _text(nullable=True),
            "url": _text(nullable=True),
            "year": _int(nullable=True),
            "kind": _text(),
            "message": _text(),
            "severity": _text(isin=("failure", "warning")),
            "document_sha256": _text(nullable=True),
        },
    ),
    "parse": _schema(
        "parse",
        {
            "publisher_id": _text(),
            "document_sha256": _text(),
            "url": _text(),
            "parser_version": _text(),
            "run_id": _text(),
            "outcome": _text(isin=OUTCOMES),
            "report_id": _text(nullable=True),
            "year": _int(nullable=True),
        },
        unique=["publisher_id", "document_sha256"],
    ),
}


def frames(documents: Iterable[Rows]) -> dict[str, pd.DataFrame]:
    """The rows of many documents as one validated frame of each kind. Raises pandera.errors.SchemaError as `frame` does."""
    merged = no_rows()
    for rows in documents:
        for name, more in rows.items():
            merged[name].extend(more)
    return {name: frame(name, rows) for name, rows in merged.items()}


def pack(rows: Rows) -> Packed:
    """The rows of a document as typed columns, kinds without rows left out: what one process hands to another.

    Raises pyarrow.ArrowInvalid, pyarrow.ArrowTypeError (which are ValueError and TypeError) for a value that is not of its column's type.
    """
    return {
        name: pyarrow.RecordBatch.from_pylist(found, schema=_columns(name)).serialize().to_pybytes()
        for name, found in rows.items()
        if found
    }


def joined(documents: Iterable[Packed]) -> dict[str, pd.DataFrame]:
    """The packed rows of many documents as one validated frame of each kind, columns in order.

    Raises pandera.errors.SchemaError for a row that breaks a rule of its frame.
    """
    batches: dict[str, list[pyarrow.RecordBatch]] = {name: [] for name in SCHEMAS}
    for document in documents:
        for name, packed in document.items():
            batches[name].append(pyarrow.ipc.read_record_batch(pyarrow.py_buffer(packed), _columns(name)))
    return {name: _validated_table(name, pyarrow.Table.from_batches(found, _columns(name))) for name, found in batches.items()}


@cache
def _columns(name: str) -> pyarrow.Schema:
    """Columns of the frame `name` with their Arrow types, in order."""
    return pyarrow.schema([(column, spec.dtype.type.pyarrow_dtype) for column, spec in SCHEMAS[name].columns.items()])


def _validated_table(name: str, table: pyarrow.Table) -> pd.DataFrame:
    whole = table.combine_chunks()
    data = pd.DataFrame({column: pd.arrays.ArrowExtensionArray(whole.column(column)) for column in whole.column_names})
    return data if _keeps_rules(name, whole) else SCHEMAS[name].validate(data)  # it takes a millisecond a report to find nothing wrong


def frame(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows as the typed frame `name`, columns in order. Raises pandera.errors.SchemaError for a row that breaks a rule of it."""
    try:
        table = pyarrow.Table.from_pylist(rows, schema=_columns(name))
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
        return _validated(name, rows)
    return _validated_table(name, table)


def _validated(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    """Values that Arrow does not take as they are: pandas may, and says which one it does not."""
    schema = SCHEMAS[name]
    data = {column: pd.array([row.get(column) for row in rows], dtype=spec.dtype.type) for column, spec in schema.columns.items()}
    return schema.validate(pd.DataFrame(data))


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of a schema in a form that is quickly held against whole columns."""

    never_null: frozenset[str]
    allowed: dict[str, frozenset[object]]
    unique: tuple[str, ...]


@cache
def _rules(name: str) -> _Rules | None:
    """None for a schema with rules of other kinds than types, nulls, lists of words and unique places."""
    schema, columns = SCHEMAS[name], SCHEMAS[name].columns
    lists = all([check.name for check in column.checks] in ([], ["isin"]) and not column.unique for column in columns.values())
    if not lists or schema.checks or not schema.strict:
        return None
    return _Rules(
        frozenset(name for name, column in columns.items() if not column.nullable),
        {name: frozenset([None, *column.checks[0].statistics["allowed_values"]]) for name, column in columns.items() if column.checks},
        tuple(schema.unique or ()),
    )


def _keeps_rules(name: str, table: pyarrow.Table) -> bool:
    """Whether columns of the right types surely keep every other rule of the frame `name`; where not, pandera has to say."""
    rules = _rules(name)
    if rules is None or any(table[column].null_count for column in rules.never_null):
        return False
    if not all(allowed.issuperset(table[column].unique().to_pylist()) for column, allowed in rules.allowed.items()):
        return False
    return not rules.unique or table.group_by(list(rules.unique)).aggregate([]).num_rows == table.num_rows
