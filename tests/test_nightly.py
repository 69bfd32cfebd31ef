"""Whole runs on a site with every fault: what fails is a row, the rest is loaded, and nothing is asked or read twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pikepdf
import pytest
from forms import full, to_html
from site_server import Page, Site
from typer.testing import CliRunner, Result

from extract.ledger import Ledger
from flows.cli import app
from flows.engine import embedded_api
from sources.sample.server import PORTAL

PUBLISHERS = {"a-office": "甲区人民政府办公室", "b-office": "乙区人民政府办公室", "c-office": "丙区人民政府办公室"}
PDF = PORTAL / "wenzhou/lucheng/attach/0/22011142021.pdf"


@pytest.fixture(scope="module")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One embedded API for all runs of this module: a start costs 10 s."""
    with embedded_api(tmp_path_factory.mktemp("prefect")):
        yield


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "MIN_DELAY": "0",
        "REQUEST_RETRIES": "1",
        "TASK_RETRIES": "0",
        "TASK_RETRY_DELAY": "0",
        "REQUEST_TIMEOUT": "5",
        "WORKERS": "1",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"GONGKAI_{name}", value)


def gongkai(*words: object) -> Result:
    return CliRunner().invoke(app, [str(w) for w in words])


def query(home: Path, sql: str) -> list[tuple]:
    with duckdb.connect(home / "warehouse" / "gongkai.duckdb", read_only=True) as con:
        return con.execute(sql).fetchall()


def report(publisher: str, year: int, seed: int) -> str:
    """A report page with figures made from the seed, in the form of the year."""
    tables, _ = full(2019 if year < 2021 else 2021, seed)
    parts = ["二、主动公开政府信息情况", "三、收到和处理政府信息公开申请情况", "四、政府信息公开行政复议、行政诉讼情况"]
    body = "".join(f"<p>{p}</p>{to_html(t)}" for p, t in zip(parts, tables, strict=True))
    title = f"{publisher}{year}年政府信息公开工作年度报告"
    period = f"本报告所列数据的统计期限自{year}年1月1日起至{year}年12月31日止。本机关认真落实条例。"
    head = f"<head><meta charset=utf-8><title>{title}</title></head>"
    return f"<html>{head}<body><h1>{title}</h1><p>{period}</p><p>一、总体情况</p>{body}</body></html>"


def index(publisher: str, links: dict[int, str]) -> str:
    items = "".join(
        f'<li><a href="{url}">{publisher}{year}年政府信息公开工作年度报告</a><span>{year + 1}-01-20</span></li>'
        for year, url in links.items()
    )
    return f"<html><body><ul><li><a href='/guide.html'>政府信息公开指南</a></li>{items}</ul></body></html>"


def encrypted() -> bytes:
    from io import BytesIO

    out = BytesIO()
    with pikepdf.open(PDF) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    return out.getvalue()


@pytest.fixture
def site() -> Iterator[Site]:
    a, b, _ = PUBLISHERS.values()
    bad = {2016: "/zero.pdf", 2017: "/cut.pdf", 2018: "/locked.pdf", 2020: "/page.pdf", 2021: "/gone.html", 2022: "/broken.html"}
    pages = {
        "/a/": Page(index(a, {2020: "/a/2020.html", 2021: "/a/2021.html"}), etag=True),
        "/a/2020.html": Page(report(a, 2020, 1), etag=True),
        "/a/2021.html": Page(report(a, 2021, 2), modified="Thu, 20 Jan 2022 08:00:00 GMT"),
        "/b/": Page(index(b, bad), etag=True),
        "/zero.pdf": Page(b"", etag=True),
        "/cut.pdf": Page(PDF.read_bytes()[:9000], etag=True),
        "/locked.pdf": Page(encrypted(), etag=True),
        "/page.pdf": Page(report(b, 2020, 3), headers={"Content-Type": "application/pdf"}, etag=True),
        "/broken.html": Page("oops", 500),
        "/c/": Page("<html><body><p>栏目建设中</p></body></html>", etag=True),
    }
    with Site(pages) as running:
        yield running


def registry(folder: Path, site: Site, **more: str) -> Path:
    path = folder / "sources.yml"
    lines = []
    for (key, name), code in zip(PUBLISHERS.items(), ("330302", "330303", "330304"), strict=True):
        lines.append(f'- id: {key}\n  publisher: {name}\n  district: "{code}"\n  kind: office\n  index: ["{site.url(f"/{key[0]}/")}"]\n')
    path.write_text("".join(lines), "utf-8")
    return path


Night = Callable[..., Result]


