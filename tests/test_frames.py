"""Rows that keep every rule are taken at once; what pandera refuses is refused all the same, and by pandera."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow
import pytest
from forms import document, full
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaError

from transform import frames
from transform.rows import Rows
from transform.tidy import Context, tidy

CONTEXT = Context("p", "330302", "http://127.0.0.1/x", "ab" * 32, "2026-01-01T00:00:00Z", "run")
#: What a column may hold or wrongly hold.
VALUES = [None, "", "own", "total", 5, 2019, 2.5, True, 2**40, b"x", [1.0, 2.0], ["x"], float("nan"), Decimal("1.5"), Decimal("1.23456")]
REFUSALS = (SchemaError, pyarrow.ArrowException, TypeError, ValueError, NotImplementedError, OverflowError)


@cache
def rows() -> Rows:
    return tidy(document(*full(2021)[0], year=2022), CONTEXT)


def refused(name: str, broken: list[dict[str, object]]) -> str | None:
    """The error by which pandera refuses rows, None where it takes them."""
    try:
        frames._validated(name, broken)
    except REFUSALS as error:
        return type(error).__name__
    return None


@pytest.mark.parametrize("name", list(frames.SCHEMAS))
def test_good_rows_are_taken_at_once_and_as_pandera_would(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = rows()[name]
    assert mine or name in ("unmapped_cell", "proof", "problem", "claim")
    as_pandera = frames._validated(name, mine)
    monkeypatch.setattr(pa.DataFrameSchema, "validate", lambda *_: pytest.fail("pandera was asked"))
    pd.testing.assert_frame_equal(frames.frame(name, mine), as_pandera)


@given(data=st.data())
@settings(deadline=None)
def test_what_is_taken_is_what_pandera_takes(data: Any) -> None:
    name = data.draw(st.sampled_from(["report", "observation", "check_result", "parse"]))
    broken = [dict(row) for row in rows()[name]][:4]
    column = data.draw(st.sampled_from(list(frames.SCHEMAS[name].columns)))
    broken[data.draw(st.integers(0, len(broken) - 1))][column] = data.draw(st.sampled_from(VALUES))
    if refused(name, broken):
        with pytest.raises(REFUSALS):
            frames.frame(name, broken)
    else:
        pd.testing.assert_frame_equal(frames.frame(name, broken), frames._validated(name, broken))


def test_a_row_twice_a_word_that_is_none_and_a_null_are_refused_by_name() -> None:
    good = rows()["observation"]
    for broken, said in (
        ([*good, good[0]], "report_id"),
        ([{**good[0], "section": "annex"}], "section"),
        ([{**good[0], "raw_text": None}], "raw_text"),
    ):
        with pytest.raises(SchemaError, match=said):
            frames.frame("observation", broken)


def test_a_rule_of_another_kind_is_left_to_pandera(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [{"report_id": "r", "indicator": "i", "applicant": "total", "proved_value": Decimal(0), "rules": "R3"}]
    columns = frames.SCHEMAS["proof"].columns | {"proved_value": pa.Column(frames.DECIMAL, pa.Check.gt(0))}
    schema = frames._schema("proof", columns)
    monkeypatch.setitem(frames.SCHEMAS, "proof", schema)
    frames._rules.cache_clear()
    try:
        with pytest.raises(SchemaError, match="proved_value"):
            frames.frame("proof", bad)
    finally:
        frames._rules.cache_clear()
