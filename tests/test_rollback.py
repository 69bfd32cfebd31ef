"""Snapshots of published files, and going back to one: nothing is half done, nobody is disturbed, nothing comes back unseen."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest
from test_nightly import gongkai, query, report
from typer.testing import Result
from warehouse_world import World, loaded

from extract.ledger import Ledger
from warehouse.publish import publish
from warehouse.snapshots import Keep, SnapshotError, keep, prune, restore, snapshots

pytestmark = pytest.mark.slow

KEEP = Keep(3)


def night(world: World, n: int, keep: Keep | None = KEEP) -> None:
    """The n-th run publishes one report more."""
    url = f"http://127.0.0.1/{n}.html"
    world.run(f"r{n}")
    world.seen(url, f"d{n}", f"r{n}", year=2000 + n)
    built = world.build(world.part(f"p{n}", loaded(f"d{n}", url, 2000 + n)), run_id=f"r{n}")
    os.utime(built.path, (n * 86400, n * 86400))
    publish(built, keep=keep)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("home"), first=True)
    for n in (1, 2, 3):
        night(world, n)
    return world


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    return World.copy(template, tmp_path)


def reports(path: Path) -> int:
    with duckdb.connect(path, read_only=True) as con:
        row = con.execute("SELECT count(*) FROM report").fetchone()
    return row[0] if row else -1


def told(world: World) -> list[tuple[str, int, bool]]:
    return [(s.run_id, s.reports, s.is_published) for s in snapshots(world.published)]


def test_what_was_published_is_kept_and_the_present_file_is_listed(world: World) -> None:
    assert told(world) == [("r3", 3, True), ("r2", 2, False), ("r1", 1, False)]


def test_the_published_name_leads_to_a_snapshot(world: World) -> None:
    snapshot = keep(world.published)
    assert world.published.is_symlink()
    assert world.published.resolve() == snapshot == world.published.parent / "snapshots" / "r3" / "gongkai.duckdb"
    with duckdb.connect(world.published, read_only=True) as con:
        assert con.execute("SELECT current_database()").fetchone() == ("gongkai",)
    assert told(world) == [("r3", 3, True), ("r2", 2, False), ("r1", 1, False)]


def test_only_so_many_and_so_much_are_kept_and_the_newest_stays(world: World) -> None:
    for n in (4, 5):
        night(world, n)
    assert [run for run, _, _ in told(world)] == ["r5", "r4", "r3", "r2"]
    (world.published.parent / "snapshots" / ".r9.duckdb").write_bytes(b"half")
    removed = prune(world.published, Keep(3, max_bytes=1))
    assert [path.parent.name for path in removed] == ["r3", "r2"]
    assert sorted(path.name for path in (world.published.parent / "snapshots").iterdir()) == ["r4", "r5"]


@pytest.mark.parametrize("keep", [Keep(0), None])
def test_the_file_of_before_stays_for_a_reader_that_is_opening_it(world: World, keep: Keep | None) -> None:
    night(world, 4, keep)
    night(world, 5, keep)
    assert told(world) == [("r5", 5, True), ("r4", 4, False)]


def test_back_and_further_back_and_forth_again(world: World) -> None:
    third = world.published.read_bytes()
    before, now = restore(world.published)
    assert (before.run_id if before else None, now.run_id, reports(world.published)) == ("r3", "r2", 2)
    restore(world.published)
    assert told(world) == [("r3", 3, False), ("r2", 2, False), ("r1", 1, True)]
    with pytest.raises(SnapshotError, match="no snapshot older"):
        restore(world.published)
    restore(world.published, "r3")
    assert world.published.read_bytes() == third
    assert world.published.stat().st_mode & 0o222 == 0
    assert not list(world.published.parent.glob(".build-*"))


def test_what_can_not_be_gone_back_to_is_named(world: World) -> None:
    with pytest.raises(SnapshotError, match="r9; there are: r3, r2, r1"):
        restore(world.published, "r9")
    with pytest.raises(SnapshotError, match="r3 is what is published"):
        restore(world.published, "r3")
    assert reports(world.published) == 3


def test_readers_keep_the_file_they_opened(world: World) -> None:
    with duckdb.connect(world.published, read_only=True) as old:
        assert old.execute("SELECT count(*) FROM report").fetchone() == (3,)
        restore(world.published)
        assert old.execute("SELECT count(*), sum(value) FROM observation").fetchone() == (12, 360)
    assert reports(world.published) == 2


def test_the_night_after_goes_on_from_what_was_gone_back_to(world: World) -> None:
    restore(world.published)
    night(world, 4)
    assert world.ask("SELECT year FROM report ORDER BY year") == [(2001,), (2002,), (2004,)]
    assert [run for run, _, _ in told(world)] == ["r4", "r3", "r2", "r1"]


def fail(number: int) -> Callable[..., NoReturn]:
    def refuse(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return refuse


def files(world: World) -> list[str]:
    """What lies beside the published file, without the folders themselves."""
    folder = world.published.parent
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


SNAPSHOTS = [f"snapshots/r{n}/gongkai.duckdb" for n in (1, 2, 3)]


@pytest.mark.parametrize("call", ["symlink", "link", "copy_file_range"])
def test_a_full_disk_at_the_last_step_leaves_no_half_state(world: World, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    before = world.published.read_bytes()
    calls = ["symlink", "link", "copy_file_range"]
    for name in calls[: calls.index(call)]:
        monkeypatch.setattr(os, name, fail(errno.EPERM))
    monkeypatch.setattr(os, call, fail(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        night(world, 4)
    with pytest.raises(OSError, match="No space left"):
        restore(world.published, "r1")
    assert world.published.read_bytes() == before
    assert files(world) == ["gongkai.duckdb", *SNAPSHOTS]


@pytest.mark.parametrize("missing", [["symlink"], ["symlink", "link"]])
def test_where_there_are_no_links_it_is_a_second_name_or_a_copy(world: World, monkeypatch: pytest.MonkeyPatch, missing: list[str]) -> None:
    for name in missing:
        monkeypatch.setattr(os, name, fail(errno.EPERM))
    third = world.published.read_bytes()
    night(world, 4)
    assert not world.published.is_symlink()
    assert ("r4", 4, True) in told(world)
    restore(world.published)
    assert world.published.read_bytes() == third


def test_a_home_whose_published_file_lies_alone_keeps_it(world: World) -> None:
    """An older version of the program put the file itself there, and its snapshots beside each other."""
    third = world.published.read_bytes()
    snapshots_of = world.published.parent / "snapshots"
    world.published.unlink()
    world.published.write_bytes(third)
    shutil.rmtree(snapshots_of / "r3")
    (snapshots_of / "r2" / "gongkai.duckdb").rename(snapshots_of / "r2.duckdb")
    (snapshots_of / "r2").rmdir()
    assert told(world) == [("r3", 3, True), ("r2", 2, False), ("r1", 1, False)]
    night(world, 4)
    assert world.published.is_symlink()
    assert told(world) == [("r4", 4, True), ("r3", 3, False), ("r2", 2, False), ("r1", 1, False)]
    restore(world.published, "r2")
    assert reports(world.published) == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from warehouse import snapshots
real = Path.replace
def die(self, target):
    if Path(target).name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)
Path.replace = die
published = Path(sys.argv[1])
snapshots.restore(published, "r1")
"""


