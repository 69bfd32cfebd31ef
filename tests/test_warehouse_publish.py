"""Gates, and what must survive a publish that fails, dies or meets readers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from warehouse_world import HOME_GATES, R1, World, claim, loaded, observation, sha, unmapped

from warehouse.build import BuildError, BuildResult
from warehouse.gate import GATES, GateError, check
from warehouse.publish import publish

A, B = "http://127.0.0.1/a.html", "http://127.0.0.1/b.html"
REPORT = f"lucheng-2021-{sha('a')[:8]}"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, BuildResult]:
    """One published report, and the next build, with a second report in it."""
    world = World(tmp_path_factory.mktemp("home"))
    world.seen(A, "a")
    world.crawled()
    world.publish(world.part("p1", loaded("a", A)))
    world.run("r2")
    world.seen(B, "b", "r2", year=2022)
    return world, world.build(world.part("p2", loaded("b", B, 2022)), run_id="r2")


@pytest.fixture
def built(template: tuple[World, BuildResult], tmp_path: Path) -> BuildResult:
    world = World.copy(template[0], tmp_path)
    return replace(template[1], path=world.published.parent / template[1].path.name, published=world.published)


@pytest.fixture
def world(built: BuildResult, tmp_path: Path) -> World:
    """The published report alone."""
    built.path.unlink()
    return World(tmp_path, exists=True)


def spoil(built: BuildResult, *sql: str) -> BuildResult:
    with duckdb.connect(built.path) as con:
        for statement in sql:
            con.execute(statement)
    return built


def ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(path, read_only=True) as con:
        return con.execute(sql).fetchall()


SPOILED = {
    "unique_observation": "INSERT INTO observation FROM observation WHERE report_id LIKE '%2022%' LIMIT 1",
    "unique_check_result": "INSERT INTO check_result FROM check_result WHERE report_id LIKE '%2022%' LIMIT 1",
    "unique_keys": "INSERT INTO parse FROM parse LIMIT 1",
    "report_no": "UPDATE observation SET report_no = report_no + 1 WHERE report_id LIKE '%2022%' AND indicator = 'carried_in'",
    "no_orphans": "INSERT INTO narrative VALUES ('nobody', 1, NULL, 'text', 0)",
    "district_history": "INSERT INTO district_name VALUES ('999999', '某区', NULL, NULL)",
    "codebook": "UPDATE observation SET indicator = 'requests_received' WHERE indicator = 'carried_in'",
    "one_current": "UPDATE report SET is_current = false",
    "identities_evaluated": "DELETE FROM check_result WHERE report_id LIKE '%2022%' AND check_id = 'R3'",
    "identities_assessable": "UPDATE check_result SET passed = NULL WHERE report_id LIKE '%2022%'",
    "brought": "DELETE FROM narrative WHERE report_id LIKE '%2022%'",
    "no_report_lost": f"DELETE FROM {{}} WHERE report_id = '{REPORT}'",
    "nothing_lost": f"DELETE FROM observation WHERE report_id = '{REPORT}' AND indicator = 'carried_in'",
}


def test_every_gate_has_a_case() -> None:
    assert set(SPOILED) == {gate.name for gate in GATES} - HOME_GATES, "those of HOME_GATES are in test_gates.py"


@pytest.mark.parametrize("name", SPOILED)
def test_red_gate_leaves_the_published_file_as_it_was(built: BuildResult, name: str) -> None:
    before = built.published.read_bytes()
    tables = ("observation", "check_result", "narrative", "report") if "{}" in SPOILED[name] else ("",)
    spoil(built, *(SPOILED[name].format(table) for table in tables))
    with pytest.raises(GateError) as caught:
        publish(built)
    assert caught.value.name == name
    assert caught.value.detail
    assert built.published.read_bytes() == before
    assert names(built.published.parent) == ["gongkai.duckdb", "refused", "snapshots"]
    assert [path.name for path in (built.published.parent / "refused").iterdir()] == ["r2.duckdb"]


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("unique_keys", "INSERT INTO claim FROM claim LIMIT 1"),
        ("unique_keys", "INSERT INTO unmapped_cell FROM unmapped_cell LIMIT 1"),
        ("no_orphans", "UPDATE claim SET report_id = 'nobody'"),
        ("no_orphans", "DELETE FROM narrative_block"),
        ("report_no", "UPDATE report SET report_no = 1"),
        ("no_orphans", "UPDATE unmapped_cell SET report_id = 'nobody'"),
        ("codebook", "UPDATE claim SET indicator = 'no such figure'"),
        ("brought", "DELETE FROM claim"),
        ("brought", "DELETE FROM unmapped_cell"),
    ],
)
def test_claims_and_unmapped_cells_are_judged_too(world: World, name: str, sql: str) -> None:
    report = loaded("b", B, 2022)
    report_id = report["report"][0]["report_id"]
    report["claim"] = [claim(report_id)]
    report["unmapped_cell"] = [unmapped(report_id)]
    world.run("r2")
    world.seen(B, "b", "r2", year=2022)
    with pytest.raises(GateError, match=f"gate {name}"):
        publish(spoil(world.build(world.part("p3", report), run_id="r2"), sql))


def test_an_untouched_figure_that_changed_is_lost(built: BuildResult) -> None:
    spoil(built, f"UPDATE observation SET value = 59 WHERE report_id = '{REPORT}' AND indicator = 'new_received'")
    with pytest.raises(GateError, match=r"nothing_lost.*sum_before 120\.0000, sum_now 121\.0000"):
        publish(built)


def test_unit_outside_the_codebook_is_red(built: BuildResult) -> None:
    with pytest.raises(GateError, match=r"codebook.*unit yuan"):
        publish(spoil(built, "UPDATE observation SET unit = 'yuan' WHERE indicator = 'carried_in'"))


def test_without_knowledge_of_the_build_all_figures_are_judged(built: BuildResult) -> None:
    spoil(built, f"INSERT INTO observation FROM observation WHERE report_id = '{REPORT}' LIMIT 1")
    with pytest.raises(GateError, match="unique_observation"):
        check(built.path)


def test_built_file_that_is_torn_is_red(built: BuildResult) -> None:
    built.path.write_bytes(built.path.read_bytes()[:9000])
    with pytest.raises(GateError, match="gate readable"):
        publish(built)
    assert ask(built.published, "SELECT count(*) FROM report") == [(1,)]


def test_a_report_may_go_when_its_document_was_read_again(world: World) -> None:
    document = loaded("a", A)
    world.publish(world.part("p3", {"parse": [document["parse"][0] | {"outcome": "failed", "report_id": None}]}), run_id="r2")
    assert world.ask("SELECT count(*) FROM panel") == [(0,)]


def test_report_of_blanks_only_is_published(world: World) -> None:
    document = loaded("b", B, 2022, passed=None, figures={})
    report_id = document["report"][0]["report_id"]
    document["observation"] = [observation(report_id, indicator, "", n, "blank") for n, indicator in enumerate(R1, 1)]
    document["check_result"] = [row | {"passed": None} for row in document["check_result"]]
    world.publish(world.part("p3", document), run_id="r2")
    assert world.ask("SELECT DISTINCT value, value_status FROM panel WHERE year = 2022") == [(None, "blank")]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_published_file_is_alone_and_not_writable(built: BuildResult) -> None:
    publish(built)
    assert names(built.published.parent) == ["gongkai.duckdb", "snapshots"]
    assert built.published.stat().st_mode & 0o222 == 0


def test_reader_keeps_the_old_file_until_it_closes_it(built: BuildResult) -> None:
    with duckdb.connect(built.published, read_only=True) as old:
        assert old.execute("SELECT count(*) FROM report").fetchone() == (1,)
        publish(built)
        assert old.execute("SELECT count(*), sum(value) FROM panel").fetchone() == (4, Decimal(120))
    assert ask(built.published, "SELECT count(*) FROM report") == [(2,)]


READER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=True)
print(con.execute("SELECT count(*) FROM report").fetchone()[0], flush=True)
sys.stdin.readline()
print(con.execute("SELECT count(*) FROM observation").fetchone()[0], flush=True)
"""


