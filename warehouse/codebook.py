"""The codebook: what every relation and column means, and the comments generated from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from warehouse.duck import ROOT

VIEWS = frozenset({"panel", "coverage", "present_document"})


@dataclass(frozen=True, slots=True)
class Entry:
    """Description of a relation or a column, with unit and legal basis where there is one."""

    description: str
    unit: str | None = None
    legal: str | None = None

    @property
    def comment(self) -> str:
        extras = [f"Unit: {self.unit}." if self.unit else "", f"Legal basis: {self.legal}." if self.legal else ""]
        return " ".join(filter(None, [self.description, *extras]))


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view with its columns."""

    name: str
    entry: Entry
    columns: dict[str, Entry]


def _entry(raw: str | dict[str, str]) -> Entry:
    return Entry(raw) if isinstance(raw, str) else Entry(**raw)


@cache
def relations() -> tuple[Relation, ...]:
    """The relations of codebook.yml, in its order. Raises TypeError for an entry with an unknown key."""
    raw: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "codebook.yml").read_text("utf-8"))
    return tuple(
        Relation(name, _entry(spec["description"]), {column: _entry(text) for column, text in spec["columns"].items()})
        for name, spec in raw.items()
    )


def comments(views: frozenset[str] = VIEWS) -> Iterator[str]:
    """COMMENT ON statements for every relation and column."""
    for relation in relations():
        kind = "VIEW" if relation.name in views else "TABLE"
        yield f"COMMENT ON {kind} {relation.name} IS {_literal(relation.entry.comment)}"
        for column, entry in relation.columns.items():
            yield f'COMMENT ON COLUMN {relation.name}."{column}" IS {_literal(entry.comment)}'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
