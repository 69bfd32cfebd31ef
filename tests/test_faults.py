"""Faults of the machine a run must survive: nothing lost, nothing half-published, a clear message, and the next run completes the work.

What is tested elsewhere: kill -9 (test_portal_kills), readers that hold the file (test_warehouse_publish, test_readers), a build or a
snapshot that is cut short (test_warehouse_publish, test_rollback), the archive and the crawler on a full disk (test_archive,
test_crawl_process).
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from site_server import Page, Site
from test_nightly import PUBLISHERS, report
from typer.testing import CliRunner, Result

from extract.archive_write import WarcArchive
from extract.crawl.policy import is_due
from extract.home import Home
from extract.ledger import Ledger, RunRow, SourceState, utc_text
from flows import cli, health, night, parts, pipeline, serve
from flows.engine import SETTINGS, Done
from flows.pipeline import BusyError, Job
from flows.watch import read_heartbeat, write_heartbeat

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="rlimit, /proc, tmpfs")

NAME = PUBLISHERS["a-office"]
NOBODY = 65534
NOW = datetime.now(UTC).replace(microsecond=0)


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


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "WorkPool", Here)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    for year in (2020, 2021):
        (folder / f"{year}.html").write_text(report(NAME, year, year), "utf-8")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def template(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the report on 2020 is published."""
    root = tmp_path_factory.mktemp("template") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "WorkPool", Here)
        assert ingest(root, files[0]).exit_code == 0
    return root


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(template, tmp_path / "home", symlinks=True)))


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
def disk(template: Path, tmp_path: Path) -> Iterator[tuple[Home, Limited | Small]]:
    """A home on a disk that can be filled and freed: a small file system, or a limit where none may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "gongkai", place], capture_output=True, check=False).returncode:
        limited = Limited()
        yield Home(Path(shutil.copytree(template, place / "home", symlinks=True))), limited
        limited.free()
        return
    try:
        yield Home(Path(shutil.copytree(template, place / "home", symlinks=True))), Small()
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
def test_a_full_disk(disk: tuple[Home, Limited | Small], files: list[Path], step: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
        result = ingest(home.root, *files)
    filled.free()
    assert_nothing_published(home, result, before)
    assert "room on" in result.output, "what to do is said"
    assert str(home.root) in result.output, "and which file it is"
    assert_completed(home, files)


def test_a_ledger_that_takes_nothing_after_publishing(home: Home, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is published: the command says so, and the ledger is put right by the next run."""

    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "finish_run", full)
        result = ingest(home.root, *files)
    assert result.exit_code == 3, result.output
    assert "nothing was published" not in result.output
    assert years(home) == [2020, 2021]
    run_id = runs(home)[0].run_id
    assert runs(home)[0].status == "running"
    assert ingest(home.root, *files).exit_code == 0
    row = next(r for r in runs(home) if r.run_id == run_id)
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
def open_home(template: Path) -> Iterator[Home]:
    """A home that any user may write to, in a folder that any user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Home(Path(shutil.copytree(template, Path(folder) / "home", symlinks=True)))
        for path in (home.root, *home.root.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)
        yield home


@pytest.mark.parametrize("part", ["", "state/parts", "warehouse"])
def test_a_read_only_disk(open_home: Home, files: list[Path], part: str) -> None:
    before = open_home.warehouse.read_bytes()
    given = [Path(shutil.copy(file, open_home.root.parent / file.name)) for file in files]
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


def test_a_client_that_holds_the_file_for_writing(home: Home, files: list[Path]) -> None:
    """The published file is not writable; root, and who made it so, can open it all the same. What the run wants is said."""
    home.warehouse.chmod(0o644)
    before = home.warehouse.read_bytes()
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(home.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"open\n"
        result = ingest(home.root, *files)
        client.communicate()
    assert_nothing_published(home, result, before)
    assert f"PID {client.pid}" in result.output
    assert "duckdb -readonly" in result.output
    assert_completed(home, files)


# --- a damaged part


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
def died(template: Path, files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose last run died between reading and loading: the part of the report on 2021 is there."""

    def dies(*_: object, **__: object) -> None:
        raise duckdb.IOException("the run ends here")

    root = Path(shutil.copytree(template, tmp_path_factory.mktemp("died") / "home", symlinks=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "WorkPool", Here)
        patch.setattr(pipeline, "build", dies)
        assert ingest(root, *files).exit_code == 1
    assert len(list(Home(root).parts.iterdir())) == 1
    return root


@pytest.fixture
def read(died: Path, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(died, tmp_path / "home", symlinks=True)))