def test_reader_in_another_process_neither_blocks_nor_breaks(built: BuildResult) -> None:
    command = [sys.executable, "-c", READER, str(built.published)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stdout.readline() == "1\n"
        publish(built)
        reader.stdin.write("go\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "4\n"
    assert ask(built.published, "SELECT count(*) FROM observation") == [(8,)]


KILLED = """
import os, signal, sys
from pathlib import Path
import warehouse.build as build
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(build, sys.argv[1], die)
build.build(Path(sys.argv[2]), [Path(sys.argv[3])], Path(sys.argv[4]),
            [build.PublisherRow("lucheng", "x", "330302", "office")], run_id="r2", version="1")
"""


@pytest.mark.parametrize("moment", ["mirror_ledger", "_close_run"])
def test_killed_in_the_middle_of_a_build(world: World, moment: str) -> None:
    before = world.published.read_bytes()
    part = world.root / "parts" / "p2"
    command = [sys.executable, "-c", textwrap.dedent(KILLED), moment, str(world.published), str(part), str(world.ledger)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert world.published.read_bytes() == before
    assert list(world.published.parent.glob(".build-*")) != []
    world.publish(part, run_id="r2")
    assert names(world.published.parent) == ["gongkai.duckdb", "snapshots"]
    assert world.ask("SELECT count(*) FROM report") == [(2,)]


def test_published_file_that_is_none_stops_the_build(world: World) -> None:
    world.published.chmod(0o644)
    world.published.write_bytes(b"torn" * 5000)
    with pytest.raises(BuildError, match="is no warehouse"):
        world.build()
    assert world.published.read_bytes() == b"torn" * 5000
    assert names(world.published.parent) == ["gongkai.duckdb", "snapshots"]


def test_a_disk_that_refuses_the_rename_leaves_the_published_file(built: BuildResult, monkeypatch: pytest.MonkeyPatch) -> None:
    before = built.published.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        publish(built)
    assert built.published.read_bytes() == before
    assert not built.path.exists()
