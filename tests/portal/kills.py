"""A small portal for kill trials, and what of a home must come out the same however often its runs were killed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TextIO

import duckdb

from extract.archive import read_body
from extract.home import Home
from flows.watch import read_heartbeat
from portal import content, families, faults, traps
from portal.case import Builder, Case
from portal.server import Portal

#: Columns that tell of a run and its time, or number rows within one file; not of what was found.
OF_THE_RUN = {
    "run_id", "parse_run_id", "last_run_id", "first_seen", "last_seen", "last_checked", "fetched_at", "checked_at", "archive_file",
    "archive_offset", "conditional", "unchanged", "fetched", "presence_no", "failing_visits", "listed_before",
    "report_no", "block_no",
}  # fmt: skip
OF_RUNS = {"run", "meta", "gate_result", "narrative_block"}
TIMES = {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "DATE[]", "INTERVAL"}
LONGEST = 300.0  # seconds a run may take on a busy machine
Content = set[tuple[str, str]]


def build_small(portal: Portal) -> dict[str, Case]:
    """Six sources: lists of three families with HTML, PDF and DOCX, a report that is not there, a slow body, a trap."""
    builder = Builder(portal)
    families.trs(builder)
    families.hanweb_annual_links(builder)
    families.attachments(builder)
    faults.statuses(builder)
    traps.loop(builder)
    content.duplicates(builder)
    keep = {"trs", "hanweb-annual-links", "attachments", "not-there", "loop", "duplicates"}
    for case in builder.cases.values():
        _slow_down(case)
    return {id_: case for id_, case in builder.cases.items() if id_ in keep}


def _slow_down(case: Case) -> None:
    for path, answer in case.pages.items():
        if not callable(answer):
            answer.wait = 0.03
            case.pages[path] = answer


class Run(Protocol):
    """A `gongkai run` under way, in a process group of its own."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""

    def wait(self, timeout: float) -> int:
        """Its exit status. Raises TimeoutError, subprocess.TimeoutExpired."""


def start(sources: Path, home: Path, environment: Mapping[str, str]) -> Run:
    """`gongkai run` as a user starts it."""
    command = [sys.executable, "-m", "flows.cli", "run", "--sources", str(sources), "--home", str(home)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env=os.environ | dict(environment), stdout=quiet, stderr=quiet, start_new_session=True)


@dataclass(slots=True)
class Forked:
    """A run that was forked from `Imported`."""

    pid: int
    told: TextIO
    status: int | None = None

    def poll(self) -> int | None:
        if self.status is None and select.select([self.told], [], [], 0)[0]:
            self.status = int(self.told.readline())
        return self.status

    def wait(self, timeout: float) -> int:
        if self.status is None and not select.select([self.told], [], [], timeout)[0]:
            raise TimeoutError(f"run {self.pid} still goes on")
        status = self.poll()
        assert status is not None
        return status


class Imported:
    """A process that has imported the program and forks a run when told to: five seconds of imports each are saved. One at a time."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-c", FORKS]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, env=os.environ | dict(environment), text=True, bufsize=1, **pipes)  # type: ignore[call-overload]

    def start(self, sources: Path, home: Path) -> Forked:
        self._process.stdin.write(json.dumps(["gongkai", "run", "--sources", str(sources), "--home", str(home)]) + "\n")
        return Forked(int(self._process.stdout.readline()), self._process.stdout)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)


FORKS = """
import json, os, sys, threading
import flows.cli, flows.nightly
assert threading.active_count() == 1, "a thread does not live through a fork"
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        sys.argv = json.loads(line)
        try:
            flows.cli.main()
        except SystemExit as end:
            os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def begun(process: Run, home: Path) -> float:
    """When a run took up its work: its first seconds go into imports, and killing those proves nothing."""
    while not (home / "state" / "ledger.sqlite").exists() and process.poll() is None:
        time.sleep(0.01)
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class Blow:
    """When to kill -9 and whom: `part` of the way through `stage` (of the whole run where it is None), the crawler alone or all."""

    part: float
    stage: str | None = None
    crawler_alone: bool = False

    def sooner(self) -> Blow:
        """The same, earlier: for a run that was over before its blow came."""
        return replace(self, part=self.part * 0.6)


