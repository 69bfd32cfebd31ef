"""Whole runs on the sample portal: the archive on S3, or with S3 out of reach, gives the warehouse that a local one gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from archive_world import warcs
from test_archive_s3 import bucket, endpoint, files, forget, nobody_there, options
from typer.testing import CliRunner
from warcio.archiveiterator import ArchiveIterator

from extract.archive import read_record
from extract.crawl.job import run_crawl
from extract.home import Home
from extract.ledger import Ledger
from flows import pipeline
from flows.cli import app
from flows.engine import Done
from flows.pipeline import Job, Outcome
from flows.registry import load_registry
from flows.settings import Settings
from sources.sample import server
from warehouse.districts import codes

pytestmark = pytest.mark.slow

__all__ = ["bucket", "endpoint"]  # fixtures

FIGURES = (
    "SELECT publisher_id, year, section, indicator, applicant, value, value_status, raw_text FROM observation JOIN report USING (report_id)"
)
CHECKS = "SELECT publisher_id, year, check_id, applicant, left_value, right_value, passed FROM check_result JOIN report USING (report_id)"
PROBLEMS = "SELECT publisher_id, url, year, kind FROM problem WHERE kind <> 'archive_unreachable'"
DOCUMENTS = "SELECT url, status, media, sha256, bytes FROM document"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with server.serve(0) as url:
        path = tmp_path_factory.mktemp("registry") / "sources.yml"
        path.write_text(server.registry(url), "utf-8")
        yield path


class Here:
    """Reads documents in this process: a pool of processes takes seconds to start."""

    def map(self, read: Callable[[Job], object], jobs: list[Job], timeout: float) -> list[Done]:
        return [Done(read(job)) for job in jobs]


def run(portal: Path, root: Path, years: tuple[int, ...] = ()) -> Outcome:
    """The steps of a nightly run over one source, without Prefect."""
    home, settings = Home(root), Settings()
    sources = [s for s in load_registry(portal, codes()) if s.id == "lucheng-office"]
    with Ledger(home.create().ledger) as ledger:
        run_id = ledger.start_run("run")
    for job in pipeline.crawl_jobs(home, run_id, sources, years, False, settings):
        run_crawl(job, lambda _: None)
    pipeline.ship(home, run_id)
    publishers = pipeline.publisher_rows(sources)
    jobs = pipeline.find_work(home, run_id, publishers, years, False)
    read = [pipeline.read_batch(home, jobs, Here(), 60, lambda _: None)] if jobs else []
    counts = pipeline.load(home, run_id, [b.part for b in read], publishers, complete=True)
    return pipeline.settle(home, run_id, counts, read)


def warehouse(home: Path) -> dict[str, list[tuple]]:
    with duckdb.connect(home / "warehouse" / "gongkai.duckdb", read_only=True) as con:
        return {sql: con.execute(f"{sql} ORDER BY ALL").fetchall() for sql in (FIGURES, CHECKS, PROBLEMS, DOCUMENTS)}


@pytest.fixture(scope="module")
def local(portal: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple]]:
    home = tmp_path_factory.mktemp("local")
    assert run(portal, home).failures == 0
    found = warehouse(home)
    assert len(found[FIGURES]) > 500
    return found


World = dict[str, list[tuple]]


def verify(home: Path) -> int:
    return CliRunner().invoke(app, ["archive", "verify", "--home", str(home)]).exit_code


def test_a_second_run_asks_conditionally_of_what_lies_in_the_store(local: World, bucket: str, portal: Path, tmp_path: Path) -> None:
    run(portal, tmp_path)
    assert run(portal, tmp_path).status == "nothing_new"
    assert warehouse(tmp_path) == local
    assert len(files(bucket).glob("warcs/gongkai/*.warc.gz")) == 2
    listed = [line.split("\t") for line in CliRunner().invoke(app, ["archive", "list", "--home", str(tmp_path)]).output.splitlines()]
    assert {row[4] for row in listed} == {"s3://warcs/gongkai"}
    assert verify(tmp_path) == 0


def test_a_run_whose_store_is_down(local: World, bucket: str, portal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_ARCHIVE_OPTIONS", options(nobody_there(), config_kwargs={"retries": {"max_attempts": 0}}))
    assert run(portal, tmp_path).exit_status == 3
    assert warehouse(tmp_path) == local
    assert len(warcs(tmp_path / "state" / "spool")) == 1
    assert unreachable(tmp_path) == 1
    monkeypatch.setenv("GONGKAI_ARCHIVE_OPTIONS", options(bucket))
    forget()
    assert run(portal, tmp_path).exit_status == 0
    assert warcs(tmp_path / "state" / "spool") == []
    assert unreachable(tmp_path) == 0
    assert warehouse(tmp_path) == local


def unreachable(home: Path) -> int:
    with duckdb.connect(home / "warehouse" / "gongkai.duckdb", read_only=True) as con:
        return con.execute("SELECT count(*) FROM problem WHERE kind = 'archive_unreachable' AND is_open").fetchone()[0]


def test_what_could_not_be_read_from_the_store_is_read_when_it_can(
    local: World, bucket: str, portal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store fails between the upload and the reading of the documents."""
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "ship", _ship_and_fail(patch))
        outcome = run(portal, tmp_path)
    assert outcome.exit_status == 3
    assert warehouse(tmp_path)[FIGURES] == []
    assert unreachable(tmp_path) == outcome.failures > 0
    forget()
    run(portal, tmp_path)
    assert warehouse(tmp_path) == local
    assert unreachable(tmp_path) == 0


