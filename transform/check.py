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

from transform.rows import APPLICANTS

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


@dataclass(frozen=True, slots=True)
class Equation:
    """An identity at one place: the figures whose sum is `left` equal those whose sum is `right`."""

    check_id: str
    applicant: str | None
    left: tuple[Key, ...]
    right: tuple[Key, ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        return self.left + self.right


def equations(keys: Iterable[Key], formats: Mapping[str, int], rules: Iterable[Identity] | None = None) -> list[Equation]:
    """The identities of the sections that a report has, one by one. `keys` are its figures, `formats` the form of each section."""
    present = list(keys)
    out: list[Equation] = []
    for rule in identities() if rules is None else rules:
        number = formats.get(rule.section)
        if number is not None and (rule.formats is None or number in rule.formats):
            out.extend(_at_places(rule, present))
    return out


def _at_places(rule: Identity, present: list[Key]) -> list[Equation]:
    if rule.over:
        rows = dict.fromkeys(indicator for indicator, applicant in present if applicant)
        return [Equation(f"{rule.id}.{row}", "total", tuple((row, part) for part in PARTS), ((row, "total"),)) for row in rows]
    places: tuple[str | None, ...] = APPLICANTS if rule.each else (None,)
    return [Equation(rule.id, who, tuple((i, who) for i in rule.left), tuple((i, who) for i in rule.right)) for who in places]


def check(figures: Mapping[Key, Operand], formats: Mapping[str, int], rules: Iterable[Identity] | None = None) -> list[Result]:
    """Evaluate every identity that belongs to the sections of a report.

    `figures` are its figures by (indicator, applicant), `formats` the form of each section it has. A section the report does not have
    gives no row; a figure it lacks gives a row that is not assessable.
    """
    return [evaluate(equation, figures) for equation in equations(figures, formats, rules)]


def evaluate(equation: Equation, figures: Mapping[Key, Operand]) -> Result:
    """Compare two sums of printed figures.

    The cause of a failure is the publisher where every operand was read twice alike, else unknown.
    """
    operands = [[figures.get(key, Operand(None)) for key in side] for side in (equation.left, equation.right)]
    left, right = (_sum(side) for side in operands)
    if left is None or right is None:
        return Result(equation.check_id, equation.applicant, left, right, None, None, None)
    difference = left - right
    confirmed = all(o.confirmed for side in operands for o in side)
    cause = None if not difference else "publisher" if confirmed else "unknown"
    return Result(equation.check_id, equation.applicant, left, right, difference, not difference, cause)


def _sum(side: list[Operand]) -> Decimal | None:
    values = [o.value for o in side]
    return None if any(v is None for v in values) else sum((v for v in values if v is not None), Decimal(0))
