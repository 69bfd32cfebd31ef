"""The benchmark judges rightly: adapters give each tool its cells, a wrong cell is found, ratios are those of the rounds."""

from __future__ import annotations

import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks import page, rivals, run, tools, worker
from benchmarks.adapter import Score, document, from_answer, grid, score, with_words
from benchmarks.made import fill
from benchmarks.night import Clocks
from benchmarks.pipeline import KINDS, Night, Stage, reader_memory, share, stages
from benchmarks.rivals import Result, Rival, ratio
from benchmarks.samples import Sample, samples
from extract.grid import Cell, Document, Grid
from flows import engine, pipeline, reading
from flows.registry import load_registry
from warehouse.districts import codes

ALL = samples()
#: The smallest document of the sample portal for each medium: reading it is all that these tests cost.
SMALL = {
    m: min((s for s in ALL if s.medium == m and "portal" in s.path.parts), key=lambda s: s.path.stat().st_size)
    for m in ("pdf", "html", "docx")
}


def answer(tool: str, sample: Sample) -> dict[str, Any]:
    found = tools.answer(tools.TOOLS[tool], str(sample.path), wanted=True)
    assert "error" not in found, found
    return found


def test_samples_are_there_with_their_truth() -> None:
    portal = [s for s in ALL if "portal" in s.path.parts]
    assert len(portal) >= 25
    assert all(s.path.is_file() and len(s.truth) in (198, 200) for s in portal)


@pytest.mark.parametrize(
    ("tool", "medium"),
    [
        ("gongkai", "pdf"),
        ("gongkai", "html"),
        ("gongkai", "docx"),
        ("camelot-vector", "pdf"),
        ("read_html", "html"),
        ("python-docx", "docx"),
    ],
)
def test_every_tool_of_this_environment_gives_its_cells(tool: str, medium: str) -> None:
    sample = SMALL[medium]
    found = answer(tool, sample)
    judged = score(from_answer(found, sample.year), sample.truth)
    assert judged.cells == len(sample.truth)
    assert judged.right >= judged.cells - 20, judged
    assert judged.wrong == 0
    assert found["cpu"] > 0
    assert found["peak"] > 10


def test_the_floor_has_no_cells_and_asks_for_text_and_paths() -> None:
    assert answer("floor", SMALL["pdf"]).keys() == {"cpu", "wall", "peak", "now"}
    assert tools._floor(str(SMALL["pdf"].path)) > 2000


@pytest.mark.slow
@pytest.mark.parametrize("tool", [r.tool for r in rivals.PDF if r.home == "rivals" and r.tool != "pymupdf"])
def test_every_installed_rival_gives_its_cells(tool: str) -> None:
    """In the rivals' own environment, which `make bench` makes; without it there is nothing to test."""
    python = worker.VENV / "bin" / "python"
    if not python.exists():
        pytest.skip("`make bench` has not made the environment of the rivals")
    with worker.Worker(tool, python) as process:
        found = process.ask(SMALL["pdf"].path, wanted=True, timeout=300)
    if found.get("error", "").startswith(("ModuleNotFoundError", "JavaNotFoundError")):
        pytest.skip(found["error"])
    judged = score(from_answer(found, SMALL["pdf"].year), SMALL["pdf"].truth)
    assert judged.right >= judged.cells - 20, (judged, found.get("error"))


def test_a_planted_wrong_cell_is_found() -> None:
    sample = SMALL["html"]
    found = answer("gongkai", sample)
    at = next(i for i, row in enumerate(found["observations"]) if row[3] == "reported")
    found["observations"][at][4] = str(Decimal(found["observations"][at][4]) + 1)
    del found["observations"][at + 1]
    cells = len(sample.truth)
    assert score(from_answer(found, sample.year), sample.truth) == Score(cells, cells - 2, 1)


def test_a_figure_that_is_not_printed_is_wrong_and_one_withheld_is_neither() -> None:
    a, b, c = ("s", "a", None), ("s", "b", None), ("s", "c", None)
    truth = {a: ("reported", Decimal(1)), b: ("reported", Decimal(2))}
    assert score({a: ("unreadable", None), b: ("reported", Decimal(2)), c: ("reported", Decimal(9))}, truth) == Score(2, 1, 1)


def test_a_wrong_cell_of_a_rival_is_wrong() -> None:
    sample = SMALL["docx"]
    found = answer("python-docx", sample)
    cells = [c for t in found["tables"] for c in t["cells"]]
    figure = next(c for c in cells if c[4].isdigit() and int(c[4]) > 0)
    figure[4] = str(int(figure[4]) + 1)
    assert score(from_answer(found, sample.year), sample.truth).wrong == 1


