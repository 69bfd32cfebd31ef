"""What is written out of the codebook: the dictionary page and the DDL files.

`python -m warehouse.codebook > docs/dictionary.md`; `python -m warehouse.codebook schema` writes warehouse/schema/*.sql.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from warehouse import codebook
from warehouse.codebook import Entry, Relation
from warehouse.dictionary import load_dictionary
from warehouse.duck import ROOT, SEEDS, create_schema, scratch
from warehouse.mirror import load_seeds

_HEAD = """# Data dictionary

Made from `warehouse/codebook.yml` and the seeds by `make dictionary`; a test holds it against both and against the warehouse. The same
texts are in the table `dictionary`, in the comments of every table, view and column, and in the metadata of every release.
Articles are of the Regulations on Open Government Information (政府信息公开条例, State Council Decree 711 of 2019).
"""


def main(arguments: Sequence[str]) -> int:
    """Print the page or, with the argument `schema`, write the DDL files. Returns the exit status."""
    if list(arguments) == ["schema"]:
        for name, sql in codebook.ddl().items():
            (ROOT / "schema" / f"{name}.sql").write_text(sql, "utf-8")
        return 0
    if arguments:
        sys.stderr.write("usage: python -m warehouse.codebook [schema]\n")
        return 2
    sys.stdout.write(page())
    return 0


def page() -> str:
    """The dictionary as Markdown: relations with their columns, macros, values of the types, identities, indicators."""
    public = [r for r in codebook.relations() if not r.is_internal]
    internal = [r for r in codebook.relations() if r.is_internal]
    parts = [_HEAD, "## Relations\n", *map(_relation, public), "## Values\n", _enums(), "## Identities\n", _identities()]
    return "\n".join([*parts, "## Indicators\n", _indicators(), "## Internal tables\n", *map(_relation, internal)])


def _relation(relation: Relation) -> str:
    title = f"### {relation.name}" + (f" · {relation.zh}" if relation.zh else "")
    lines = [title, "", relation.description + (f" Legal basis: {relation.legal}." if relation.legal else ""), ""]
    if relation.parameters is not None:
        lines += [*table(("parameter", "meaning"), relation.parameters.items()), ""]
    if relation.columns:
        lines += [*table(("column", "名称", "meaning", "unit", "legal basis"), map(_column, relation.columns.values())), ""]
    return "\n".join(lines)


def _column(entry: Entry) -> tuple[Any, ...]:
    return f"`{entry.name}`", entry.zh, entry.description, entry.unit, entry.legal


def _enums() -> str:
    rows = [(f"`{name}`", ", ".join(f"{value} {zh}" for value, zh in values.items())) for name, values in codebook.enums().items()]
    return "\n".join([*table(("type", "values"), rows), ""])


def _identities() -> str:
    with (SEEDS / "identities.csv").open(encoding="utf-8") as file:
        rows = [
            (f"`{r['check_id']}`", r["section"], r["formats"], r["evaluated_for"], f"{r['left_side']} = {r['right_side']}", r["source"])
            for r in csv.DictReader(file)
        ]
    return "\n".join([*table(("identity", "table", "forms", "for", "equation", "rests on"), rows), ""])


def _indicators() -> str:
    with scratch() as con:
        create_schema(con)
        load_seeds(con)
        load_dictionary(con)
        rows = con.execute(
            """SELECT '`' || indicator || '`', label_zh, label_en, section, unit,
                concat_ws(' ', if(format_2014, '2014', NULL), if(format_2019, '2019', NULL), if(format_2021, '2021', NULL)),
                identities, concat_ws(', ', series, comparability), definition
            FROM indicator ORDER BY rowid"""
        ).fetchall()
    names = ("indicator", "中文", "English", "table", "unit", "forms", "identities", "series", "definition")
    return "\n".join([*table(names, rows), ""])


def table(names: Sequence[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Lines of a Markdown table; NULL is an empty cell."""
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join("" if cell is None else str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