def test_a_part_left_by_a_run_that_died_is_used(read: Home, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "write_part", lambda *_: pytest.fail("read again"))
    assert_completed(read, files)


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
    home: Home, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with the remains of a build in the folder: a bit that tips is no figure, and no reason to stop."""
    stale = home.warehouse.parent / ".build-dead-1.duckdb"
    stale.write_bytes(home.warehouse.read_bytes()[:5000])
    real = pipeline.load

    def load(place: Home, run_id: str, given: list[Path], *args: Any, **more: Any) -> Any:
        flip(given[0] / "observation.parquet")
        return real(place, run_id, given, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "load", load)
        result = ingest(home.root, *files)
    assert result.exit_code == 3, result.output
    assert years(home) == [2020]
    with Ledger(home.ledger) as ledger:
        (problem,) = ledger.problems(ledger.runs()[0].run_id)
    assert (problem.stage, problem.kind, problem.severity) == ("load", "broken_part", "failure")
    assert "observation.parquet" in problem.message
    assert_completed(home, files)
    assert not stale.exists()


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


# --- a clock that was set back


@pytest.fixture
def ahead(home: Home) -> Home:
    """A home whose only nightly run was made while the clock was a year ahead."""
    future = utc_text(NOW + timedelta(days=365))
    with Ledger(home.ledger) as ledger:
        run_id = ledger.start_run("run")
        ledger.finish_run(run_id, "nothing_new", {})
        ledger.record_source(SourceState("a-office", run_id, future, True, 3, 0, 0, 0))
    with closing(sqlite3.connect(home.ledger)) as db, db:
        db.execute("UPDATE run SET started_at = ?, finished_at = ? WHERE run_id = ?", [future, future, run_id])
        db.execute("UPDATE document SET last_checked = ?, url = 'http://127.0.0.1/a.html'", [future])
    return home


def reasons(home: Home, max_age: timedelta = timedelta(days=1)) -> list[str]:
    return health.reasons(home, max_age, 3, NOW)


def test_a_success_of_the_future_is_none(ahead: Home) -> None:
    """`status --check` would be silent for a year."""
    assert any("the clock is, or was, wrong" in line for line in reasons(ahead))
    for _ in range(3):
        run_id = night.begin(ahead, "run")
        with Ledger(ahead.ledger) as ledger:
            ledger.record_source(SourceState("a-office", run_id, utc_text(NOW), False, 0, 0, 0, 0))
            ledger.finish_run(run_id, "nothing_new", {})
    assert runs(ahead)[0].run_id == run_id, "the newest run is the one begun last"
    assert reasons(ahead) == [f"a-office: 3 visits in a row failed; last success {NOW + timedelta(days=365):%Y-%m-%d}"]


def test_a_run_tells_that_the_clock_was_set_back(ahead: Home) -> None:
    before = runs(ahead)[0]
    run_id = night.begin(ahead, "run")
    assert run_id < before.started_at.replace("-", "").replace(":", "")
    with Ledger(ahead.ledger) as ledger:
        (problem,) = ledger.problems(run_id)
    assert (problem.kind, problem.severity) == ("clock_set_back", "warning")
    assert before.run_id in problem.message


def test_what_was_asked_in_the_future_is_due(ahead: Home) -> None:
    with Ledger(ahead.ledger) as ledger:
        document = ledger.document("http://127.0.0.1/a.html")
    assert is_due(document, NOW)
    assert not is_due(document, NOW + timedelta(days=365) - timedelta(minutes=5)), "a clock may be some minutes off"


def test_a_heartbeat_of_the_future_is_no_life(ahead: Home) -> None:
    beat = {"status": "running", "at": utc_text(NOW + timedelta(days=365)), "started_at": utc_text(NOW)}
    write_heartbeat(ahead, beat)
    assert not health._under_way(ahead, NOW, timedelta(days=1))
    write_heartbeat(ahead, beat | {"at": utc_text(NOW)})
    assert health._under_way(ahead, NOW, timedelta(days=1))


def test_a_night_is_missed_although_a_run_of_the_future_is_known(ahead: Home) -> None:
    assert serve.missed(ahead, NOW - timedelta(hours=1))
    night.begin(ahead, "run")
    assert not serve.missed(ahead, NOW - timedelta(hours=1))


def test_problems_close_in_the_order_of_the_runs(ahead: Home, files: list[Path]) -> None:
    """A problem that names no source is open until the next run, also where the run before is dated a year ahead."""
    with Ledger(ahead.ledger) as ledger:
        ledger.add_problems(ledger.runs()[0].run_id, [pipeline.Problem("crawl", "archive_unreachable", "then")])
    assert ingest(ahead.root, *files).exit_code == 0
    assert query(ahead, "SELECT kind FROM problem WHERE is_open") == [("clock_set_back",)]


# --- SIGTERM and SIGINT

RUN = """
    import sys, threading, time
    from pathlib import Path
    from extract.crawl.job import CrawlJob, run_crawl
    from extract.home import Home
    from flows.engine import WorkPool
    from flows.night import by_hand
    from flows.settings import Settings

    def crawl(job):
        run_crawl(job, lambda event: None)

    if __name__ == "__main__":
        with by_hand(Home(Path(sys.argv[1])), "run", Settings()) as hand, WorkPool(1) as pool:
            job = CrawlJob.model_validate_json(Path(sys.argv[2]).read_text()).model_copy(update={"run_id": hand.run_id})
            threading.Thread(target=crawl, args=(job,)).start()
            list(pool.map(time.sleep, [600], 1000))
