"""SQL of users, what a run knows of the last one, and the state of a home."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from warehouse_world import World, loaded, sha

from warehouse.build import PublisherRow
from warehouse.changes import known_parses, needs_publish, news
from warehouse.query import Format, QueryError, WarehouseMissing, connect, run_sql
from warehouse.render import encode
from warehouse.status import status

A, B = "http://127.0.0.1/a.html", "http://127.0.0.1/b.html"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("home"))
    world.seen(A, "a")
    world.crawled()
    world.publish(world.part("p1", loaded("a", A)))
    return world


@pytest.fixture
def published(template: World) -> Path:
    return template.published


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    return World.copy(template, tmp_path)


def answer(published: Path, sql: str, format: Format = "csv", limit: int = 20) -> str:
    stream = io.StringIO()
    run_sql(published, sql, format, stream=stream, limit=limit)
    return stream.getvalue()


# --- formats


def test_csv_is_rfc_4180_with_null_empty_and_printed_decimals(published: Path) -> None:
    text = answer(published, """SELECT 58::DECIMAL(18,4) AS v, 52.15::DECIMAL(18,4) AS w, NULL AS n, 'a,"b' AS t, '鹿城' AS z, true AS b""")
    assert text == 'v,w,n,t,z,b\n58,52.15,,"a,""b",鹿城,true\n'


def test_json_keeps_every_digit(published: Path) -> None:
    sql = "SELECT 12345678901234.5678::DECIMAL(18,4) AS v, 100::DECIMAL(18,4) AS h, NULL AS n"
    sql += ", [1.5, NULL] AS l, {'a': '鹿'} AS s, 'nan'::DOUBLE AS f"
    text = answer(published, sql, "json")
    assert '"v": 12345678901234.5678' in text
    assert json.loads(text, parse_float=Decimal) == [
        {"v": Decimal("12345678901234.5678"), "h": 100, "n": None, "l": [Decimal("1.5"), None], "s": {"a": "鹿"}, "f": None}
    ]
    assert json.loads(answer(published, "SELECT 1 AS a WHERE false", "json")) == []


@given(st.decimals(min_value=-(10**14) + 1, max_value=10**14 - 1, places=4))
def test_no_decimal_is_changed_by_json(value: Decimal) -> None:
    assert json.loads(encode(value), parse_float=Decimal, parse_int=Decimal) == value


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)))
def test_nested_values_come_back_from_json(value: object) -> None:
    assert json.loads(encode(value)) == value


def test_table_states_how_much_it_shows(published: Path) -> None:
    text = answer(published, "SELECT i AS n FROM range(3000) AS r(i)", "table")
    assert "(20 of 3,000 rows shown; use --format csv for all)" in text
    assert "(1 row)" in answer(published, "SELECT 1 AS n", "table")
    assert "(2 rows)" in answer(published, "SELECT unnest([1, 2]) AS n", "table")


def test_table_lines_up_chinese_and_cuts_nothing(published: Path) -> None:
    long = "政府信息公开工作年度报告" * 20
    sql = f"SELECT '鹿城区' AS district, 58::DECIMAL(18,4) AS v, '[b]x' AS t, '{long}' AS l UNION ALL SELECT 'A', 5, 'y', ''"
    lines = answer(published, sql + " ORDER BY v DESC", "table").splitlines()
    chinese, latin = (line for line in lines if "鹿城区" in line or "A " in line)
    assert long in chinese
    assert "[b]x" in chinese
    # The number ends in the same column of the screen, which a Chinese character takes two of.
    assert cell_len(chinese.partition("58")[0] + "58") == cell_len(latin.partition("5")[0] + "5")


def test_parquet_keeps_types_and_replaces_the_file_whole(published: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    assert run_sql(published, "SELECT indicator, applicant, value FROM panel ORDER BY value", "parquet", out) == 4
    with duckdb.connect() as con:
        rows = con.execute("SELECT *, typeof(value) FROM read_parquet(?) LIMIT 1", [str(out)]).fetchall()
    assert rows == [("carried_in", "total", Decimal(2), "DECIMAL(18,4)")]
    before = out.read_bytes()
    with pytest.raises(QueryError):
        run_sql(published, "SELECT error('half way') FROM panel", "parquet", out)
    assert out.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_csv_to_a_file_has_every_row(published: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert run_sql(published, "SELECT i FROM range(25000) AS r(i)", "csv", out, limit=1) == 25_000
    with out.open(encoding="utf-8", newline="") as file:
        assert sum(1 for _ in csv.reader(file)) == 25_001


def test_parquet_without_a_file_and_repeated_names_are_refused(published: Path) -> None:
    with pytest.raises(QueryError, match="--out"):
        run_sql(published, "SELECT 1", "parquet")
    with pytest.raises(QueryError, match="several columns called a"):
        run_sql(published, "SELECT 1 AS a, 2 AS a", "json")


# --- read-only


def test_duckdbs_own_message_comes_through(published: Path) -> None:
    with pytest.raises(QueryError, match=r"Table with name pannel does not exist[\s\S]*panel"):
        answer(published, "SELECT * FROM pannel")


def test_no_warehouse_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(WarehouseMissing, match="nothing was published"):
        connect(tmp_path / "gongkai.duckdb")


FORBIDDEN = {
    "insert": "INSERT INTO meta VALUES ('a', 'b')",
    "delete": "DELETE FROM observation",
    "create": "CREATE TABLE mine AS SELECT 1",
    "drop": "DROP VIEW panel",
    "copy to": "COPY report TO '{folder}/out.csv'",
    "prepared copy": "PREPARE p AS COPY report TO '{folder}/out.csv'; EXECUTE p",
    "export": "EXPORT DATABASE '{folder}/out'",
    "attach": "ATTACH '{folder}/other.duckdb' AS other",
    "attach read-only": "ATTACH '{secret}' AS other (READ_ONLY)",
    "read text": "SELECT content FROM read_text('{secret}')",
    "read csv": "FROM read_csv('{secret}')",
    "read by name": "FROM '{secret}'",
    "glob": "FROM glob('{folder}/*')",
    "network": "FROM read_csv('http://127.0.0.1:9/x.csv')",
    "extension": "INSTALL httpfs",
    "load": "LOAD excel",
    "unlock": "SET enable_external_access = true",
    "unlock configuration": "SET lock_configuration = false",
    "allow a folder": "SET allowed_directories = ['{folder}']",
    "profile to a file": "PRAGMA profiling_output = '{folder}/out.json'",
    "second statement": "SELECT 1; DELETE FROM observation",
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_sql_reaches_nothing_but_the_published_file(published: Path, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nhidden\n")
    before = published.read_bytes()
    with pytest.raises(QueryError):
        answer(published, FORBIDDEN[name].format(folder=tmp_path, secret=secret))
    assert published.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_python_variables_are_out_of_reach(published: Path) -> None:
    import pandas as pd

    hidden = pd.DataFrame({"a": [1]})
    with connect(published) as con, pytest.raises(duckdb.CatalogException):
        con.execute("SELECT * FROM hidden")
    assert len(hidden) == 1


# --- what a run knows of the last one


def test_known_parses(world: World, tmp_path: Path) -> None:
    assert known_parses(world.published) == {("lucheng", sha("a")): "1"}
    assert known_parses(tmp_path / "nothing.duckdb") == {}


def again(world: World, run_id: str = "r2") -> bool:
    return needs_publish(world.published, [], world.ledger, world.publishers)


def second_crawl(world: World) -> None:
    """The next night finds all as it was."""
    world.run("r2")
    world.crawled("r2")
    world.seen(A, "a", "r2")


def test_nothing_new_publishes_nothing(world: World) -> None:
    second_crawl(world)
    assert not again(world)


def test_first_build_and_parts_are_news(world: World, tmp_path: Path) -> None:
    assert needs_publish(tmp_path / "none.duckdb", [], world.ledger, world.publishers)
    assert needs_publish(world.published, [tmp_path / "part"], world.ledger, world.publishers)


def test_the_same_failure_the_next_night_is_no_news(world: World) -> None:
    world.failed("unreachable", B, year=2022)
    world.publish()
    second_crawl(world)
    world.failed("unreachable", B, "r2", year=2022)
    assert not again(world)
    world.failed("http_error", B, "r2", year=2022)
    assert news(world.published, world.ledger, world.publishers) == ["crawl problem"]


def test_a_failure_that_went_away_is_news(world: World) -> None:
    world.failed("unreachable", B, year=2022)
    world.publish()
    second_crawl(world)
    assert news(world.published, world.ledger, world.publishers) == ["crawl problem", "coverage"]


def test_a_report_that_left_the_index_is_news(world: World) -> None:
    world.run("r2")
    world.crawled("r2")
    assert news(world.published, world.ledger, world.publishers) == ["sighting"]


def test_a_page_that_went_back_to_what_it_was_is_news(world: World) -> None:
    second_crawl(world)
    world.seen(A, "b", "r2")
    assert news(world.published, world.ledger, world.publishers) == ["sighting"]


def test_a_change_of_the_registry_is_news(world: World) -> None:
    second_crawl(world)
    other = PublisherRow("ouhai", "瓯海区人民政府", "330304", "government")
    assert news(world.published, world.ledger, [*world.publishers, other]) == ["publisher", "coverage"]
    assert needs_publish(world.published, [], world.ledger, []) is False  # it has a report: it stays
    renamed = [PublisherRow("lucheng", "鹿城区府办", "330302", "office", "own")]
    assert news(world.published, world.ledger, renamed) == ["publisher"]


def test_another_release_of_the_code_is_news(world: World) -> None:
    world.published.chmod(0o644)
    with duckdb.connect(world.published) as con:
        con.execute("UPDATE meta SET value = 'older' WHERE key = 'code_version'")
    assert news(world.published, world.ledger, world.publishers) == ["code"]


# --- status


def test_status_of_an_empty_home(tmp_path: Path) -> None:
    found = status(tmp_path / "none.duckdb", tmp_path / "none.sqlite")
    assert (found.built_at, found.coverage, found.missing, found.problems, found.runs, found.sources) == (None, {}, [], [], [], [])


def test_status_tells_what_is_missing_and_when_a_source_last_worked(world: World) -> None:
    world.seen(B, None, year=2022)
    world.failed("unreachable", B)
    world.run("r2")
    world.failed("unreachable", B, "r2")
    world.crawled("r2", index_read=0)
    world.publish(run_id="r2")
    world.run("r3")
    found = status(world.published, world.ledger)
    assert found.coverage == {"loaded": 1, "unreachable": 4}
    assert [(m.publisher, m.year, m.state) for m in found.missing] == [
        ("温州市鹿城区人民政府办公室", year, "unreachable") for year in range(2022, 2026)
    ]
    assert [(p.run_id, p.kind, p.url) for p in found.problems] == [("r2", "unreachable", B)]
    assert [(run.run_id, run.problems) for run in found.runs] == [("r3", 0), ("r2", 1), ("r1", 1)]
    [source] = found.sources
    assert (source.index_read, source.last_success, source.failing) == (False, "2026-11-21T18:30:00Z", 1)
