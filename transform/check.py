"""The accounting identities: declared in identities.yml, run by one checker. Printed figures are never changed by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from transform.frames import APPLICANTS

PARTS = tuple(a for a in APPLICANTS if a != "total")

Key = tuple[str, str | None]


class Identity(BaseModel):
    """One identity of the form: the sum of `left` equals the sum of `right`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    section: str
    source: str
    each: Literal["applicant"] | None = None
    over: Literal["applicants"] | None = None
    formats: list[int] | None = None
    left: list[str] = []
    right: list[str] = []


@dataclass(frozen=True, slots=True)
class Operand:
    """A figure as the checker sees it: `value` is None where nothing certain is printed; `confirmed` where a second reading agrees."""

    value: Decimal | None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """One evaluated identity. `passed` is None where an operand is missing, blank, not applicable or unreadable: it did not pass."""

    check_id: str
    applicant: str | None
    left_value: Decimal | None
    right_value: Decimal | None
    difference: Decimal | None
    passed: bool | None
    cause: str | None
    soft: bool = False


@cache
def identities() -> tuple[Identity, ...]:
    """All identities. Raises pydantic.ValidationError for an entry that is none."""
    raw = yaml.safe_load((files("transform") / "identities.yml").read_text("utf-8"))
    return tuple(Identity.model_validate(r) for r in raw)


def check(figures: Mapping[Key, Operand], formats: Mapping[str, int], rules: Iterable[Identity] | None = None) -> list[Result]:
    """Evaluate every identity that belongs to the sections of a report.

    `figures` are its figures by (indicator, applicant), `formats` the form of each section it has. A section the report does not
    have gives no row; a figure it lacks gives a row that is not assessable.
    """
    out: list[Result] = []
    for rule in identities() if rules is None else rules:
        number = formats.get(rule.section)
        if number is not None and (rule.formats is None or number in rule.formats):
            out.extend(
                evaluate(rule.id if not rule.over else f"{rule.id}.{left[0][0]}", left, right, figures)
                for left, right in _sides(rule, figures)
            )
    return out


def _sides(rule: Identity, figures: Mapping[Key, Operand]) -> list[tuple[list[Key], list[Key]]]:
    if rule.over:
        rows = dict.fromkeys(indicator for indicator, applicant in figures if applicant)
        return [([(row, part) for part in PARTS], [(row, "total")]) for row in rows]
    columns: tuple[str | None, ...] = APPLICANTS if rule.each else (None,)
    return [([(i, c) for i in rule.left], [(i, c) for i in rule.right]) for c in columns]


def evaluate(check_id: str, left: list[Key], right: list[Key], figures: Mapping[Key, Operand]) -> Result:
    """Compare two sums of printed figures.

    The cause of a failure is the publisher where every operand was read twice alike, else unknown.
    """
    operands = [[figures.get(key, Operand(None)) for key in side] for side in (left, right)]
    sums = [_sum(side) for side in operands]
    applicant = right[0][1]
    if sums[0] is None or sums[1] is None:
        return Result(check_id, applicant, sums[0], sums[1], None, None, None)
    difference = sums[0] - sums[1]
    confirmed = all(o.confirmed for side in operands for o in side)
    cause = None if not difference else "publisher" if confirmed else "unknown"
    return Result(check_id, applicant, sums[0], sums[1], difference, not difference, cause)


def _sum(side: list[Operand]) -> Decimal | None:
    values = [o.value for o in side]
    return None if any(v is None for v in values) else sum((v for v in values if v is not None), Decimal(0))
