"""The identities, on hand-made figures: consistent, inconsistent, without a total, with a blank."""

from __future__ import annotations

from decimal import Decimal

import pytest
from forms import litigation_figures, requests_figures
from hypothesis import given
from hypothesis import strategies as st

from transform.check import PARTS, Identity, Operand, check, identities
from transform.layout import layouts

ALL = {"requests": 2021, "litigation": 2021}


def operands(number: int = 2021, confirmed: bool = True, seed: int = 4) -> dict:
    figures = {**requests_figures(number, seed), **{(k, None): v for k, v in litigation_figures(seed).items()}}
    return {key: Operand(Decimal(value), confirmed) for key, value in figures.items()}


def results(figures, formats=ALL):
    return {(r.check_id, r.applicant): r for r in check(figures, formats)}


@pytest.mark.parametrize("number", [2019, 2021])
def test_consistent_figures_pass_every_check(number: int) -> None:
    found = results(operands(number), {"requests": number, "litigation": number})
    rows = {2019: 23, 2021: 25}[number]
    assert len(found) == 7 + rows + 7 + 3
    assert all(r.passed is True and r.cause is None and r.difference == 0 for r in found.values())


def test_one_wrong_total_fails_the_checks_it_takes_part_in_and_no_other() -> None:
    figures = operands()
    figures["processed_total", "total"] = Operand(figures["processed_total", "total"].value + 1, True)
    failed = {k: r for k, r in results(figures).items() if not r.passed}
    assert set(failed) == {("R1", "total"), ("R2.processed_total", "total"), ("R3", "total")}
    assert failed["R3", "total"].difference == -1
    assert failed["R1", "total"].difference == -1


def test_the_printed_figures_are_what_the_check_shows() -> None:
    figures = operands()
    figures["reconsideration_total", None] = Operand(Decimal(999), True)
    result = results(figures)["R4.reconsideration", None]
    parts = sum(figures[f"reconsideration_{k}", None].value for k in ("upheld", "corrected", "other", "pending"))
    assert (result.left_value, result.right_value, result.difference) == (parts, 999, parts - 999)
    assert figures["reconsideration_total", None].value == 999


@pytest.mark.parametrize(("confirmed", "cause"), [(True, "publisher"), (False, "unknown")])
def test_the_cause_is_the_publisher_only_where_every_operand_was_read_twice(confirmed: bool, cause: str) -> None:
    figures = operands()
    figures["litigation_direct_total", None] = Operand(Decimal(999), True)
    figures["litigation_direct_pending", None] = Operand(figures["litigation_direct_pending", None].value, confirmed)
    result = results(figures)["R4.litigation_direct", None]
    assert (result.passed, result.cause) == (False, cause)


def test_a_blank_operand_is_not_assessable_and_no_zero() -> None:
    """Even where counting it as zero would make the sums agree."""
    figures = operands()
    figures["reconsideration_pending", None] = Operand(None, True)
    figures["reconsideration_total", None] = Operand(
        sum((figures[f"reconsideration_{k}", None].value for k in ("upheld", "corrected", "other")), Decimal(0)), True
    )
    result = results(figures)["R4.reconsideration", None]
    assert result.passed is None
    assert (result.left_value, result.difference, result.cause) == (None, None, None)
    assert result.right_value is not None


def test_a_missing_total_does_not_pass() -> None:
    figures = operands()
    del figures["new_received", "total"]
    found = results(figures)
    assert found["R2.new_received", "total"].passed is None
    assert found["R1", "total"].passed is None
    assert found["R1", "business"].passed is True


def test_a_section_that_is_not_there_gives_no_rows_and_an_empty_one_none_that_pass() -> None:
    assert check({}, {}) == []
    assert not check(operands(), {"proactive": 2021})
    assert all(r.passed is None for r in check({}, ALL))


def test_the_total_column_is_not_among_the_parts() -> None:
    assert len(PARTS) == 6
    assert "total" not in PARTS


def test_each_form_has_its_own_sum_of_results() -> None:
    rules = [r for r in identities() if r.id == "R3"]
    assert {tuple(r.formats or ()): len(r.left) for r in rules} == {(2021,): 21, (2019,): 19}


def test_every_identity_speaks_of_indicators_of_its_section() -> None:
    for form in layouts():
        known = {t.section: set(t.indicators()) for t in form.tables}
        for rule in identities():
            if rule.section in known and (rule.formats is None or form.format in rule.formats):
                assert {*rule.left, *rule.right} <= known[rule.section], rule.id


def test_an_unknown_key_of_an_identity_is_an_error() -> None:
    with pytest.raises(ValueError, match="extra"):
        Identity.model_validate({"id": "R9", "section": "requests", "source": "x", "tolerance": 5})


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.integers(-5, 5))
def test_difference_is_exact(parts: list[int], off: int) -> None:
    figures = {(f"p{i}", None): Operand(Decimal(v)) for i, v in enumerate(parts)} | {("t", None): Operand(Decimal(sum(parts) + off))}
    rule = Identity(id="x", section="s", source="test", left=[f"p{i}" for i in range(len(parts))], right=["t"])
    [result] = check(figures, {"s": 2021}, [rule])
    assert result.difference == -off
    assert result.passed is (off == 0)
