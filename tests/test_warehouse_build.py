"""Parts, ledger and seeds become a warehouse file."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml
from warehouse_world import World, claim, loaded, observation, parsed, problem, sha, unmapped

from warehouse.build import BuildError, PublisherRow
from warehouse.duck import SEEDS

A, B, C = "http://127.0.0.1/a.html", "http://127.0.0.1/b.html", "http://127.0.0.1/c.pdf"
PANEL = (
    "district_code, district, publisher_id, publisher, year, scope, report_id, section, format, indicator, applicant, value, unit, "
    "value_status"
)
CURRENT = "SELECT document_sha256 FROM report WHERE is_current"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_panel_has_the_columns_of_the_contract_and_the_printed_figure(world: World) -> None:
    world.seen(A, "a")
    world.crawled()
    world.publish(world.part("p1", loaded("a", A)))
    assert ", ".join(name for (name,) in world.ask("SELECT column_name FROM (DESCRIBE panel)")) == PANEL
    sql = "SELECT value, district, publisher FROM panel WHERE district_code='330302' AND year=2021 AND indicator='new_received'"
    assert world.ask(f"{sql} AND applicant='total'") == [(Decimal(58), "鹿城区", "温州市鹿城区人民政府办公室")]


def test_first_build_on_a_new_machine(tmp_path: Path) -> None:
    world = World(tmp_path, first=True)
    world.seen(A, "a")
    world.publish(world.part("p1", loaded("a", A)))
    assert world.ask("SELECT count(*) FROM panel") == [(4,)]
    assert sorted(p.name for p in world.published.parent.iterdir()) == ["gongkai.duckdb", "snapshots"]


def test_everything_of_the_frames_arrives(world: World) -> None:
    document = loaded("a", A)
    document["problem"] = [problem("label_variant", "a", A, severity="warning")]
    report_id = document["report"][0]["report_id"]
    document["claim"] = [claim(report_id), claim(report_id, 2, None)]
    document["unmapped_cell"] = [unmapped(report_id)]
    world.seen(A, "a")
    built = world.publish(world.part("p1", document))
    assert built.brought == {
        "parse": 1,
        "report": 1,
        "observation": 4,
        "check_result": 3,
        "narrative": 1,
        "unmapped_cell": 1,
        "claim": 2,
        "proof": 0,
        "problem": 1,
    }
    assert world.ask("SELECT bbox, row_no, col_no, raw_text, typeof(value) FROM observation WHERE indicator = 'carried_in'") == [
        ([1.0, 2.0, 3.0, 4.5], 2, 10, "2", "DECIMAL(18,4)")
    ]
    assert world.ask("SELECT published_on::VARCHAR, fetched_at::VARCHAR, version, is_current FROM report") == [
        ("2022-01-20", "2026-11-20 18:00:00", 1, True)
    ]
    assert world.ask("SELECT kind, severity, is_open FROM problem") == [("label_variant", "warning", True)]
    assert world.ask("SELECT heading FROM narrative") == [("一、总体情况",)]
    assert world.ask("FROM claim") == [tuple(row.values()) for row in document["claim"]]
    assert world.ask("FROM unmapped_cell") == [tuple(unmapped(report_id).values())]
    assert world.ask("SELECT DISTINCT soft FROM check_result") == [(False,)]


def test_a_document_read_again_replaces_its_rows_and_touches_no_other(world: World) -> None:
    world.seen(A, "a")
    world.seen(B, "b", year=2022)
    first = loaded("a", A)
    first["problem"] = [problem("label_variant", "a", A, severity="warning")]
    world.publish(world.part("p1", first, loaded("b", B, 2022)))
    world.run("r2")
    again = loaded("a", A, year=2020, figures={"new_received": "7"})
    world.publish(world.part("p2", again), run_id="r2")
    assert world.ask("SELECT year, count(*) FROM report JOIN observation USING (report_id) GROUP BY year ORDER BY year") == [
        (2020, 1),
        (2022, 4),
    ]
    assert world.ask("SELECT count(*) FROM problem") == [(0,)]
    assert world.ask("SELECT count(*), count(DISTINCT report_id) FROM parse") == [(2, 2)]


def test_the_last_of_two_parts_with_one_document_counts(world: World) -> None:
    world.seen(A, "a")
    parts = [world.part("p1", loaded("a", A)), world.part("p2", loaded("a", A, figures={"new_received": "9"}))]
    world.publish(*parts)
    assert world.ask("SELECT indicator, value FROM panel") == [("new_received", Decimal(9))]


def test_changed_document_is_a_new_version_and_the_one_listed_now_is_current(world: World) -> None:
    world.seen(A, "old")
    world.crawled()
    world.publish(world.part("p1", loaded("old", A, figures={"new_received": "1", "carried_in": "2"})))
    world.run("r2")
    world.crawled("r2")
    world.seen(A, "new", "r2")
    world.publish(world.part("p2", loaded("new", A, figures={"new_received": "1"}, fetched_at="2026-11-22T18:00:00Z")), run_id="r2")
    assert world.ask("SELECT document_sha256, version, is_current FROM report ORDER BY version") == [
        (sha("old"), 1, False),
        (sha("new"), 2, True),
    ]
    assert world.ask("SELECT count(*) FROM panel") == [(1,)]


def test_a_page_and_its_attachment_the_one_with_more_figures_is_current(world: World) -> None:
    world.seen(A, "page")
    world.seen(C, "file", role="attachment", parent_url=A)
    world.publish(world.part("p1", loaded("page", A, figures={"new_received": "1"}), loaded("file", C)))
    assert world.ask(CURRENT) == [(sha("file"),)]


def test_scopes_are_not_versions_of_each_other(world: World) -> None:
    world.seen(A, "a")
    world.seen(B, "b")
    world.publish(world.part("p1", loaded("a", A), loaded("b", B, scope="consolidated")))
    assert world.ask("SELECT count(*), min(version), max(version) FROM report WHERE is_current") == [(2, 1, 1)]


def test_a_report_that_left_the_index_gives_way_only_to_one_that_is_there(world: World) -> None:
    world.seen(A, "a")
    world.seen(B, "b")
    world.crawled()
    world.publish(world.part("p1", loaded("a", A), loaded("b", B, figures={"new_received": "1"})))
    assert world.ask(CURRENT) == [(sha("a"),)]
    world.run("r2")
    world.crawled("r2")
    world.seen(B, "b", "r2")
    world.publish(run_id="r2")
    assert world.ask(CURRENT) == [(sha("b"),)]
    world.run("r3")
    world.crawled("r3")
    world.publish(run_id="r3")
    assert world.ask(CURRENT) == [(sha("a"),)]  # none is listed: the best old one stays


def test_an_unread_index_takes_nothing_off_the_list(world: World) -> None:
    world.seen(A, "a")
    world.seen(B, "b")
    world.crawled()
    world.publish(world.part("p1", loaded("a", A, figures={"new_received": "1"}), loaded("b", B)))
    world.run("r2")
    world.crawled("r2")
    world.seen(A, "a", "r2")
    world.publish(run_id="r2")
    world.run("r3")
    world.crawled("r3", index_read=0)
    world.publish(run_id="r3")
    assert world.ask("SELECT url, is_listed, is_alive FROM sighting ORDER BY url") == [(A, True, True), (B, False, True)]
    assert world.ask(CURRENT) == [(sha("a"),)]


def test_only_problems_of_the_newest_crawl_of_a_source_are_open(world: World) -> None:
    world.publishers.append(PublisherRow("ouhai", "瓯海区人民政府", "330304", "government"))
    for publisher in ("lucheng", "ouhai"):
        world.failed("unreachable", A, "r1", publisher, 2020)
    world.run("r2")
    world.failed("http_error", B, "r2", "lucheng", 2020)
    world.crawled("r2")
    world.crawled("r1", "ouhai")
    world.publish(run_id="r2")
    open_problems = world.ask("SELECT publisher_id, kind FROM problem WHERE is_open ORDER BY ALL")
    assert open_problems == [("lucheng", "http_error"), ("ouhai", "unreachable")]
    assert world.ask("SELECT count(*) FROM problem") == [(3,)]


def test_a_problem_of_a_document_closes_when_its_address_holds_another(world: World) -> None:
    world.seen(A, "broken")
    world.crawled()
    broken = {"parse": [parsed("broken", A, "failed")], "problem": [problem("broken_document", "broken", A)]}
    world.publish(world.part("p1", broken))
    assert world.ask("SELECT kind, is_open FROM problem") == [("broken_document", True)]
    world.run("r2")
    world.crawled("r2")
    world.seen(A, "mended", "r2")
    world.publish(world.part("p2", loaded("mended", A)), run_id="r2")
    assert world.ask("SELECT kind, is_open FROM problem") == [("broken_document", False)]


def test_a_problem_in_ledger_and_part_is_one_and_in_the_ledger_only_is_kept(world: World) -> None:
    world.seen(A, "a")
    broken = {"parse": [parsed("a", A, "failed")], "problem": [problem("timeout", "a", A)]}
    for kind in ("timeout", "gate"):
        world.write("problem", run_id="r1", stage="extract", publisher_id="lucheng", url=A, kind=kind, message="", severity="failure")
    world.publish(world.part("p1", broken))
    assert world.ask("SELECT kind, origin, is_open FROM problem ORDER BY ALL") == [("gate", "ledger", True), ("timeout", "document", True)]


def test_family_without_tables_is_one_failure_that_names_all(world: World) -> None:
    world.seen(A, "page")
    world.seen(C, "file", role="attachment", parent_url=A, year=None)
    world.publish(world.part("p1", {"parse": [parsed("page", A, "no_tables"), parsed("file", C, "no_tables")]}))
    assert world.ask("SELECT kind, severity, stage, url, year, run_id, document_sha256, is_open FROM problem") == [
        ("no_tables", "failure", "extract", A, 2021, "r1", sha("page"), True)
    ]
    [(message,)] = world.ask("SELECT message FROM problem")
    assert A in message
    assert C in message
    world.run("r2")
    world.publish(run_id="r2")
    assert world.ask("SELECT count(*) FROM problem") == [(1,)]


@pytest.mark.parametrize("explanation", ["loaded", "broken", "unreachable"])
def test_family_that_is_loaded_or_explained_lacks_no_tables(world: World, explanation: str) -> None:
    world.seen(A, "page")
    world.seen(C, None if explanation == "unreachable" else "file", role="attachment", parent_url=A)
    documents = [{"parse": [parsed("page", A, "no_tables")]}]
    if explanation == "loaded":
        documents.append(loaded("file", C))
    elif explanation == "broken":
        documents.append({"parse": [parsed("file", C, "failed")], "problem": [problem("broken_document", "file", C)]})
    else:
        world.failed("unreachable", C, year=2021)
    world.publish(world.part("p1", *documents))
    assert world.ask("SELECT count(*) FROM problem WHERE kind = 'no_tables'") == [(0,)]


def test_run_row_says_published_with_counts(world: World) -> None:
    world.seen(A, "a")
    world.crawled()
    world.run("r2", documents_fetched=12)
    built = world.publish(world.part("p1", loaded("a", A)), run_id="r2")
    assert built.counts == {"documents_fetched": 12, "documents_parsed": 1, "reports_loaded": 1, "observations_loaded": 4, "problems": 0}
    assert world.ask("SELECT status, documents_fetched, observations_loaded, finished_at IS NULL FROM run WHERE run_id = 'r2'") == [
        ("published", 12, 4, False)
    ]


def test_publisher_that_left_the_registry_stays_while_it_has_reports(world: World) -> None:
    world.publishers += [PublisherRow("gone", "甲", "330302", "office"), PublisherRow("empty", "乙", "330302", "office")]
    world.seen(A, "a", publisher="gone")
    world.publish(world.part("p1", loaded("a", A, publisher="gone")))
    world.publishers = world.publishers[:1]
    world.run("r2")
    world.publish(run_id="r2")
    assert world.ask("SELECT publisher_id FROM publisher ORDER BY ALL") == [("gone",), ("lucheng",)]


def test_ingest_keeps_publishers_it_does_not_name(world: World) -> None:
    world.publish()
    world.publishers = [PublisherRow("mine", "丙", "330302", "office")]
    world.run("r2")
    built = world.build(run_id="r2", complete=False)
    with duckdb.connect(built.path, read_only=True) as con:
        assert con.execute("SELECT publisher_id FROM publisher ORDER BY ALL").fetchall() == [("lucheng",), ("mine",)]


def test_indicators_are_the_seed_with_definitions(world: World) -> None:
    world.publish()
    with (SEEDS / "indicators.csv").open(encoding="utf-8") as file:
        codes = [row["indicator"] for row in csv.DictReader(file)]
    definitions = dict(world.ask("SELECT indicator, definition FROM indicator"))
    assert set(definitions) == set(codes) == set(yaml.safe_load((SEEDS / "definitions.yml").read_text("utf-8")))
    assert [code for code, text in definitions.items() if not re.search(r"Art\. \d|by the form only", text)] == []
    assert world.ask("SELECT format_2019, format_2021, unit FROM indicator WHERE indicator = 'other_total'") == [(True, False, "request")]


def test_file_is_one_that_older_clients_open(world: World) -> None:
    world.publish()
    world.run("r2")
    world.publish(run_id="r2")
    with duckdb.connect(world.published, read_only=True) as con:
        assert con.execute("SELECT tags['storage_version'] FROM duckdb_databases() WHERE path IS NOT NULL").fetchall() == [("v1.5.0+",)]


def test_file_of_another_schema_is_poured_into_the_present_one(world: World) -> None:
    world.seen(A, "a")
    world.publish(world.part("p1", loaded("a", A)))
    world.published.chmod(0o644)
    with duckdb.connect(world.published) as con:
        con.execute("UPDATE meta SET value = 'older' WHERE key = 'schema_version'")
        con.execute("ALTER TABLE narrative DROP COLUMN heading")
        con.execute("ALTER TABLE narrative ADD COLUMN dropped_since INTEGER")
    world.run("r2")
    world.publish(run_id="r2")
    assert world.ask("SELECT section_no, heading, text FROM narrative") == [(1, None, "本年度……")]
    assert world.ask("SELECT count(*) FROM panel") == [(4,)]


def test_file_of_the_release_before_is_poured_into_the_present_one(world: World) -> None:
    """It had neither claims nor unmapped cells, no soft checks and no annex of 2014."""
    world.seen(A, "a")
    world.publish(world.part("p1", loaded("a", A)))
    world.published.chmod(0o644)
    with duckdb.connect(world.published) as con:
        con.execute("UPDATE meta SET value = 'older'")
        con.execute("DROP TABLE claim; DROP TABLE unmapped_cell")
        con.execute("ALTER TABLE check_result DROP COLUMN soft")
        con.execute("ALTER TABLE indicator DROP COLUMN format_2014")
    world.run("r2")
    world.publish(run_id="r2", reread=True)
    assert world.ask("SELECT count(*) FROM panel") == [(4,)]
    assert world.ask("SELECT count(*) FROM check_result WHERE soft IS NOT false") == [(0,)]
    assert world.ask("SELECT count(*) FROM indicator WHERE format_2014") == [(58,)]


def test_part_without_a_file_is_named(world: World) -> None:
    part = world.part("p1", loaded("a", A))
    (part / "narrative.parquet").unlink()
    with pytest.raises(BuildError, match=r"parts/p1: narrative\.parquet can't be read"):
        world.build(part)


def test_part_whose_rows_hang_on_nothing_is_named(world: World) -> None:
    document = loaded("a", A)
    document["observation"].append(observation("nobody-2021-00000000", "granted", "1", 9))
    with pytest.raises(BuildError, match="parts/p1: observation has a row of nobody-2021-00000000"):
        world.build(world.part("p1", document))


@pytest.mark.parametrize(
    "broken",
    [{"value": None}, {"applicant": None}, {"value_status": "blank"}, {"format": 2014, "applicant": None}],
    ids=["reported without value", "request without applicant", "blank with value", "two at once"],
)
def test_figure_that_contradicts_itself_is_refused(world: World, broken: dict[str, object]) -> None:
    document = loaded("a", A)
    document["observation"][0] |= broken
    with pytest.raises(BuildError, match="CHECK constraint failed"):
        world.build(world.part("p1", document))
    assert list(world.published.parent.glob(".build-*")) == []


def test_ledger_that_is_none_is_named(world: World) -> None:
    world.ledger.write_bytes(b"not a database, but long enough to be looked at as one" * 10)
    with pytest.raises(BuildError, match=r"ledger .*ledger\.sqlite"):
        world.build()


def test_run_the_ledger_does_not_know_is_refused(world: World) -> None:
    with pytest.raises(BuildError, match="the ledger has no run r9"):
        world.build(run_id="r9")
