"""Wide tables of a release: one row per report, a column per figure; for spreadsheets and for Stata."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from warehouse import codebook
from warehouse.codebook import Entry, Relation
from warehouse.duck import quoted
from warehouse.export_files import Column, Table, copy_csv, describe, write_relation

#: Units the document may state otherwise, or not at all: the unit stands in a column of its own.
_MONEY = "10k_cny"
_HEAD = "report_id, district_code, district, publisher_id, publisher, year, scope, title, published_on, url"

#: Stata names have 32 characters at most.
STATA_NAME = 32
_SHORT = (
    ("administrative", "adm"),
    ("normative_document", "normdoc"),
    ("government_procurement", "procure"),
    ("litigation_after_reconsideration", "lit_after"),
    ("litigation_direct", "lit_direct"),
    ("reconsideration", "recon"),
    ("other_external_service", "ext_service"),
    ("__natural_person", "__nat"),
    ("__business", "__bus"),
    ("__research_institution", "__res"),
    ("__public_interest_organization", "__pub"),
    ("__legal_service", "__leg"),
    ("__other_organization", "__oth"),
    ("__total", "__all"),
    ("legacy_", "l_"),
)


def write_wide(con: duckdb.DuckDBPyConnection, folder: Path, panel: str, built_at: str) -> list[Table]:
    """Write, for each section, wide_<section> as Parquet and CSV, the CSV with Chinese heads in spreadsheet/, and the file in stata/.

    The reports are those of the query `panel`. Stata files are made in memory, a section at a time (8 bytes a cell). Returns the tables.
    Raises duckdb.Error, OSError.
    """
    tables = [_write_section(con, folder, section, panel, built_at) for section in codebook.enums()["section_enum"]]
    return [table for table in tables if table.rows]


def _write_section(con: duckdb.DuckDBPyConnection, folder: Path, section: str, panel: str, built_at: str) -> Table:
    figures = _figures(con, section)
    base = next(r for r in codebook.relations() if r.name == "wide")
    zh = f"{base.zh}：{codebook.enums()['section_enum'][section]}"
    columns = {**base.columns, **{entry.name: entry for entry in figures}}
    relation = Relation(name=f"wide_{section}", zh=zh, description=base.description, columns=columns)
    table = write_relation(con, describe(con, relation, _wide_sql(section, figures, panel)), folder)
    parquet = folder / "parquet" / f"{table.name}.parquet"
    if not table.rows:
        parquet.unlink()
        (folder / "csv" / f"{table.name}.csv").unlink()
        return table
    _write_spreadsheet(con, parquet, table, folder / "spreadsheet" / f"{table.name}_zh.csv")
    _write_stata(con, parquet, table, folder / "stata" / f"{table.name}.dta", built_at)
    return table


def _figures(con: duckdb.DuckDBPyConnection, section: str) -> list[Entry]:
    """A column for every figure the section has in any form, and for the unit of those that are money."""
    sql = "SELECT indicator, label_zh, label_en, unit, definition FROM indicator WHERE section = ? ORDER BY rowid"
    out: list[Entry] = []
    for indicator, zh, en, unit, definition in con.execute(sql, [section]).fetchall():
        for applicant, who in _applicants(section).items():
            name, label = f"{indicator}__{applicant}" if applicant else indicator, f", {applicant.replace('_', ' ')}" if applicant else ""
            out.append(Entry(name=name, zh=f"{zh}·{who}" if who else zh, en=f"{en}{label}", description=definition, unit=unit))
        if unit == _MONEY:
            out.append(
                Entry(
                    name=f"{indicator}__unit",
                    zh=f"{zh}·单位",
                    en=f"{en}, unit",
                    description="Unit of the figure; unknown where the report states none.",
                )
            )
    return out


def _applicants(section: str) -> dict[str, str]:
    return codebook.enums()["applicant_enum"] if section == "requests" else {"": ""}


def _wide_sql(section: str, figures: Sequence[Entry], panel: str) -> str:
    values = [entry.name for entry in figures if not entry.name.endswith("__unit")]
    units = [entry.name for entry in figures if entry.name.endswith("__unit")]
    listed = ", ".join(f"'{name}'" for name in values)
    printed = f"FROM ({panel}) WHERE section = '{section}'"
    chosen = ", ".join(f'w."{v}"' for v in (entry.name for entry in figures if entry.name in values))
    money = "".join(f", max(unit) FILTER (WHERE indicator = '{name.removesuffix('__unit')}') AS \"{name}\"" for name in units)
    extra = ", ".join(f'm."{name}"' for name in units)
    return f"""SELECT {_head("h")}, {chosen}{", " + extra if extra else ""}
    FROM (
        PIVOT (SELECT report_id, concat_ws('__', indicator, applicant) AS figure, value {printed})
        ON figure IN ({listed}) USING first(value) GROUP BY report_id
    ) AS w
    JOIN (SELECT report_id{money} {printed} GROUP BY report_id) AS m USING (report_id)
    JOIN (
        SELECT r.*, d.name AS district, p.name AS publisher
        FROM report AS r LEFT JOIN district AS d USING (district_code) LEFT JOIN publisher AS p USING (publisher_id)
    ) AS h USING (report_id)"""


def _head(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in _HEAD.split(", "))


def _write_spreadsheet(con: duckdb.DuckDBPyConnection, parquet: Path, table: Table, path: Path) -> None:
    """The CSV with Chinese heads; a byte order mark tells Excel that it is UTF-8."""
    path.parent.mkdir(exist_ok=True)
    plain = path.with_suffix(".part")
    named = [Column(column.entry.model_copy(update={"name": column.entry.zh}), column.type) for column in table.columns]
    renamed = ", ".join(f'"{column.name}" AS "{column.entry.zh}"' for column in table.columns)
    copy_csv(con, f"SELECT {renamed} FROM {quoted(parquet)}", named, plain)
    with plain.open("rb") as source, path.open("wb") as out:
        out.write(b"\xef\xbb\xbf")
        shutil.copyfileobj(source, out)
    plain.unlink()


def _write_stata(con: duckdb.DuckDBPyConnection, parquet: Path, table: Table, path: Path, built_at: str) -> None:
    """The table as .dta (format 118, Unicode) with English variable labels, and a do-file that puts the Chinese ones."""
    path.parent.mkdir(exist_ok=True)
    names = stata_names([column.name for column in table.columns])
    frame = con.execute(f"SELECT {', '.join(map(_stata_cell, table.columns))} FROM {quoted(parquet)}").df()
    for column in frame.columns[frame.dtypes == "datetime64[us]"]:
        frame[column] = frame[column].astype("datetime64[ns]")
    frame = frame.rename(columns=names).fillna({names[c.name]: "" for c in table.columns if _is_string(c)})
    frame.to_stata(
        path,
        write_index=False,
        version=118,
        time_stamp=datetime.fromisoformat(built_at),
        data_label=f"gongkai {table.name}"[:80],
        variable_labels={names[c.name]: c.entry.label[:80] for c in table.columns},
        convert_dates={names[c.name]: "td" for c in table.columns if c.type == "DATE"},
    )
    lines = [f'label variable {names[c.name]} "{(c.entry.zh or "").replace(chr(34), "")[:80]}"\n' for c in table.columns]
    path.with_name(f"{table.name}_zh.do").write_text("".join(lines), "utf-8")


def _is_string(column: Column) -> bool:
    return column.type == "VARCHAR" or column.type.startswith("ENUM")


def _stata_cell(column: Column) -> str:
    cast = "::DOUBLE" if column.type.startswith("DECIMAL") else "::VARCHAR" if _is_string(column) else ""
    return f'"{column.name}"{cast} AS "{column.name}"'


def stata_names(names: Sequence[str]) -> dict[str, str]:
    """Column -> Stata name: at most 32 characters, letters, digits and underscores, none twice."""
    return {name: _stata_name(name) for name in names}


def _stata_name(name: str) -> str:
    for long, short in _SHORT if len(name) > STATA_NAME else ():
        name = name.replace(long, short)
    if len(name) > STATA_NAME:
        name = f"{name[: STATA_NAME - 7]}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"
    return re.sub(r"\W", "_", name)
