"""Reading on a Dask cluster of real processes: what comes back is what this machine would have read, whoever is killed meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from dask_world import Dask, await_workers, content, dask, fill, jobs_of, sample_files, settings
from portal.kills import relations
from test_bounds import pdf
from typer.testing import CliRunner

from extract.archive import Archive
from extract.home import Home
from flows import pipeline, scale
from flows.cli import app
from flows.engine import embedded_api
from flows.pipeline import Job
from flows.scale import ClusterError
from flows.settings import Settings

pytestmark = pytest.mark.slow

BATCH = 3


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose archive holds sample reports in HTML, DOCX and PDF, one PDF broken; nothing is read yet."""
    files = sample_files()
    found = Home(tmp_path_factory.mktemp("scale") / "home")
    fill(found, [f for f in files if f.suffix != ".html"] + [f for f in files if f.suffix == ".html"][:4])
    return found


@pytest.fixture(scope="module")
def jobs(home: Home) -> list[Job]:
    found = jobs_of(home, "run")
    assert len(found) == 15
    return found


def read(home: Home, jobs: list[Job], given: Settings, after: Callable[[], None] = lambda: None) -> dict[str, bytes]:
    """Read jobs in batches into a home's parts, as the flow does, without Prefect; `after` is called once the first batch is there."""
    first = threading.Event()

    def one(batch: list[Job]) -> None:
        pipeline.kept(home.create(), batch, lambda: reader.files(batch, lambda _: None))
        if not first.is_set():
            first.set()
            after()

    with scale.reader(given, jobs) as reader, ThreadPoolExecutor(reader.at_once) as threads:
        list(threads.map(one, pipeline.batches(jobs, BATCH)))
    return content(home)


