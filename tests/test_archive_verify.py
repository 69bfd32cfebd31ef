"""`gongkai archive`: sound archives pass, every damage is a line, and what a killed run leaves is told from damage."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from archive_world import AT, SITE, answer, crawl, new_run, warcs
from typer.testing import CliRunner, Result

from extract.archive import Archive, read_body
from extract.archive_members import members
from extract.archive_verify import Finding, Tally, verify
from extract.home import Home
from extract.ledger import Ledger
from flows.cli import app

BODIES = {f"/{i}.html": f"<html>{i}: 58 件</html>".encode() * (i + 1) for i in range(6)}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Two runs: all bodies, then all again, of which one had changed; and a redirect."""
    home = Home(tmp_path / "home")
    crawl(home, new_run(home), BODIES)
    crawl(home, new_run(home), BODIES | {"/3.html": b"changed"}, at=AT + timedelta(days=1))
    with Ledger(home.ledger) as ledger:
        ledger.record_status(SITE + "/old", 302)
        ledger.record_redirect(SITE + "/old", SITE + "/1.html")
    return home


def check(home: Home) -> list[Finding]:
    return list(verify(Archive.of(home), home.ledger, Tally()))


def gongkai(*words: object) -> Result:
    return CliRunner().invoke(app, ["archive", *map(str, words)])


def test_a_sound_archive(home: Home) -> None:
    tally = Tally()
    assert list(verify(Archive.of(home), home.ledger, tally)) == []
    assert dict(tally.records) == {"warcinfo": 2, "response": 7, "request": 12, "revisit": 5}
    assert (tally.files, tally.rows) == (2, 8)
    assert tally.bytes == sum(p.stat().st_size for p in warcs(home.archive))
    result = gongkai("verify", "--home", home.root)
    assert result.exit_code == 0, result.output
    assert "all well" in result.output


def test_progress_reaches_the_size(home: Home) -> None:
    done: list[int] = []
    list(verify(Archive.of(home), home.ledger, Tally(), done.append))
    assert sum(done) == sum(p.stat().st_size for p in warcs(home.archive))


def test_checksums_are_those_of_sha256sum(home: Home) -> None:
    for path in warcs(home.archive):
        subprocess.run(["sha256sum", "--strict", "-c", f"{path.name}.sha256"], cwd=home.archive, check=True, capture_output=True)


