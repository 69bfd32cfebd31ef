"""`gongkai demo`: the sample portal on loopback, a real run over it, and what can be asked of the result."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml
from rich.console import Console

from extract.home import Home
from flows import pipeline, show
from flows.pipeline import Outcome
from flows.site import make_site
from sources.sample import server
from warehouse.query import connect

RunFlow = Callable[[Home, Path, list[str], list[int], bool, bool], Outcome]

_LOADED = """
SELECT p.name, list_sort(list(c.year || CASE c.state WHEN 'loaded' THEN '' ELSE ' (' || c.state || ')' END)) AS years
FROM coverage c JOIN publisher p USING (publisher_id) WHERE c.year <= (SELECT max(year) FROM report) GROUP BY p.name ORDER BY p.name
"""
_FAILED = """
SELECT p.name, c.year, c.state, c.reason FROM coverage c JOIN publisher p USING (publisher_id)
WHERE c.state <> 'loaded' AND c.year <= (SELECT max(year) FROM report) ORDER BY p.name, c.year
"""
_CHECKS = """
SELECT publisher, year, check_id, applicant, left_value::INT AS "left", right_value::INT AS "right", difference::INT AS difference, cause
FROM check_result JOIN (SELECT DISTINCT report_id, publisher, year FROM panel) USING (report_id)
WHERE NOT passed AND NOT soft ORDER BY ALL LIMIT 10
"""
_YEARS = """
SELECT indicator, max(value) FILTER (year = 2020)::INT AS "2020", max(value) FILTER (year = 2021)::INT AS "2021",
       max(value) FILTER (year = 2022)::INT AS "2022", max(value) FILTER (year = 2023)::INT AS "2023"
FROM panel JOIN indicator USING (section, indicator, unit)
WHERE publisher_id = 'lucheng-office' AND applicant = 'total' AND comparability = 'exact'
GROUP BY indicator HAVING max(value) > 0 ORDER BY max(value) DESC, indicator LIMIT 8
"""
_DISTRICTS = """
SELECT district, max(value) FILTER (indicator = 'new_received')::INT AS received,
       max(value) FILTER (indicator = 'processed_total')::INT AS processed,
       max(value) FILTER (indicator = 'granted')::INT AS granted,
       max(value) FILTER (indicator = 'partially_granted')::INT AS partially_granted
FROM panel WHERE year = 2021 AND scope = 'own' AND applicant = 'total' GROUP BY district ORDER BY received DESC
"""


_EXAMPLE = (
    "gongkai sql \"SELECT value FROM panel WHERE district_code='330302' AND year=2021 AND indicator='new_received' AND applicant='total'\""
)
_MORE = (
    "           gongkai status",
    "           gongkai sql \"FROM rank_districts('disclosure_rate_broad', 2021, 'own')\"",
    "           gongkai explain lucheng-office-2021-34ee133d new_received --out figure.png",
)


class DemoError(RuntimeError):
    """The home holds something else than the demo."""


def run_demo(console: Console, home: Home, run_flow: RunFlow) -> Outcome:
    """Run the demo into `home` and print what it gives. Raises DemoError where the home has other publishers already, SiteError."""
    refuse_other_data(home)
    with server.serve() as base_url, tempfile.TemporaryDirectory() as folder:
        registry = Path(folder) / "sources.yml"
        registry.write_text(server.registry(base_url), "utf-8")
        console.print(f"sample portal on {base_url} (made-up figures, except 鹿城区 2021)\n")
        result = run_flow(home, registry, [], [], False, False)
    print_results(console, home, result)
    made = make_site(home, home.root / "site")
    console.print(f"site:      {made.path / 'index.html'}", highlight=False, soft_wrap=True)
    return result


def refuse_other_data(home: Home) -> None:
    """Raises DemoError where the warehouse has publishers that are not in the sample."""
    sample = {entry["id"] for entry in yaml.safe_load(server.registry("http://127.0.0.1"))}
    others = [p.publisher_id for p in pipeline.known_publishers(home) if p.publisher_id not in sample]
    if others:
        raise DemoError(f"{home.root} holds other data ({', '.join(others[:3])}); give the demo a home of its own: gongkai demo --home DIR")


def print_results(console: Console, home: Home, result: Outcome) -> None:
    """What was loaded and what failed, a comparison across years and one across districts."""
    show.outcome(console, home, result)
    with connect(home.warehouse) as con:
        for title, query in (
            ("what was loaded", _LOADED),
            ("what was not, or needs a look", _FAILED),
            ("totals that do not add up in print", _CHECKS),
            ("across years: 温州市鹿城区人民政府办公室, requests", _YEARS),
            ("across districts: requests in 2021, reports on the own office only (scope own)", _DISTRICTS),
        ):
            found = con.execute(query)
            names = [d[0] for d in found.description]
            rows = [[", ".join(map(str, v)) if isinstance(v, list) else v for v in row] for row in found.fetchall()]
            show.table(console, title, names, rows)
    console.print(f"warehouse: {home.warehouse}", highlight=False, soft_wrap=True)
    for line in ("try:       " + _EXAMPLE, *_MORE):
        console.print(line, highlight=False, soft_wrap=True)
