"""Data files of the comparison: one for each measure and year, values in the order of the year's current reports.

`compare/reports-<year>`: publisher (place in `publishers`), scope and report of each current report. `compare/<measure>/<year>`: the values
of an indicator (`new_received.total`, `regulation_issued`) or a metric (`disclosure_rate_broad`) in that order.
"""

from __future__ import annotations

from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb

from warehouse.site.files import encode, number, put
from warehouse.story import rows

_PREPARE = """
CREATE TEMP TABLE site_place AS
SELECT r.report_id, r.year, r.scope::VARCHAR AS scope, r.publisher_id, r.district_code,
    row_number() OVER (PARTITION BY r.year ORDER BY r.district_code, r.publisher_id, r.scope) - 1 AS no
FROM report AS r WHERE r.is_current
"""
_PLACES = "SELECT year, publisher_id, scope, report_id, district_code FROM site_place ORDER BY year, no"
_FIGURES = """
SELECT o.applicant::VARCHAR, p.year, p.no, o.value, left(o.value_status::VARCHAR, 1),
    CASE WHEN o.unit IS DISTINCT FROM i.unit THEN o.unit END
FROM observation AS o JOIN site_place AS p USING (report_id) JOIN indicator AS i USING (indicator)
WHERE o.indicator = $indicator ORDER BY o.applicant, p.year, p.no
"""
# All metrics at once: the view is planned as a whole however little is asked of it.
_METRICS = """
SELECT m.metric, p.year, p.no, round(m.value, 6)::DECIMAL(18, 6), m.numerator, m.n, round(m.low, 6)::DECIMAL(18, 6),
    round(m.high, 6)::DECIMAL(18, 6), m.reason, m.caution
FROM metric AS m JOIN site_place AS p USING (report_id)
WHERE m.value IS NOT NULL OR m.reason IS NOT NULL ORDER BY m.metric, p.year, p.no
"""
_BATCH = 20_000


def write_compare(con: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """Write all data files of the comparison. Returns their number."""
    con.execute(_PREPARE)
    sizes = _write_reports(con, folder)
    available: dict[str, list[int]] = {}
    for (indicator,) in con.execute("SELECT indicator FROM indicator ORDER BY rowid").fetchall():
        _write_indicator(con, folder, indicator, sizes, available)
    _write_metrics(con, folder, sizes, available)
    put(folder, "compare/index", encode({"years": sorted(sizes), "scopes": _scopes(con), "measures": available}))
    return sum(map(len, available.values()))


def _write_reports(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[int, int]:
    publishers = rows(con, "SELECT publisher_id AS id, name, district_code AS district, kind::VARCHAR AS kind FROM publisher ORDER BY 3, 1")
    put(folder, "publishers", encode([list(p.values()) for p in publishers]))
    place = {p["id"]: i for i, p in enumerate(publishers)}
    years: dict[int, list[list[Any]]] = {}
    for year, publisher, scope, report, district in con.execute(_PLACES).fetchall():
        entry = [place.get(publisher, -1), scope, _short(report, publisher, year)]
        years.setdefault(year, []).append(entry if publisher in place else [*entry, [publisher, None, district]])
    for year, found in years.items():
        put(folder, f"compare/reports-{year}", encode(found))
    return {year: len(found) for year, found in years.items()}


def _scopes(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [str(row[0]) for row in con.execute("SELECT DISTINCT scope FROM site_place ORDER BY scope").fetchall()]


def _short(report_id: str, publisher: str, year: int) -> str:
    """A report's id without its usual start, which the page puts before it again where a hyphen comes first."""
    start = f"{publisher}-{year}"
    return report_id.removeprefix(start) if report_id.startswith(f"{start}-") else report_id


def _write_indicator(
    con: duckdb.DuckDBPyConnection, folder: Path, indicator: str, sizes: dict[int, int], available: dict[str, list[int]]
) -> None:
    files: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
    for applicant, year, *cell in con.execute(_FIGURES, {"indicator": indicator}).fetchall():
        files.setdefault((f"{indicator}.{applicant}" if applicant else indicator, year), []).append(tuple(cell))
    for (measure, year), cells in files.items():
        values: list[int | float | None] = [None] * sizes[year]
        gaps: dict[int, str] = {}
        units: dict[int, str] = {}
        for no, value, status, unit in cells:
            if value is None:
                gaps[no] = status
            else:
                values[no] = number(value)
            if unit is not None:
                units[no] = unit
        put(folder, f"compare/{measure}/{year}", encode({"value": values, "gaps": gaps, "units": units}))
        available.setdefault(measure, []).append(year)


def _write_metrics(con: duckdb.DuckDBPyConnection, folder: Path, sizes: dict[int, int], available: dict[str, list[int]]) -> None:
    con.execute(_METRICS)
    batches = iter(lambda: con.fetchmany(_BATCH), [])
    for (metric, year), cells in groupby(chain.from_iterable(batches), key=itemgetter(0, 1)):
        put(folder, f"compare/{metric}/{year}", encode(_columns([cell[2:] for cell in cells], sizes[year])))
        available.setdefault(metric, []).append(year)


def _columns(cells: list[tuple[Any, ...]], size: int) -> dict[str, Any]:
    """value, numerator, n, low, high as lists; texts (reason, caution) once each, with the reports they hold for."""
    names = ("value", "numerator", "n", "low", "high")
    columns: dict[str, list[int | float | None]] = {name: [None] * size for name in names}
    texts: dict[str, dict[str, list[int]]] = {"reason": {}, "caution": {}}
    for no, *figures, reason, caution in cells:
        for name, figure in zip(names, figures, strict=True):
            columns[name][no] = None if figure is None else number(figure)
        for name, text in (("reason", reason), ("caution", caution)):
            if text:
                texts[name].setdefault(text, []).append(no)
    filled = {name: column for name, column in columns.items() if name == "value" or any(v is not None for v in column)}
    return {**filled, **texts}
