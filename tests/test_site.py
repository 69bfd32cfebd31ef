"""`gongkai site` without a browser: every page kind, data equal to the warehouse, every word in both languages, no foreign address."""

from __future__ import annotations

import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest
from PIL import Image
from site_world import cells, data, one_of_everything
from typer.testing import CliRunner
from warehouse_world import World

import warehouse.site as package
from extract.picture_pages import sheets
from flows.cli import app
from flows.site_forms import forms
from transform.layout import layouts
from warehouse.query import WarehouseMissing, connect
from warehouse.site.build import build
from warehouse.site.files import taking_place
from warehouse.site.model import Accuracy, Picture, SiteError, Wanted

PACKAGE = Path(package.__file__).parent
ACCURACY = Accuracy("2026-01-01", [("web page", 2, 10, 8, 2, 0)])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return one_of_everything(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site") / "out"
    build(world.published, target, forms=forms(), accuracy=ACCURACY)
    return target


def ask(world: World, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connect(world.published) as con:
        return con.execute(sql, values).fetchall()


class Links(HTMLParser):
    """Addresses of a page: what it loads and what it links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


# --- pages


def test_every_page_kind_is_there_and_every_link_leads_somewhere(site: Path) -> None:
    pages = {str(p.relative_to(site)) for p in site.rglob("*.html")}
    assert pages == {"index.html", "compare.html", "report.html", "errors.html"} | {
        f"district/{code}.html" for code in ("330302", "330303", "330304", "320812")
    }
    for page in pages:
        links = [a for a in Links(site / page).found if not a.startswith(("#", "data:"))]
        assert len(links) > 5
        assert not [a for a in links if not (site / page).parent.joinpath(a).resolve().is_file()]


def test_nothing_in_the_site_loads_from_another_host(site: Path) -> None:
    for path in [*site.rglob("*.html"), *(PACKAGE / "assets").glob("*")]:
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", text), path
        assert "fetch(" not in text and 'type="module"' not in text, f"{path} would not work from a file share"
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', (site / "index.html").read_text("utf-8"))
    assert policy and "default-src 'none'" in policy[1] and "http" not in policy[1]


def test_district_names_are_those_of_the_warehouse(site: Path, world: World) -> None:
    names = data(site, "districts")["names"]
    for code, zh, en in ask(
        world, "SELECT district_code, name, name_en FROM district WHERE district_code IN ('330302', '330300', '330000')"
    ):
        assert names[code][:2] == [zh, en]
    assert "<title>浙江省温州市鹿城区" in (site / "district" / "330302.html").read_text("utf-8")


# --- data


@pytest.mark.parametrize("district", ["330302", "330303", "330304", "320812"])
def test_cells_of_reports_are_those_of_the_warehouse(site: Path, world: World, district: str) -> None:
    sql = """SELECT report_id, table_no, row_no, col_no, indicator, applicant, raw_text, value_status, value, page
        FROM observation JOIN report USING (report_id) WHERE district_code = ?"""
    expected = ask(world, sql, district)
    found = list(cells(site, district))
    assert len(found) == len(expected) > 0
    assert set(found) == set(expected)


def test_units_that_are_not_the_codebooks_are_kept(site: Path, world: World) -> None:
    report = data(site, "report/320812")["reports"][0]
    differing = ask(
        world,
        "SELECT count(*) FROM observation JOIN indicator AS i USING (indicator) WHERE observation.unit <> i.unit AND report_id = ?",
        report["id"],
    )
    assert set(report["odd_units"].values()) == {"unknown"}
    assert len(report["odd_units"]) == differing[0][0] > 0


def test_checks_of_a_report_are_those_of_the_warehouse(site: Path, world: World) -> None:
    file = data(site, "report/330302")
    for report in file["reports"]:
        named = dict(zip(file["checks"][report["checked"]].split(";"), report["results"], strict=True))
        sql = """SELECT concat_ws('/', check_id, applicant),
            CASE WHEN passed THEN 'p' WHEN passed IS NULL THEN 'n' WHEN soft THEN 's' ELSE 'f' END
            FROM check_result WHERE report_id = ?"""
        assert named == dict(ask(world, sql, report["id"]))
    failed = [f for r in file["reports"] for f in r.get("failed", [])]
    sides = ask(
        world,
        "SELECT left_value::INT, right_value::INT FROM check_result JOIN report USING (report_id) "
        "WHERE NOT passed AND district_code = '330302'",
    )
    assert sorted((f["left"], f["right"]) for f in failed) == sorted(sides) and sides


def test_comparison_of_an_indicator_is_the_panel(site: Path, world: World) -> None:
    places, values = data(site, "compare/reports-2021"), data(site, "compare/granted.total/2021")
    publishers = data(site, "publishers")
    status = {"b": "blank", "n": "not_applicable", "u": "unreadable"}
    found = {
        (publishers[p][0], scope, v, status.get(values["gaps"].get(str(i), ""), "reported"))
        for i, ((p, scope, _), v) in enumerate(zip(places, values["value"], strict=True))
    }
    sql = "SELECT publisher_id, scope, value, value_status FROM panel WHERE indicator = 'granted' AND applicant = 'total' AND year = 2021"
    assert found == set(ask(world, sql))
    assert ("ouhai", "own", None, "blank") in found


def test_comparison_of_a_metric_is_the_metric(site: Path, world: World) -> None:
    places, values = data(site, "compare/reports-2021"), data(site, "compare/disclosure_rate_broad/2021")
    publishers = data(site, "publishers")
    reasons = {i: text for text, numbers in values["reason"].items() for i in numbers}
    found = {
        (publishers[p][0], scope, *(values[name][i] for name in ("value", "numerator", "n", "low", "high")), reasons.get(i))
        for i, (p, scope, _) in enumerate(places)
    }
    sql = """SELECT publisher_id, scope, round(value, 6), numerator, n, round(low, 6), round(high, 6), reason FROM metric
        WHERE metric = 'disclosure_rate_broad' AND year = 2021"""
    assert found == {tuple(float(v) if v.__class__.__name__ == "Decimal" else v for v in row) for row in ask(world, sql)}
    assert any(row[2] is None and row[7] for row in found), "a metric without a value says why"


def test_coverage_counts_every_publisher_once_a_year(site: Path, world: World) -> None:
    overview = data(site, "overview")
    found = {
        (province, int(year), overview["states"][i]): n
        for province, years in overview["coverage"].items()
        for year, numbers in years.items()
        for i, n in enumerate(numbers)
        if n
    }
    sql = "SELECT left(district_code, 2) || '0000', year, state, count(*) FROM coverage GROUP BY ALL"
    assert found == {(p, y, s): n for p, y, s, n in ask(world, sql)}


def test_reporting_errors_are_those_of_the_view(site: Path, world: World) -> None:
    found = {(e["report"], e["check"], e.get("applicant"), e["left"], e["right"]) for e in data(site, "errors")}
    expected = set(ask(world, "SELECT report_id, check_id, applicant, left_value, right_value FROM publisher_error"))
    assert found == expected


def test_figures_of_the_overview(site: Path, world: World) -> None:
    counts = data(site, "overview")["counts"]
    sql = (
        "SELECT count(DISTINCT district_code), count(DISTINCT report_id), count(*), count(*) FILTER (value_status = 'reported') FROM panel"
    )
    assert [(counts["districts"], counts["reports"], counts["cells"], counts["figures"])] == ask(world, sql)


def test_a_district_page_is_small(site: Path) -> None:
    shared = [
        "data/codes.js",
        "data/text.js",
        "data/charts.js",
        "assets/site.css",
        "assets/gongkai.js",
        "assets/figure.js",
        "assets/district.js",
    ]
    own = ["district/330302.html", "data/district/330302.js", "data/report/330302.js"]
    assert sum((site / name).stat().st_size for name in [*shared, *own]) < 300_000


# --- pictures


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_picture_is_set_upright(turn: int) -> None:
    """As its EXIF says (how the reader sees it), then by the turn its rows ask for."""
    upright = Image.new("RGB", (60, 40), "white")
    upright.paste("red", (0, 0, 20, 20))
    lying = upright.rotate(turn, expand=True)  # a turn clockwise sets it upright
    exif, stream = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # stored a quarter further anticlockwise
    lying.rotate(90, expand=True).save(stream, "PNG", exif=exif)
    sheet = sheets(stream.getvalue(), [1], [], turns={1: turn})[0]
    assert (sheet.width, sheet.height, sheet.turn) == (60, 40, turn)
    assert [sheet.image.convert("RGB").getpixel(p) for p in ((5, 5), (55, 5), (5, 35))] == [(255, 0, 0), (255, 255, 255), (255, 255, 255)]


# --- forms


def test_forms_hold_every_figure_once_in_rectangles() -> None:
    for form in forms():
        figures = [tuple(cell["k"]) for row in form.rows for cell in row if "k" in cell]
        assert len(figures) == len(set(figures))
        table = next(t for layout in layouts() if layout.format == form.format for t in layout.tables if t.section == form.section)
        assert {indicator for indicator, _ in figures} == set(table.indicators())
        covered: dict[tuple[int, int], int] = {}
        for r, row in enumerate(form.rows):
            column = 0
            for cell in row:
                while (r, column) in covered:
                    column += 1
                for i in range(cell.get("r", 1)):
                    for j in range(cell.get("c", 1)):
                        assert (r + i, column + j) not in covered
                        covered[r + i, column + j] = 1
        width = max(c for _, c in covered) + 1
        assert len(covered) == width * len(form.rows), f"{form.section} of {form.format} has holes"


# --- the folder


def test_a_site_takes_the_place_of_a_site_and_of_nothing_else(world: World, tmp_path: Path) -> None:
    target = tmp_path / "site"
    target.mkdir()
    (target / "thesis.docx").write_text("mine")
    with pytest.raises(SiteError, match="holds no site"):
        build(world.published, target)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["thesis.docx"]
    (target / "site.json").write_text('{"name": "another generator"}')
    with pytest.raises(SiteError, match="holds no site"):
        build(world.published, target)
    assert (target / "thesis.docx").read_text() == "mine"
    with pytest.raises(SiteError, match=r"site/thesis\.docx is a file"):
        build(world.published, target / "thesis.docx")
    with pytest.raises(SiteError, match="no site was made in"):
        build(world.published, target / "thesis.docx" / "below")
    with pytest.raises(WarehouseMissing):
        build(tmp_path / "none.duckdb", tmp_path / "other")


#: What others may put into the folder of a site, deep in it or not.
FOREIGN = ("CNAME", ".git/objects/ab/cdef", "data/mine.csv", "pictures/photo.png", "district/notes/read me.txt", "assets/logo.svg")


def built_again(target: Path, site: Path) -> None:
    """A site like `site` takes the place of the one in `target`."""
    with taking_place(target) as folder:
        shutil.copytree(site, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("files.txt"))


def test_what_others_put_into_the_folder_of_a_site_stays(site: Path, tmp_path: Path) -> None:
    target = shutil.copytree(site, tmp_path / "site")
    for name in FOREIGN:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(name)
    (target / "empty").mkdir()
    (target / "latest").symlink_to("index.html")
    (target / "mount").symlink_to(tmp_path)
    (target / "data" / "compare" / "gone").mkdir()
    stale = target / "district" / "110101.html"  # as if the old site had had one district more
    stale.write_text("old")
    (target / "files.txt").write_text((target / "files.txt").read_text("utf-8") + "district/110101.html\n", "utf-8")
    for _ in range(2):
        built_again(target, site)
    assert {name: (target / name).read_text() for name in FOREIGN} == {name: name for name in FOREIGN}
    assert (target / "empty").is_dir() and (target / "data" / "compare" / "gone").is_dir() and not stale.exists()
    assert (target / "latest").readlink() == Path("index.html") and (target / "mount").readlink() == tmp_path
    assert not set(FOREIGN) & set((target / "files.txt").read_text("utf-8").splitlines())


def test_a_site_that_does_not_say_what_it_wrote_is_moved_aside(site: Path, tmp_path: Path) -> None:
    target = shutil.copytree(site, tmp_path / "site")
    (target / "files.txt").unlink()
    (target / "data" / "mine.csv").write_text("mine")
    built_again(target, site)
    assert (target / "files.txt").is_file() and not (target / "data" / "mine.csv").exists()
    assert (tmp_path / "site.old" / "data" / "mine.csv").read_text() == "mine"
    (target / "files.txt").unlink()
    with pytest.raises(SiteError, match=r"site\.old is there already"):
        built_again(target, site)
    assert (target / "index.html").is_file()


def test_a_foreign_file_in_the_place_of_a_page_stops_the_build(site: Path, tmp_path: Path) -> None:
    target = shutil.copytree(site, tmp_path / "site")
    listed = (target / "files.txt").read_text("utf-8")
    (target / "files.txt").write_text(listed.replace("district/330303.html\n", ""), "utf-8")
    (target / "district" / "330303.html").write_text("mine")
    with pytest.raises(SiteError, match=r"district/330303\.html is not of the site"):
        built_again(target, site)
    assert (target / "district" / "330303.html").read_text() == "mine" and [p.name for p in tmp_path.iterdir()] == ["site"]


def test_a_warehouse_of_another_version_is_told(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "old.duckdb") as con:
        con.execute("CREATE TABLE report (report_id VARCHAR)")
    with pytest.raises(SiteError, match="another version of gongkai"):
        build(tmp_path / "old.duckdb", tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_pictures_drawn_before_are_kept_and_others_go(world: World, tmp_path: Path) -> None:
    target = tmp_path / "site"
    drawn: list[set[str]] = []

    def draw(wanted: list[Wanted], folder: Path) -> Any:
        drawn.append({p.name for p in folder.iterdir()})
        for report in wanted:
            name = f"{report.report_id}-t1.png"
            (folder / name).write_bytes(b"png")
            (folder / "stale-t1.png").write_bytes(b"png")
            yield report.report_id, [Picture(name, 10, 10, table=1, cells={"1,1": (0, 0, 5, 5)})]

    build(world.published, target, draw=draw)
    build(world.published, target, draw=draw)
    assert drawn[0] == set() and len(drawn[1]) == 8 and "stale-t1.png" not in drawn[1]
    report = data(target, "report/320812")["reports"][0]
    assert report["pictures"][0]["cells"] == {"1,1": [0, 0, 5, 5]}
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_why_there_is_no_picture_is_told(world: World, tmp_path: Path) -> None:
    build(world.published, tmp_path / "site", draw=lambda wanted, folder: [(w.report_id, "the archive is gone") for w in wanted])
    assert data(tmp_path / "site", "report/320812")["reports"][0]["pictures"] == "the archive is gone"


def test_a_failure_leaves_the_old_site(world: World, tmp_path: Path) -> None:
    target = tmp_path / "site"
    build(world.published, target)
    before = (target / "site.json").read_text("utf-8")

    def draw(wanted: list[Wanted], folder: Path) -> Any:
        raise OSError("disk full")

    with pytest.raises(SiteError, match="disk full"):
        build(world.published, target, draw=draw)
    assert (target / "site.json").read_text("utf-8") == before
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_the_command_needs_a_published_warehouse(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["site", str(tmp_path / "site"), "--home", str(tmp_path / "home")])
    assert result.exit_code == 1 and "nothing was published" in result.output
    assert not (tmp_path / "site").exists()


def test_the_manifest_says_what_the_site_is_made_of(site: Path, world: World) -> None:
    manifest = json.loads((site / "site.json").read_text("utf-8"))
    assert [(manifest["run_id"],)] == ask(world, "SELECT value FROM meta WHERE key = 'run_id'")
    assert manifest["pages"] == 8
