"""The accounting identities: declared in identities.yml, run by one checker. Printed figures are never changed by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, NamedTuple

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


class Operand(NamedTuple):
    """A figure as the checker sees it: `value` is None where nothing certain is printed; `confirmed` where a second reading agrees."""

    value: Decimal | None
    confirmed: bool = False


_MISSING, _ZERO = Operand(None), Decimal(0)


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
    keys: tuple[Key, ...] = field(init=False, compare=False)  # of both sides

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", self.left + self.right)


def equations(keys: Iterable[Key], formats: Mapping[str, int], rules: Iterable[Identity] | None = None) -> Sequence[Equation]:
    """The identities of the sections that a report has, one by one. `keys` are its figures, `formats` the form of each section."""
    if rules is None:
        return _equations(tuple(keys), tuple(formats.items()))
    return _of_rules(tuple(keys), formats, rules)


@lru_cache(256)
def _equations(keys: tuple[Key, ...], formats: tuple[tuple[str, int], ...]) -> tuple[Equation, ...]:
    """Reports of one form have the same figures, and so the same equations."""
    return _of_rules(keys, dict(formats), identities())


def _of_rules(keys: tuple[Key, ...], formats: Mapping[str, int], rules: Iterable[Identity]) -> tuple[Equation, ...]:
    out: list[Equation] = []
    for rule in rules:
        number = formats.get(rule.section)
        if number is not None and (rule.formats is None or number in rule.formats):
            out.extend(_at_places(rule, keys))
    return tuple(out)


def _at_places(rule: Identity, present: Sequence[Key]) -> list[Equation]:
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
    operands = [figures.get(key, _MISSING) for key in equation.keys]
    middle = len(equation.left)
    left, right = _sum(operands[:middle]), _sum(operands[middle:])
    if left is None or right is None:
        return Result(equation.check_id, equation.applicant, left, right, None, None, None)
    difference = left - right
    cause = None if not difference else "publisher" if all(o.confirmed for o in operands) else "unknown"
    return Result(equation.check_id, equation.applicant, left, right, difference, not difference, cause)


def _sum(side: Sequence[Operand]) -> Decimal | None:
    total = _ZERO
    for operand in side:
        if operand.value is None:
            return None
        total += operand.value
    return total
