"""A home of an older version: its ledger gains what it lacks, its warehouse is made anew from the archive by one command."""

from __future__ import annotations

import csv
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from test_nightly import PDF, gongkai, query, report
from warehouse_world import World, loaded

from extract import ledger_upgrade
from extract.home import Home
from extract.ledger import SCHEMA, Ledger, SourceState
from extract.ledger_upgrade import NewerLedgerError
from flows import pipeline
from transform import parser_changes
from transform.parser_changes import Change, affected, changes
from transform.tidy import PARSER_VERSION
from warehouse.duck import columns
from warehouse.migrate import VERSIONS, NewerFileError, Plan, UpgradeNeededError, plan, schema_digest
from warehouse.mirror import read_ledger

# --- the ledger

# extract/ledger.py before visits, presences and addresses left over were kept
LEDGER_OF_BEFORE = """
CREATE TABLE IF NOT EXISTS run (
    run_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, finished_at TEXT, version TEXT NOT NULL, command TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'published', 'nothing_new', 'failed')), counts TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TABLE IF NOT EXISTS document (
    url TEXT PRIMARY KEY, first_seen TEXT NOT NULL, last_seen TEXT, last_checked TEXT NOT NULL, status INTEGER NOT NULL,
    media TEXT, sha256 TEXT, bytes INTEGER, etag TEXT, last_modified TEXT, archive_file TEXT, archive_offset INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS content (
    url TEXT NOT NULL, sha256 TEXT NOT NULL, fetched_at TEXT NOT NULL, media TEXT NOT NULL, bytes INTEGER NOT NULL,
    archive_file TEXT NOT NULL, archive_offset INTEGER NOT NULL, PRIMARY KEY (url, sha256)
) STRICT;
CREATE TABLE IF NOT EXISTS sighting (
    publisher_id TEXT NOT NULL, url TEXT NOT NULL, title TEXT, year INTEGER, declared INTEGER NOT NULL DEFAULT 0,
    role TEXT NOT NULL CHECK (role IN ('page', 'attachment')), parent_url TEXT, published_on TEXT,
    first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, last_run_id TEXT NOT NULL, PRIMARY KEY (publisher_id, url)
) STRICT;
CREATE TABLE IF NOT EXISTS source_state (
    publisher_id TEXT PRIMARY KEY, last_run_id TEXT NOT NULL, checked_at TEXT NOT NULL, index_read INTEGER NOT NULL,
    reports_found INTEGER NOT NULL, conditional INTEGER NOT NULL, unchanged INTEGER NOT NULL, fetched INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS problem (
    id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, stage TEXT NOT NULL, publisher_id TEXT, url TEXT, year INTEGER,
    kind TEXT NOT NULL, message TEXT NOT NULL, severity TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sighting_url ON sighting (url);
CREATE INDEX IF NOT EXISTS sighting_parent ON sighting (publisher_id, parent_url);
CREATE INDEX IF NOT EXISTS problem_run ON problem (run_id);
"""
AT = "2026-11-20T18:00:00Z"
ROWS = (
    f"INSERT INTO run VALUES ('r1', '{AT}', '{AT}', '1', 'run', 'published', '{{}}')",
    f"INSERT INTO document VALUES ('u', '{AT}', '{AT}', '{AT}', 200, 'html', 'aa', 5, NULL, NULL, 'f', 0)",
    f"INSERT INTO content VALUES ('u', 'aa', '{AT}', 'html', 5, 'f', 0)",
    f"INSERT INTO sighting VALUES ('p', 'u', 't', 2021, 0, 'page', NULL, NULL, '{AT}', '{AT}', 'r1')",
    f"INSERT INTO source_state VALUES ('p', 'r1', '{AT}', 1, 1, 0, 0, 1)",
    "INSERT INTO problem VALUES (1, 'r1', 'crawl', 'p', 'u', 2021, 'http_error', '404', 'failure')",
)

pytestmark = pytest.mark.slow


def old_ledger(path: Path, schema: str) -> Path:
    with closing(sqlite3.connect(path)) as con, con:
        con.executescript(schema)
        for row in ROWS:
            con.execute(row)
    return path


