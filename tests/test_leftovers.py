"""Cells no form explains: kept with what they stand under, an extra or a possible misreading."""

from __future__ import annotations

from pathlib import Path

import pytest
from forms import C, Rows, document, full
from warehouse_world import World, loaded, sha

from transform.frames import frames
from transform.tidy import Context, tidy

A = "http://127.0.0.1/a.html"
CONTEXT = Context("lucheng", "330302", A, sha("a"), "2026-01-01T00:00:00Z", "r1", scope="own")


def read(tables: list[Rows], truth):
    rows = tidy(document(*tables), CONTEXT)
    frames([rows])
    assert {(o["indicator"], o["applicant"]): o["value"] for o in rows["observation"]} == truth
    told = [(u["row_label"], u["column_label"], u["text"]) for u in rows["unmapped_cell"]]
    return rows, told, [(p["kind"], p["severity"]) for p in rows["problem"]]


def test_an_extra_row_of_table_two_is_kept() -> None:
    """domain.md Q-6, Q-24."""
    tables, truth = full(2021)
    tables[0].insert(4, [C("其他主动公开文件"), C("31"), C("0"), C("77")])
    _, told, problems = read(tables, truth)
    assert [(row, text) for row, _, text in told] == [("其他主动公开文件", t) for t in ("31", "0", "77")]
    assert problems == [("unmapped_cell", "warning")]


def test_an_extra_column_is_kept_under_its_head() -> None:
    """domain.md Q-19: a running total beside the form's columns."""
    tables, truth = full(2021)
    head, *body = tables[0][1:4]
    head.append(C("历史累计"))
    for row, text in zip(body, ("812", "913"), strict=True):
        row.append(C(text))
    rows, told, problems = read(tables, truth)
    assert told == [("规章", "历史累计", "812"), ("行政规范性文件", "历史累计", "913")] or [t[2] for t in told] == ["812", "913"]
    assert {t[1].split(" / ")[-1] for t in told} == {"历史累计"}
    assert problems == [("unmapped_cell", "warning")]
    assert {(u["table_no"], u["row_no"], u["col_no"]) for u in rows["unmapped_cell"]} == {(1, 3, 5), (1, 4, 5)}


def test_a_subtotal_row_of_table_three_is_kept() -> None:
    tables, truth = full(2021)
    tables[1].append([C("不予公开小计", 1, 3), *[C(str(n)) for n in range(50, 57)]])
    _, told, problems = read(tables, truth)
    assert [text for _, _, text in told] == [str(n) for n in range(50, 57)]
    assert {row for row, _, _ in told} == {"不予公开小计"}
    assert problems == [("unmapped_cell", "warning")]


def test_a_note_below_a_table_is_kept_as_it_is() -> None:
    tables, truth = full(2021)
    tables[1].append([C("注：本表由各单位填报汇总", 1, 10)])
    _, told, problems = read(tables, truth)
    assert [text for _, _, text in told] == ["注：本表由各单位填报汇总"]
    assert problems == [("unmapped_cell", "warning")]


@pytest.mark.parametrize("lost", ["row", "figure"])
def test_where_the_table_lacks_something_an_extra_may_be_it(lost: str) -> None:
    tables, truth = full(2021)
    tables[0].insert(4, [C("其他主动公开文件"), C("31"), C("0"), C("77")])
    if lost == "row":
        del tables[0][3]
    else:
        tables[0][3][1] = C("3l")
    rows = tidy(document(*tables), CONTEXT)
    assert ("unmapped_cell", "failure") in {(p["kind"], p["severity"]) for p in rows["problem"]}
    assert len(rows["observation"]) in (len(truth), len(truth) - 3)


def test_a_figure_without_a_head_may_be_misplaced() -> None:
    tables, truth = full(2021)
    tables[0][2].append(C("9"))
    _, told, problems = read(tables, truth)
    assert [text for _, _, text in told] == ["9"]
    assert problems == [("unmapped_cell", "failure")]


def test_the_cells_reach_the_warehouse_and_go_with_their_report(tmp_path: Path) -> None:
    tables, _ = full(2021)
    tables[0].insert(4, [C("其他主动公开文件"), C("31"), C("0"), C("77")])
    world = World(tmp_path)
    world.seen(A, "a")
    world.crawled()
    built = world.publish(world.part("p1", tidy(document(*tables), CONTEXT)))
    assert built.brought["unmapped_cell"] == 3
    assert world.ask("SELECT row_label, text FROM unmapped_cell ORDER BY col_no LIMIT 1") == [("其他主动公开文件", "31")]
    assert world.ask("SELECT state, reason FROM coverage WHERE year = 2021") == [("flagged", "unmapped_cell (1)")]
    world.run("r2")
    world.publish(world.part("p2", loaded("a", A)), run_id="r2")
    assert world.ask("SELECT count(*) FROM unmapped_cell") == [(0,)]
