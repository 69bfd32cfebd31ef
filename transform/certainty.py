"""Which of two readings of a cell is right, where an identity can tell; where none can, the cell is unreadable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from transform.check import Equation, Key, Operand, evaluate
from transform.numbers import Figure


@dataclass(frozen=True, slots=True)
class Doubt:
    """A figure in doubt: what may stand in its cell, first reading first."""

    readings: tuple[Figure, ...]

    @property
    def values(self) -> tuple[Decimal, ...]:
        return tuple(r.value for r in self.readings if r.value is not None)


def decide(doubts: Mapping[Key, Doubt], certain: Mapping[Key, Decimal | None], equations: Sequence[Equation]) -> dict[Key, Figure]:
    """The readings that identities prove.

    A reading is proved where every identity of its cell whose other figures are certain holds with it, at least one there is, and none of
    the other readings would do. What is proved helps to prove the rest, until nothing more is.
    """
    known = {key: value for key, value in certain.items() if key not in doubts}
    proved: dict[Key, Figure] = {}
    while True:
        step = {key: figure for key, doubt in doubts.items() if key not in proved and (figure := _proved(key, doubt, known, equations))}
        if not step:
            return proved
        proved |= step
        known |= {key: figure.value for key, figure in step.items()}


def _proved(key: Key, doubt: Doubt, known: Mapping[Key, Decimal | None], equations: Sequence[Equation]) -> Figure | None:
    mine = [e for e in equations if key in e.keys and all(k == key or known.get(k) is not None for k in e.keys)]
    if not mine:
        return None
    holding = [r for r in doubt.readings if r.value is not None and all(_holds(e, key, r.value, known) for e in mine)]
    return holding[0] if len({r.value for r in holding}) == 1 else None


def _holds(equation: Equation, key: Key, value: Decimal, known: Mapping[Key, Decimal | None]) -> bool:
    operands = {k: Operand(value if k == key else known[k]) for k in equation.keys}
    return bool(evaluate(equation, operands).passed)
