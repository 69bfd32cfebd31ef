"""The forms against the codebook, both ways."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pydantic import ValidationError

from transform.frames import APPLICANTS
from transform.labels import normalise
from transform.layout import Layout, layouts

SEED = Path(__file__).parents[1] / "warehouse" / "seeds" / "indicators.csv"


def codebook() -> list[dict[str, str]]:
    with SEED.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("layout", layouts(), ids=lambda form: str(form.format))
def test_a_form_has_just_the_indicators_the_codebook_gives_it(layout: Layout) -> None:
    column = f"format_{layout.format}"
    expected = {(r["section"], r["indicator"]) for r in codebook() if r[column]}
    assert {(t.section, i) for t in layout.tables for i in t.indicators()} == expected


def test_every_indicator_of_the_codebook_is_in_a_form() -> None:
    assert all(any(r[f"format_{form.format}"] for form in layouts()) for r in codebook())


@pytest.mark.parametrize(("number", "cells"), [(2014, 58), (2019, 22 + 161 + 15), (2021, 10 + 175 + 15)])
def test_the_forms_have_as_many_cells_as_printed(number: int, cells: int) -> None:
    [layout] = [form for form in layouts() if form.format == number]
    assert sum(len(t.indicators()) * (7 if t.shape == "matrix" else 1) for t in layout.tables) == cells


def test_the_columns_of_table_three_are_the_applicants_in_the_order_of_the_form() -> None:
    matrices = [t for form in layouts() for t in form.tables if t.shape == "matrix"]
    assert [tuple(t.columns) for t in matrices] == [APPLICANTS] * 2


def test_labels_of_the_codebook_are_those_of_the_newest_form_that_has_them() -> None:
    official = {(t.section, i): label for form in reversed(layouts()) for t in form.tables for i, label in t.indicators().items()}
    for row in codebook():
        printed = official[row["section"], row["indicator"]]
        assert normalise(printed.split("·")[-1]) in normalise(row["label_zh"].split("·")[-1]), (row["label_zh"], printed)


def test_no_indicator_stands_twice_in_a_form() -> None:
    for form in layouts():
        for table in form.tables:
            if table.shape == "blocks":
                cells = [i for b in table.blocks for r in b.rows for i in r.cells.values()]
                assert len(cells) == len(set(cells))
                assert {c for b in table.blocks for r in b.rows for c in r.cells} == set(table.columns)
            if table.shape == "matrix":
                assert len({r.indicator for r in table.rows}) == len(table.rows)
                groups = {g.label[0] for g in table.groups}
                assert {r.group for r in table.rows if r.group} <= groups


def test_newest_first() -> None:
    numbers = [form.format for form in layouts()]
    assert numbers == sorted(numbers, reverse=True)


def test_a_file_that_is_no_layout_is_an_error() -> None:
    with pytest.raises(ValidationError):
        Layout.model_validate({"format": 2021, "tables": [], "tabels": []})
