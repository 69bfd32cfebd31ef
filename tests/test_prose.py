"""Phrases in the reports' texts: the index leaves out what can't have them, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warehouse_world import World, loaded

from warehouse import prose
from warehouse.duck import create_schema, create_views, scratch

A, B = "http://127.0.0.1/a.html", "http://127.0.0.1/b.html"
TEXTS = st.text("信息公开处理费\U00020bb7a，", max_size=12)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with scratch() as con:
        create_schema(con)
        create_views(con)
        yield con


def fill(con: duckdb.DuckDBPyConnection, texts: list[str], per_block: int = 2) -> None:
    con.execute("DELETE FROM narrative")
    con.execute("DELETE FROM narrative_block")
    con.execute("CREATE OR REPLACE TEMP TABLE told AS SELECT unnest(?::VARCHAR[]) AS text", [texts])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prose, "BLOCK", per_block)
        prose.insert_sections(con, "SELECT 'r' || rowid AS report_id, 1 AS section_no, NULL AS heading, text FROM temp.told")


@given(st.lists(TEXTS, max_size=7), TEXTS)
def test_the_search_finds_what_contains_finds(con: duckdb.DuckDBPyConnection, texts: list[str], phrase: str) -> None:
    fill(con, texts)
    found = con.execute("SELECT text FROM narrative_search(?) ORDER BY text", [phrase]).fetchall()
    assert [text for (text,) in found] == sorted(text for text in texts if phrase in text)


@given(st.lists(st.integers(1, 0xD7FF) | st.integers(0x20000, 0x2FFFF), min_size=3, max_size=3))
def test_sql_and_numpy_name_the_same_bit(con: duckdb.DuckDBPyConnection, points: list[int]) -> None:
    assert con.execute("SELECT gram_bit(?, ?, ?)", points).fetchall() == [tuple(prose.places(np.array(points, np.uint32)).tolist())]


def test_blocks_without_the_phrase_are_not_read(con: duckdb.DuckDBPyConnection) -> None:
    fill(con, [chr(0x4E00 + 3 * n) + chr(0x4E01 + 3 * n) + chr(0x4E02 + 3 * n) for n in range(200)], per_block=1)
    con.execute("UPDATE narrative SET text = '一二三' WHERE block_no > 1")  # what the index does not know is not looked at
    assert con.execute("SELECT count(*) FROM narrative_search('一二三')").fetchone() == (0,)
    con.execute("UPDATE narrative SET block_no = 0 WHERE block_no = 7")  # what is in no block is
    assert (
        con.execute("SELECT report_id FROM narrative_search('一二三')").fetchall()
        == con.execute("SELECT report_id FROM narrative WHERE block_no = 0").fetchall()
    )


def test_sections_lie_by_number_in_blocks_of_one(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DELETE FROM narrative")
    con.execute("DELETE FROM narrative_block")
    rows = "SELECT 'r' || r AS report_id, s AS section_no, NULL AS heading, 'text' AS text FROM range(3) AS a(r), range(2) AS b(s)"
    assert prose.insert_sections(con, rows) == 6
    assert prose.insert_sections(con, f"FROM ({rows}) WHERE false") == 0
    assert con.execute("SELECT section_no, block_no FROM narrative ORDER BY rowid").fetchall() == [(0, 1)] * 3 + [(1, 2)] * 3
    con.execute("DELETE FROM narrative WHERE section_no = 1")
    prose.drop_empty_blocks(con)
    assert con.execute("SELECT block_no FROM narrative_block").fetchall() == [(1,)]


def narrate(name: str, url: str, year: int, text: str) -> dict[str, list[dict[str, object]]]:
    document = loaded(name, url, year)
    document["narrative"][0]["text"] = text
    return document


def test_a_night_replaces_the_texts_of_what_was_read_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.seen(A, "a")
    world.seen(B, "b", year=2022)
    world.publish(world.part("p1", narrate("a", A, 2021, "没有收取信息处理费"), narrate("b", B, 2022, "未收取信息处理费")))
    assert world.ask("SELECT count(*) FROM narrative_search('信息处理费')") == [(2,)]
    world.run("r2")
    world.publish(world.part("p2", narrate("a", A, 2021, "收取信息处理费用")), run_id="r2")
    assert world.ask("SELECT text FROM narrative_search('取信息处理费') ORDER BY text") == [("收取信息处理费用",), ("未收取信息处理费",)]
    assert world.ask("SELECT text FROM narrative_search('没有收取')") == []
    assert world.ask("SELECT count(*) FROM narrative_block ANTI JOIN narrative USING (block_no)") == [(0,)]
    numbers = "SELECT count(*), count(DISTINCT r.report_no) FROM observation AS o JOIN report AS r USING (report_id, report_no)"
    assert world.ask(numbers) == [(8, 2)]


def test_a_file_of_schema_3_gets_numbers_and_blocks(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.seen(A, "a")
    world.seen(B, "b", year=2022)
    world.publish(world.part("p1", narrate("a", A, 2021, "没有收取信息处理费"), narrate("b", B, 2022, "未收取")))
    panel, errors = (world.ask(f"FROM {name} ORDER BY ALL") for name in ("panel", "publisher_error"))
    world.published.chmod(0o644)
    with duckdb.connect(world.published) as con:
        con.execute("UPDATE meta SET value = 'older' WHERE key = 'code_version'")
        con.execute("UPDATE meta SET value = '3-94bf47b3d54de139' WHERE key = 'schema_version'")
        for sql in ("narrative DROP COLUMN block_no", "observation DROP COLUMN report_no", "report DROP COLUMN report_no"):
            con.execute(f"ALTER TABLE {sql}")
        con.execute("DROP TABLE narrative_block; DROP TABLE report_stretch; DROP TABLE failed_side")
    world.run("r2")
    world.publish(run_id="r2")
    assert world.ask("FROM panel ORDER BY ALL") == panel
    assert world.ask("FROM publisher_error ORDER BY ALL") == errors
    assert world.ask("SELECT text FROM narrative_search('信息处理费')") == [("没有收取信息处理费",)]
    assert world.ask("SELECT min(block_no) FROM narrative") == [(1,)]
    assert world.ask("SELECT count(*), min(report_no), max(report_no) FROM observation JOIN report USING (report_id, report_no)") == [
        (8, 1, 2)
    ]
