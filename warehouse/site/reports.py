"""Data files `report/<district>`: every figure of every report of a district, with its place, its status and the checks it takes part in.

Figures of a report are lists in one order (table, row, column). Reports laid out alike share one layout, a text of
`section,format,table,row,column,indicator,applicant` for each figure, parted by semicolons: section is the place in SECTIONS, indicator the
place in `codes.indicators`, applicant the place in `codes.applicants` (empty: none). The JSON is made by DuckDB.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from warehouse.site import codes
from warehouse.site.files import encode, put
from warehouse.site.model import Picture
from warehouse.story import rows

SECTIONS = ("proactive", "requests", "litigation", "legacy")

# Prepared once for the whole warehouse.
_PREPARE = (
    "CREATE TEMP TABLE site_indicator AS SELECT indicator, unit, row_number() OVER (ORDER BY rowid) - 1 AS no FROM indicator",
    "CREATE TEMP TABLE site_report AS SELECT report_id, district_code, left(district_code, 2) AS province FROM report",
)

_CELLS = """
WITH cell AS (
    SELECT
        o.report_id, o.value, o.value_status, o.raw_text, o.page, o.bbox, o.method,
        CASE WHEN o.unit IS DISTINCT FROM i.unit THEN o.unit END AS odd_unit,
        concat_ws(',', list_position($sections, o.section::VARCHAR) - 1, o.format, o.table_no, o.row_no, o.col_no, i.no,
            coalesce((list_position($applicants, o.applicant::VARCHAR) - 1)::VARCHAR, '')) AS place,
        row_number() OVER (PARTITION BY o.report_id ORDER BY o.table_no, o.row_no, o.col_no, i.no, o.applicant) - 1 AS no
    FROM observation AS o JOIN site_report AS r USING (report_id) JOIN site_indicator AS i USING (indicator)
    WHERE r.province = $province
)
SELECT
    report_id,
    string_agg(place, ';' ORDER BY no) AS layout,
    to_json(list(raw_text ORDER BY no)) AS raw,
    string_agg(CASE value_status WHEN 'reported' THEN 'r' WHEN 'blank' THEN 'b' WHEN 'not_applicable' THEN 'n' ELSE 'u' END, '' ORDER BY no)
        AS status,
    to_json(map_from_entries(list((no, value::DOUBLE) ORDER BY no)
        FILTER (value IS NOT NULL AND (value_status <> 'reported' OR raw_text <> value::BIGINT::VARCHAR)))) AS odd_values,
    to_json(map_from_entries(list((no, odd_unit) ORDER BY no) FILTER (odd_unit IS NOT NULL))) AS odd_units,
    CASE WHEN count(DISTINCT method) = 1 THEN to_json(min(method)) ELSE to_json(list(method ORDER BY no)) END AS methods,
    CASE WHEN count(page) > 0 THEN to_json(list(page ORDER BY no)) END AS pages,
    CASE WHEN count(bbox) > 0 THEN to_json(list(list_transform(bbox, lambda x: round(x, 1)) ORDER BY no)) END AS boxes
FROM cell GROUP BY report_id
"""
_REPORTS = """
SELECT r.report_id AS id, r.publisher_id AS publisher, r.year, r.scope, r.scope_evidence, r.title, r.format, r.media, r.url,
    r.document_sha256 AS sha256, r.published_on, r.fetched_at, r.version, r.is_current AS current, r.district_code,
    d.archive_file, d.archive_offset
FROM report AS r LEFT JOIN document AS d ON d.url = r.url AND d.sha256 = r.document_sha256
WHERE left(r.district_code, 2) = $province ORDER BY r.district_code, r.publisher_id, r.year, r.scope, r.version
"""
_CHECKS = """
SELECT
    report_id,
    string_agg(concat_ws('/', check_id, applicant), ';' ORDER BY check_id, applicant) AS names,
    string_agg(CASE WHEN passed THEN 'p' WHEN passed IS NULL THEN 'n' WHEN soft THEN 's' ELSE 'f' END, '' ORDER BY check_id, applicant)
        AS results,
    list({'check': concat_ws('/', check_id, applicant), 'left': left_value::DOUBLE, 'right': right_value::DOUBLE,
        'difference': difference::DOUBLE, 'cause': cause::VARCHAR} ORDER BY check_id, applicant) FILTER (NOT passed) AS failed
