"""The tidy frames: their columns and types, checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import pandera.pandas as pa
import pyarrow

from transform.rows import APPLICANTS as APPLICANTS
from transform.rows import FORMATS, OUTCOMES, SCOPES, SECTIONS, STATUSES, no_rows
from transform.rows import Rows as Rows

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


def frame(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows as the typed frame `name`, columns in order. Raises pandera.errors.SchemaError for a row that breaks a rule of it."""
    schema = SCHEMAS[name]
    data = {column: pd.array([row.get(column) for row in rows], dtype=spec.dtype.type) for column, spec in schema.columns.items()}
    return schema.validate(pd.DataFrame(data))