def blows(trials: int, seed: int) -> list[Blow]:
    """Four kinds in turn, each spread evenly over its stretch: any moment of a run, the crawler alone, reading, loading."""
    rng = random.Random(seed)
    rounds = -(-trials // 4)
    kinds = [Blow(0), Blow(0, "crawl", crawler_alone=True), Blow(0, "read"), Blow(0, "load")]
    return [replace(kinds[n % 4], part=(n // 4 + rng.random()) / rounds) for n in range(trials)]


def strike(process: Run, home: Home, blow: Blow, seconds: Mapping[str, float]) -> str | None:
    """Kill as `blow` says, in a run whose stages take `seconds`; what the run was doing then, None where it was over before."""
    while process.poll() is None and not _reached(blow, process.pid, home):
        time.sleep(0.005)
    deadline = time.monotonic() + blow.part * (seconds[blow.stage] if blow.stage else sum(seconds.values()))
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)
    crawlers = _crawlers(process.pid)
    if process.poll() is not None or (blow.crawler_alone and not crawlers):
        process.wait(LONGEST)
        return None
    doing = stage(home)
    if blow.crawler_alone:
        os.kill(crawlers[0], signal.SIGKILL)
        process.wait(LONGEST)
        return f"{doing}, the crawler alone"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    _wait_until_gone(next(iter(crawlers), None))
    return f"{doing}, published" if doing == "load" and home.warehouse.exists() else doing


def _reached(blow: Blow, pid: int, home: Home) -> bool:
    if blow.crawler_alone:
        return bool(_crawlers(pid))
    return blow.stage is None or stage(home) == blow.stage


def stage(home: Home) -> str:
    """What the run of a home is at."""
    beat = read_heartbeat(home)
    return str(beat["stage"]) if beat else "start"


def stages(process: Run, home: Home) -> dict[str, float]:
    """Wait for a run to end; the seconds that each of its stages took."""
    seconds: dict[str, float] = {}
    last, since = "start", time.monotonic()
    while process.poll() is None:
        now, at = stage(home), time.monotonic()
        seconds[last] = seconds.get(last, 0.0) + at - since
        last, since = now, at
        time.sleep(0.005)
    return seconds


def _crawlers(pid: int) -> list[int]:
    """Crawler processes below a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _parent(entry) == pid and b"extract.crawl" in _command(entry):
            found.append(int(entry.name))
    return found


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _command(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def _wait_until_gone(pid: int | None) -> None:
    for _ in range(200):
        if pid is None or not Path(f"/proc/{pid}").exists() or b"extract.crawl" not in _command(Path(f"/proc/{pid}")):
            return
        time.sleep(0.02)
    raise AssertionError(f"crawler {pid} outlived its run")


def archived(home: Path) -> Content:
    """Every body that the ledger leads to, as address and digest; each is read back from the archive."""
    with sqlite3.connect(home / "state" / "ledger.sqlite") as db:
        rows = db.execute("SELECT url, sha256, archive_file, archive_offset FROM content").fetchall()
        documents = db.execute("SELECT url, sha256, archive_file, archive_offset FROM document WHERE sha256 IS NOT NULL").fetchall()
    for _, sha256, file, offset in rows + documents:
        assert hashlib.sha256(read_body(home / "archive", file, offset)).hexdigest() == sha256
    return {(url, sha256) for url, sha256, *_ in rows}


def relations(home: Path) -> dict[str, list[Any]]:
    """Every relation without what tells of runs and times; each row once, since every run that meets a problem leaves a row. Of the
    problems the open ones: that a crawler was killed is a problem of its own run, and closed by the next."""
    out: dict[str, list[Any]] = {}
    with duckdb.connect(home / "warehouse" / "gongkai.duckdb", read_only=True) as con:
        names = con.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1").fetchall()
        for (name,) in names:
            if name in OF_RUNS:
                continue
            columns = [c for c, kind, *_ in con.execute(f'DESCRIBE "{name}"').fetchall() if c not in OF_THE_RUN and kind not in TIMES]
            chosen = ", ".join(f'"{c}"' for c in columns)
            only = " WHERE is_open" if name == "problem" else ""
            rows = con.execute(f'SELECT {chosen} FROM "{name}"{only}').fetchall() if columns else []
            out[name] = sorted(set(map(str, rows)))
    return out


def loaded(home: Path) -> set[tuple[str, int]]:
    """Publisher and year of every current report."""
    with duckdb.connect(home / "warehouse" / "gongkai.duckdb", read_only=True) as con:
        return set(con.execute("SELECT publisher_id, year FROM report WHERE is_current").fetchall())
