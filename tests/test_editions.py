"""Editions of one report: page and attachment compared, text before pictures, several reports in one document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from forms import document, full
from warehouse_world import R1, World, loaded, observation, parsed, problem, sha

from extract.grid import Document, Text
from extract.titles import _GRAPHIC
from transform.frames import frames
from transform.tidy import Context, tidy
from warehouse.duck import ROOT

A, B, C = "http://127.0.0.1/a.html", "http://127.0.0.1/b.html", "http://127.0.0.1/c.pdf"
PAGE, FILE = f"lucheng-2021-{sha('page')[:8]}", f"lucheng-2021-{sha('file')[:8]}"
CURRENT = "SELECT document_sha256 FROM report WHERE is_current"
DIFFERENCES = "SELECT message FROM problem WHERE kind = 'editions_differ' AND is_open ORDER BY message"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.crawled()
    return world


def family(world: World) -> None:
    world.seen(A, "page")
    world.seen(C, "file", role="attachment", parent_url=A, year=None)


# --- a page and its attachment


def test_a_difference_names_both_reports_and_both_figures(world: World) -> None:
    family(world)
    page = loaded("page", A, figures=R1 | {"new_received": "58", "carried_in": "2"})
    file = loaded("file", C, figures=R1 | {"new_received": "59", "granted": "3"})
    world.publish(world.part("p1", page, file))
    assert world.ask(DIFFERENCES) == [(f'new_received/total: "59" in {FILE}, "58" in {PAGE}',)]
    assert world.ask("SELECT severity, stage, url, year, document_sha256, run_id FROM problem") == [
        ("warning", "check", C, 2021, sha("file"), "r1")
    ]
    assert world.ask("SELECT count(*) FROM observation") == [(9,)]
    assert world.ask(CURRENT) == [(sha("file"),)]
    assert world.ask("SELECT state, reason FROM coverage WHERE year = 2021") == [("flagged", "editions_differ (1)")]


def test_equal_editions_differ_in_nothing(world: World) -> None:
    family(world)
    world.publish(world.part("p1", loaded("page", A), loaded("file", C)))
    assert world.ask("SELECT count(*) FROM problem") == [(0,)]


@pytest.mark.parametrize(
    ("status", "told"),
    [("blank", True), ("not_applicable", True), ("unreadable", False)],
)
def test_a_figure_in_one_edition_only(world: World, status: str, told: bool) -> None:
    """What can't be read is a problem of its own already."""
    family(world)
    file = loaded("file", C, figures={"carried_in": "2"})
    file["observation"].append(observation(FILE, "new_received", "", 9, status))
    world.publish(world.part("p1", loaded("page", A), file))
    assert bool(world.ask(DIFFERENCES)) is told


@pytest.mark.parametrize(("text", "told"), [("43.788", False), ("437880", False), ("43", True)])
def test_money_with_and_without_its_unit(world: World, text: str, told: bool) -> None:
    family(world)
    page, file = loaded("page", A), loaded("file", C)
    page["observation"].append(observation(PAGE, "administrative_fee_amount", text, 9, section="proactive"))
    file["observation"].append(observation(FILE, "administrative_fee_amount", "43.788", 9, section="proactive") | {"unit": "10k_cny"})
    world.publish(world.part("p1", page, file))
    assert bool(world.ask(DIFFERENCES)) is told


def test_a_new_version_is_no_edition(world: World) -> None:
    world.seen(A, "page")
    world.publish(world.part("p1", loaded("page", A)))
    world.run("r2")
    world.crawled("r2")
    world.seen(A, "file", "r2")
    world.publish(world.part("p2", loaded("file", A, figures=R1 | {"new_received": "59"})), run_id="r2")
    assert world.ask(DIFFERENCES) == []


def test_a_difference_that_was_mended_goes(world: World) -> None:
    family(world)
    world.publish(world.part("p1", loaded("page", A), loaded("file", C, figures=R1 | {"new_received": "59"})))
    assert len(world.ask(DIFFERENCES)) == 1
    world.run("r2")
    world.publish(world.part("p2", loaded("file", C)), run_id="r2")
    assert world.ask(DIFFERENCES) == []


# --- text and pictures


def test_the_words_of_an_edition_in_pictures_are_those_of_the_titles() -> None:
    sql = (ROOT / "views" / "00_is_picture_title.sql").read_text("utf-8")
    assert f"'{_GRAPHIC.pattern}'" in sql
    assert _GRAPHIC.flags & re.IGNORECASE


