"""A part that was damaged between reading and loading is made anew: a bit that tips is no figure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from faults import Here, assert_completed, ingest, years

from extract.home import Home
from extract.ledger import Ledger
from flows import parts, pipeline

pytestmark = pytest.mark.usefixtures("here")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def file_in_its_place(part: Path) -> None:
    shutil.rmtree(part)
    part.write_text("x")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut": lambda part: cut(part / "observation.parquet"),
    "flipped": lambda part: flip(part / "observation.parquet"),
    "empty": lambda part: emptied(part / "report.parquet"),
    "missing": lambda part: (part / "parse.parquet").unlink(),
    "batch cut": lambda part: cut(part / "batch.json"),
    "no digests": lambda part: (part / parts.SUMS).unlink(),
    "digests cut": lambda part: emptied(part / parts.SUMS),
    "a file": file_in_its_place,
}


@pytest.fixture(scope="module")
def died(one_report_folder: Path, two_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose last run died between reading and loading: the part of the report on 2021 is there."""

    def dies(*_: object, **__: object) -> None:
        raise duckdb.IOException("the run ends here")

    root = Path(shutil.copytree(one_report_folder, tmp_path_factory.mktemp("died") / "home", symlinks=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "readers", Here)
        patch.setattr(pipeline, "build", dies)
        assert ingest(root, *two_files).exit_code == 1
    assert len(list(Home(root).parts.iterdir())) == 1
    return root


@pytest.fixture
def read(died: Path, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(died, tmp_path / "home", symlinks=True)))


def test_a_part_left_by_a_run_that_died_is_used(read: Home, two_files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "write_part", lambda *_: pytest.fail("read again"))
    assert_completed(read, two_files)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_part_left_by_a_run_that_died_is_made_anew(
    read: Home, damage: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (part,) = read.parts.iterdir()
    whole = {path.name: path.read_bytes() for path in part.iterdir()}
    DAMAGES[damage](part)
    assert parts.fault(part)
    assert parts.kept(part, lambda: {n: d for n, d in whole.items() if n != parts.SUMS}) == part
    assert {path.name: path.read_bytes() for path in part.iterdir()} == whole
    assert any(str(part) in r.getMessage() and "damaged" in r.getMessage() for r in caplog.records)


def test_a_part_damaged_before_it_is_loaded_is_a_problem_and_read_again(
    one_report: Home, two_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with the remains of a build in the folder: a bit that tips is no figure, and no reason to stop."""
    stale = one_report.warehouse.parent / ".build-dead-1.duckdb"
    stale.write_bytes(one_report.warehouse.read_bytes()[:5000])
    real = pipeline.load

    def load(place: Home, run_id: str, given: list[Path], *args: Any, **more: Any) -> Any:
        flip(given[0] / "observation.parquet")
        return real(place, run_id, given, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "load", load)
        result = ingest(one_report.root, *two_files)
    assert result.exit_code == 3, result.output
    assert years(one_report) == [2020]
    with Ledger(one_report.ledger) as ledger:
        (problem,) = ledger.problems(ledger.runs()[0].run_id)
    assert (problem.stage, problem.kind, problem.severity) == ("load", "broken_part", "failure")
    assert "observation.parquet" in problem.message
    assert_completed(one_report, two_files)
    assert not stale.exists()
