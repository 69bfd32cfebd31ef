"""A home with one published report, for tests of faults: what a run must leave behind, and that the next one completes the work."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from test_nightly import PUBLISHERS, report
from typer.testing import CliRunner, Result

from extract.home import Home
from extract.ledger import Ledger, RunRow
from flows import cli, pipeline
from flows.engine import Done
from flows.pipeline import Job

NAME = PUBLISHERS["a-office"]


class Here:
    """Reads documents in this process: a pool of processes takes seconds to start."""

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, read: Callable[[Job], Any], jobs: list[Job], timeout: float) -> list[Done[Any]]:
        return [Done(read(job)) for job in jobs]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of the test read in its own process."""
    monkeypatch.setattr(pipeline, "readers", Here)


@pytest.fixture(scope="session")
def two_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Reports on 2020 and on 2021."""
    folder = tmp_path_factory.mktemp("files")
    for year in (2020, 2021):
        (folder / f"{year}.html").write_text(report(NAME, year, year), "utf-8")
    return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def one_report_folder(two_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the report on 2020 is published; not to be changed."""
    root = tmp_path_factory.mktemp("template") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "readers", Here)
        assert ingest(root, two_files[0]).exit_code == 0
    return root


@pytest.fixture
def one_report(one_report_folder: Path, tmp_path: Path) -> Home:
    """A copy of that home."""
    return Home(Path(shutil.copytree(one_report_folder, tmp_path / "home", symlinks=True)))


def gongkai(*words: object) -> Result:
    return CliRunner().invoke(cli.app, [str(w) for w in words])


def ingest(root: Path, *given: Path) -> Result:
    return gongkai("ingest", *given, "--publisher", NAME, "--district", "330302", "--home", root)


def query(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(home.warehouse, read_only=True) as con:
        return con.execute(sql).fetchall()


def years(home: Home) -> list[int]:
    return [year for (year,) in query(home, "SELECT year FROM report ORDER BY year")]


def runs(home: Home) -> list[RunRow]:
    with Ledger(home.ledger) as ledger:
        return ledger.runs()


def assert_nothing_published(home: Home, result: Result, before: bytes) -> None:
    """The file is what it was, nothing lies beside it, and the command said so with status 1."""
    assert result.exit_code == 1, result.output
    assert "nothing was published: " in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert home.warehouse.read_bytes() == before
    assert not list(home.warehouse.parent.glob(".build-*"))


def assert_completed(home: Home, given: list[Path]) -> None:
    """The next run completes the work; the archive is whole."""
    result = ingest(home.root, *given)
    assert result.exit_code == 0, result.output
    assert years(home) == [2020, 2021]
    assert query(home, "SELECT count(*) FROM observation") == [(198 + 200,)]
    assert not [r for r in runs(home) if r.status == "running"]
    assert gongkai("archive", "verify", "--home", home.root).exit_code == 0
