"""Data files `district/<code>`: who publishes in a district, its rates with intervals, failed checks, revisions and problems."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb

from warehouse.site.files import encode, put
from warehouse.story import rows

RATES = ("disclosure_rate_broad", "disclosure_rate_full", "disclosure_rate_effective")
#: Name in the data file -> SQL with a column district_code.
_PARTS = {
    "publishers": """SELECT p.district_code, p.publisher_id AS id, p.name, p.kind, list_sort(list(DISTINCT r.scope::VARCHAR)
            FILTER (r.scope IS NOT NULL)) AS scopes, any_value(s.checked_at) AS checked_at
        FROM publisher AS p LEFT JOIN report AS r ON r.publisher_id = p.publisher_id AND r.is_current
        LEFT JOIN source_state AS s ON s.publisher_id = p.publisher_id
        WHERE left(p.district_code, 2) = $province GROUP BY ALL ORDER BY p.kind, p.publisher_id""",
    "coverage": """SELECT district_code, publisher_id AS publisher, year, state, reason FROM coverage
        WHERE left(district_code, 2) = $province ORDER BY publisher_id, year""",
    "rates": """SELECT district_code, publisher_id AS publisher, year, scope, metric, round(value, 6) AS value, numerator, n,
            round(low, 6) AS low, round(high, 6) AS high, reason, caution, report_id AS report
        FROM site_rate WHERE left(district_code, 2) = $province ORDER BY publisher_id, scope, metric, year""",
    "failed": """SELECT district_code, c.report_id AS report, r.year, c.check_id AS "check", c.applicant, c.left_value AS "left",
            c.right_value AS "right", c.difference, c.cause, c.soft
        FROM check_result AS c JOIN report AS r USING (report_id)
        WHERE NOT c.passed AND r.is_current AND left(district_code, 2) = $province ORDER BY r.year, c.soft, c.check_id, c.applicant""",
    "failed_years": """SELECT r.district_code, c.report_id AS report, c.report_id_from AS "from", c.year_from, c.year_to,
            c.check_id AS "check", c.applicant, c.left_value AS "left", c.right_value AS "right", c.difference, c.soft
        FROM cross_year_check AS c JOIN report AS r USING (report_id)
        WHERE NOT c.passed AND r.is_current AND left(r.district_code, 2) = $province ORDER BY c.year_to, c.check_id, c.applicant""",
    "revisions": """SELECT district_code, year, scope, publisher_id AS publisher, report_id_from AS "from", report_id_to AS report,
            indicator, applicant, change, raw_from, raw_to, seen_to
        FROM site_revision WHERE left(district_code, 2) = $province ORDER BY seen_to DESC, year DESC, indicator, applicant""",
    "problems": """SELECT p.district_code, q.publisher_id AS publisher, q.year, q.stage, q.kind, q.message, q.severity, q.url
        FROM problem AS q JOIN publisher AS p USING (publisher_id)
        WHERE q.is_open AND left(p.district_code, 2) = $province ORDER BY q.severity, q.year DESC, q.kind, q.message""",
    "lineage": """SELECT l.district_code, l.valid_to, l.is_main, l.current_code, d.name AS zh, d.name_en AS en FROM district_lineage AS l
        LEFT JOIN district AS d ON d.district_code = l.current_code
        WHERE l.current_code IS DISTINCT FROM l.district_code AND left(l.district_code, 2) = $province ORDER BY l.valid_from""",
}


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """The rates of all districts, computed once."""
    listed = ", ".join(f"'{metric}'" for metric in RATES)
    con.execute(f"CREATE TEMP TABLE site_rate AS FROM metric WHERE metric IN ({listed})")


def write_districts(con: duckdb.DuckDBPyConnection, folder: Path, province: str, places: dict[str, Any]) -> None:
    """Write the data files of the districts of a province that a publisher or a report is of."""
    parts: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name, sql in _PARTS.items():
        grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows(con, sql, {"province": province}):
            grouped[row.pop("district_code")].append({k: v for k, v in row.items() if v is not None})
        parts[name] = grouped
    for code in sorted(set(parts["publishers"]) | set(parts["coverage"]) | set(parts["rates"])):
        found = {name: grouped.get(code, []) for name, grouped in parts.items()}
        put(folder, f"district/{code}", encode({**found, **above(places, {code})}))


def districts(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The data file `districts`: the districts that have a page, and the names of all divisions above them."""
    sql = """WITH used AS (SELECT district_code FROM publisher UNION SELECT district_code FROM report)
        SELECT d.district_code AS code, d.name AS zh, coalesce(d.name_en, d.name) AS en, d.province_code AS province,
            d.prefecture_code AS prefecture, d.level::VARCHAR AS level, used.district_code IS NOT NULL AS has_page
        FROM district AS d LEFT JOIN used USING (district_code)
        WHERE used.district_code IS NOT NULL OR d.district_code IN (
            SELECT unnest([province_code, prefecture_code]) FROM district SEMI JOIN used USING (district_code))
        ORDER BY d.district_code"""
    found = rows(con, sql)
    return {
        "names": {d["code"]: [d["zh"], d["en"], d["province"], d["prefecture"], d["level"]] for d in found},
        "pages": [d["code"] for d in found if d["has_page"]],
    }


def above(places: dict[str, Any], codes: set[str]) -> dict[str, Any]:
    """The part of the data file `districts` that names these divisions and those above them: it is small where the whole is not."""
    names: dict[str, list[str | None]] = places["names"]
    wanted = sorted({c for code in codes if code in names for c in (code, names[code][2], names[code][3]) if c in names})
    pages = set(places["pages"])
    return {"names": {c: names[c] for c in wanted}, "pages": [c for c in wanted if c in pages]}