def _ship_and_fail(monkeypatch: pytest.MonkeyPatch) -> object:
    from flows.pipeline import ship

    def shipped(home: object, run_id: str | None = None) -> None:
        ship(home, run_id)
        if run_id:
            monkeypatch.setenv("GONGKAI_ARCHIVE_OPTIONS", options(nobody_there(), config_kwargs={"retries": {"max_attempts": 0}}))

    return shipped


def test_requests_stand_beside_their_answers(portal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_CONTACT", "mailto:web@example.org")
    run(portal, tmp_path, (2021,))
    (path,) = warcs(tmp_path / "archive")
    with path.open("rb") as file:
        found = [(r.rec_type, r.rec_headers, r.http_headers, r.raw_stream.read()) for r in ArchiveIterator(file)]
    info = found[0][3].decode()
    assert all(part in info for part in ("operator: mailto:web@example.org", "robots: obey", "isPartOf: 2", "software: gongkai/"))
    info_id = found[0][1].get_header("WARC-Record-ID")
    pairs = list(zip(found[1::2], found[2::2], strict=True))
    assert len(pairs) > 3
    for (kind, about, _, _), (asked, request, http, _) in pairs:
        assert (kind, asked) == ("response", "request")
        assert request.get_header("WARC-Concurrent-To") == about.get_header("WARC-Record-ID")
        assert request.get_header("WARC-Target-URI") == about.get_header("WARC-Target-URI")
        assert about.get_header("WARC-Warcinfo-ID") == info_id
        assert http.statusline.startswith("/") and http.protocol == "GET"
        assert "web@example.org" in http.get_header("User-Agent")
        assert http.get_header("Host").startswith("127.0.0.1:")
    with Ledger(tmp_path / "state" / "ledger.sqlite") as ledger:
        row = next(r for r in ledger.rows("document") if r["sha256"])
    assert read_record(tmp_path / "archive", row["archive_file"], row["archive_offset"]).url == row["url"]


def test_a_run_with_its_archive_on_s3(local: World, bucket: str, portal: Path, tmp_path: Path) -> None:
    """Through the command line, and so through Prefect, a pool of processes and the crawler's own."""
    words = ["run", "--sources", str(portal), "--home", str(tmp_path), "--source", "lucheng-office"]
    result = CliRunner().invoke(app, words, env={"GONGKAI_WORKERS": "1"})
    assert warehouse(tmp_path) == local, result.output
    assert warcs(tmp_path / "archive") + warcs(tmp_path / "state" / "spool") == []
    assert len(files(bucket).glob("warcs/gongkai/*.warc.gz")) == 1
    forget()
    assert verify(tmp_path) == 0
