"""Readers in a loop while runs publish: none sees an error or half a build, and no run waits for them.

Half of them open the file as every command does (`warehouse.query.connect`), half with a bare `duckdb.connect`, as anyone may.

GONGKAI_READERS and GONGKAI_PUBLISHES set how many (issue 6 asks for 50 and 20: `make faults`); fewer in `make test`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from warehouse_world import World, loaded

from warehouse.build import PublisherRow

READERS = int(os.environ.get("GONGKAI_READERS", "4"))
PUBLISHES = int(os.environ.get("GONGKAI_PUBLISHES", "2"))

READER = textwrap.dedent("""
    import json, sys, time
    from pathlib import Path
    import duckdb
    from warehouse.query import QueryError, connect
    path, stop = Path(sys.argv[1]), Path(sys.argv[2])
    opened = (lambda: duckdb.connect(path, read_only=True)) if sys.argv[3] == "bare" else (lambda: connect(path))
    seen, errors, rounds = set(), [], 0
    while True:
        last = stop.exists()
        try:
            with opened() as con:
                reports, = con.execute("SELECT count(*) FROM report").fetchone()
                time.sleep(0.01)
                again, years, built = con.execute(
                    "SELECT (SELECT count(DISTINCT report_id) FROM observation), (SELECT count(*) FROM coverage WHERE state = 'loaded'),"
                    " (SELECT value FROM meta WHERE key = 'run_id')").fetchone()
                if not reports == again == years:
                    errors.append([reports, again, years, built])
                seen.add(reports)
        except (duckdb.Error, QueryError) as error:
            errors.append(str(error))
        rounds += 1
        if last:
            break
    print(json.dumps({"seen": sorted(seen), "errors": errors, "rounds": rounds}))
""")


def test_readers_and_runs_leave_each_other_alone(tmp_path: Path) -> None:
    bodies = [PublisherRow(name, f"{name}办公室", "330302", "office", "own") for name in ("lucheng", "ouhai")]
    world, stop = World(tmp_path, publishers=bodies), tmp_path / "stop"
    alone = publish(world, 0)
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(world.published), str(stop), ("bare", "gongkai")[n % 2]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(READERS)
    ]
    seconds = [publish(world, number) for number in range(1, PUBLISHES + 1)]
    stop.touch()
    told = [reader.communicate(timeout=120) for reader in readers]
    assert [error for _, error in told if error] == []
    results = [json.loads(out) for out, _ in told]
    assert [r["errors"] for r in results if r["errors"]] == []
    assert all(r["seen"][-1] == PUBLISHES + 1 for r in results), "the last build is what a reader opens now"
    assert len({n for r in results for n in r["seen"]}) > 1, "readers saw builds come"
    rounds = sum(r["rounds"] for r in results)
    print(f"{READERS} readers, {rounds} reads; publish {alone:.2f} s alone, {max(seconds):.2f} s at most with them")


def publish(world: World, number: int) -> float:
    """One night with one report more; seconds from build to published file."""
    run = f"r{number + 2}"
    world.run(run)
    for earlier in range(number + 1):
        publisher, year = place(world, earlier)
        world.seen(f"http://127.0.0.1/{earlier}.html", f"doc{earlier}", run, publisher=publisher, year=year)
    for row in world.publishers:
        world.crawled(run_id=run, publisher=row.publisher_id)
    publisher, year = place(world, number)
    began = time.monotonic()
    part = world.part(f"p{number}", loaded(f"doc{number}", f"http://127.0.0.1/{number}.html", year, publisher=publisher))
    world.publish(part, run_id=run)
    return time.monotonic() - began


def place(world: World, number: int) -> tuple[str, int]:
    """Publisher and year of the n-th report: 18 years of one publisher, then the next."""
    return world.publishers[number // 18].publisher_id, 2008 + number % 18