@pytest.fixture(scope="module")
def here(jobs: list[Job], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The part files as this machine writes them."""
    return read(Home(tmp_path_factory.mktemp("here")), jobs, settings())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """A scheduler with two workers."""
    with dask(tmp_path_factory.mktemp("pair"), 2) as cluster:
        yield cluster


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Dask]:
    """A scheduler without a worker."""
    with dask(tmp_path / "dask") as cluster:
        yield cluster


def test_the_parts_are_the_same_byte_for_byte(pair: Dask, jobs: list[Job], here: dict[str, bytes], tmp_path: Path) -> None:
    found = read(Home(tmp_path), jobs, settings(dask=pair.address))
    assert len({name.split("/")[0] for name in here}) == 5
    assert found == here


def test_a_document_over_its_time_costs_itself_only_in_a_worker_too(
    pair: Dask, jobs: list[Job], here: dict[str, bytes], tmp_path: Path
) -> None:
    parses = pd.concat([pd.read_parquet(BytesIO(data)) for name, data in here.items() if name.endswith("parse.parquet")])
    loaded = set(parses[parses["outcome"] == "loaded"]["url"])
    hostile, home = tmp_path / "hostile.pdf", Home(tmp_path / "home")
    hostile.write_bytes(pdf(b"0 0 m 500 500 l S\n" * 4_000_000))
    bad = jobs_of(home, fill(home, [hostile]))
    good = [job for job in jobs if job.context.url in loaded and job.context.url.endswith((".html", ".docx"))]
    found = read(home, [good[0], *bad, good[1]], settings(dask=pair.address, document_timeout=6))
    parse = pd.read_parquet(home.parts / next(name for name in found if name.endswith("parse.parquet")))
    assert list(parse["outcome"]) == ["loaded", "failed", "loaded"]
    problem = pd.read_parquet(home.parts / next(name for name in found if name.endswith("problem.parquet")))
    failures = problem[problem["severity"] == "failure"]
    assert list(failures["kind"].isin(["timeout", "reader_died"])) == [True]


def test_a_worker_killed_in_the_middle_changes_nothing(lone: Dask, jobs: list[Job], here: dict[str, bytes], tmp_path: Path) -> None:
    victim = lone.worker()
    await_workers(lone, 1)
    joins = []

    def kill() -> None:
        joins.append(lone.worker())
        victim.kill()

    found = read(Home(tmp_path / "home"), jobs, settings(dask=lone.address), kill)
    assert joins and victim.process.returncode == -signal.SIGKILL
    assert found == here


def test_a_cluster_that_loses_its_last_worker_stops_the_run_and_what_was_read_is_kept(
    lone: Dask, jobs: list[Job], here: dict[str, bytes], tmp_path: Path
) -> None:
    victim = lone.worker()
    await_workers(lone, 1)
    home = Home(tmp_path / "home")
    with pytest.raises(ClusterError, match="no worker for 3 s"):
        read(home, jobs, settings(dask=lone.address, dask_wait=3), victim.kill)
    kept = content(home)
    assert 0 < len(kept) < len(here)
    assert kept.items() <= here.items()


def test_a_scheduler_that_dies_stops_the_run(lone: Dask, jobs: list[Job], tmp_path: Path) -> None:
    lone.worker()
    await_workers(lone, 1)
    with pytest.raises(ClusterError, match=r"scheduler is gone|was lost"):
        read(Home(tmp_path / "home"), jobs, settings(dask=lone.address), lambda: os.killpg(lone.process.pid, signal.SIGKILL))


def test_workers_that_would_read_otherwise_are_refused(lone: Dask, jobs: list[Job]) -> None:
    lone.worker("import transform.tidy as t; t.PARSER_VERSION = '2020.1'")
    lone.worker("sys.modules['flows.scale'] = None")
    lone.worker("", "--nanny")
    await_workers(lone, 3)
    with pytest.raises(ClusterError) as told, scale.reader(settings(dask=lone.address), jobs):
        pass
    for message in ("parser 2020.1, here 20", "flows.scale", "--no-nanny"):
        assert message in str(told.value)


def test_a_worker_with_another_version_that_joins_later_reads_nothing(pair: Dask, jobs: list[Job]) -> None:
    order = scale.Order(jobs[:1], 60, 1 << 30, scale.versions() | {"pypdfium2": "4.0"})
    from distributed import Client

    with Client(pair.address, set_as_default=False) as client, pytest.raises(ClusterError, match=r"pypdfium2 5.*, here 4\.0"):
        client.submit(scale.read_on_worker, order, pure=False).result(timeout=60)


def test_a_worker_without_the_archive_is_told(tmp_path: Path) -> None:
    archive = Archive((tmp_path / "not-mounted",))
    assert "GONGKAI_ARCHIVE" in str(scale.unfit(scale.versions(), {(archive, "a.warc.gz")}))
    assert scale.unfit(scale.versions(), set()) is None


def test_records_that_only_this_machine_has_are_read_here(
    lone: Dask, home: Home, jobs: list[Job], here: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive's place is a shared folder now; what was archived before lies in the home."""
    monkeypatch.setenv("GONGKAI_ARCHIVE", str(tmp_path / "shared"))
    lone.worker()
    assert not scale.in_shared_archive(Archive.of(home), jobs[0].archive_file)
    assert not scale.in_shared_archive(Archive((home.archive,), "s3://bucket/x"), jobs[0].archive_file), "not shipped yet"
    assert scale.in_shared_archive(Archive((home.spool,), "s3://bucket/x"), jobs[0].archive_file)
    moved = jobs_of(home, "run")
    assert read(Home(tmp_path / "home"), moved, settings(dask=lone.address)) == here


# --- whole nights


@pytest.fixture(scope="module")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with embedded_api(tmp_path_factory.mktemp("prefect")):
        yield


@pytest.fixture
def night(prefect_api: None, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[int, str, Path]]:
    """A whole night over the archived documents, in a home of its own; its exit status, what it said, and the home."""
    sources = tmp_path / "sources.yml"
    entry = '- {{id: {0.publisher_id}, publisher: {0.name}, district: "{0.district_code}", kind: office, index: ["http://127.0.0.1:9/"]}}\n'
    from dask_world import publishers

    sources.write_text("".join(entry.format(p) for p in publishers()), "utf-8")
    for name, value in {"WORKERS": "2", "BATCH_SIZE": str(BATCH), "TASK_RETRIES": "0", "ARCHIVE": str(home.archive)}.items():
        monkeypatch.setenv(f"GONGKAI_{name}", value)

    def run(name: str) -> tuple[int, str, Path]:
        place = tmp_path / name
        shutil.copytree(home.state, place / "state", dirs_exist_ok=True)
        result = CliRunner().invoke(app, ["run", "--sources", str(sources), "--home", str(place), "--reparse"])
        return result.exit_code, result.output, place

    return run


def test_a_night_on_the_cluster_publishes_what_a_night_here_does(
    night: Callable[[str], tuple[int, str, Path]], lone: Dask, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, _, near = night("near")
    victim, _ = lone.worker(), lone.worker()
    await_workers(lone, 2)
    monkeypatch.setenv("GONGKAI_DASK", lone.address)
    reached = threading.Thread(target=kill_after_the_first_part, args=(near.parent / "there", victim.kill))
    reached.start()
    found, told, there = night("there")
    reached.join()
    assert (found, victim.process.returncode) == (status, -signal.SIGKILL), told
    one, other = relations(near), relations(there)
    assert {name for name in one if one[name] != other[name]} == set()
    assert len(one["observation"]) > 1000


def kill_after_the_first_part(place: Path, kill: Callable[[], None]) -> None:
    parts, deadline = Home(place).parts, time.monotonic() + 60
    while time.monotonic() < deadline and not any(not p.name.startswith(".") for p in (parts.iterdir() if parts.exists() else ())):
        time.sleep(0.01)
    kill()


def test_a_cluster_out_of_reach_stops_the_run_before_reading(
    night: Callable[[str], tuple[int, str, Path]], lone: Dask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONGKAI_DASK_WAIT", "2")
    monkeypatch.setenv("GONGKAI_DASK", "tcp://127.0.0.1:9")
    status, told, place = night("home")
    assert status == 1
    assert "nothing was published: no Dask scheduler answers at tcp://127.0.0.1:9" in told.replace("\n", " ")
    assert not Home(place).warehouse.exists()
    monkeypatch.setenv("GONGKAI_DASK", lone.address)
    status, told, _ = night("home")
    assert status == 1
    assert "has no worker (waited 2 s)" in told
    monkeypatch.delenv("GONGKAI_DASK")
    assert night("home")[0] == 3, "nothing is lost: the broken PDF is the only fault"


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://127.0.0.1"])
def test_an_address_that_is_none_is_refused_before_the_run(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GONGKAI_DASK", address)
    result = CliRunner().invoke(app, ["run", "--sources", "sources.yml", "--home", str(tmp_path / "home")])
    assert result.exit_code == 2
    assert "GONGKAI_DASK" in result.output
