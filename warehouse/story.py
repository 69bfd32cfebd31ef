"""The story of one printed figure: everything the warehouse knows of where it came from and whether it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import duckdb

Row = dict[str, Any]


class NoSuchFigure(LookupError):  # noqa: N818 - says what was asked for, not what failed
    """The warehouse has no such report, indicator or figure; the message names what comes near."""


@dataclass(slots=True)
class Story:
    """One figure (`observation`), its `indicator`, `report`, `publisher` and `document` rows, and the rows that bear on it.

    `twins`: what other addresses and other versions of the report print for it. `years`: the same figure in the publisher's other years.
    `checks`: every identity of the report in its column and row; `problems` of the document; `claims` of the text about it.
    """

    figure: Row
    indicator: Row
    report: Row
    publisher: Row
    document: Row
    checks: list[Row] = field(default_factory=list)
    problems: list[Row] = field(default_factory=list)
    claims: list[Row] = field(default_factory=list)
    twins: list[Row] = field(default_factory=list)
    years: list[Row] = field(default_factory=list)


def rows(con: duckdb.DuckDBPyConnection, sql: str, values: list[Any] | dict[str, Any] | None = None) -> list[Row]:
    """The rows of a query by column name."""
    found = con.execute(sql, values or [])
    names = [d[0] for d in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def story(con: duckdb.DuckDBPyConnection, report_id: str, indicator: str, applicant: str | None = None) -> Story:
    """Everything known of a figure. Without `applicant` a figure of table three is that of the total column. Raises NoSuchFigure."""
    report = _one(con, "SELECT * FROM report WHERE report_id = ?", [report_id]) or _no_report(con, report_id)
    label = _one(con, "SELECT * FROM indicator WHERE indicator = ?", [indicator]) or _no_indicator(con, indicator)
    wanted = applicant or ("total" if label["section"] == "requests" else None)
    figure = _one(
        con,
        "SELECT * FROM observation WHERE report_id = ? AND indicator = ? AND applicant IS NOT DISTINCT FROM ?",
        [report_id, indicator, wanted],
    ) or _no_figure(con, report, label, wanted)
    found = Story(figure, label, report, _publisher(con, report), _document(con, report))
    _fill(con, found)
    return found


def _one(con: duckdb.DuckDBPyConnection, sql: str, values: list[Any]) -> Row | None:
    found = rows(con, sql, values)
    return found[0] if found else None


def _fill(con: duckdb.DuckDBPyConnection, found: Story) -> None:
    report, figure = found.report, found.figure
    key = [figure["indicator"], figure["applicant"]]
    found.checks = rows(
        con, "SELECT * EXCLUDE (report_id) FROM check_result WHERE report_id = ? ORDER BY check_id, applicant", [report["report_id"]]
    )
    found.problems = rows(
        con,
        "SELECT severity, stage, kind, message, is_open FROM problem WHERE publisher_id = ? AND document_sha256 = ? ORDER BY ALL",
        [report["publisher_id"], report["document_sha256"]],
    )
    found.claims = rows(
        con,
        "SELECT sentence, value, unit, agrees FROM claim "
        "WHERE report_id = ? AND indicator = ? AND applicant IS NOT DISTINCT FROM ? ORDER BY claim_no",
        [report["report_id"], *key],
    )
    same = "FROM report AS r JOIN observation AS o USING (report_id) WHERE r.publisher_id = ? AND r.scope = ?"
    place = [report["publisher_id"], report["scope"]]
    found.twins = rows(
        con,
        "SELECT r.report_id, r.version, r.is_current, r.media, o.raw_text, o.value, o.value_status, r.fetched_at, r.url "
        f"{same} AND r.year = ? AND r.report_id <> ? AND o.indicator = ? AND o.applicant IS NOT DISTINCT FROM ? ORDER BY r.version",
        [*place, report["year"], report["report_id"], *key],
    )
    found.years = rows(
        con,
        f"SELECT r.year, o.value, o.value_status, o.raw_text, o.format, r.report_id {same} AND r.is_current AND o.indicator = ? "
        "AND o.applicant IS NOT DISTINCT FROM ? ORDER BY r.year",
        [*place, *key],
    )


def _publisher(con: duckdb.DuckDBPyConnection, report: Row) -> Row:
    sql = (
        "SELECT p.*, d.name AS district, d.name_en FROM publisher AS p LEFT JOIN district AS d USING (district_code) WHERE publisher_id = ?"
    )
    return _one(con, sql, [report["publisher_id"]]) or {"publisher_id": report["publisher_id"], "name": None, "district": None}


def _document(con: duckdb.DuckDBPyConnection, report: Row) -> Row:
    return _one(con, "SELECT * FROM document WHERE url = ?", [report["url"]]) or {"url": report["url"]}


def _no_report(con: duckdb.DuckDBPyConnection, report_id: str) -> Row:
    ids = [r["report_id"] for r in rows(con, "SELECT report_id FROM report")]
    near = get_close_matches(report_id, ids, 3, 0.5) or [i for i in ids if i.startswith(report_id[:6])][:3]
    raise NoSuchFigure(f"no report {report_id}" + (f"; did you mean {', '.join(near)}?" if near else ""))


def _no_indicator(con: duckdb.DuckDBPyConnection, indicator: str) -> Row:
    names = [r["indicator"] for r in rows(con, "SELECT indicator FROM indicator")]
    near = get_close_matches(indicator, names, 3, 0.5)
    raise NoSuchFigure(
        f"no indicator {indicator}" + (f"; did you mean {', '.join(near)}?" if near else "") + " (all: SELECT * FROM indicator)"
    )


def _no_figure(con: duckdb.DuckDBPyConnection, report: Row, label: Row, applicant: str | None) -> Row:
    name = "/".join(filter(None, (label["indicator"], applicant)))
    printed = rows(con, "SELECT DISTINCT indicator, applicant FROM observation WHERE report_id = ?", [report["report_id"]])
    if applicant and (others := [r["applicant"] for r in printed if r["indicator"] == label["indicator"] and r["applicant"]]):
        raise NoSuchFigure(f"{report['report_id']} has no {name}; it has {label['indicator']} for {', '.join(sorted(others))}")
    if applicant and any(r["indicator"] == label["indicator"] for r in printed):
        raise NoSuchFigure(f"{label['indicator']} is not asked by applicant: leave --applicant out")
    form = f"the {report['format']} form" if report["format"] else "no form at all: it is free prose"
    raise NoSuchFigure(
        f"{report['report_id']} does not print {name} ({label['label_zh']}); it follows {form}. An absent figure is not a zero."
    )