def test_a_flipped_bit_is_always_found(home: Home) -> None:
    """100 places drawn anew from a fixed seed, in any file: headers, packed bytes, checksums, padding."""
    files, draw = warcs(home.archive), random.Random(4)
    for _ in range(100):
        path = draw.choice(files)
        whole = path.read_bytes()
        at, bit = draw.randrange(len(whole)), draw.randrange(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
        found = check(home)
        path.write_bytes(whole)
        assert [f.file for f in found if f.severity == "damage"].count(path.name) == len(found) > 0, (path.name, at, bit)
    assert check(home) == []


def test_damage_names_the_record_and_the_rest_is_still_checked(home: Home) -> None:
    with Ledger(home.ledger) as ledger:
        hit, far = ledger.document(SITE + "/1.html"), ledger.document(SITE + "/5.html")
    path = home.archive / hit.archive_file
    whole = bytearray(path.read_bytes())
    for place in (hit, far):
        whole[place.archive_offset + 60] ^= 0x55
    path.write_bytes(whole)
    found = check(home)
    damaged = {(f.offset, f.url) for f in found if f.offset is not None}
    assert damaged == {(hit.archive_offset, SITE + "/1.html"), (far.archive_offset, SITE + "/5.html")}
    result = gongkai("verify", "--home", home.root)
    assert result.exit_code == 1
    assert f"damage\t{path.name}\t{hit.archive_offset}\t{SITE}/1.html\tnot whole:" in result.output


def test_a_change_in_bytes_that_carry_nothing_is_told(home: Home) -> None:
    path = warcs(home.archive)[0]
    whole = bytearray(path.read_bytes())
    whole[5] ^= 1  # the time of the first gzip member
    path.write_bytes(whole)
    (finding,) = check(home)
    assert "carry nothing" in finding.reason


def unsealed(home: Home, run_id: str, bodies: dict[str, bytes]) -> Path:
    """The file of a run that was killed."""
    before = set(warcs(home.archive))
    crawl(home, run_id, bodies)
    (path,) = set(warcs(home.archive)) - before
    path.with_name(path.name + ".sha256").unlink()
    return path


@pytest.mark.parametrize("tail", [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03abc", b"\0" * 5000, b"\x1f"])
def test_the_tail_of_a_killed_run_is_a_warning(home: Home, tail: bytes) -> None:
    path = unsealed(home, new_run(home), {"/new.html": b"new"})
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(tail)
    found = check(home)
    assert [(f.offset, f.severity) for f in found] == [(size, "warning"), (None, "warning")]
    assert "nothing points at it" in found[0].reason
    assert gongkai("verify", "--home", home.root).exit_code == 0
    Archive.of(home).ship()  # the next run seals the file as it is
    assert [f.severity for f in check(home)] == ["warning"]


@pytest.mark.parametrize("sealed", [True, False])
def test_a_tail_that_the_ledger_points_at_is_damage(home: Home, sealed: bool) -> None:
    path = unsealed(home, new_run(home), {"/new.html": b"new"})
    if sealed:
        Archive.of(home).ship()
    with Ledger(home.ledger) as ledger:
        place = ledger.document(SITE + "/new.html")
    os.truncate(path, place.archive_offset + 30)
    found = [f for f in check(home) if f.severity == "damage"]
    assert (found[0].offset, found[0].url) == (place.archive_offset, SITE + "/new.html")
    assert len(found) == 1 + sealed


def test_a_finished_file_that_lost_its_end_is_damaged_though_nothing_points_there(home: Home) -> None:
    path = warcs(home.archive)[0]
    os.truncate(path, path.stat().st_size - 5)  # within the last request record
    assert {f.severity for f in check(home)} == {"warning", "damage"}


def test_rows_that_lead_nowhere_or_to_something_else(home: Home) -> None:
    with Ledger(home.ledger) as ledger:
        one, two = ledger.document(SITE + "/1.html"), ledger.document(SITE + "/2.html")
        statements = (
            ("UPDATE document SET archive_offset = archive_offset + 1 WHERE url = ?", "/0.html"),
            (f"UPDATE content SET archive_offset = {two.archive_offset} WHERE url = ?", "/1.html"),
            ("UPDATE content SET archive_offset = 0 WHERE url = ?", "/2.html"),
            (f"UPDATE document SET sha256 = '{'0' * 64}' WHERE url = ?", "/4.html"),
            ("UPDATE document SET archive_file = 'gongkai-gone-0-00000.warc.gz' WHERE url = ?", "/5.html"),
        )
        for statement, path in statements:
            ledger._db.execute(statement, (SITE + path,))
    reasons = {(f.url.removeprefix(SITE), f.reason.split(":")[0]) for f in check(home)}
    assert reasons >= {
        ("/0.html", "no record begins here"),
        ("/1.html", "the record is of another address"),
        ("/1.html", "other bytes"),
        ("/2.html", "the ledger points at a warcinfo record, which has no body"),
        ("/4.html", "other bytes"),
        ("/5.html", "the file is missing"),
    }
    assert one.sha256 != two.sha256


def test_missing_and_foreign_files(home: Home, tmp_path: Path) -> None:
    with Ledger(home.ledger) as ledger:
        changed = ledger.document(SITE + "/3.html")
    second = home.archive / changed.archive_file
    shutil.copy(next(p for p in warcs(home.archive) if p != second), home.archive / "other.warc.gz")
    second.unlink()
    found = {(f.file, f.offset, f.reason.split(":")[0]) for f in check(home) if f.severity == "damage"}
    assert found == {
        ("other.warc.gz", None, "the file is of no run that the ledger knows"),
        (second.name, changed.archive_offset, "the file is missing"),
    }


def test_a_finished_file_nothing_points_at_is_missed_too(home: Home) -> None:
    run = new_run(home)
    with Archive.of(home).writer(run, 0) as writer:
        place = writer.write_response(answer("/gone", status=404))
    (home.archive / place.archive_file).unlink()
    assert [(f.file, f.reason) for f in check(home)] == [(place.archive_file, "the file is missing; its checksum is there")]


def test_a_file_that_can_not_be_read(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = warcs(home.archive)[0]
    real = Path.open

    def denied(self: Path, *args: object, **more: object) -> object:
        if self == bad and "buffering" in more:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return real(self, *args, **more)

    monkeypatch.setattr(Path, "open", denied)
    found = check(home)
    assert [f.file for f in found] == [bad.name]
    assert "Permission denied" in found[0].reason


def test_a_home_without_anything(tmp_path: Path) -> None:
    assert gongkai("verify", "--home", tmp_path / "empty").exit_code == 0
    assert gongkai("get", SITE, "--home", tmp_path / "empty").exit_code == 1


def test_a_file_being_written_is_no_finding(home: Home) -> None:
    run = new_run(home)
    with Archive.of(home).writer(run, 0) as writer:
        place = writer.write_response(answer("/x"))
        with (home.archive / place.archive_file).open("ab") as file:
            file.write(b"\x1f\x8b\x08\x00")
        assert check(home) == []
        assert "being written" in gongkai("list", "--home", home.root).output
        assert Archive.of(home).ship() == []
        os.truncate(home.archive / place.archive_file, (home.archive / place.archive_file).stat().st_size - 4)


def test_a_damaged_body_as_a_server_sent_it_is_a_sound_record(home: Home) -> None:
    got = answer("/torn", b"\x1f\x8b\x08 not gzip")
    got.headers.append(("Content-Encoding", "gzip"))
    with Archive.of(home).writer(new_run(home), 0) as writer:
        writer.write_response(got)
    assert check(home) == []


def test_list_and_get(home: Home, tmp_path: Path) -> None:
    listed = [line.split("\t") for line in gongkai("list", "--home", home.root).output.splitlines()]
    with Ledger(home.ledger) as ledger:
        assert {row[0] for row in listed} == {run.run_id for run in ledger.runs()}
    assert [row[2] for row in listed] == ["13", "13"]  # warcinfo, six responses or revisits, six requests
    assert [(row[1], int(row[3])) for row in listed] == [(p.name, p.stat().st_size) for p in warcs(home.archive)]
    out = tmp_path / "out"
    for at, body in ((None, b"changed"), (AT + timedelta(hours=1), BODIES["/3.html"]), (AT + timedelta(days=2), b"changed")):
        words = ["--at", f"{at:%Y-%m-%dT%H:%M:%S}"] if at else []
        assert gongkai("get", SITE + "/3.html", *words, "--out", out, "--home", home.root).exit_code == 0
        assert out.read_bytes() == body
    assert gongkai("get", SITE + "/3.html", "--at", "2026-11-20", "--home", home.root).exit_code == 1
    assert gongkai("get", SITE + "/1.html", "--home", home.root).stdout_bytes == BODIES["/1.html"]


def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    peaks = []
    for number in (200, 1000):
        home = Home(tmp_path / str(number))
        with Archive.of(home).writer(new_run(home), 0) as writer:
            for i in range(number):
                writer.write_response(answer(f"/{i}", os.urandom(4000)), sync=False)
        tracemalloc.start()
        assert check(home) == []
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.3


def test_members_go_on_behind_damage(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with Archive.of(home).writer(new_run(home), 0) as writer:
        places = [writer.write_response(answer(f"/{i}", os.urandom(40_000))) for i in range(3)]
    path = home.archive / places[0].archive_file
    whole = bytearray(path.read_bytes())
    start = places[1].archive_offset
    whole[start : start + 20_000] = bytes(20_000)
    path.write_bytes(whole)
    with path.open("rb") as file:
        found = list(members(file, len(whole)))
    bad = [m for m in found if m.damage]
    assert [(m.offset, m.cut_off) for m in bad] == [(start, False)]
    assert places[2].archive_offset in [m.offset for m in found if not m.damage]


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from archive_world import answer
from extract.archive import Archive
from extract.home import Home
with Archive.of(Home(Path(sys.argv[1]))).writer(sys.argv[2], 0) as writer:
    for i in range(10**6):
        place = writer.write_response(answer(f"/{{i}}", b"x" * 5000), sync=False)
        writer.sync()
        print(place.archive_file, place.archive_offset, flush=True)
"""


def test_a_killed_writer_leaves_what_it_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    run = new_run(home)
    script = KILLED.format(tests=str(Path(__file__).parent))
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path), run], stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(20)]
        time.sleep(random.random() / 20)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    for line in lines:
        name, offset = line.split()
        assert read_body(home.archive, name, int(offset)) == b"x" * 5000
    assert {f.severity for f in check(home)} == {"warning"}
    assert Archive.of(home).ship() == []
    assert "no checksum" not in " ".join(f.reason for f in check(home))