@pytest.fixture
def night(prefect_api: None, site: Site, tmp_path: Path) -> Night:
    sources = registry(tmp_path, site)

    def run(*words: object) -> Result:
        return gongkai("run", "--sources", sources, "--home", tmp_path / "home", *words)

    return run


def test_a_night_on_a_faulty_site(night: Night, site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    result = night()
    assert result.exit_code == 3, result.output
    problems = {(p, y, k) for p, y, k in query(home, "SELECT publisher_id, year, kind FROM problem WHERE is_open")}
    assert problems == {
        ("b-office", 2016, "empty_document"),
        ("b-office", 2017, "broken_document"),
        ("b-office", 2018, "encrypted"),
        ("b-office", 2020, "wrong_media"),
        ("b-office", 2021, "http_error"),
        ("b-office", 2022, "http_error"),
        ("c-office", None, "empty_index"),
    }
    messages = dict(query(home, "SELECT url, message FROM problem WHERE kind = 'http_error'"))
    assert "404" in messages[site.url("/gone.html")]
    assert "500" in messages[site.url("/broken.html")]
    loaded = query(home, "SELECT publisher_id, year, format, figures FROM report ORDER BY ALL")
    assert loaded == [("a-office", 2020, 2019, 198), ("a-office", 2021, 2021, 200), ("b-office", 2020, 2019, 198)]
    assert_figures(home, "a-office", 2021, 2021, seed=2)
    assert_figures(home, "b-office", 2020, 2019, seed=3)
    states = dict(query(home, "SELECT year, state FROM coverage WHERE publisher_id = 'b-office'"))
    assert states[2017] == "unreadable"
    assert states[2021] == "unreachable"
    assert site.most_busy == 1

    again(night, site, home)


def assert_figures(home: Path, publisher: str, year: int, form: int, seed: int) -> None:
    _, truth = full(form, seed)
    rows = query(home, f"SELECT indicator, applicant, value FROM panel WHERE publisher_id = '{publisher}' AND year = {year}")
    assert {(i, a): v for i, a, v in rows} == truth


def again(night: Night, site: Site, home: Path) -> None:
    """A second night with nothing new asks conditionally only, reads nothing and publishes nothing."""
    published = home / "warehouse" / "gongkai.duckdb"
    before, stamp = published.read_bytes(), published.stat().st_mtime_ns
    asked = len(site.log)
    result = night()
    more = [a for a in site.log[asked:] if a.path != "/robots.txt"]
    assert {a.path for a in more} >= {"/a/", "/b/", "/c/"}
    assert all(a.conditional for a in more if a.status not in (404, 500))
    assert {a.path for a in more if not a.conditional} <= {"/gone.html", "/broken.html"}
    assert "nothing_new: 0 documents parsed" in result.output
    assert (published.read_bytes(), published.stat().st_mtime_ns) == (before, stamp)


def test_refetch_asks_every_address_conditionally(night: Night, site: Site) -> None:
    night("--source", "a-office")
    asked = len(site.log)
    result = night("--source", "a-office", "--refetch")
    assert result.exit_code == 0, result.output
    more = [a for a in site.log[asked:] if a.path != "/robots.txt"]
    assert {a.path for a in more} == {"/a/", "/a/2020.html", "/a/2021.html"}
    assert all(a.conditional and a.status == 304 for a in more)


def test_a_changed_report_is_a_new_version_and_the_old_one_stays(night: Night, site: Site, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert night("--source", "a-office").exit_code == 0
    site.pages["/a/2020.html"] = Page(report(PUBLISHERS["a-office"], 2020, 7), etag=True)
    result = night("--source", "a-office", "--refetch")
    assert result.exit_code == 0, result.output
    versions = query(home, "SELECT version, is_current FROM report WHERE year = 2020 ORDER BY version")
    assert versions == [(1, False), (2, True)]
    assert_figures(home, "a-office", 2020, 2019, seed=7)
    assert query(home, "SELECT count(*) FROM observation JOIN report USING (report_id) WHERE year = 2020") == [(396,)]


def test_reparse_reads_the_archive_again_without_one_request(night: Night, site: Site, tmp_path: Path) -> None:
    night("--source", "a-office")
    before = query(tmp_path / "home", "SELECT * EXCLUDE (bbox, report_no) FROM observation ORDER BY ALL")
    asked = len(site.log)
    result = night("--source", "a-office", "--reparse")
    assert result.exit_code == 0, result.output
    assert len(site.log) == asked
    assert "2 documents parsed" in result.output
    assert query(tmp_path / "home", "SELECT * EXCLUDE (bbox, report_no) FROM observation ORDER BY ALL") == before


def test_source_and_year_narrow_a_run(night: Night, site: Site, tmp_path: Path) -> None:
    result = night("--source", "a-office", "--year", 2021)
    assert result.exit_code == 0, result.output
    assert {a.path for a in site.asked()} == {"/a/", "/a/2021.html"}
    assert query(tmp_path / "home", "SELECT publisher_id, year FROM report") == [("a-office", 2021)]


def test_a_red_gate_leaves_yesterdays_file(night: Night, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    night("--source", "a-office")
    before = (home / "warehouse" / "gongkai.duckdb").read_bytes()
    site.pages["/a/2020.html"] = Page(report(PUBLISHERS["a-office"], 2020, 7), etag=True)

    from warehouse import publish
    from warehouse.gate import GateError

    def red(*_: object) -> None:  # in the place of every gate
        raise GateError("test", "red on purpose")

    monkeypatch.setattr(publish, "check", red)
    result = night("--source", "a-office", "--refetch")
    assert result.exit_code == 1
    assert "red on purpose" in result.output
    assert (home / "warehouse" / "gongkai.duckdb").read_bytes() == before
    monkeypatch.undo()
    assert night("--source", "a-office").exit_code == 0, "the next run completes the work"
    assert_figures(home, "a-office", 2020, 2019, seed=7)


def test_bad_configuration_stops_before_the_first_request(site: Site, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text(f'- id: a\n  publisher: 甲区\n  district: "999999"\n  indx: ["{site.url("/a/")}"]\n', "utf-8")
    result = gongkai("run", "--sources", bad, "--home", tmp_path / "home")
    assert result.exit_code == 2
    assert "bad.yml" in result.output
    assert "999999" in result.output
    assert "indx" in result.output
    assert not site.log
    good = registry(tmp_path, site)
    assert gongkai("run", "--sources", good, "--source", "nobody", "--home", tmp_path / "home").exit_code == 2
    assert gongkai("run", "--sources", good, "--refetch", "--reparse", "--home", tmp_path / "home").exit_code == 2
    assert gongkai("run", "--home", tmp_path / "home").exit_code == 2
    assert not site.log


def test_a_killed_run_loses_nothing_and_the_next_one_completes_it(prefect_api: None, site: Site, tmp_path: Path) -> None:
    home, sources = tmp_path / "home", registry(tmp_path, site)
    site.pages["/a/2021.html"] = Page(report(PUBLISHERS["a-office"], 2021, 2), wait=20)
    command = [sys.executable, "-m", "flows.cli", "run", "--sources", str(sources), "--home", str(home), "--source", "a-office"]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONUNBUFFERED": "1"}, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not site.asked("/a/2021.html") and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert site.asked("/a/2021.html"), "the run never came to the report it was to be killed at"
    site.pages["/a/2021.html"] = Page(report(PUBLISHERS["a-office"], 2021, 2), etag=True)
    asked = len(site.log)
    with Ledger(home / "state" / "ledger.sqlite") as ledger:
        had = {r["url"] for r in ledger.rows("document") if r["sha256"]}
    assert site.url("/a/") in had
    result = gongkai("run", "--sources", sources, "--home", home, "--source", "a-office")
    assert result.exit_code == 0, result.output
    assert all(a.conditional for a in site.log[asked:] if site.url(a.path) in had), "what was fetched is not fetched again"
    assert query(home, "SELECT year FROM report ORDER BY year") == [(2020,), (2021,)]
    assert_figures(home, "a-office", 2020, 2019, seed=1)
    assert sorted(r[0] for r in json_rows(home, "SELECT status FROM run")) == ["failed", "published"]


def json_rows(home: Path, sql: str) -> list[tuple]:
    result = gongkai("sql", sql, "--format", "json", "--home", home)
    assert result.exit_code == 0, result.output
    return [tuple(row.values()) for row in json.loads(result.output)]


def test_two_runs_at_once_are_refused(site: Site, tmp_path: Path) -> None:
    from extract.home import Home
    from flows.pipeline import exclusive

    home = tmp_path / "home"
    with exclusive(Home(home)):
        result = gongkai("run", "--sources", registry(tmp_path, site), "--home", home)
    assert result.exit_code == 1
    assert "another run" in result.output
    assert not site.log


def test_a_home_that_is_no_warehouse_fails_clearly(night: Night, tmp_path: Path) -> None:
    file = tmp_path / "home" / "warehouse" / "gongkai.duckdb"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a database")
    result = night("--source", "a-office")
    assert result.exit_code == 1
    assert file.read_bytes() == b"not a database"
    shutil.rmtree(tmp_path / "home" / "warehouse")
    assert night("--source", "a-office").exit_code == 0