def test_boxes_become_a_grid_with_spans() -> None:
    made = grid([(0, 0, 20, 10, "head"), (0, 10.4, 10, 20, "a"), (10, 9.8, 20, 20, "b"), (9.9, 10, 10.1, 20, "sliver")], 1)
    assert [(c.text, c.row, c.col, c.row_span, c.col_span) for c in made.cells] == [
        ("head", 0, 0, 1, 2),
        ("a", 1, 0, 1, 1),
        ("b", 1, 1, 1, 1),
    ]
    assert (made.n_rows, made.n_cols) == (2, 2)


def test_fragments_on_consecutive_pages_are_one_table() -> None:
    tables = [{"page": n, "cells": [[0, 0, 10, 10, "x"], [10, 0, 20, 10, str(n)]]} for n in (2, 1)]
    [joined] = document(tables, 2021).grids()
    assert [c.text for c in joined.cells] == ["x", "1", "x", "2"]


def test_repeated_texts_are_one_cell_and_repeated_figures_are_not() -> None:
    rows = [["年报", "年报", "总计"], ["0", "0", "0"], ["标签", "0", "0"]]
    assert [c[:4] for c in tools._repeated(rows)] == [
        [0, 0, 2, 1],
        [2, 0, 3, 1],
        [0, 1, 2, 2],
        [2, 1, 3, 2],
        [0, 2, 1, 3],
        [1, 2, 2, 3],
        [2, 2, 3, 3],
    ]


def test_words_go_into_the_cells_of_a_scan_in_their_lines() -> None:
    cell = Cell("?", 0, 0, page=1, bbox=(0, 0, 100, 40), second="!", certainty=0.2)
    scan = Document("pdf", [Grid([cell], 1, 1, "rapidocr")])
    words = [[60, 3, 70, 13, "乙", 0], [10, 5, 20, 15, "甲", 0], [10, 20, 20, 30, "丙", 1], [300, 5, 310, 15, "外", 2]]
    [read] = next(with_words(scan, {1: words}).grids()).cells
    assert (read.text, read.second, read.certainty) == ("甲乙丙", None, None)


def result(tool: str, cpu: list[list[float]]) -> Result:
    return Result(Rival(tool, tool), cpu=cpu, wall=cpu)


def test_ratios_are_taken_inside_a_round() -> None:
    """The machine was three times as slow in the second round, for both tools."""
    ours, theirs = result("a", [[1.0, 1.0], [3.0, 3.0], [1.0, 1.0]]), result("b", [[4.0, 6.0], [12.0, 18.0], [5.0, 5.0]])
    assert ratio(theirs, ours) == 5.0
    assert ratio(ours, theirs) == pytest.approx(0.2)
    assert ours.per_document(ours.cpu) == 1.0


def test_a_tool_that_fails_is_a_row_with_its_reason_and_the_others_go_on(tmp_path: Path) -> None:
    broken = replace(SMALL["html"], path=tmp_path / "no.html")
    told, mine = rivals.compare(
        [Rival("nothing", "x", "rivals"), Rival("gongkai-read", "y")], [broken], 1, {"ours": sys.executable}, lambda _: None, "not there"
    )
    assert told.reason == "not there"
    assert mine.reason is not None
    assert "FileNotFoundError" in mine.reason


def test_a_process_that_hangs_or_dies_is_an_answer(tmp_path: Path) -> None:
    silent = tmp_path / "python"
    silent.write_text("#!/bin/sh\necho out of luck >&2\nsleep ${1:+0}\nexit 3\n")
    silent.chmod(0o755)
    with worker.Worker("floor", silent) as process:
        assert "out of luck" in process.ask(tmp_path, timeout=5)["error"]
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    with worker.Worker("floor", silent) as process:
        assert "(-9)" in process.ask(tmp_path, timeout=0.3)["error"]


def test_every_second_of_a_night_is_in_one_stage() -> None:
    document_ = {"medium": "pdf", "at": 2.0, "whole": 1.0, "archive": 0.1, "reading": 0.5, "tidy": 0.4}
    cpu = {
        "server": 5.0,
        "server start": 4.0,
        "start of this process": 3.0,
        "frames": 1.0,
        "parts": 0.5,
        "build": 1.5,
        "publish": 0.5,
        "find work": 0.25,
    }
    night = Night({"parent": 8.0, "children": 8.5, "cpu": cpu, "walls": {}}, [document_], [[document_]])
    found = stages(night)
    assert sum(s.cpu for s in found) == pytest.approx(8.0 + 8.5)
    assert {k: sum(s.cpu for s in found if s.kind == k) for k in KINDS[2:]} == {"start": 3.0 + 4.0, "readers' start": 2.0}
    assert share(found, "orchestration", of=("work", "orchestration")) == pytest.approx((1.0 + 1.25 + 0.25 + 0.5) / (3.0 + 4.5))


