"""What describes a release: datapackage.json, labels for R and Stata, citation and README."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from warehouse.export_files import Column, Table
from warehouse.export_wide import stata_names

_TITLE = "gongkai: the yearly disclosure reports of China's governments as one table"
_TITLE_ZH = "中国各级政府信息公开工作年度报告数据"
_ABSTRACT = (
    "Every figure printed in the yearly reports on open government information (政府信息公开工作年度报告) of Chinese governments, "
    "with its page, its accounting identities and what went wrong. Figures are as printed; nothing is filled in."
)

_TYPES = {"BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "datetime", "DOUBLE": "number", "VARCHAR": "string", "JSON": "string"}
_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}


def write_datapackage(folder: Path, tables: Sequence[Table], version: str, built_at: str) -> None:
    """A Frictionless data package over the CSV files, with checksums, types and the codebook's texts."""
    resources = [_resource(folder, table) for table in tables]
    package = {
        "profile": "tabular-data-package",
        "name": "gongkai",
        "title": _TITLE,
        "description": _ABSTRACT,
        "version": version,
        "created": built_at.replace(" ", "T") + "Z",
        "resources": resources,
    }
    _write_json(folder / "datapackage.json", package)


def _resource(folder: Path, table: Table) -> dict[str, Any]:
    path = folder / str(table.csv)
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "path": table.csv,
        "title": table.relation.zh or table.name,
        "description": table.relation.description,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{_sha256(path)}",
        "schema": {"fields": [_field(column) for column in table.columns], "missingValues": [""]},
    }


def _field(column: Column) -> dict[str, Any]:
    entry = column.entry
    texts = {"title": entry.zh, "label_en": entry.label, "description": entry.description, "unit": entry.unit, "legal": entry.legal}
    return {"name": entry.name, "type": field_type(column.type), **{key: text for key, text in texts.items() if text}}


def field_type(duckdb_type: str) -> str:
    """Type of the Table Schema for a type of DuckDB; enums, lists and maps are strings in a CSV."""
    if duckdb_type in _INTEGERS:
        return "integer"
    return "number" if duckdb_type.startswith("DECIMAL(") and not duckdb_type.endswith("[]") else _TYPES.get(duckdb_type, "string")


def write_r(folder: Path, tables: Sequence[Table]) -> None:
    """labels.csv (every column of every file, with its Stata name) and an R script that reads a relation with its labels."""
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("relation", "column", "stata_name", "label_zh", "label_en", "unit", "description"))
        writer.writerows(row for table in tables for row in _labels(table))
    (folder / "read_gongkai.R").write_text(_R, "utf-8")


def _labels(table: Table) -> Iterator[tuple[str | None, ...]]:
    short = stata_names([column.name for column in table.columns]) if table.name.startswith("wide_") else {}
    for column in table.columns:
        e = column.entry
        yield table.name, e.name, short.get(e.name), e.zh, e.label, e.unit, e.description


_R = """# read_gongkai("panel") reads a relation of this release with the codebook's labels; language = "zh" for Chinese ones.
# Needs the package arrow. attr(x$value, "label") is the label of a column; RStudio and haven show it.
read_gongkai <- function(relation, folder = ".", language = c("en", "zh")) {
  language <- match.arg(language)
  data <- as.data.frame(arrow::read_parquet(file.path(folder, "parquet", paste0(relation, ".parquet"))))
  labels <- read.csv(file.path(folder, "labels.csv"), encoding = "UTF-8", colClasses = "character")
  labels <- labels[labels$relation == relation, ]
  for (i in seq_len(nrow(labels))) {
    attr(data[[labels$column[i]]], "label") <- labels[[paste0("label_", language)]][i]
  }
  data
}
"""


def write_citation(folder: Path, version: str, built_at: str) -> None:
    """CITATION.cff 1.2.0 of the data set."""
    citation = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite them with the version, and single figures with their report_id.",
        "type": "dataset",
        "title": _TITLE,
        "authors": [{"name": "The gongkai contributors"}],
        "version": f"{version}+{built_at[:10].replace('-', '')}",
        "date-released": built_at[:10],
        "abstract": _ABSTRACT,
        "keywords": ["China", "open government information", "政府信息公开", "annual reports"],
    }
    (folder / "CITATION.cff").write_text(yaml.safe_dump(citation, allow_unicode=True, sort_keys=False, width=1000), "utf-8")


def write_readme(
    folder: Path, tables: Sequence[Table], version: str, built_at: str, as_of: str | None, since: str | None, changes: dict[str, int]
) -> None:
    """README.md of the release."""
    rows = "\n".join(f"| `{t.name}` | {t.relation.zh or ''} | {t.rows:,} | {t.relation.description} |" for t in tables)
    told = ", ".join(f"{n:,} {kind}" for kind, n in changes.items()) or "no figure changed"
    past = f"The reports stand as they did at {as_of} UTC.\n" if as_of else ""
    news = (
        f"Since the release of {since} UTC: {told}." if since else "Made without an earlier release to compare with: `changes` has no row."
    )
    text = _README.format(title=_TITLE, zh=_TITLE_ZH, version=version, built_at=built_at, past=past, news=news, rows=rows)
    (folder / "README.md").write_text(text, "utf-8")


_README = """# {title}

{zh}

Version {version}, built {built_at} UTC. {news}
{past}
## Files

- `parquet/` and `csv/`: every relation. CSV is UTF-8, nothing for NULL, times in ISO 8601 UTC. Parquet has the codebook as metadata.
- `spreadsheet/`: one row per report with Chinese column heads, for Excel and WPS. A cell is empty where no number is printed; `panel`
  says why.
- `stata/`: the same as .dta with English variable labels; `do stata/wide_requests_zh.do` puts Chinese ones.
- `read_gongkai.R`: reads a relation in R, with labels.
- `labels.csv`: every column with Chinese and English label and its Stata name. `datapackage.json`: the same for machines (Frictionless).
- `changes`: every figure that differs from the earlier release. `source_changed`: another document stands there; `reading_changed`: the
  same document, read better; `new`: a report that was not there; `removed`: one that no longer is.
- `SHA256SUMS`: `sha256sum -c SHA256SUMS`. `CITATION.cff`: how to cite. `release.json`: the manifest, for `gongkai export --since`.

**Text that a spreadsheet would run.** In CSV files, a text that begins with `=`, `+`, `-`, `@`, tab, carriage return or line feed (or a
full-width sign of these) has an apostrophe before it: `'-` is a printed dash. A text that begins with apostrophes before such a sign
gets one more: take one apostrophe off to have the text again. Numbers are never quoted; Parquet and Stata have the texts as they are.

Figures are as printed: a blank is not a zero, and what accounting identities or corrections offer stands in columns of its own
(`reconciled`, `panel_corrected`).

## Relations

| relation | 名称 | rows | what |
|---|---|---|---|
{rows}
"""


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