def test_a_ledger_of_before_keeps_its_rows_and_gains_the_tables(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "ledger.sqlite", LEDGER_OF_BEFORE)
    with Ledger(path) as ledger:
        assert [r.run_id for r in ledger.runs()] == ["r1"]
        assert [c.url for c in ledger.candidates()] == ["u"]
        assert ledger.rows("visit")[0]["listed"] == 1
        assert ledger.rows("presence")[0]["sha256"] == "aa"
        ledger.record_source(SourceState("p", "r2", AT, True, 2, 0, 1, 1))
    assert {table.num_rows for _, table in read_ledger(path)} == {1, 2}


def lacking_last_columns(schema: str) -> str:
    """The schema without archive_offset of `document` and fetched of `visit`: as if these were new."""
    less = schema.replace(", archive_file TEXT, archive_offset INTEGER\n", ", archive_file TEXT\n")
    less = re.sub(r"last_modified TEXT, archive_file TEXT, archive_offset INTEGER", "last_modified TEXT, archive_file TEXT", less)
    assert less != schema
    return less


def test_a_column_that_is_new_is_added(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as con, con:
        con.executescript(lacking_last_columns(SCHEMA))
        con.execute(ROWS[0])
    with Ledger(path) as ledger:
        assert "archive_offset" in ledger._db.execute("SELECT sql FROM sqlite_schema WHERE name = 'document'").fetchone()[0]
        assert len(ledger.runs()) == 1
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("PRAGMA user_version").fetchone() == (ledger_upgrade.VERSION,)
        assert ledger_upgrade.add_columns(con, SCHEMA) == []


def test_a_new_column_with_a_default_fills_rows_of_before() -> None:
    with closing(sqlite3.connect(":memory:")) as con:
        con.execute("CREATE TABLE t (a INTEGER) STRICT")
        con.execute("INSERT INTO t VALUES (1)")
        schema = "CREATE TABLE t (a INTEGER, b TEXT NOT NULL DEFAULT '-', c INTEGER) STRICT;"
        assert ledger_upgrade.add_columns(con, schema) == ["t.b", "t.c"]
        assert con.execute("SELECT * FROM t").fetchall() == [(1, "-", None)]


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "ledger.sqlite", LEDGER_OF_BEFORE)
    with closing(sqlite3.connect(path)) as con:
        con.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerLedgerError, match="version 99"):
        Ledger(path)
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'visit'").fetchone() == (0,)


# --- the warehouse


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("home"))
    world.seen("http://127.0.0.1/a.html", "a")
    world.publish(world.part("p1", loaded("a", "http://127.0.0.1/a.html")))
    world.run("r2")
    return world


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    return World.copy(template, tmp_path)


def age(path: Path, *statements: str, version: str = "1-older") -> None:
    """Make a published file look as if an older version had built it."""
    path.chmod(0o644)
    with duckdb.connect(path) as con:
        for (view,) in con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
            con.execute(f'DROP VIEW IF EXISTS "{view}" CASCADE')
        con.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [version])
        con.execute("UPDATE meta SET value = 'older' WHERE key = 'code_version'")
        for statement in statements:
            con.execute(statement)
    path.chmod(0o444)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ((), Plan.build),
        (("DROP TABLE gate_result", "ALTER TABLE indicator DROP COLUMN series", "DROP TABLE coverage_cell"), Plan.build),
        (("DROP TABLE proof",), Plan.reread),
        (("ALTER TABLE narrative DROP COLUMN heading",), Plan.reread),
        (("ALTER TABLE parse ADD COLUMN since_dropped INTEGER",), Plan.reread),
        (("ALTER TABLE observation ALTER page TYPE VARCHAR",), Plan.reread),
    ],
)
def test_what_a_file_needs_is_told_by_its_tables(world: World, statements: tuple[str, ...], expected: Plan) -> None:
    assert plan(world.published) is Plan.none
    age(world.published, *statements)
    assert plan(world.published) is expected


