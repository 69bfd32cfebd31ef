"""Labels and definitions every page may need: indicators, metrics, identities, breaks and the words of the enumerations."""

from __future__ import annotations

from typing import Any

import duckdb

from warehouse import codebook
from warehouse.site import chinese
from warehouse.story import rows

APPLICANTS = tuple(codebook.enums()["applicant_enum"])
_ENUMS = ("section_enum", "applicant_enum", "value_status_enum", "scope_enum", "cause_enum", "kind_enum", "coverage_enum", "stage_enum")


def indicators(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Indicator codes in the codebook's order: data files name an indicator by its place in this list."""
    return [str(row[0]) for row in con.execute("SELECT indicator FROM indicator ORDER BY rowid").fetchall()]


def codes(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The data file `codes`."""
    return {
        "indicators": rows(
            con,
            "SELECT indicator AS id, section, label_zh AS zh, label_en AS en, unit FROM indicator ORDER BY rowid",
        ),
        "applicants": list(APPLICANTS),
        "metrics": rows(con, "SELECT metric AS id, kind, label_zh AS zh, label_en AS en FROM metric_definition"),
        "identities": rows(con, "SELECT check_id AS id, section, formats, left_side, right_side, source FROM identity"),
        "breaks": rows(con, "SELECT break_id AS id, year, section, indicator, kind FROM break_flag ORDER BY year, break_id"),
        "reasons": chinese.reasons(),
        "words": {name.removesuffix("_enum"): _words(name) for name in _ENUMS},
    }


def definitions(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The data file `definitions`: of each indicator its definition, of each metric its formula and its note, in both languages.

    What has not been put into Chinese is there in English alone.
    """
    found = rows(con, "SELECT indicator AS id, label_zh, definition AS en FROM indicator ORDER BY rowid")
    labels = {i["id"]: i["label_zh"] for i in found}
    metrics = rows(con, "SELECT metric AS id, formula, note FROM metric_definition")
    return {
        "indicators": {i["id"]: [chinese.definition(i["id"], i["en"]), i["en"]] for i in found},
        "metrics": {
            m["id"]: {
                "formula": [chinese.formula(m["formula"], labels), m["formula"]],
                "note": [chinese.note(m["note"]), chinese.plain(m["note"])],
            }
            for m in metrics
        },
    }


def _words(name: str) -> dict[str, dict[str, str]]:
    """Labels of an enumeration in both languages; the English one is made of the value."""
    return {value: {"zh": zh, "en": value.replace("_", " ")} for value, zh in codebook.enums()[name].items()}
