"""One codebook: DDL, comments, the table `dictionary`, the page and the built warehouse say the same, both ways."""

from __future__ import annotations

import csv
import re
from io import StringIO

import pytest
from warehouse_world import World

from transform import identity_list
from transform.check import PARTS, identities
from warehouse import codebook
from warehouse.codebook import Relation
from warehouse.codebook_page import main, page
from warehouse.duck import ROOT, SEEDS

RELATIONS = [r for r in codebook.relations() if not r.release]
MACROS = [r for r in RELATIONS if r.parameters is not None]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("world"))
    world.publish()
    return world


def held(world: World) -> dict[str, list[str]]:
    sql = (
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND schema_name = 'main' ORDER BY table_name, column_index"
    )
    rows = world.ask(sql)
    out: dict[str, list[str]] = {}
    for relation, column in rows:
        out.setdefault(relation, []).append(column)
    return out


def test_every_relation_and_column_of_the_warehouse_is_described_and_no_other(world: World) -> None:
    described = {r.name: list(r.columns) for r in RELATIONS if r.parameters is None}
    found = held(world)
    assert set(found) - set(described) == set(), "relations without an entry in codebook.yml"
    assert set(described) - set(found) == set(), "entries of codebook.yml without a relation"
    assert {name: columns for name, columns in found.items() if columns != described[name]} == {}


def test_every_macro_is_described_with_its_parameters_and_no_other(world: World) -> None:
    sql = "SELECT DISTINCT function_name, parameters FROM duckdb_functions() WHERE NOT internal AND database_name = current_database()"
    found = {name: set(parameters) for name, parameters in world.ask(sql)}
    assert {r.name: set(r.parameters or ()) for r in MACROS} == found


def test_everything_has_a_chinese_label_and_a_meaning() -> None:
    lacking = [(r.name, e.name) for r in codebook.relations() for e in r.columns.values() if not e.zh or not e.description]
    assert lacking == []
    assert [r.name for r in codebook.relations() if not r.zh or not r.description] == []


def test_chinese_labels_are_chinese() -> None:
    labels = [e.zh for r in codebook.relations() for e in r.columns.values() if e.zh]
    assert [zh for zh in labels if not re.search(r"[\u4e00-\u9fff]", zh)] == []


def test_comments_are_in_the_file_for_tables_views_columns_and_macros(world: World) -> None:
    relations = {r.name: r for r in RELATIONS}
    sql = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal AND schema_name = 'main'"
    for name, column, comment in world.ask(sql):
        assert comment == relations[name].columns[column].comment, (name, column)
    ours = "NOT internal AND database_name = current_database() AND schema_name = 'main'"
    sql = f"""SELECT table_name, comment FROM duckdb_tables() WHERE {ours}
        UNION ALL SELECT view_name, comment FROM duckdb_views() WHERE {ours}
        UNION ALL SELECT DISTINCT function_name, comment FROM duckdb_functions() WHERE {ours}"""
    told = dict(world.ask(sql))
    assert {name: comment for name, comment in told.items() if comment != relations[name].comment} == {}
    assert set(told) == set(relations)


def test_the_schema_files_are_those_of_the_codebook() -> None:
    files = {path.stem: path.read_text("utf-8") for path in (ROOT / "schema").glob("*.sql")}
    assert files == codebook.ddl(), "run: python -m warehouse.codebook schema"


def test_only_tables_have_a_file_and_every_column_of_them_a_type() -> None:
    tables = [r for r in RELATIONS if r.schema_file]
    assert [(r.name, e.name) for r in tables for e in r.columns.values() if not e.sql] == []


def test_the_dictionary_in_the_file_is_the_codebook(world: World) -> None:
    rows = world.ask("SELECT relation, column_name, label_zh, label_en, description, unit, legal FROM dictionary ORDER BY rowid")
    assert rows == [tuple(row.values()) for row in codebook.dictionary()]
    assert world.ask("SELECT label_zh FROM dictionary WHERE relation = 'panel' AND column_name = 'year'") == [("报告年度",)]


def test_the_page_is_the_codebook() -> None:
    assert (ROOT.parent / "docs" / "dictionary.md").read_text("utf-8") == page(), "run: make dictionary"


def test_the_page_has_every_relation_column_and_indicator() -> None:
    text = page()
    for relation in codebook.relations():
        section = text.split(f"### {relation.name} ")[1].split("\n### ")[0]
        assert all(f"| `{column}` |" in section for column in relation.columns), relation.name
    with (SEEDS / "indicators.csv").open(encoding="utf-8") as file:
        assert all(f"| `{row['indicator']}` | {row['label_zh']} |" in text for row in csv.DictReader(file))


def test_the_command_knows_one_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tables"]) == 2
    assert "usage" in capsys.readouterr().err


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValueError, match="desciption"):
        codebook._relation("x", {"description": "x", "columns": {"year": {"desciption": "y"}}})


def test_an_entry_overrides_the_common_meaning_field_by_field() -> None:
    relation: Relation = codebook._relation(
        "x", {"description": "x", "columns": {"year": "Year of y.", "value": {"unit": "m"}, "page": None}}
    )
    assert relation.columns["year"].description == "Year of y."
    assert relation.columns["year"].zh == "报告年度"
    assert (relation.columns["value"].unit, relation.columns["value"].zh) == ("m", "数值")
    assert relation.columns["page"].description.startswith("Page of the document")


# --- identities


def test_the_list_of_identities_is_that_of_the_checker() -> None:
    out = StringIO()
    identity_list.write(out)
    told = "run: python -m transform.identity_list > warehouse/seeds/identities.csv"
    assert (SEEDS / "identities.csv").read_text("utf-8") == out.getvalue(), told


def test_every_indicator_names_the_identities_it_takes_part_in(world: World) -> None:
    expected: dict[str, set[str]] = {}
    sections = dict(world.ask("SELECT indicator, section::VARCHAR FROM indicator"))
    for rule in identities():
        members = [i for i, section in sections.items() if section == rule.section] if rule.over else [*rule.left, *rule.right]
        for indicator in members:
            expected.setdefault(indicator, set()).add(rule.id)
    found = {i: set(text.split(", ")) if text else set() for i, text in world.ask("SELECT indicator, identities FROM indicator")}
    assert found == {indicator: expected.get(indicator, set()) for indicator in sections}
    assert found["processed_total"] == {"R1", "R2", "R3"}
    assert len(PARTS) == 6


def test_someone_without_docs_finds_the_way(world: World) -> None:
    """SHOW TABLES names the dictionary; the panel's comments say what it is, in both languages."""
    names = {name for (name,) in world.ask("SHOW TABLES")}
    assert {"dictionary", "panel", "publisher_error", "reconciled"} <= names
    ((comment,),) = world.ask("SELECT comment FROM duckdb_views() WHERE view_name = 'panel'")
    assert comment.startswith("面板数据")
    assert "table to start from" in comment