def test_a_run_does_by_itself_what_is_quick_and_keeps_history(world: World) -> None:
    results = world.ask("SELECT count(*) FROM gate_result")
    age(world.published, "DROP TABLE coverage_cell", "ALTER TABLE indicator DROP COLUMN series")
    world.publish(run_id="r2")
    assert plan(world.published) is Plan.none
    assert world.ask("SELECT count(*) FROM panel") == [(4,)]
    assert world.ask("SELECT count(*) FROM gate_result WHERE run_id = 'r1'") == results


def test_what_needs_every_document_is_told_and_not_half_done(world: World) -> None:
    age(world.published, "DROP TABLE proof")
    before = world.published.read_bytes()
    with pytest.raises(UpgradeNeededError, match="`gongkai upgrade`"):
        world.build(run_id="r2")
    assert world.published.read_bytes() == before


def test_a_newer_file_is_refused_and_left_alone(world: World) -> None:
    age(world.published, "CREATE TABLE of_tomorrow (x INTEGER)", version="999-abc")
    before = world.published.read_bytes()
    with pytest.raises(NewerFileError, match=r"newer version of gongkai \(2026\.11\.0, schema 999"):
        world.build(run_id="r2", reread=True)
    assert world.published.read_bytes() == before


def test_the_present_schema_has_a_number() -> None:
    with VERSIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["number"] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]
    assert rows[-1]["digest"] == schema_digest(), 'schema/*.sql changed: python -m warehouse.migrate "what changed"'


# --- what a new version of the reader affects


def test_the_version_of_the_reader_is_the_last_of_the_list() -> None:
    assert changes()[-1].version == PARSER_VERSION
    assert len({change.version for change in changes()}) == len(changes())


LIST = (
    Change(version="1", media="all", formats="all", what="first"),
    Change(version="2", media=("pdf",), formats="all", what="the PDF reader"),
    Change(version="3", media="all", formats=(2014,), what="the annex"),
)


@pytest.mark.parametrize(
    ("since", "media", "formats", "expected"),
    [
        ("1", "pdf", {2021}, True),
        ("1", "html", {2021}, False),
        ("2", "pdf", {2021}, False),
        ("2", "html", {2014, 2019}, True),
        ("2", "html", set(), True),  # nothing was read from it: it may be of any form
        ("3", "pdf", {2014}, False),
        ("unheard of", "html", {2021}, True),
    ],
)
def test_a_change_affects_its_media_and_forms(since: str, media: str, formats: set[int], expected: bool) -> None:
    assert affected(since, media, formats, LIST) is expected


# --- a real home

