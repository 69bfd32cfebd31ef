"""What the identities of a table prove of one of its cells. Printed figures are never changed by it: the proof stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import chain

from transform.check import Equation, Identity, Key, equations

#: Identities that must give the same value, independently of each other.
WITNESSES = 2

_ZERO = Decimal(0)

Values = Mapping[Key, Decimal | None]


@dataclass(frozen=True, slots=True)
class Proof:
    """A value that the identities of a table prove for one of its cells.

    `printed` is None where no number is printed. `rules` are the identities that give the value: all that fail in the table or, where no
    number is printed, those that lack this cell alone.
    """

    key: Key
    section: str
    printed: Decimal | None
    value: Decimal
    rules: tuple[tuple[str, str | None], ...]


def prove(values: Values, formats: Mapping[str, int], sections: Mapping[Key, str], rules: Sequence[Identity] | None = None) -> list[Proof]:
    """The proofs of a report, at most one printed cell a table.

    `values` are its figures by (indicator, applicant), None where no number is printed; `formats` the form of each section, `sections` the
    section of each figure. An identity with a figure missing proves nothing.

    A printed cell is proved wrong where every change of one or two cells of the table that lets all its assessable identities hold sets
    this cell to this value, and at least two identities that fail say so. One cell that explains everything is not enough: where some
    identity can't be assessed, or a cell takes part in one only (tables four and 2014), two misprints may explain as much.
    A cell without a number is proved by the same rule, in a table of which no identity fails. Counts are whole and not negative.
    """
    proofs: list[Proof] = []
    for section, number in formats.items():
        mine = {key: value for key, value in values.items() if sections.get(key) == section}
        found = equations(mine, {section: number}, rules)
        proofs += (Proof(c.key, section, mine[c.key], c.value, c.rules) for c in _prove_table(mine, found))
    return proofs


@dataclass(frozen=True, slots=True)
class _Change:
    key: Key
    value: Decimal
    rules: tuple[tuple[str, str | None], ...]


def _prove_table(values: Values, found: Sequence[Equation]) -> list[_Change]:
    system = _System(values, found)
    if system.failed:
        change = system.proved()
        return [change] if change else []
    return [change for key, mine in _unsolved(values, found).items() if (change := _prove_missing(key, values, found, mine))]


def _unsolved(values: Values, found: Sequence[Equation]) -> dict[Key, list[Equation]]:
    """The cells without a number, each with the identities that lack it alone."""
    out: dict[Key, list[Equation]] = {key: [] for key, value in values.items() if value is None}
    for equation in found if out else ():
        lacking = [key for key in equation.keys if values.get(key) is None]
        if len(lacking) == 1 and lacking[0] in out:
            out[lacking[0]].append(equation)
    return out


def _prove_missing(key: Key, values: Values, found: Sequence[Equation], mine: Sequence[Equation]) -> _Change | None:
    """Puts a value in the cell that its identities do not give, and asks which one they prove instead."""
    needed = {_solve(e, key, values) for e in mine}
    if len(needed) != 1:
        return None
    change = _System({**values, key: needed.pop() + 1}, found).proved()
    return change if change and change.key == key else None


def _solve(equation: Equation, key: Key, values: Values) -> Decimal:
    rest = sum((sign * (values[k] or _ZERO) for k, sign in _signs(equation).items() if k != key), _ZERO)
    return -_signs(equation)[key] * rest


def _signs(equation: Equation) -> dict[Key, int]:
    return {**dict.fromkeys(equation.left, 1), **dict.fromkeys(equation.right, -1)}


def _gap(equation: Equation, values: Values) -> Decimal | None:
    """The left side less the right one; None where a figure is missing."""
    gap = _ZERO
    for key in equation.left:
        if (value := values.get(key)) is None:
            return None
        gap += value
    for key in equation.right:
        if (value := values.get(key)) is None:
            return None
        gap -= value
    return gap


class _System:
    """The assessable identities of a table: which cells take part in which, and how far each is from holding."""

    def __init__(self, values: Values, found: Sequence[Equation]) -> None:
        self.values = values
        self.found: list[Equation] = []
        self.gaps: list[Decimal] = []
        for equation in found:
            if (gap := _gap(equation, values)) is not None:
                self.found.append(equation)
                self.gaps.append(gap)
        self.failed = {number for number, gap in enumerate(self.gaps) if gap}

    @cached_property
    def rows(self) -> dict[Key, dict[int, int]]:
        """The identities that each cell takes part in, with its sign there."""
        out: dict[Key, dict[int, int]] = {}
        for number, equation in enumerate(self.found):
            for key, sign in _signs(equation).items():
                out.setdefault(key, {})[number] = sign
        return out

    def proved(self) -> _Change | None:
        """The one change that is in every explanation by one or two cells, where at least WITNESSES identities ask for it."""
        singles = [(key, delta) for key in self.rows if (delta := self._alone(key)) is not None]
        if len(self.failed) < WITNESSES or len(singles) != 1:
            return None
        (key, delta) = singles[0]
        value = (self.values[key] or _ZERO) + delta
        if value < 0 or value != value.to_integral_value() or any(found.get(key) != delta for found in self._pairs()):
            return None
        return _Change(key, value, tuple((self.found[n].check_id, self.found[n].applicant) for n in sorted(self.failed)))

    def _alone(self, key: Key) -> Decimal | None:
        """By how much this cell has to change so that all identities hold; None where it can't do that alone."""
        if set(self.rows[key]) != self.failed:
            return None
        deltas = {-sign * self.gaps[n] for n, sign in self.rows[key].items()}
        return deltas.pop() if len(deltas) == 1 else None

    def _pairs(self) -> Iterator[dict[Key, Decimal]]:
        """Explanations that change two cells; of the many of two cells that take part in the same identities, one."""
        first = min(self.failed)
        for x in (k for k, row in self.rows.items() if first in row):
            for y in self._partners(x):
                yield from self._two(x, y)

    def _partners(self, x: Key) -> Iterator[Key]:
        """Cells that could explain with `x`: in all failed identities that it leaves, and in one of those that it breaks, if any."""
        left, broken = self.failed - self.rows[x].keys(), self.rows[x].keys() - self.failed
        for y, row in self.rows.items():
            if y != x and left | broken <= row.keys() <= self.failed | broken:
                yield y

    def _two(self, x: Key, y: Key) -> Iterator[dict[Key, Decimal]]:
        rows = [(self.rows[x].get(n, 0), self.rows[y].get(n, 0), -self.gaps[n]) for n in self.rows[x].keys() | self.rows[y].keys()]
        for a, b in _candidates(rows):
            if a and b and all(sx * a + sy * b == gap for sx, sy, gap in rows):
                yield {x: a, y: b}


def _candidates(rows: Sequence[tuple[int, int, Decimal]]) -> Iterator[tuple[Decimal, Decimal]]:
    """Values of two unknowns worth trying: each as some identity gives it alone, or the rest of one; else any split of the gap."""
    xs = {sx * gap for sx, sy, gap in rows if not sy}
    ys = {sy * gap for sx, sy, gap in rows if not sx}
    both = [row for row in rows if row[0] and row[1]]
    if xs:
        yield from chain(((a, b) for a in xs for b in ys), ((a, sy * (gap - sx * a)) for a in xs for sx, sy, gap in both))
    elif ys:
        yield from ((sx * (gap - sy * b), b) for b in ys for sx, sy, gap in both)
    else:
        yield from _splits(both)


def _splits(both: Sequence[tuple[int, int, Decimal]]) -> Iterator[tuple[Decimal, Decimal]]:
    """Two cells in the same identities: two equations may fix both, one leaves any split open."""
    for sx, sy, gap in both:
        for tx, ty, other in both:
            if sx * ty != sy * tx:
                det = sx * ty - sy * tx
                yield (gap * ty - sy * other) / det, (sx * other - gap * tx) / det
        yield from ((sx * (gap - share), sy * share) for share in (Decimal(1), Decimal(2)))