def test_killed_before_the_link_is_in_its_place(world: World) -> None:
    before = world.published.read_bytes()
    command = [sys.executable, "-c", KILLED, str(world.published), "gongkai.duckdb"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert world.published.read_bytes() == before
    assert [run for run, _, _ in told(world)] == ["r3", "r2", "r1"]
    night(world, 4)
    assert files(world) == ["gongkai.duckdb", *SNAPSHOTS, "snapshots/r4/gongkai.duckdb"]


# --- the commands, on a home of two nights

PUBLISHER = "甲区人民政府办公室"


def ingest(home: Path, file: Path) -> Result:
    return gongkai("ingest", file, "--publisher", PUBLISHER, "--district", "330302", "--home", home)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("night")
    for year in (2020, 2021):
        file = root / f"{year}.html"
        file.write_text(report(PUBLISHER, year, year), "utf-8")
        result = ingest(root / "home", file)
        assert result.exit_code == 0, result.output
    return root


def test_rollback_is_a_run_with_a_reason_and_what_was_in_it_is_read_again(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = home / "home"
    figures = query(root, "SELECT * EXCLUDE (bbox) FROM observation ORDER BY ALL")
    first, second = (line.split("\t") for line in reversed(gongkai("snapshots", "--home", root).output.splitlines()))
    assert (second[2], second[5], first[2], first[5]) == ("2", "published", "1", "")
    result = gongkai("rollback", "--reason", "the second night was wrong", "--home", root)
    assert result.exit_code == 0, result.output
    assert query(root, "SELECT year FROM report") == [(2020,)]
    with Ledger(root / "state" / "ledger.sqlite") as ledger:
        run = ledger.runs()[0]
    assert (run.command, run.status) == ("rollback", "published")
    assert (run.counts["from"], run.counts["to"], run.counts["reason"]) == (second[0], first[0], "the second night was wrong")
    again = ingest(root, home / "2021.html")
    assert again.exit_code == 0, again.output
    assert "1 documents parsed" in again.output, "the archive has it, no part and no published file"
    assert any("rolled back" in r.message and "the second night was wrong" in r.message for r in caplog.records)
    assert query(root, "SELECT * EXCLUDE (bbox) FROM observation ORDER BY ALL") == figures
    assert gongkai("rollback", "20200101T000000Z-0000", "--home", root).exit_code == 1
