"""Faults of the machine a run must survive: nothing lost, nothing half-published, a clear message, and the next run completes the work.

What is tested elsewhere: damaged parts (test_faults_parts), the clock (test_faults_clock), signals (test_faults_signals), kill -9
(test_portal_kills), readers that hold the file (test_warehouse_publish, test_readers), a build or a snapshot that is cut short
(test_warehouse_publish, test_rollback), the archive and the crawler on a full disk (test_archive, test_crawl_process).
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from faults import assert_completed, assert_nothing_published, gongkai, ingest, runs, years

from extract.archive_write import WarcArchive
from extract.home import Home
from extract.ledger import Ledger
from flows import parts, pipeline
from flows.pipeline import BusyError

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.skipif(sys.platform != "linux", reason="rlimit, /proc, tmpfs")]

NOBODY = 65534

# --- a full disk


class Limited:
    """No file may grow beyond what a lock file needs: writes fail as on a full disk, with EFBIG."""

    def __init__(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self, root: Path) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (512, self.before[1]))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


class Small:
    """A file system in memory that is filled to the last byte: ENOSPC."""

    ballast: Path

    def fill(self, root: Path) -> None:
        self.ballast = root / "ballast"
        with self.ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                _write_until_full(file, b"x" * size)

    def free(self) -> None:
        self.ballast.unlink(missing_ok=True)


def _write_until_full(file: Any, data: bytes) -> None:
    try:
        while file.write(data) == len(data):
            pass
    except OSError:
        return


@pytest.fixture
def disk(one_report_folder: Path, tmp_path: Path) -> Iterator[tuple[Home, Limited | Small]]:
    """A home on a disk that can be filled and freed: a small file system, or a limit where none may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "gongkai", place], capture_output=True, check=False).returncode:
        limited = Limited()
        yield Home(Path(shutil.copytree(one_report_folder, place / "home", symlinks=True))), limited
        limited.free()
        return
    try:
        yield Home(Path(shutil.copytree(one_report_folder, place / "home", symlinks=True))), Small()
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