PUBLISHER = "温州市鹿城区人民政府办公室"


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that was changed once, and a PDF."""
    root = tmp_path_factory.mktemp("ingested")
    page = root / "2020.html"
    shutil.copy(PDF, root / "2021.pdf")
    for seed in (1, 2):
        page.write_text(report(PUBLISHER, 2020, seed), "utf-8")
        result = gongkai("ingest", page, root / "2021.pdf", "--publisher", PUBLISHER, "--district", "330302", "--home", root / "home")
        assert result.exit_code == 0, result.output
    return root / "home"


@pytest.fixture
def home(ingested: Path, tmp_path: Path) -> Path:
    shutil.copytree(ingested, tmp_path / "home")
    return tmp_path / "home"


FIGURES = "SELECT report_id, indicator, applicant, value, value_status, raw_text FROM observation ORDER BY ALL"
TEXTS = "SELECT report_id, section_no, heading, text FROM narrative ORDER BY ALL"


def test_one_command_rebuilds_an_older_home_from_its_archive(home: Path) -> None:
    figures, texts = query(home, FIGURES), query(home, TEXTS)
    versions = query(home, "SELECT report_id, version, is_current FROM report ORDER BY ALL")
    assert len(versions) == 3
    assert any(heading for _, _, heading, _ in texts)
    warehouse = home / "warehouse" / "gongkai.duckdb"
    age(warehouse, "DROP TABLE proof", "ALTER TABLE narrative DROP COLUMN heading", "DROP TABLE reading_change")
    before = warehouse.read_bytes()
    refused = gongkai("ingest", PDF, "--publisher", PUBLISHER, "--district", "330302", "--home", home)
    assert refused.exit_code == 1
    assert "gongkai upgrade" in refused.output
    assert warehouse.read_bytes() == before
    result = gongkai("upgrade", "--home", home)
    assert result.exit_code == 0, result.output
    assert query(home, FIGURES) == figures
    assert query(home, TEXTS) == texts
    assert query(home, "SELECT report_id, version, is_current FROM report ORDER BY ALL") == versions
    with duckdb.connect(warehouse, read_only=True) as con:
        assert "heading" in columns(con)["narrative"]
    again = gongkai("upgrade", "--home", home)
    assert again.exit_code == 0, again.output
    assert "nothing_new" in again.output


def test_a_new_reader_reads_what_it_affects_and_tells_cell_by_cell(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = home / "warehouse" / "gongkai.duckdb"
    figures = query(home, FIGURES)
    warehouse.chmod(0o644)
    with duckdb.connect(warehouse) as con:
        con.execute("UPDATE parse SET parser_version = 'before'")
        con.execute("UPDATE observation SET value = value + 1 WHERE indicator = 'new_received' AND applicant = 'total'")
    new = Change(version=PARSER_VERSION, media=("pdf",), formats="all", what="PDF")
    monkeypatch.setattr(parser_changes, "changes", lambda: (Change(version="before", media="all", formats="all", what=""), new))
    place = Home(home)
    jobs = pipeline.find_work(place, "r", pipeline.known_publishers(place), [], reparse=True)
    assert [job.promised for job in jobs] == ["pdf"]
    result = gongkai("upgrade", "--home", home)
    assert result.exit_code == 0, result.output
    assert "1 documents read again" in result.output
    (path,) = (home / "runs").glob("*-reading-changes.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    (told,) = [row for row in figures if row[0].find("-2021-") > 0 and row[1:3] == ("new_received", "total")]
    assert [(r["change"], r["indicator"], float(r["value_from"]), float(r["value_to"])) for r in rows] == [
        ("changed", "new_received", float(told[3]) + 1, float(told[3]))
    ]
    kept = query(home, "SELECT parser_version, count(*) FROM parse GROUP BY ALL ORDER BY ALL")
    assert kept == [(PARSER_VERSION, 1), ("before", 2)], "what it does not affect is not read again"


def test_a_red_gate_of_an_upgrade_and_its_acceptance_without_reading_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = home / "warehouse" / "gongkai.duckdb"
    warehouse.chmod(0o644)
    with duckdb.connect(warehouse) as con:
        con.execute("UPDATE parse SET parser_version = 'before'")
        con.execute("INSERT INTO narrative BY NAME SELECT * REPLACE (section_no + 100 AS section_no) FROM narrative")
    before = warehouse.read_bytes()
    red = gongkai("upgrade", "--home", home)
    assert red.exit_code == 1, red.output
    assert "gate rows_fall" in red.output
    assert warehouse.read_bytes() == before
    with Ledger(home / "state" / "ledger.sqlite") as ledger:
        run = ledger.runs()[0]
    assert (run.status, run.counts["gate"]) == ("failed", "rows_fall")
    assert (home / "warehouse" / "refused" / f"{run.run_id}.duckdb").exists()
    assert gongkai("upgrade", "--home", home, "--accept-gate", "rows_fall").exit_code == 2
    assert gongkai("upgrade", "--home", home, "--accept-gate", "nonsense", "--reason", "x").exit_code == 2
    assert gongkai("upgrade", "--home", home, "--accept-gate", "no_orphans", "--reason", "x").exit_code == 2

    def read_again(*_: object) -> None:
        raise AssertionError("a document was read again")

    monkeypatch.setattr("flows.engine.WorkPool.map", read_again)
    result = gongkai("upgrade", "--home", home, "--accept-gate", "rows_fall", "--reason", "twice the text")
    assert result.exit_code == 0, result.output
    sql = "SELECT DISTINCT accepted_reason FROM gate_result WHERE gate = 'rows_fall' AND NOT passed"
    assert query(home, sql) == [("twice the text",)]
    with Ledger(home / "state" / "ledger.sqlite") as ledger:
        assert ledger.runs()[0].counts["accepted_gates"] == {"rows_fall": "twice the text"}
