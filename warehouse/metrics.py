"""Metrics: one view of the schema `metrics` each, made by warehouse/views/50_metric_*.sql, and what their headers say about them.

A header line describes one metric: `-- metric ID/VERSION | KIND | FORMULA | ENGLISH LABEL | CHINESE LABEL`. A new metric is a new file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

#: In views/60_metric.sql: the union of the metric views, and the rows of `metric_definition`.
UNION, DEFINITIONS = "/* all metrics */", "/* all definitions */"
_HEADER = re.compile(r"^-- metric ([a-z0-9_]+)/(\d+) \| (\w+) \| (.+) \| (.+) \| (.+)$", re.MULTILINE)
_VIEW = re.compile(r"^CREATE OR REPLACE VIEW metrics\.(\w+) AS$", re.MULTILINE)
_NOTES = re.compile(r"^-- (?!metric )(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as its header states it. `kind` is rate (with an interval), ratio, per_capita or days."""

    metric: str
    version: int
    kind: str
    formula: str
    label_en: str
    label_zh: str
    view: str
    note: str

    @property
    def row(self) -> tuple[str, ...]:
        definition = f"{self.metric}/{self.version}"
        return (self.metric, definition, self.kind, self.formula, self.label_en, self.label_zh, self.note, self.view)


def metrics(folder: Path) -> list[Metric]:
    """The metrics of the files of a folder. Raises ValueError for a file that has no header or makes no view of `metrics`."""
    return [metric for path in sorted(folder.glob("5*_metric_*.sql")) for metric in _of_file(path)]


def _of_file(path: Path) -> list[Metric]:
    text = path.read_text("utf-8")
    view = _VIEW.search(text)
    found = _HEADER.findall(text)
    if view is None or not found:
        raise ValueError(f"{path.name}: a metric needs a header line (-- metric ID/VERSION | …) and CREATE OR REPLACE VIEW metrics.NAME")
    note = " ".join(_NOTES.findall(text))
    return [Metric(m, int(version), kind, formula, en, zh, view[1], note) for m, version, kind, formula, en, zh in found]


def fill(sql: str, folder: Path) -> str:
    """Put the metrics of a folder in place of the two marks of 60_metric.sql; other SQL stays as it is."""
    if UNION not in sql:
        return sql
    known = metrics(folder)
    union = "\nUNION ALL\n".join(f"SELECT * FROM metrics.{view}" for view in dict.fromkeys(m.view for m in known))
    rows = ",\n".join("(" + ", ".join("'" + value.replace("'", "''") + "'" for value in m.row) + ")" for m in known)
    return sql.replace(UNION, union).replace(DEFINITIONS, rows)