FROM check_result JOIN site_report USING (report_id) WHERE province = $province GROUP BY report_id
"""
#: Further rows of a report: name in the data file -> SQL that gives report_id and the columns.
_FURTHER = {
    "revised": """SELECT report_id_to AS report_id, indicator, applicant, change, raw_from, raw_to, report_id_from AS "from"
        FROM site_revision WHERE left(district_code, 2) = $province ORDER BY indicator, applicant""",
    "proofs": """SELECT report_id, indicator, applicant, proved_value AS value, rules FROM proof JOIN site_report USING (report_id)
        WHERE province = $province ORDER BY indicator, applicant""",
    "unmapped": """SELECT report_id, table_no, row_no, col_no, row_label, column_label, text FROM unmapped_cell
        JOIN site_report USING (report_id) WHERE province = $province ORDER BY table_no, row_no, col_no""",
    "claims": """SELECT report_id, indicator, applicant, sentence, value, agrees FROM claim JOIN site_report USING (report_id)
        WHERE province = $province AND indicator IS NOT NULL ORDER BY claim_no""",
    "problems": """SELECT r.report_id, p.severity, p.stage, p.kind, p.message FROM problem AS p
        JOIN report AS r USING (publisher_id, document_sha256)
        WHERE left(r.district_code, 2) = $province AND p.is_open ORDER BY p.severity, p.kind, p.message""",
    "corrections": """SELECT report_id, indicator, applicant, action, corrected_value AS value,
        corrected_status AS status, reason, evidence,
        author, decided_on FROM correction JOIN site_report USING (report_id) WHERE province = $province AND outcome = 'applied'
        ORDER BY correction_id""",
}


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables the site's queries share."""
    for statement in _PREPARE:
        con.execute(statement)
    con.execute("CREATE TEMP TABLE site_revision AS FROM revision")


def provinces(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The first two digits of every district a publisher or a report is of."""
    sql = """SELECT DISTINCT left(district_code, 2)
        FROM (SELECT district_code FROM publisher UNION SELECT district_code FROM report) ORDER BY 1"""
    return [str(row[0]) for row in con.execute(sql).fetchall()]


def write_reports(con: duckdb.DuckDBPyConnection, folder: Path, province: str, pictures: dict[str, list[Picture] | str]) -> set[str]:
    """Write the data files of the districts of a province. Returns the districts that have one."""
    values = {"province": province}
    cells = _by_report(con, _CELLS, {**values, "sections": list(SECTIONS), "applicants": list(codes.APPLICANTS)})
    checks = _by_report(con, _CHECKS, values)
    further = {name: _grouped(rows(con, sql, values)) for name, sql in _FURTHER.items()}
    districts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for report in rows(con, _REPORTS, values):
        districts[report.pop("district_code")].append(report)
    for district, reports in districts.items():
        layouts: dict[str, int] = {}
        check_lists: dict[str, int] = {}
        texts = [",".join(_report(r, cells, checks, further, pictures, layouts, check_lists)) for r in reports]
        listed = ",\n".join(f"{{{text}}}" for text in texts)
        put(
            folder, f"report/{district}", f'{{"layouts":{encode(list(layouts))},"checks":{encode(list(check_lists))},"reports":[{listed}]}}'
        )
    return set(districts)


def write_none(folder: Path, district: str) -> None:
    """The data file of a district of which no report is loaded: its page asks for it all the same."""
    put(folder, f"report/{district}", encode({"layouts": [], "checks": [], "reports": []}))


def _report(
    report: dict[str, Any],
    cells: dict[str, dict[str, Any]],
    checks: dict[str, dict[str, Any]],
    further: dict[str, dict[str, list[dict[str, Any]]]],
    pictures: dict[str, list[Picture] | str],
    layouts: dict[str, int],
    check_lists: dict[str, int],
) -> Iterator[str]:
    """The members of a report's JSON object."""
    key = report["id"]
    yield encode({k: v for k, v in report.items() if v is not None})[1:-1]
    if cell := cells.get(key):
        yield f'"layout":{layouts.setdefault(cell["layout"], len(layouts))},"raw":{cell["raw"]},"status":{encode(cell["status"])}'
        for name in ("odd_values", "odd_units", "methods", "pages", "boxes"):
            if cell[name] not in (None, "{}"):
                yield f'"{name}":{cell[name]}'
    if check := checks.get(key):
        yield f'"checked":{check_lists.setdefault(check["names"], len(check_lists))},"results":{encode(check["results"])}'
        if check["failed"]:
            yield f'"failed":{encode([_whole(f) for f in check["failed"]])}'
    for name, found in further.items():
        if key in found:
            yield f"{encode(name)}:{encode(found[key])}"
    if drawn := pictures.get(key):
        yield f'"pictures":{encode(drawn if isinstance(drawn, str) else [_picture(p) for p in drawn])}'


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    return {k: int(v) if isinstance(v, float) and v == int(v) else v for k, v in row.items()}


def _picture(picture: Picture) -> dict[str, Any]:
    shown: dict[str, Any] = {"file": picture.file, "width": picture.width, "height": picture.height}
    if picture.page is not None:
        return {**shown, "page": picture.page, **({"turn": picture.turn} if picture.turn else {})}
    return {**shown, "table": picture.table, "cells": picture.cells}


def _by_report(con: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["report_id"]: row for row in rows(con, sql, values)}


def _grouped(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        groups[row.pop("report_id")].append({k: v for k, v in row.items() if v is not None})
    return groups


def load(text: str) -> Any:
    """The value of a data file as text: what `gongkai.put` is called with."""
    start = text.index(",") + 1
    return json.loads(text[start : text.rindex(")")])