@pytest.mark.parametrize("title", ["2021年政府信息公开工作年度报告（图解）", "一图读懂2021年政府信息公开年度报告", "2021年报告（h5 版）"])
def test_the_text_edition_counts_though_the_picture_has_more_figures(world: World, title: str) -> None:
    world.seen(A, "text", title="2021年政府信息公开工作年度报告")
    world.seen(B, "picture", title=title)
    world.publish(world.part("p1", loaded("text", A, figures={"new_received": "1"}), loaded("picture", B)))
    assert world.ask(CURRENT) == [(sha("text"),)]


def test_pictures_count_where_the_text_has_no_figure(world: World) -> None:
    world.seen(A, "text", title="2021年政府信息公开工作年度报告")
    world.seen(B, "picture", title="2021年政府信息公开工作年度报告（图解）")
    world.publish(world.part("p1", loaded("text", A, figures={}), loaded("picture", B)))
    assert world.ask(CURRENT) == [(sha("picture"),)]


@pytest.mark.parametrize("outcome", ["no_tables", "failed"])
@pytest.mark.parametrize("with_text", [True, False])
def test_a_picture_without_tables_is_a_failure_only_without_the_text(world: World, outcome: str, with_text: bool) -> None:
    world.seen(B, "picture", title="2021年政府信息公开工作年度报告（图解）")
    documents = [{"parse": [parsed("picture", B, outcome)]}]
    if outcome == "failed":
        documents[0]["problem"] = [problem("needs_ocr", "picture", B)]
    if with_text:
        world.seen(A, "text", title="2021年政府信息公开工作年度报告")
        documents.append(loaded("text", A))
    world.publish(world.part("p1", *documents))
    assert bool(world.ask("SELECT kind FROM problem WHERE is_open")) is not with_text
    assert world.ask("SELECT state FROM coverage WHERE year = 2021") == [("loaded" if with_text else "unreadable",)]


# --- several reports in one document


CONTEXT = Context("lucheng", "330302", C, sha("file"), "2026-01-01T00:00:00Z", "r1", title="政府信息公开年报", scope="own")


def two_in_one(first: int = 2021, second: int = 2022) -> tuple[Document, dict, dict]:
    (one, truth_one), (two, truth_two) = full(2021, 1), full(2021, 2)
    parts = [document(*one, year=first), document(*two, year=second)]
    return Document("pdf", [*parts[0].blocks, Text("附："), *parts[1].blocks]), truth_one, truth_two


def test_two_reports_in_one_document_are_two(tmp_path: Path) -> None:
    both, first, second = two_in_one()
    rows = tidy(both, CONTEXT)
    frames([rows])
    got: dict[str, dict] = {}
    for o in rows["observation"]:
        got.setdefault(o["report_id"], {})[o["indicator"], o["applicant"]] = o["value"]
    ids = [f"lucheng-{year}-{sha('file')[:8]}" for year in (2021, 2022)]
    assert got == {ids[0]: first, ids[1]: second}
    assert [(r["year"], r["title"][-19:]) for r in rows["report"]] == [
        (2021, "公室2021年政府信息公开工作年度报告"),
        (2022, "公室2022年政府信息公开工作年度报告"),
    ]
    assert [(p["outcome"], p["report_id"]) for p in rows["parse"]] == [("loaded", ids[0])]
    assert sorted({o["table_no"] for o in rows["observation"]}) == [1, 2, 3, 4, 5, 6]
    assert rows["problem"] == []
    world = World(tmp_path)
    world.seen(C, "file")
    world.publish(world.part("p1", rows))
    assert world.ask("SELECT year, state FROM coverage WHERE state <> 'not_found' ORDER BY year") == [(2021, "loaded"), (2022, "loaded")]


def test_two_reports_that_can_not_be_told_apart_are_flagged() -> None:
    """The same year twice: the report would be one, with every figure printed twice."""
    rows = tidy(two_in_one(2021, 2021)[0], CONTEXT)
    assert len(rows["report"]) == 1
    assert "duplicate_figure" in {p["kind"] for p in rows["problem"]}


def test_a_title_printed_twice_makes_no_second_report() -> None:
    tables, truth = full(2021)
    once = document(*tables)
    rows = tidy(Document("html", [once.blocks[0], *once.blocks]), CONTEXT)
    assert len(rows["report"]) == 1
    assert {(o["indicator"], o["applicant"]): o["value"] for o in rows["observation"]} == truth