"""


def descendants(pid: int) -> set[int]:
    """Processes below a process."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found |= {child, *descendants(child)}
    return found


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()}


def awaited(what: Callable[[], Any], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_ends_a_run_soon_and_closes_it(home: Home, tmp_path: Path, number: signal.Signals) -> None:
    before = home.warehouse.read_bytes()
    (tmp_path / "run.py").write_text(textwrap.dedent(RUN))
    with Site({"/": Page("<html></html>", wait=300)}) as site:
        source = pipeline.CrawlSource(id="a-office", publisher=NAME, index=[site.url("/")])
        job = pipeline.CrawlJob(home=home.root, run_id="-", sources=[source])
        (tmp_path / "job.json").write_text(job.model_dump_json())
        words = [sys.executable, str(tmp_path / "run.py"), str(home.root), str(tmp_path / "job.json")]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        assert awaited(lambda: site.asked("/"), 120)
        children = descendants(process.pid)
        assert len(children) >= 2, "a crawler and a reader"
        sent = time.monotonic()
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
        assert time.monotonic() - sent < 20
        assert process.returncode == 1, told
        assert awaited(lambda: not alive(children), 20), "crawler and readers end with it"
    (run, *_) = runs(home)
    assert (run.command, run.status) == ("run", "failed")
    assert f"ended by {number.name}" in run.counts["error"]
    assert f"ended by {number.name}" in (home.root / "runs" / f"{run.run_id}.md").read_text("utf-8")
    assert f"ended by {number.name}" in told
    assert "Traceback" not in told
    assert home.warehouse.read_bytes() == before
    with pipeline.exclusive(home):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_a_real_run_and_the_run_after_it(tmp_path: Path, number: signal.Signals) -> None:
    """Through Prefect, whose own handler of SIGTERM waits for every thread."""
    home = Home(tmp_path / "home")
    environment = {k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"} | SETTINGS
    environment |= {"GONGKAI_WORKERS": "1", "GONGKAI_MIN_DELAY": "0"}
    with Site(
        {"/": Page(f'<ul><li><a href="/1.html">{NAME}2021年政府信息公开工作年度报告</a></li></ul>'), "/1.html": Page("", wait=300)}
    ) as site:
        sources = tmp_path / "sources.yml"
        sources.write_text(f'- id: a-office\n  publisher: {NAME}\n  district: "330302"\n  index: ["{site.url("/")}"]\n', "utf-8")
        words = [sys.executable, "-m", "flows.cli", "run", "--sources", str(sources), "--home", str(home.root)]
        process = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)
        assert awaited(lambda: site.asked("/1.html"), 180)
        children = descendants(process.pid)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 1, told
        assert "Traceback" not in told
        assert awaited(lambda: not alive(children), 20), "crawler, readers and the Prefect API end with it"
        assert [(r.status, r.counts["error"].split(";")[0]) for r in runs(home)] == [("failed", f"ended by {number.name}")]
        beat = read_heartbeat(home)
        assert beat is not None
        assert beat["status"] == "failed"
        site.pages["/1.html"] = Page(report(NAME, 2021, 2))
        again = subprocess.run(words, env=environment, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    assert again.returncode == 0, again.stderr
    assert years(home) == [2021]


# --- what the summary says of gates


def test_the_summary_names_gates_that_were_red_and_why_they_were_let_pass(home: Home, files: list[Path], tmp_path: Path) -> None:
    from flows import summary
    from warehouse.gate import GateError, Result

    red = Result("rows_fall", "observation", 398.0, 198.0, 0.02, False, "fewer rows than before")
    text = summary.compose_failure(home, "r", GateError("rows_fall", red.detail, [red]), {})
    assert "## Red gates (1)" in text
    assert "| rows_fall | observation | 398 | 198 | 0.02 | fewer rows than before |" in text
    outcome = pipeline.Outcome(runs(home)[0].run_id, "published")
    home.warehouse.chmod(0o644)
    with duckdb.connect(home.warehouse) as con:
        con.execute(
            "INSERT INTO gate_result BY NAME SELECT ? AS run_id, ? AS gate, ? AS measure, ? AS before, ? AS after, ? AS bound,"
            " ? AS passed, ? AS accepted_reason",
            [outcome.run_id, "rows_fall", "observation", 398, 198, 0.02, False, "a part was merged"],
        )
    text = summary.compose(home, outcome, summary.Snapshot(), {}, (), {"rows_fall": "a part was merged", "failed_share": "in case"})
    assert "| rows_fall | observation | 398 | 198 | 0.02 | a part was merged |" in text
    assert "was green; the reason given: in case" in text


def test_ingest_leaves_a_summary(home: Home, files: list[Path]) -> None:
    assert ingest(home.root, *files).exit_code == 0
    text = (home.root / "runs" / f"{runs(home)[0].run_id}.md").read_text("utf-8")
    assert "## New reports (1)" in text
    assert "| read |" in text
    assert not (home.state / "heartbeat.json").exists(), "the heartbeat tells of the nights"
