"""An identity decides between two readings only where all its other figures are certain and only one reading fits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from forms import requests_figures

from transform.certainty import Doubt, decide
from transform.check import equations
from transform.numbers import Figure

FIGURES = {k: Decimal(v) for k, v in requests_figures(2021, seed=4).items()}
EQUATIONS = equations(FIGURES, {"requests": 2021})
CELL = ("granted", "business")


def read(*values: int | Decimal | None) -> Doubt:
    return Doubt(tuple(Figure(None if v is None else Decimal(v), "reported" if v is not None else "unreadable", "request") for v in values))


@pytest.mark.parametrize("order", [0, 1])
def test_the_reading_that_fits_is_taken_whichever_came_first(order: int) -> None:
    right, wrong = FIGURES[CELL], FIGURES[CELL] + 7
    doubt = read(*((right, wrong) if order == 0 else (wrong, right)))
    assert decide({CELL: doubt}, FIGURES, EQUATIONS)[CELL].value == right


def test_no_reading_fits() -> None:
    assert decide({CELL: read(FIGURES[CELL] + 1, FIGURES[CELL] + 2)}, FIGURES, EQUATIONS) == {}


def test_a_publishers_error_elsewhere_in_the_column_proves_nothing() -> None:
    printed = FIGURES | {("carried_out", "business"): FIGURES["carried_out", "business"] + 1}
    cell = ("new_received", "business")
    assert decide({cell: read(FIGURES[cell], FIGURES[cell] + 1)}, printed, EQUATIONS) == {}


def test_a_doubtful_neighbour_is_no_witness() -> None:
    other = ("partially_granted", "business")
    doubts = {CELL: read(FIGURES[CELL], FIGURES[CELL] + 3), other: read(FIGURES[other], FIGURES[other] + 3)}
    found = decide(doubts, FIGURES, EQUATIONS)
    assert {k: f.value for k, f in found.items()} == {CELL: FIGURES[CELL], other: FIGURES[other]}, "each has its own row total"
    row = {("granted", who): read(FIGURES["granted", who], FIGURES["granted", who] + 1) for who in ("business", "total")}
    blind = {k: (None if k[0] == "processed_total" else v) for k, v in FIGURES.items()}
    assert decide(row, blind, EQUATIONS) == {}


def test_what_is_proved_helps_to_prove_the_rest() -> None:
    total = ("processed_total", "business")
    doubts = {total: read(FIGURES[total] + 9, FIGURES[total]), CELL: read(FIGURES[CELL], FIGURES[CELL] + 9)}
    certain = FIGURES | {("granted", "total"): None}
    found = decide(doubts, certain, EQUATIONS)
    assert {k: f.value for k, f in found.items()} == {total: FIGURES[total], CELL: FIGURES[CELL]}


def test_a_blank_is_no_witness() -> None:
    blank = FIGURES | {("granted", "total"): None, ("processed_total", "business"): None}
    assert decide({CELL: read(FIGURES[CELL], FIGURES[CELL] + 1)}, blank, EQUATIONS) == {}