STEPS: dict[str, tuple[object, str]] = {
    "archive": (WarcArchive, "write_local_file"),
    "ledger": (Ledger, "record_body"),
    "part": (parts, "write_part"),
    "build": (pipeline, "build"),
    "publish": (pipeline, "publish"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk(disk: tuple[Home, Limited | Small], two_files: list[Path], step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full from one step of the run on to its end."""
    home, filled = disk
    before = home.warehouse.read_bytes()
    place, name = STEPS[step]
    real = getattr(place, name)

    def full(*args: Any, **more: Any) -> Any:
        filled.fill(home.root)
        return real(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(place, name, full)
        result = ingest(home.root, *two_files)
    filled.free()
    assert_nothing_published(home, result, before)
    assert "room on" in result.output, "what to do is said"
    assert str(home.root) in result.output, "and which file it is"
    assert_completed(home, two_files)


def test_a_ledger_that_takes_nothing_after_publishing(one_report: Home, two_files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is published: the command says so, and the ledger is put right by the next run."""

    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "finish_run", full)
        result = ingest(one_report.root, *two_files)
    assert result.exit_code == 3, result.output
    assert "nothing was published" not in result.output
    assert years(one_report) == [2020, 2021]
    run_id = runs(one_report)[0].run_id
    assert runs(one_report)[0].status == "running"
    assert ingest(one_report.root, *two_files).exit_code == 0
    row = next(r for r in runs(one_report) if r.run_id == run_id)
    assert (row.status, row.counts["reports_loaded"]) == ("published", 1)
    assert row.finished_at is not None
    assert row.finished_at >= row.started_at


# --- a read-only disk


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing in the folder can be written. Root may write anywhere: it becomes nobody meanwhile."""
    every = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in every}
    for path in every:
        path.chmod(0o555 if path.is_dir() else 0o444)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.fixture
def open_home(one_report_folder: Path) -> Iterator[Home]:
    """A home that any user may write to, in a folder that any user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Home(Path(shutil.copytree(one_report_folder, Path(folder) / "home", symlinks=True)))
        for path in (home.root, *home.root.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
        yield home


@pytest.mark.parametrize("part", ["", "state/parts", "warehouse"])
def test_a_read_only_disk(open_home: Home, two_files: list[Path], part: str) -> None:
    before = open_home.warehouse.read_bytes()
    given = [Path(shutil.copy(file, open_home.root.parent / file.name)) for file in two_files]
    with read_only(open_home.root / part):
        result = ingest(open_home.root, *given)
        told = gongkai("status", "--home", open_home.root)
        checked = gongkai("status", "--check", "--home", open_home.root)
    assert_nothing_published(open_home, result, before)
    assert "writable" in result.output
    assert str(open_home.root) in result.output
    assert told.exit_code == 0, "what is published can be asked for all the same"
    assert checked.exit_code == 1
    assert_completed(open_home, given)


# --- a client that holds the file for writing

HOLDER = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


def test_a_client_that_holds_the_file_for_writing(one_report: Home, two_files: list[Path]) -> None:
    """The published file is not writable; root, and who made it so, can open it all the same. What the run wants is said."""
    one_report.warehouse.chmod(0o644)
    before = one_report.warehouse.read_bytes()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(one_report.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"open\n"
        result = ingest(one_report.root, *two_files)
        client.communicate()
    assert_nothing_published(one_report, result, before)
    assert f"PID {client.pid}" in result.output
    assert "duckdb -readonly" in result.output
    assert_completed(one_report, two_files)


# --- two runs at once


def _race(root: Path, start: Any, out: Any) -> None:
    start.wait()
    try:
        with pipeline.exclusive(Home(root)):
            out.put("in")
            time.sleep(1.0)
    except BusyError as error:
        out.put(str(error))


def test_of_runs_begun_at_one_moment_one_is_let_in(tmp_path: Path) -> None:
    """The home is new: its folders and lock are made by all of them at once."""
    context = multiprocessing.get_context("fork")
    start, out = context.Barrier(6), context.Queue()
    racers = [context.Process(target=_race, args=(tmp_path / "home", start, out)) for _ in range(6)]
    for racer in racers:
        racer.start()
    told = sorted(out.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join(60)
    assert told == [f"another run is using {tmp_path / 'home'}"] * 5 + ["in"]


# --- what the summary says of gates


def test_the_summary_names_gates_that_were_red_and_why_they_were_let_pass(one_report: Home, two_files: list[Path], tmp_path: Path) -> None:
    from flows import summary
    from warehouse.gate import GateError, Result

    red = Result("rows_fall", "observation", 398.0, 198.0, 0.02, False, "fewer rows than before")
    text = summary.compose_failure(one_report, "r", GateError("rows_fall", red.detail, [red]), {})
    assert "## Red gates (1)" in text
    assert "| rows_fall | observation | 398 | 198 | 0.02 | fewer rows than before |" in text
    outcome = pipeline.Outcome(runs(one_report)[0].run_id, "published")
    one_report.warehouse.chmod(0o644)
    with duckdb.connect(one_report.warehouse) as con:
        con.execute(
            "INSERT INTO gate_result BY NAME SELECT ? AS run_id, ? AS gate, ? AS measure, ? AS before, ? AS after, ? AS bound,"
            " ? AS passed, ? AS accepted_reason",
            [outcome.run_id, "rows_fall", "observation", 398, 198, 0.02, False, "a part was merged"],
        )
    text = summary.compose(one_report, outcome, summary.Snapshot(), {}, (), {"rows_fall": "a part was merged", "failed_share": "in case"})
    assert "| rows_fall | observation | 398 | 198 | 0.02 | a part was merged |" in text
    assert "was green; the reason given: in case" in text


def test_ingest_leaves_a_summary(one_report: Home, two_files: list[Path]) -> None:
    assert ingest(one_report.root, *two_files).exit_code == 0
    text = (one_report.root / "runs" / f"{runs(one_report)[0].run_id}.md").read_text("utf-8")
    assert "## New reports (1)" in text
    assert "| read |" in text
    assert not (one_report.state / "heartbeat.json").exists(), "the heartbeat tells of the nights"
