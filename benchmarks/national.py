"""`python -m benchmarks.national`: a simulated national panel through the real loader, its planted errors, its size and its query times.

3,000 districts, two bodies each (the office with its own figures, the government with those of the whole area), seven years. With
`--observations` every district gets as many further pairs of bodies (a department and a town) as that takes. The figures
satisfy the identities of the forms within a report and across years, except where an error is planted; cells are blank, not applicable or
unreadable; the form changes after 2020; years are missing; reports are restated. Identities are evaluated by the real checker, figures go
through the tidy frames, the parts and the build, like those of a real run. Nothing in it is a real figure.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.national_figures import SCOPES, YEARS, Planted, publisher_id
from benchmarks.national_night import RUN, write_night
from benchmarks.national_parts import Chunk, write_chunk, write_ledger
from warehouse.build import PublisherRow, build
from warehouse.districts import read_districts
from warehouse.publish import publish

CHUNK = 25  # districts of one part
PLANTED = "planted.json"
COOKBOOK = Path(__file__).parents[1] / "docs" / "cookbook.md"
#: Offices of the sample that the cookbook names -> their districts.
OFFICES = {"longwan-office": "330303", "lucheng-office": "330302", "ouhai-office": "330304", "rongcheng-office": "371082"}
KINDS = {"own": ("office", "人民政府办公室"), "consolidated": ("government", "人民政府")}
FURTHER = {"own": ("department", "局"), "consolidated": ("township", "镇人民政府")}
#: Figures of the reports of two bodies over the years, missing and restated reports counted.
FIGURES_OF_PAIR = 2795
SEED = 20261123
TARGET = 200  # milliseconds by the clock for a warm statement of the cookbook

QUERIES = {
    "one figure of all districts": "SELECT * FROM panel WHERE indicator = 'new_received' AND applicant = 'total' AND year = 2023",
    "all figures of one report": "SELECT * FROM panel WHERE report_id = (SELECT min(report_id) FROM report WHERE year = 2023)",
    "compare_districts": "FROM compare_districts('new_received', 2023)",
    "compare_districts, one scope and applicant": "FROM compare_districts('granted', 2024, applicant := 'business', scope := 'own')",
    "compare_years": "FROM compare_years('new_received', '330302')",
    "metric, one year": "SELECT * FROM metric WHERE metric = 'disclosure_rate_broad' AND year = 2023",
    "metric, all years": "SELECT year, scope, median(value) FROM metric WHERE metric = 'correction_rate_pooled_strict' GROUP BY ALL",
    "metric of many parts": "SELECT year, scope, count(value) FROM metric WHERE metric = 'disclosure_rate_effective' GROUP BY ALL",
    "every metric of one district": "SELECT * FROM metric WHERE district_code = '330302' AND year = 2023",
    "rank_districts": "FROM rank_districts('disclosure_rate_broad', 2023, 'consolidated')",
    "data_quality": "FROM data_quality",
    "year_on_year, one indicator": """SELECT year, median(difference) FROM year_on_year
        WHERE indicator = 'granted' AND applicant = 'total' GROUP BY year""",
    "year_on_year, one district": "SELECT * FROM year_on_year WHERE indicator = 'granted' AND district_code = '330302'",
    "series": "SELECT year, sum(value) FROM series WHERE series = 'processed_total' AND applicant = 'total' AND scope = 'own' GROUP BY 1",
    "series_of, approximate": "SELECT year, class, sum(value) FROM series_of('other_total', include_approximate := true) GROUP BY ALL",
    "cross_year_check, failed": "SELECT gap, count(*) FROM cross_year_check WHERE NOT passed GROUP BY gap",
    "roll_up, provinces": "FROM roll_up('new_received', 2023, area := 'province')",
    "roll_up, cities": "FROM roll_up('granted', 2023, area := 'prefecture', scope := 'consolidated')",
    "failed identities": "SELECT check_id, count(*) FROM check_result WHERE NOT passed GROUP BY ALL",
    "coverage": "SELECT year, state, count(*) FROM coverage GROUP BY ALL",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """Which panel is simulated: districts, pairs of bodies of each, seed."""

    districts: int
    seats: int = 1
    seed: int = SEED

    @classmethod
    def of(cls, observations: int) -> Panel:
        """The panel with the fewest pairs per district that has so many observations."""
        pairs = math.ceil(observations / FIGURES_OF_PAIR)
        seats = math.ceil(pairs / len(all_codes()))
        return cls(math.ceil(pairs / seats), seats)

    def codes(self) -> list[str]:
        """Codes of prefectures and counties in force. Raises ValueError where there are not so many."""
        codes = all_codes()[-self.districts :]
        if len(codes) < self.districts:
            raise ValueError(f"there are only {len(codes)} districts")
        return codes

    def chunks(self, root: Path) -> list[Chunk]:
        """What is written part by part below `root`."""
        codes = self.codes()
        groups = [(seat, codes[start : start + CHUNK]) for seat in range(self.seats) for start in range(0, len(codes), CHUNK)]
        return [Chunk(n, tuple(group), self.seed, root / "parts" / f"{n:04}", seat) for n, (seat, group) in enumerate(groups)]

    def bodies(self) -> list[PublisherRow]:
        """The registry."""
        names = {d.district_code: d.name for d in read_districts()}
        return [self._body(code, names[code], scope, seat) for seat in range(self.seats) for code in self.codes() for scope in SCOPES]

    @staticmethod
    def _body(code: str, name: str, scope: str, seat: int) -> PublisherRow:
        kind, title = FURTHER[scope] if seat else KINDS[scope]
        told = f"{name}第{seat}{title}" if seat else name + title
        return PublisherRow(publisher_id(code, scope, seat), told, code, kind, "own" if seat else scope)


def all_codes() -> list[str]:
    """Codes of all prefectures and counties in force."""
    return [d.district_code for d in read_districts() if d.level != "province" and d.valid_to is None]


def make(root: Path, districts: int, workers: int = 2, seed: int = SEED, seats: int = 1) -> tuple[Path, list[Planted]]:
    """Simulate a panel, load it and publish it below `root`. Returns the published file and the planted errors."""
    panel = Panel(districts, seats, seed)
    planted = simulate(root, panel, workers)
    return load(root, panel), planted


def simulate(root: Path, panel: Panel, workers: int = 2) -> list[Planted]:
    """Write the parts and the ledger of a panel below `root`, and the planted errors into planted.json. A panel that is there is kept."""
    if (root / PLANTED).exists():
        return read_planted(root)
    chunks = panel.chunks(root)
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            planted = [error for errors in pool.map(write_chunk, chunks) for error in errors]
    else:
        planted = [error for chunk in chunks for error in write_chunk(chunk)]
    write_ledger(root / "ledger.sqlite", [chunk.folder for chunk in chunks])
    (root / PLANTED).write_text(json.dumps([asdict(error) for error in planted]), "utf-8")
    return planted


def read_planted(root: Path) -> list[Planted]:
    """The planted errors of a panel that `simulate` made."""
    raw = json.loads((root / PLANTED).read_text("utf-8"))
    return [
        Planted(e["kind"], e["report_id"], tuple((i, a) for i, a in e["cells"]), tuple((r, c, a) for r, c, a in e["breaks"])) for e in raw
    ]


def load(root: Path, panel: Panel, parts: Sequence[Path] | None = None, run_id: str = "r1") -> Path:
    """Build and publish the parts (default: all of the panel) with the real loader."""
    published = root / "warehouse" / "gongkai.duckdb"
    wanted = [chunk.folder for chunk in panel.chunks(root)] if parts is None else parts
    publish(build(published, wanted, root / "ledger.sqlite", panel.bodies(), run_id=run_id, version="simulated"))
    return published


def failures(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str, str | None]]:
    """(report_id, check_id, applicant) of every failed identity, within reports and across years."""
    rows = con.execute(
        """SELECT report_id, check_id, applicant FROM check_result WHERE NOT passed AND NOT soft
        UNION ALL SELECT report_id, check_id, applicant FROM cross_year_check WHERE NOT passed"""
    ).fetchall()
    return {(r, c, a) for r, c, a in rows}


@dataclass(frozen=True, slots=True)
class Timing:
    """What a warm query took: CPU milliseconds of the process (all threads) and milliseconds by the clock, medians; rows fetched."""

    cpu: float
    wall: float
    rows: int


def timed(con: duckdb.DuckDBPyConnection, sql: str, rounds: int = 5) -> Timing:
    """Run a query once, then `rounds` times, rows fetched."""
    rows = len(con.execute(sql).fetchall())
    taken: list[tuple[float, float]] = []
    for _ in range(rounds):
        start, used = time.perf_counter(), time.process_time()
        con.execute(sql).fetchall()
        taken.append((1000 * (time.process_time() - used), 1000 * (time.perf_counter() - start)))
    cpu, wall = (statistics.median(column) for column in zip(*taken, strict=True))
    return Timing(cpu, wall, rows)


def cookbook() -> dict[str, str]:
    """The SQL statements of docs/cookbook.md as printed, by the questions above them; offices of the sample are those of the panel."""
    text = COOKBOOK.read_text("utf-8")
    for office, code in OFFICES.items():
        text = text.replace(f"'{office}'", f"'{publisher_id(code, 'own')}'")
    return dict(re.findall(r"^### (\d+\. [^\n]+)\n\n```sql\n(.*?)^```", text, re.M | re.S))


def print_times(console: Console, con: duckdb.DuckDBPyConnection, title: str, queries: dict[str, str]) -> None:
    table = Table(title, "rows", "CPU ms", "ms", box=None, pad_edge=False)
    slow = []
    for name, sql in queries.items():
        t = timed(con, sql)
        table.add_row(name, f"{t.rows:,}", f"{t.cpu:.0f}", f"{t.wall:.0f}")
        slow += [name] if t.wall > TARGET else []
    console.print(table)
    console.print(f"{title}: over {TARGET} ms by the clock: {'; '.join(slow) or 'none'}")


def report(console: Console, published: Path, planted: list[Planted]) -> bool:
    """Print size, planted errors and query times; whether all errors were found and none invented."""
    with duckdb.connect(published, read_only=True, config={"threads": 2}) as con:
        counts = con.execute("SELECT (SELECT count(*) FROM observation), (SELECT count(*) FROM report)").fetchone()
        console.print(f"{counts[0]:,} observations of {counts[1]:,} reports" if counts else "")
        console.print(f"published file: {published.stat().st_size / 1e6:.0f} MB, years {YEARS[0]} to {YEARS[-1]}")
        found = failures(con)
        expected = {key for error in planted for key in error.breaks}
        missed, invented = expected - found, found - expected
        console.print(f"{len(planted)} errors planted, {len(expected)} identities broken, missed {len(missed)}, invented {len(invented)}")
        print_times(console, con, "cookbook", cookbook())
        print_times(console, con, "further queries", QUERIES)
    return not missed and not invented


Outcome = TypeVar("Outcome")


def _stage(console: Console, name: str, work: Callable[[], Outcome]) -> Outcome:
    start, used = time.perf_counter(), time.process_time()
    result = work()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    taken = f"{time.perf_counter() - start:.1f} s, CPU of this process {time.process_time() - used:.1f} s"
    console.print(f"{name}: {taken}; highest memory of it so far {memory:.0f} MB")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--districts", type=int, default=3000)
    size.add_argument("--observations", type=int, help="as many figures at least")
    parser.add_argument("--keep", type=Path, help="folder to make it in, and to leave it")
    parser.add_argument("--night", action="store_true", help="also the next night, in which one report in a hundred is another")
    parser.add_argument("--home", type=Path, help="a folder that --keep left: only check and time it")
    options = parser.parse_args()
    console = Console(width=140)
    if options.home:
        return 0 if report(console, options.home / "warehouse" / "gongkai.duckdb", read_planted(options.home)) else 1
    with tempfile.TemporaryDirectory() as folder:
        root = options.keep or Path(folder)
        panel = Panel.of(options.observations) if options.observations else Panel(options.districts)
        planted = _stage(console, "simulated and checked, two processes", lambda: simulate(root, panel))
        published = _stage(console, "loaded and published", lambda: load(root, panel))
        if options.night:
            spared = {error.report_id for error in planted}
            part, reports = write_night(root, spared)
            _stage(console, f"next night, {reports:,} reports", lambda: load(root, panel, [part], RUN))
        return 0 if report(console, published, planted) else 1


if __name__ == "__main__":
    sys.exit(main())
