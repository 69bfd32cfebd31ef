"""What a report covers: its own office, the government level, or the whole area (domain.md §5.1)."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from transform.labels import compact

_DENIAL = re.compile(r"不(?:含|包含|包括)[^，。；、\n]{0,6}$")


@cache
def _rules() -> tuple[tuple[str, str, tuple[re.Pattern[str], ...]], ...]:
    raw: list[dict[str, Any]] = yaml.safe_load((files("transform") / "scope.yml").read_text("utf-8"))
    return tuple((r["scope"], r["where"], tuple(re.compile(compact(p)) for p in r["patterns"])) for r in raw)


def read_scope(preface: str, part_one: str) -> tuple[str, str | None]:
    """Scope and the phrase that says so: the clause around the match. ("unknown", None) where nothing does."""
    places = {"preface": compact(preface), "opening": compact(preface) + "\n" + compact(part_one)}
    for scope, where, patterns in _rules():
        for pattern in patterns:
            found = next((m for m in pattern.finditer(places[where]) if not _is_denied(places[where], m)), None)
            if found:
                return scope, _clause(places[where], found)
    return "unknown", None


def _is_denied(text: str, found: re.Match[str]) -> bool:
    """Whether the phrase stands behind a "not including" (不含全区各行政机关)."""
    return _DENIAL.search(text[: found.start()]) is not None


def _clause(text: str, found: re.Match[str]) -> str:
    start = max((text.rfind(mark, 0, found.start()) for mark in "。；\n"), default=-1) + 1
    end = min((i for mark in "。；\n" if (i := text.find(mark, found.end())) >= 0), default=len(text))
    return text[max(start, found.start() - 40) : min(end, found.end() + 40)]
