"""Builds the site from the published warehouse: reads it only, writes beside the old site, takes its place when all is there."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from importlib.resources import as_file, files
from pathlib import Path

import duckdb

from warehouse.duck import OFFLINE, quoted
from warehouse.query import WarehouseMissing
from warehouse.site import charts, codes, compare, districts, overview, render, reports
from warehouse.site.files import MANIFEST, NAME, PICTURES, encode, put, taking_place
from warehouse.site.model import Accuracy, Draw, FormTable, Picture, Site, SiteError, Wanted
from warehouse.site.text import catalogue

_MEMORY = "2GB"  # what DuckDB may take; more is spilled beside the site
_WANTED = """
SELECT r.report_id, r.publisher_id, r.url, r.document_sha256,
    list_sort(list(DISTINCT o.page) FILTER (o.page IS NOT NULL AND o.bbox IS NOT NULL)),
    list_sort(list(DISTINCT o.table_no) FILTER (o.page IS NULL OR o.bbox IS NULL))
FROM report AS r JOIN observation AS o USING (report_id) GROUP BY ALL ORDER BY r.report_id
"""
# Which way the columns of a row run: right (upright), left (on its head), up or down the page (on its side).
_TURNS = """
WITH way AS (
    SELECT report_id, page, covar_pop(col_no, bbox[1] + bbox[3]) * count(*) AS across,
        covar_pop(col_no, bbox[2] + bbox[4]) * count(*) AS down
    FROM observation WHERE page IS NOT NULL AND bbox IS NOT NULL GROUP BY report_id, page, table_no, row_no
)
SELECT report_id, page, CASE WHEN abs(sum(across)) >= abs(sum(down)) THEN 180 WHEN sum(down) < 0 THEN 90 ELSE 270 END
FROM way GROUP BY report_id, page HAVING sum(across) < 0 OR abs(sum(down)) > abs(sum(across))
"""


def build(
    warehouse: Path, target: Path, *, forms: Sequence[FormTable] = (), draw: Draw | None = None, accuracy: Accuracy | None = None
) -> Site:
    """Write the site of the published file `warehouse` into the folder `target`, whole or not at all.

    `forms`: the official forms, for the tables of a report page. `draw`: makes the pictures of pages; None: no pictures. An older site in
    `target` is replaced: its pictures are handed to `draw` again, files that it did not write stay. Any other folder with something in it
    is refused. Raises WarehouseMissing where nothing is published, SiteError for everything else.
    """
    if not warehouse.is_file():
        raise WarehouseMissing(f"no warehouse at {warehouse}: nothing was published there yet")
    target = target.absolute()
    try:
        with taking_place(target) as folder, _opened(warehouse, folder) as con:
            counts = _write(con, folder, list(forms), draw, accuracy)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise SiteError(f"{warehouse} was published by another version of gongkai: publish it again with this one ({error})") from error
    except (duckdb.Error, OSError) as error:
        raise SiteError(f"no site was made in {target}: {error}") from error
    return Site(target, counts)


@contextmanager
def _opened(warehouse: Path, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on the published file, read-only, that spills beside the site."""
    spill = folder / ".spill"
    with closing(duckdb.connect(config={**OFFLINE, "memory_limit": _MEMORY, "temp_directory": str(spill)})) as con:
        con.execute(f"ATTACH {quoted(warehouse)} AS published (READ_ONLY)")
        con.execute("USE published")
        con.execute("SET enable_progress_bar = false")
        yield con
    shutil.rmtree(spill, ignore_errors=True)


def _write(
    con: duckdb.DuckDBPyConnection, folder: Path, forms: list[FormTable], draw: Draw | None, accuracy: Accuracy | None
) -> dict[str, int]:
    _write_assets(folder)
    pictures = _pictures(con, folder / PICTURES, draw)
    reports.prepare(con)
    districts.prepare(con)
    put(folder, "codes", encode(codes.codes(con)))
    put(folder, "definitions", encode(codes.definitions(con)))
    put(folder, "forms", encode([asdict(form) for form in forms]))
    put(folder, "errors", encode(overview.errors(con)))
    places = districts.districts(con)
    put(folder, "districts", encode(places))
    put(folder, "overview", encode(overview.overview(con, accuracy, places)))
    with_reports: set[str] = set()
    for province in reports.provinces(con):
        with_reports |= reports.write_reports(con, folder, province, pictures)
        districts.write_districts(con, folder, province, places)
        overview.write_coverage(con, folder, province, places)
    for code in sorted(set(places["pages"]) - with_reports):
        reports.write_none(folder, code)
    compare.write_compare(con, folder)
    meta = dict(con.execute("SELECT key, value FROM meta").fetchall())
    made_of = {"version": meta["gongkai_version"], "built_at": meta["built_at"][:16], "run_id": meta["run_id"]}
    render.write_pages(folder, places, made_of)
    return _finish(folder, made_of)


def _write_assets(folder: Path) -> None:
    with as_file(files(__package__) / "assets") as assets:
        shutil.copytree(assets, folder / "assets")
    (folder / "assets" / "vega.js").write_text(charts.library(), "utf-8")
    put(folder, "text", encode(catalogue()))
    put(folder, "charts", encode(charts.charts()))


def _pictures(con: duckdb.DuckDBPyConnection, folder: Path, draw: Draw | None) -> dict[str, list[Picture] | str]:
    """Report -> its pictures, or why there are none. Files nothing needs any more are removed."""
    found = con.execute(_WANTED).fetchall() if draw else []
    turns: dict[str, dict[int, int]] = defaultdict(dict)
    for report, page, turn in con.execute(_TURNS).fetchall() if draw else []:
        turns[report][page] = turn
    wanted = [Wanted(r, p, url, sha, tuple(pages or ()), tuple(tables or ()), turns[r]) for r, p, url, sha, pages, tables in found]
    drawn = dict(draw(wanted, folder)) if draw else {}
    used = {picture.file for found in drawn.values() if not isinstance(found, str) for picture in found}
    stems = {name.rpartition("-")[0] for name in used}
    for path in folder.iterdir():
        if path.name not in used and not (path.suffix == ".json" and path.stem in stems):
            path.unlink()
    return drawn


def _finish(folder: Path, made_of: dict[str, str]) -> dict[str, int]:
    """The manifest: what the site was made of, and what it has."""
    paths = [path for path in folder.rglob("*") if path.is_file() and ".spill" not in path.parts]
    counts = {
        "pages": sum(path.suffix == ".html" for path in paths),
        "data": sum("data" in path.relative_to(folder).parts[:1] for path in paths),
        "pictures": sum(path.suffix == ".png" for path in paths),
        "bytes": sum(path.stat().st_size for path in paths),
    }
    manifest = {"name": NAME, **made_of, **counts}
    (folder / MANIFEST).write_text(encode(manifest) + "\n", "utf-8")
    return counts
