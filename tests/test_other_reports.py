"""Documents without the tables of a form: reports in prose, reports of another kind, and pages that only link one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from forms import document, full
from warehouse_world import World, loaded, problem, sha

from extract.grid import Document, Text
from extract.problem import Problem
from transform.frames import Rows, frames
from transform.tidy import Context, tidy

A, C = "http://127.0.0.1/a.html", "http://127.0.0.1/c.pdf"
CONTEXT = Context("lucheng", "330302", A, sha("a"), "2026-01-01T00:00:00Z", "r1", scope="own", link_year=2012)
TITLE = "某区人民政府办公室2012年政府信息公开工作年度报告"
LONG = "全年通过政府网站、公告栏和新闻发布会等多种渠道主动公开各类政府信息，内容涵盖机构职能、规范性文件、财政资金和民生事项等。" * 3
HEADINGS = (
    "概述",
    "主动公开政府信息情况",
    "依申请公开政府信息情况",
    "收费及减免情况",
    "行政复议和行政诉讼情况",
    "存在的主要问题及改进措施",
)


def prose(title: str = TITLE, numbered: bool = True, body: str = LONG, year: int = 2012) -> Document:
    lines = [title, f"本报告统计期限自{year}年1月1日至{year}年12月31日止。"]
    for numeral, heading in zip("一二三四五六", HEADINGS, strict=True):
        lines += [f"{numeral}、{heading}" if numbered else heading, body]
    return Document("html", [Text(line) for line in lines])


def read(found: Document, context: Context = CONTEXT) -> Rows:
    rows = tidy(found, context)
    frames([rows])
    return rows


def outcome(rows: Rows) -> tuple[object, int]:
    return rows["parse"][0]["outcome"], len(rows["report"])


def publish(tmp_path: Path, *documents: Rows) -> World:
    world = World(tmp_path)
    world.crawled()
    world.seen(A, "a", year=2012)
    world.publish(world.part("p1", *documents))
    return world


# --- prose


@pytest.mark.parametrize("numbered", [True, False])
def test_a_report_in_prose_is_its_text(numbered: bool) -> None:
    rows = read(prose(numbered=numbered))
    assert outcome(rows) == ("no_tables", 1)
    [report] = rows["report"]
    assert (report["year"], report["format"], report["figures"], report["title"]) == (2012, None, 0, TITLE)
    assert rows["parse"][0]["report_id"] == report["report_id"]
    assert rows["observation"] == rows["check_result"] == rows["problem"] == []
    text = "".join(n["text"] for n in rows["narrative"])
    assert text.count(LONG) == 6
    assert [n["section_no"] for n in rows["narrative"]] == ([0, 1, 2, 3, 4, 5, 6] if numbered else [0])


def test_coverage_says_prose(tmp_path: Path) -> None:
    world = publish(tmp_path, read(prose()))
    found = world.ask("SELECT year, state, reason FROM coverage WHERE year = 2012")
    assert found == [(2012, "no_tables", "free prose, without a table of the form")]
    assert world.ask("SELECT count(*) FROM problem") == [(0,)]
    assert world.ask("SELECT count(*) FROM narrative") == [(7,)]
    assert world.ask("SELECT is_current, format FROM report") == [(True, None)]


def test_prose_gives_way_to_an_attachment_with_figures(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.crawled()
    world.seen(A, "a", year=2012)
    world.seen(C, "file", role="attachment", parent_url=A, year=None)
    world.publish(world.part("p1", read(prose()), loaded("file", C, 2012)))
    assert world.ask("SELECT document_sha256 FROM report WHERE is_current") == [(sha("file"),)]
    assert world.ask("SELECT state FROM coverage WHERE year = 2012") == [("loaded",)]


def test_prose_beside_an_attachment_that_can_not_be_read_is_no_excuse(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.crawled()
    world.seen(A, "a", year=2012)
    world.seen(C, None, role="attachment", parent_url=A, year=2012)
    world.failed("http_error", C, year=2012)
    world.publish(world.part("p1", read(prose())))
    assert world.ask("SELECT state FROM coverage WHERE year = 2012") == [("unreachable",)]


def test_prose_where_the_form_has_tables_is_worth_a_look() -> None:
    late = prose(TITLE.replace("2012", "2021"), year=2021)
    late.blocks = [Text(b.text.replace("主动公开政府信息情况", "主动公开")) for b in late.blocks]
    rows = read(late)
    assert outcome(rows) == ("no_tables", 1)
    assert [(p["kind"], p["severity"]) for p in rows["problem"]] == [("no_tables", "warning")]


def test_a_page_that_only_links_an_attachment_is_no_report() -> None:
    lines = [TITLE, "发布日期：2013-03-01", "附件：某区人民政府办公室2012年政府信息公开工作年度报告.pdf"]
    assert outcome(read(Document("html", [Text(line) for line in lines]))) == ("no_tables", 0)


def test_parts_without_their_tables_are_a_lost_report() -> None:
    """domain.md Q-46: the tables are pictures, the headings follow each other."""
    lines = [TITLE.replace("2012", "2023"), "自2023年1月1日至2023年12月31日", "一、总体情况", LONG * 2, "二、主动公开政府信息情况"]
    lines += ["三、收到和处理政府信息公开申请情况", "四、政府信息公开行政复议、行政诉讼情况", "五、存在的主要问题及改进情况", LONG]
    assert outcome(read(Document("html", [Text(line) for line in lines]))) == ("no_tables", 0)


def test_pictures_about_a_report_are_no_report() -> None:
    assert outcome(read(prose(TITLE + "（图解）"))) == ("no_tables", 0)


def test_a_document_that_lost_something_is_no_prose() -> None:
    lost = replace(prose(), problems=[Problem("extract", "needs_ocr", "page 3 is a picture")])
    assert outcome(read(lost)) == ("failed", 0)


def test_prose_whose_year_is_unsure_is_not_loaded() -> None:
    rows = read(prose(year=2013))
    assert outcome(rows) == ("failed", 0)
    assert [p["kind"] for p in rows["problem"]] == ["year_conflict"]


# --- another kind


OTHERS = [
    "某区2021年政府工作报告",
    "某区2021年财政预算公开说明",
    "某区人民政府2021年法治政府建设年度报告",
    "某区2021年国民经济和社会发展统计公报",
    "某区教育局2021年度部门决算",
    "某区2021年政府网站工作年度报表",
]


@pytest.mark.parametrize("title", OTHERS)
def test_a_report_of_another_kind_is_not_loaded(title: str) -> None:
    lines = [title, "一、2021年工作回顾", LONG, "二、经济运行情况", LONG, "三、2022年工作安排", LONG]
    rows = read(Document("pdf", [Text(line) for line in lines]), replace(CONTEXT, title="2021年政府信息公开工作年度报告", link_year=2021))
    assert outcome(rows) == ("no_tables", 0)
    [row] = rows["problem"]
    assert (row["kind"], row["severity"], row["year"]) == ("other_report", "warning", 2021)
    assert title in str(row["message"])


@pytest.mark.parametrize("title", OTHERS)
def test_tables_of_the_form_tell_more_than_a_title(title: str) -> None:
    tables, truth = full(2021)
    found = document(*tables)
    found.blocks[0] = Text(title)
    rows = read(found)
    assert len(rows["observation"]) == len(truth)


def test_a_site_named_for_its_budget_is_no_other_report() -> None:
    assert outcome(read(replace(prose(), title="某区预算公开平台"))) == ("no_tables", 1)


def test_where_only_another_report_is_listed_the_year_is_not_found(tmp_path: Path) -> None:
    lines = [OTHERS[0], "一、2012年工作回顾", LONG]
    world = publish(tmp_path, read(Document("pdf", [Text(line) for line in lines])))
    [(state, reason)] = world.ask("SELECT state, reason FROM coverage WHERE year = 2012")
    assert state == "not_found"
    assert OTHERS[0] in reason
    assert world.ask("SELECT kind, severity FROM problem") == [("other_report", "warning")]


def test_a_page_whose_only_attachment_is_another_report_lacks_its_own(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.crawled()
    world.seen(A, "a", year=2012)
    world.seen(C, "file", role="attachment", parent_url=A, year=None)
    other = read(Document("pdf", [Text(OTHERS[0]), Text(LONG)]), replace(CONTEXT, url=C, sha256=sha("file")))
    page = read(Document("html", [Text(TITLE), Text("附件")]))
    world.publish(world.part("p1", page, other))
    assert world.ask("SELECT kind, severity FROM problem ORDER BY kind") == [("no_tables", "failure"), ("other_report", "warning")]
    assert world.ask("SELECT state FROM coverage WHERE year = 2012") == [("unreadable",)]


def test_a_failure_still_says_why(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.crawled()
    world.seen(A, "a", year=2012)
    rows = read(Document("html", [Text(TITLE), Text("附件")]))
    rows["problem"] = [problem("needs_ocr", "a", A, year=2012)]
    world.publish(world.part("p1", rows))
    assert world.ask("SELECT state, reason FROM coverage WHERE year = 2012") == [("unreadable", f"needs_ocr: needs_ocr at {A}")]
