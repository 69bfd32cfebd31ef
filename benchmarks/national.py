"""`python -m benchmarks.national`: a simulated national panel through the real loader, its planted errors, its size and its query times.

3,000 districts, two bodies each (the office with its own figures, the government with those of the whole area), seven years. The figures
satisfy the identities of the forms within a report and across years, except where an error is planted; cells are blank, not applicable or
unreadable; the form changes after 2020; years are missing; reports are restated. Identities are evaluated by the real checker, figures go
through the tidy frames, the parts and the build, like those of a real run. Nothing in it is a real figure.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.national_figures import SCOPES, YEARS, Planted, publisher_id
from benchmarks.national_parts import Chunk, write_chunk, write_ledger
from warehouse.build import PublisherRow, build
from warehouse.districts import read_districts
from warehouse.publish import publish

CHUNK = 25  # districts of one part
KINDS = {"own": ("office", "人民政府办公室"), "consolidated": ("government", "人民政府")}

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


def make(root: Path, districts: int, workers: int = 2, seed: int = 20261123) -> tuple[Path, list[Planted]]:
    """Simulate a panel, load it and publish it below `root`. Returns the published file and the planted errors."""
    codes = [d.district_code for d in read_districts() if d.level != "province" and d.valid_to is None][-districts:]
    if len(codes) < districts:
        raise ValueError(f"there are only {len(codes)} districts")
    starts = range(0, districts, CHUNK)
    chunks = [Chunk(n, tuple(codes[start : start + CHUNK]), seed, root / "parts" / f"{n:04}") for n, start in enumerate(starts)]
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            planted = [error for errors in pool.map(write_chunk, chunks) for error in errors]
    else:
        planted = [error for chunk in chunks for error in write_chunk(chunk)]
    write_ledger(root / "ledger.sqlite", [chunk.folder for chunk in chunks])
    return load(root, codes, [chunk.folder for chunk in chunks]), planted


def load(root: Path, codes: list[str], parts: list[Path]) -> Path:
    """Build and publish the parts with the real loader."""
    names = {d.district_code: d.name for d in read_districts()}
    rows = [PublisherRow(publisher_id(c, scope), names[c] + KINDS[scope][1], c, KINDS[scope][0], scope) for c in codes for scope in SCOPES]
    published = root / "warehouse" / "gongkai.duckdb"
    publish(build(published, parts, root / "ledger.sqlite", rows, run_id="r1", version="simulated"))
    return published


def failures(con: duckdb.DuckDBPyConnection) -> set[tuple[str, str, str | None]]:
    """(report_id, check_id, applicant) of every failed identity, within reports and across years."""
    rows = con.execute(
        """SELECT report_id, check_id, applicant FROM check_result WHERE NOT passed AND NOT soft
        UNION ALL SELECT report_id, check_id, applicant FROM cross_year_check WHERE NOT passed"""
    ).fetchall()
    return {(r, c, a) for r, c, a in rows}


def timed(con: duckdb.DuckDBPyConnection, sql: str, rounds: int = 5) -> tuple[float, int]:
    """Median warm milliseconds of a query, rows fetched, and their number."""
    con.execute(sql).fetchall()
    taken, rows = [], 0
    for _ in range(rounds):
        start = time.perf_counter()
        rows = len(con.execute(sql).fetchall())
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken), rows


def _stage(console: Console, name: str, work: Callable[[], object]) -> object:
    start = time.perf_counter()
    result = work()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"{name}: {time.perf_counter() - start:.1f} s; highest memory so far {memory:.0f} MB")
    return result


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
        table = Table("query", "rows", "ms (median of 5, warm)", box=None, pad_edge=False)
        for name, sql in QUERIES.items():
            ms, rows = timed(con, sql)
            table.add_row(name, f"{rows:,}", f"{ms:.0f}")
        console.print(table)
    return not missed and not invented


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--districts", type=int, default=3000)
    parser.add_argument("--keep", type=Path, help="folder to make it in, and to leave it")
    options = parser.parse_args()
    console = Console(width=140)
    with tempfile.TemporaryDirectory() as folder:
        root = options.keep or Path(folder)
        made: list[tuple[Path, list[Planted]]] = []
        _stage(console, "simulated, checked, loaded and published", lambda: made.append(make(root, options.districts)))
        report(console, *made[0])


if __name__ == "__main__":
    main()