def test_the_clocks_find_what_they_are_put_around() -> None:
    """The clocks of a night replace functions by name: one that was renamed would be measured as nothing."""
    assert all(callable(getattr(engine, name)) for name in ("_stop", "_await_ready", "_sweep", "drain"))
    names = ("read_packed", "read_body", "read_document", "tidy", "frames", "_checked", "_files")
    assert all(callable(getattr(reading, name)) for name in names)
    assert all(callable(getattr(pipeline, name)) for name in ("find_work", "needs_publish", "build", "publish"))
    assert callable(pipeline.staged.write_part)
    nightly = (worker.ROOT / "flows" / "nightly.py").read_text("utf-8")  # not imported: that would import Prefect
    assert all(f"{name}(" in nightly for name in ("crawl", "load_registry", "summarise", "read_all", "leave_artifacts"))


def test_clocks_count_calls_that_raise() -> None:
    clocks, owner = Clocks(), type("Owner", (), {"work": staticmethod(lambda n: sum(range(n)) // 0)})
    clocks.wrap(owner, "work", "step")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            owner.work(200_000)
    assert clocks.cpu["step"] > 0
    assert clocks.wall["step"] >= clocks.cpu["step"] / 4


def test_a_filled_home_has_every_document_and_the_truth_of_its_cells(tmp_path: Path) -> None:
    place = fill(tmp_path / "home", 3, mix=("html", "docx"))
    assert place.documents == {"html": 2, "docx": 1}
    registry = load_registry(place.registry, codes())
    jobs = pipeline.find_work(place.home, "r", pipeline.publisher_rows(registry), [], reparse=False)
    truth = duckdb.read_parquet(str(place.truth)).fetchall()
    assert len(jobs) == 3
    for job in jobs:
        read = {(r["indicator"], r["applicant"]): (r["value_status"], r["value"]) for r in reading.read_one(job)["observation"]}
        mine = [row for row in truth if row[:2] == (job.context.publisher_id, job.context.sha256)]
        assert len(mine) >= 180
        assert read == {(row[2], row[3]): (row[4], None if row[5] is None else Decimal(row[5])) for row in mine}


def test_memory_of_a_reader_is_told_beyond_what_it_began_with() -> None:
    process = [{"before": {"now": 100.0}, "after": {"now": 110.0 + n, "peak": 130.0 + n}} for n in range(40)]
    assert reader_memory(Night({}, [], [process])) == {"base": 100.0, "beyond": 69.0, "growth": 32.0}


def test_only_what_stands_between_the_markers_changes() -> None:
    text = f"words\n{page.MARK.format(name='readers')}\nold\n{page.END.format(name='readers')}\nmore"
    assert page.between(text, "readers", r"new \1").split("\n") == [
        "words",
        "<!-- readers: made by `make bench` -->",
        r"new \1",
        "<!-- /readers -->",
        "more",
    ]
    with pytest.raises(ValueError, match="targets"):
        page.between(text, "targets", "x")


def test_a_target_that_is_missed_is_told_so() -> None:
    row = {"reason": None, "cells": 0, "right": 0, "wrong": 0, "wall": 1.0, "peak": 1.0, "label": ""}
    media = {"pdf": [row | {"tool": "gongkai", "cpu": 0.1, "ratio": 1.0}, row | {"tool": "camelot", "cpu": 1.5, "ratio": 15.0}]}
    shown = page.targets({"readers": {"media": media}})
    assert "| at most 1/20 | 1/15.0 | **no** |" in shown
    assert "| at most 3 times | – | not measured |" in shown


def test_all_parts_of_a_night_add_up_in_the_table() -> None:
    night = {"documents": 1000, "media": {"pdf": 1000}, "wall": 1.0, "read_wall": 1.0, "build_wall": 1.0, "publish_wall": 1.0}
    night["stages"] = [{"name": s.name, "cpu": s.cpu, "kind": s.kind} for s in (Stage("a", 30.0, "work"), Stage("b", 10.0, "start"))]
    assert "| all |  | 40.00 | 40.0 | 100 % |" in page._stages(night)
    assert "| b | start | 10.00 | 10.0 | 25.0 % |" in page._stages(night)


def test_quick_measures_little_and_only_names_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "--quick", "--only", "readers"])
    chosen = run.arguments()
    assert (chosen.quick, chosen.only, chosen.documents) == (True, "readers", None)
    monkeypatch.setattr(sys, "argv", ["run.py", "--only", "everything"])
    with pytest.raises(SystemExit):
        run.arguments()
