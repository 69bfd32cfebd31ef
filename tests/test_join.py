from __future__ import annotations

import pytest
from forms import C, Rows, full, lay_out
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.grid import Cell, Document, Grid, Text
from extract.join import TOLERANCE, join_pages


def on_page(grid: Grid, page: int, edges: list[float] | None = None) -> Grid:
    cells = [Cell(c.text, c.row, c.col, c.row_span, c.col_span, page, (0.0, 10.0 * c.row, 5.0, 10.0 * c.row_end)) for c in grid.cells]
    edges = [50.0 * i for i in range(grid.n_cols + 1)] if edges is None else edges
    return Grid(cells, grid.n_rows, grid.n_cols, "test", col_edges=edges)


def row(*texts: str) -> Rows:
    return [[C(t) for t in texts]]


def joined(*blocks: Grid | Text) -> list[Grid | Text]:
    return join_pages(Document("pdf", list(blocks))).blocks


A, B = lay_out(row("a", "b", "c")), lay_out(row("1", "2", "3"))


def test_a_grid_goes_on_on_the_next_page() -> None:
    [grid] = joined(on_page(A, 1), on_page(B, 2))
    assert [(c.text, c.row, c.col, c.page) for c in grid.cells] == [
        ("a", 0, 0, 1),
        ("b", 0, 1, 1),
        ("c", 0, 2, 1),
        ("1", 1, 0, 2),
        ("2", 1, 1, 2),
        ("3", 1, 2, 2),
    ]
    assert (grid.n_rows, grid.n_cols, grid.breaks) == (2, 3, [1])


def test_boxes_stay_those_of_the_own_page() -> None:
    [grid] = joined(on_page(A, 1), on_page(B, 2))
    assert {c.bbox for c in grid.cells} == {(0.0, 0.0, 5.0, 10.0)}


def test_three_pages() -> None:
    [grid] = joined(on_page(A, 1), on_page(B, 2), on_page(A, 3))
    assert grid.breaks == [1, 2]
    assert [c.page for c in grid.cells if c.col == 0] == [1, 2, 3]


@pytest.mark.parametrize(
    "blocks",
    [
        (on_page(A, 1), Text("x", 1), on_page(B, 2)),
        (on_page(A, 1), on_page(B, 1)),
        (on_page(A, 1), on_page(B, 3)),
        (on_page(A, 2), on_page(B, 1)),
        (on_page(A, 1), on_page(B, 2, [0.0, 50.0, 100.0, 160.0])),
        (on_page(A, 1), on_page(B, 2, [-10.0, 50.0, 100.0, 150.0])),
        (lay_out(row("a")), lay_out(row("b"))),
    ],
    ids=["text between", "same page", "a page between", "backwards", "wider", "further left", "no pages"],
)
def test_what_does_not_go_on_stays_apart(blocks: tuple[Grid | Text, ...]) -> None:
    assert len(joined(*blocks)) == len(blocks)


def test_a_fragment_without_rules_that_its_rows_do_not_need() -> None:
    """The last row of table three: its label spans three columns, and only then come figures."""
    above = lay_out([[C("三"), C("（五）"), C("5.x"), C("1"), C("2")]])
    below = on_page(lay_out([[C("四"), C("3"), C("4")]]), 2, [0.0, 150.0, 200.0, 250.0])
    [grid] = joined(on_page(above, 1), below)
    assert [(c.text, c.col, c.col_span) for c in grid.cells if c.row == 1] == [("四", 0, 3), ("3", 3, 1), ("4", 4, 1)]


def test_a_fragment_with_rules_that_the_part_above_did_not_need() -> None:
    above = on_page(lay_out([[C("head"), C("5")]]), 1, [0.0, 150.0, 200.0])
    below = on_page(lay_out([[C("a"), C("b"), C("6")]]), 2, [0.0, 80.0, 150.0, 200.0])
    [grid] = joined(above, below)
    assert grid.n_cols == 3
    assert [(c.text, c.col, c.col_span) for c in grid.cells] == [("head", 0, 2), ("5", 2, 1), ("a", 0, 1), ("b", 1, 1), ("6", 2, 1)]


@settings(max_examples=60, deadline=None)
@given(
    at=st.integers(1, 27),
    jitter=st.lists(st.floats(-TOLERANCE / 2, TOLERANCE / 2), min_size=11, max_size=11),
    dropped=st.sets(st.integers(1, 2)),
)
def test_wherever_table_three_is_cut_the_columns_stay(at: int, jitter: list[float], dropped: set[int]) -> None:
    (_, three, _), _ = full(2021)
    whole = lay_out(three)
    edges = [50.0 * i for i in range(whole.n_cols + 1)]
    upper = Grid([c for c in whole.cells if c.row < at], at, whole.n_cols, "test", col_edges=edges)
    lower_cells = [c.moved(rows=-at) for c in whole.cells if c.row >= at]
    lower = Grid(lower_cells, whole.n_rows - at, whole.n_cols, "test", col_edges=[x + j for x, j in zip(edges, jitter, strict=True)])
    [grid] = joined(on_page(upper, 1), on_page(lower, 2, lower.col_edges))
    assert [(c.text, c.row, c.col, c.col_span) for c in grid.cells] == [(c.text, c.row, c.col, c.col_span) for c in whole.cells]
