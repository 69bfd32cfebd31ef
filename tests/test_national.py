"""A small simulated panel through the real loader: every planted error is found, none is invented."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from benchmarks.national import COOKBOOK, QUERIES, cookbook, failures, make, read_planted, timed
from benchmarks.national_errors import KINDS
from benchmarks.national_figures import Planted

Made = tuple[Path, list[Planted]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("national"), 40, workers=1, seed=7)


def test_planted_errors_are_found_and_none_invented(made: Made) -> None:
    published, planted = made
    with duckdb.connect(published, read_only=True) as con:
        found = failures(con)
    expected = {key for error in planted for key in error.breaks}
    assert len(expected) > 30
    assert found == expected


def test_panel_has_what_real_ones_have(made: Made) -> None:
    published, planted = made
    kinds = Counter(error.kind for error in planted)
    assert set(kinds) <= {*KINDS, "restated"}
    assert len(kinds) >= 7
    with duckdb.connect(published, read_only=True) as con:
        statuses = dict(con.execute("SELECT value_status::VARCHAR, count(*) FROM observation GROUP BY ALL").fetchall())
        forms = con.execute("SELECT DISTINCT format FROM observation WHERE section = 'requests' ORDER BY ALL").fetchall()
        gaps = {gap for (gap,) in con.execute("SELECT DISTINCT gap FROM cross_year_check").fetchall()}
        [(reports, older)] = con.execute("SELECT count(*), count_if(NOT is_current) FROM report").fetchall()
    assert set(statuses) == {"reported", "blank", "not_applicable", "unreadable"}
    assert forms == [(2019,), (2021,)]
    assert gaps >= {None, "form_change", "missing_year", "restated", "unexplained"}
    assert reports - older < 40 * 2 * 7
    assert older == kinds["restated"]


def test_restated_reports_are_told_from_unexplained_ones(made: Made) -> None:
    published, planted = made
    restated = {key for error in planted if error.kind == "restated" for key in error.breaks}
    with duckdb.connect(published, read_only=True) as con:
        rows = con.execute("SELECT report_id, check_id, applicant FROM cross_year_check WHERE gap = 'restated'").fetchall()
    assert {(r, c, a) for r, c, a in rows} == restated


@pytest.mark.parametrize("name", QUERIES)
def test_every_timed_query_answers(made: Made, name: str) -> None:
    with duckdb.connect(made[0], read_only=True) as con:
        assert con.execute(QUERIES[name]).fetchone() is not None or "330302" in QUERIES[name]


def test_cookbook_is_timed_whole(made: Made) -> None:
    assert len(cookbook()) == COOKBOOK.read_text("utf-8").count("```sql")
    with duckdb.connect(made[0], read_only=True) as con:
        rows = {name: timed(con, sql, rounds=1).rows for name, sql in cookbook().items()}
    empty = {name.partition(".")[0] for name, n in rows.items() if n == 0}
    # No figure of a panel is proved; the 40 districts are not those that the cookbook names, and lie in cities of few offices.
    assert empty <= {"7", "13", "17", "19", "23", "25"}


def test_planted_errors_are_kept_beside_the_panel(made: Made) -> None:
    assert read_planted(made[0].parents[1]) == made[1]
