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


def test_a_snapshot_is_a_second_name_and_costs_nothing(world: World) -> None:
    snapshot = keep(world.published)
    assert snapshot.samefile(world.published)
    assert keep(world.published) == snapshot
    assert told(world) == [("r3", 3, True), ("r2", 2, False), ("r1", 1, False)]


def test_only_so_many_and_so_much_are_kept_and_the_newest_stays(world: World) -> None:
    for n in (4, 5):
        night(world, n)
    assert [run for run, _, _ in told(world)] == ["r5", "r4", "r3", "r2"]
    (world.published.parent / "snapshots" / ".r9.duckdb").write_bytes(b"half")
    removed = prune(world.published, Keep(3, max_bytes=1))
    assert [path.stem for path in removed] == ["r3", "r2"]
    assert sorted(path.name for path in (world.published.parent / "snapshots").iterdir()) == ["r4.duckdb"]


def test_without_the_setting_nothing_is_kept(world: World) -> None:
    shutil.rmtree(world.published.parent / "snapshots")
    night(world, 4, Keep(0))
    night(world, 5, None)
    assert told(world) == [("r5", 5, True)]


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


@pytest.mark.parametrize("call", ["link", "copy_file_range"])
def test_a_full_disk_at_the_snapshot_leaves_no_half_state(world: World, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    before = world.published.read_bytes()
    monkeypatch.setattr(os, "link", fail(errno.ENOSPC if call == "link" else errno.EPERM))
    monkeypatch.setattr(os, "copy_file_range", fail(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        night(world, 4)
    with pytest.raises(OSError, match="No space left"):
        restore(world.published, "r1")
    assert world.published.read_bytes() == before
    assert sorted(p.name for p in world.published.parent.rglob("*")) == ["gongkai.duckdb", "r1.duckdb", "r2.duckdb", "snapshots"]


def test_where_there_are_no_links_a_copy_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", fail(errno.EPERM))
    third = world.published.read_bytes()
    night(world, 4)
    assert (world.published.parent / "snapshots" / "r3.duckdb").read_bytes() == third
    restore(world.published)
    assert world.published.read_bytes() == third


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


@pytest.mark.parametrize("name", ["r3.duckdb", "gongkai.duckdb"])
def test_killed_between_link_and_rename(world: World, name: str) -> None:
    before = world.published.read_bytes()
    command = [sys.executable, "-c", KILLED, str(world.published), name]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert world.published.read_bytes() == before
    assert [run for run, _, _ in told(world)] == ["r3", "r2", "r1"]
    night(world, 4)
    assert sorted(p.name for p in world.published.parent.rglob("*")) == [
        "gongkai.duckdb",
        "r1.duckdb",
        "r2.duckdb",
        "r3.duckdb",
        "snapshots",
    ]


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
