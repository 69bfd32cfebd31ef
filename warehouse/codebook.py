"""The codebook: what every relation and column means. DDL, comments, dictionary and the metadata of a release are made from it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb
import yaml
from pydantic import BaseModel, ConfigDict, Field

from warehouse.duck import ROOT

_MODEL = ConfigDict(extra="forbid", frozen=True)


class Entry(BaseModel):
    """A column: Chinese and English label, meaning, unit and legal basis where there is one; of a table also type and constraints.

    `internal`: a key within one file, left out of releases."""

    model_config = _MODEL

    name: str
    zh: str | None = None
    en: str = ""
    description: str = ""
    unit: str | None = None
    legal: str | None = None
    sql: str | None = None
    internal: bool = False

    @property
    def label(self) -> str:
        """English label."""
        return self.en or self.name.replace("_", " ").capitalize()

    @property
    def comment(self) -> str:
        """What COMMENT ON says: Chinese label, meaning, unit, legal basis."""
        return _comment(self.zh, self.description, self.unit, self.legal)


class Relation(BaseModel):
    """A table, a view or a table macro. `schema_file` names the file of a table's DDL, `parameters` are those of a macro.

    `release`: made for a release only, not in the warehouse."""

    model_config = _MODEL

    name: str
    zh: str | None = None
    en: str = ""
    description: str
    unit: str | None = None
    legal: str | None = None
    schema_file: str | None = Field(default=None, alias="schema")
    note: str | None = None
    checks: list[str] = []
    parameters: dict[str, str] | None = None
    columns: dict[str, Entry] = {}
    release: bool = False

    @property
    def comment(self) -> str:
        """What COMMENT ON says."""
        return _comment(self.zh, self.description, self.unit, self.legal)

    @property
    def is_internal(self) -> bool:
        """Whether it serves the pipeline only: no part of a release."""
        return self.description.startswith("Internal")


def _comment(zh: str | None, description: str, unit: str | None, legal: str | None) -> str:
    extras = [f"Unit: {unit}." if unit else "", f"Legal basis: {legal}." if legal else ""]
    return " ".join(filter(None, [f"{zh}。" if zh else "", description, *extras]))


@cache
def _raw() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load((ROOT / "codebook.yml").read_text("utf-8"))
    return raw


@cache
def relations() -> tuple[Relation, ...]:
    """The relations of codebook.yml, in its order. Raises pydantic.ValidationError for an entry with an unknown key."""
    return tuple(_relation(name, spec) for name, spec in _raw().items() if not name.startswith("_"))


def enums() -> dict[str, dict[str, str]]:
    """Types of the warehouse: name -> value -> Chinese label."""
    types: dict[str, dict[str, str]] = _raw()["_enums"]
    return types


def _relation(name: str, spec: dict[str, Any]) -> Relation:
    nested = spec["description"] if isinstance(spec["description"], dict) else {}
    columns = {column: _entry(column, own) for column, own in (spec.get("columns") or {}).items()}
    return Relation(**{**spec, **nested, "name": name, "columns": columns})


def _entry(name: str, own: str | dict[str, str] | None) -> Entry:
    fields = {"description": own} if isinstance(own, str) else own or {}
    return Entry(**{**_raw()["_columns"].get(name, {}), **fields, "name": name})


# --- what is made of it


def ddl() -> dict[str, str]:
    """The files of schema/: name without suffix -> SQL. Types first, then every table in the codebook's order."""
    files = {"10_types": "".join(f"CREATE TYPE {name} AS ENUM ({_listed(values)});\n" for name, values in enums().items())}
    for relation in relations():
        if relation.schema_file:
            files[relation.schema_file] = "\n".join(filter(None, [files.get(relation.schema_file), _create(relation)]))
    return {name: f"-- Made from codebook.yml: python -m warehouse.codebook schema\n{sql}" for name, sql in files.items()}


def _listed(values: dict[str, str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _create(relation: Relation) -> str:
    lines = [f"{name} {entry.sql}" for name, entry in relation.columns.items()] + relation.checks
    note = f"-- {relation.note}\n" if relation.note else ""
    return f"{note}CREATE TABLE {relation.name} (\n    " + ",\n    ".join(lines) + "\n);\n"


def comments(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """COMMENT ON statements for every described relation, column and macro that the database has; a test finds those it has not."""
    held, columns = _held(con), _held_columns(con)
    for relation in relations():
        kind = held.get(relation.name)
        if kind is None:
            continue
        yield f"COMMENT ON {kind} {relation.name} IS {_literal(relation.comment)}"
        if kind in ("TABLE", "VIEW"):
            for column in sorted(relation.columns.keys() & columns[relation.name]):
                yield f'COMMENT ON COLUMN {relation.name}."{column}" IS {_literal(relation.columns[column].comment)}'


_OURS = "NOT internal AND database_name = current_database() AND schema_name = 'main'"


def _held(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Relations and macros of the schema main -> what COMMENT ON calls them."""
    rows = con.execute(
        f"""SELECT table_name, 'TABLE' FROM duckdb_tables() WHERE {_OURS}
        UNION ALL SELECT view_name, 'VIEW' FROM duckdb_views() WHERE {_OURS}
        UNION ALL SELECT DISTINCT function_name, CASE function_type WHEN 'table_macro' THEN 'MACRO TABLE' ELSE 'MACRO' END
        FROM duckdb_functions() WHERE {_OURS}"""
    ).fetchall()
    return dict(rows)


def _held_columns(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    rows = con.execute(f"SELECT table_name, list(column_name) FROM duckdb_columns() WHERE {_OURS} GROUP BY table_name").fetchall()
    return {relation: set(names) for relation, names in rows}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def dictionary() -> list[dict[str, str | None]]:
    """Rows of the table `dictionary`: one per relation (column_name NULL), then its columns."""
    rows: list[dict[str, str | None]] = []
    for relation in relations():
        rows.append(_row(relation.name, None, relation))
        rows += [_row(relation.name, name, entry) for name, entry in relation.columns.items()]
        rows += [_row(relation.name, name, Entry(name=name, description=text)) for name, text in (relation.parameters or {}).items()]
    return rows


def _row(relation: str, column: str | None, entry: Entry | Relation) -> dict[str, str | None]:
    label = entry.label if isinstance(entry, Entry) else entry.en or entry.name.replace("_", " ").capitalize()
    texts = {"label_zh": entry.zh, "label_en": label, "description": entry.description, "unit": entry.unit, "legal": entry.legal}
    return {"relation": relation, "column_name": column, **texts}


if __name__ == "__main__":
    import sys

    from warehouse.codebook_page import main

    sys.exit(main(sys.argv[1:]))
