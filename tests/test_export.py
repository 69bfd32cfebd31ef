"""A release: complete, described, checksummed, the same bytes twice, and whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import json
import resource
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet
import pytest
import yaml
from frictionless import Package, system
from typer.testing import CliRunner
from warehouse_world import World, loaded, observation, sha

from flows.cli import app
from warehouse import codebook
from warehouse.export import CHECKSUMS, MANIFEST, ExportError, export
from warehouse.export_wide import STATA_NAME, stata_names
from warehouse.query import WarehouseMissing

A, B, C = "http://127.0.0.1/a.html", "http://127.0.0.1/b.html", "http://127.0.0.1/c.html"
RUNNABLE = ["=1+1", "+86", "-", "@x", "\tx", "＝cmd", "'=x", "x=1", "'x"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("world"))
    world.seen(A, "a")
    world.seen(B, "b", year=2022)
    world.crawled()
    first = loaded("a", A)
    report_id = first["report"][0]["report_id"]
    indicators = ("granted", "partially_granted", "denied_process", "unavailable_unclear", "other_other", "denied_third_party")
    first["observation"] += [
        observation(report_id, name, text, 10 + n, "unreadable") for n, (name, text) in enumerate(zip(indicators, RUNNABLE, strict=False))
    ]
    first["observation"].append(observation(report_id, "administrative_fee_amount", "43.788", 30, section="proactive"))
    first["narrative"] += [{"report_id": report_id, "section_no": 2 + n, "heading": None, "text": text} for n, text in enumerate(RUNNABLE)]
    world.publish(world.part("p1", first, loaded("b", B, 2022)))
    return world


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    return World.copy(template, tmp_path / "world")


@pytest.fixture(scope="module")
def release(template: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(template.published, tmp_path_factory.mktemp("out") / "release").path


def rows_of(release: Path, name: str) -> list[dict[str, str]]:
    with (release / "csv" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_public_relation_is_there_as_parquet_and_csv_with_the_same_rows(release: Path, template: World) -> None:
    public = {r.name for r in codebook.relations() if not r.is_internal and not r.release and r.parameters is None}
    held = {name for (name,) in template.ask("SELECT table_name FROM duckdb_columns() WHERE NOT internal")}
    wanted = (public & held) | {"changes", "wide_requests", "wide_proactive"}
    for kind in ("csv", "parquet"):
        assert {path.stem for path in (release / kind).iterdir()} == wanted
    for name in sorted(public & held):
        ((count,),) = template.ask(f"SELECT count(*) FROM {name}")
        assert len(rows_of(release, name)) == count
        assert pyarrow.parquet.read_metadata(release / "parquet" / f"{name}.parquet").num_rows == count


def test_the_data_package_validates(release: Path) -> None:
    with system.use_context(trusted=True):
        report = Package(str(release / "datapackage.json")).validate()
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "type", "note"])[:5]
    assert report.stats["tasks"] > 20


def test_a_damaged_file_does_not_validate(release: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    panel = copy / "csv" / "panel.csv"
    panel.write_text(panel.read_text("utf-8").replace(",58.0000,", ",fifty-eight,"), "utf-8")
    with system.use_context(trusted=True):
        assert not Package(str(copy / "datapackage.json")).validate().valid


def test_the_data_package_says_what_the_codebook_says(release: Path) -> None:
    package = json.loads((release / "datapackage.json").read_text("utf-8"))
    found = {r["name"]: {f["name"]: f for f in r["schema"]["fields"]} for r in package["resources"]}
    for relation in codebook.relations():
        if relation.name not in found:
            continue
        columns = {name: entry for name, entry in relation.columns.items() if not entry.internal}
        assert set(found[relation.name]) == set(columns), relation.name
        for name, entry in columns.items():
            field = found[relation.name][name]
            assert (field.get("title"), field.get("description", ""), field.get("unit")) == (entry.zh, entry.description, entry.unit)
    assert found["panel"]["value"]["type"] == "number"
    assert found["report"]["fetched_at"]["type"] == "datetime"


def test_parquet_says_what_its_columns_mean(release: Path) -> None:
    texts = pyarrow.parquet.read_metadata(release / "parquet" / "panel.parquet").metadata
    columns = json.loads(texts[b"columns"])
    relation = next(r for r in codebook.relations() if r.name == "panel")
    assert {name: told["label_zh"] for name, told in columns.items()} == {name: e.zh for name, e in relation.columns.items()}
    assert columns["value"]["description"] == relation.columns["value"].description


def test_checksums_are_of_every_file(release: Path) -> None:
    lines = dict(reversed(line.split("  ", 1)) for line in (release / CHECKSUMS).read_text("utf-8").splitlines())
    files = {str(p.relative_to(release)): p for p in release.rglob("*") if p.is_file() and p.name != CHECKSUMS}
    assert set(lines) == set(files)
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == lines[name] for name, path in files.items())


def test_the_same_warehouse_gives_the_same_bytes(release: Path, template: World, tmp_path: Path) -> None:
    again = export(template.published, tmp_path / "again").path
    assert (again / CHECKSUMS).read_bytes() == (release / CHECKSUMS).read_bytes()


def test_text_that_a_spreadsheet_would_run_is_quoted_and_can_be_had_again(release: Path) -> None:
    texts = [row["text"] for row in rows_of(release, "narrative") if int(row["section_no"]) > 1]
    assert sorted(texts) == sorted(["'=1+1", "'+86", "'-", "'@x", "'\tx", "'＝cmd", "''=x", "x=1", "'x"])
    held = duckdb.sql(f"SELECT text FROM '{release}/parquet/narrative.parquet' WHERE section_no > 1").fetchall()
    assert sorted(text for (text,) in held) == sorted(RUNNABLE)


def test_no_text_cell_of_any_csv_runs(release: Path) -> None:
    package = json.loads((release / "datapackage.json").read_text("utf-8"))
    checked = 0
    for told in package["resources"]:
        names = [f["name"] for f in told["schema"]["fields"] if f["type"] == "string"]
        for row in rows_of(release, told["name"]):
            checked += len(names)
            assert not [row[name] for name in names if row[name].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    assert checked > 1000


def test_numbers_are_not_quoted(world: World, tmp_path: Path) -> None:
    world.run("r2")
    changed = loaded("c", C, 2020)
    report_id = changed["report"][0]["report_id"]
    changed["observation"].append(observation(report_id, "administrative_license_items_change", "-4", 40, section="proactive"))
    world.seen(C, "c", year=2020)
    world.publish(world.part("p2", changed), run_id="r2")
    found = rows_of(export(world.published, tmp_path / "r").path, "observation")
    (row,) = [r for r in found if r["indicator"] == "administrative_license_items_change"]
    assert (row["value"], row["raw_text"]) == ("-4.0000", "'-4")


def test_wide_has_one_row_a_report_and_an_empty_cell_is_no_zero(release: Path) -> None:
    rows = {row["year"]: row for row in rows_of(release, "wide_requests")}
    assert set(rows) == {"2021", "2022"}
    assert (rows["2021"]["new_received__total"], rows["2021"]["granted__total"], rows["2021"]["new_received__business"]) == (
        "58.0000",
        "",
        "",
    )
    (money,) = rows_of(release, "wide_proactive")
    assert (money["administrative_fee_amount"], money["administrative_fee_amount__unit"]) == ("43.7880", "unknown")


def test_spreadsheets_have_chinese_heads_that_are_all_different(release: Path) -> None:
    raw = (release / "spreadsheet" / "wide_requests_zh.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    heads = next(csv.reader(raw.decode("utf-8-sig").splitlines()))
    assert len(set(heads)) == len(heads)
    assert {"报告年度", "行政区划名称"} <= set(heads)
    assert any("自然人" in head for head in heads)


def test_stata_has_the_values_and_a_label_for_every_variable(release: Path) -> None:
    with pd.io.stata.StataReader(release / "stata" / "wide_requests.dta") as reader:
        labels, frame = reader.variable_labels(), reader.read()
    assert all(labels.values())
    assert all(len(name) <= STATA_NAME for name in frame.columns)
    assert dict(zip(frame["year"], frame["new_received__total"], strict=True)) == {2021: 58.0, 2022: 58.0}
    assert frame["district"].tolist() == ["鹿城区", "鹿城区"]
    script = (release / "stata" / "wide_requests_zh.do").read_text("utf-8").splitlines()
    assert len(script) == len(frame.columns)


def test_stata_names_of_every_figure_differ(template: World) -> None:
    names = [f"{i}__{a}" for (i,) in template.ask("SELECT indicator FROM indicator") for a in codebook.enums()["applicant_enum"]]
    short = stata_names(names)
    assert len(set(short.values())) == len(names)
    assert max(map(len, short.values())) <= STATA_NAME


def test_citation_has_what_the_format_demands(release: Path) -> None:
    citation = yaml.safe_load((release / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert citation["type"] == "dataset"
    assert isinstance(citation["version"], str)
    assert all("name" in author for author in citation["authors"])


# --- changes


def changes(release: Path) -> dict[tuple[str, str], str]:
    return {(row["year"], row["indicator"]): row["change"] for row in rows_of(release, "changes")}


def test_a_first_release_has_no_change(release: Path) -> None:
    assert rows_of(release, "changes") == []


def test_changes_tell_the_source_from_our_reading(world: World, release: Path, tmp_path: Path) -> None:
    """2021: the same document, one figure read better. 2022: another document, one figure less. 2020: new."""
    world.run("r2")
    world.seen(A, "a")
    world.seen(B, "b2", "r2", year=2022)
    world.seen(C, "c", "r2", year=2020)
    world.crawled("r2")
    first = loaded("a", A)
    first["observation"] += [observation(first["report"][0]["report_id"], "granted", "35", 10)]
    other = {"new_received": "59", "carried_in": "2", "processed_total": "56"}
    parts = [first, loaded("b2", B, 2022, figures=other, fetched_at="2026-11-22T18:00:00Z"), loaded("c", C, 2020)]
    world.publish(world.part("p2", *parts), run_id="r2")
    made = export(world.published, tmp_path / "r", since=release / MANIFEST)
    found = changes(made.path)
    assert found["2021", "granted"] == "reading_changed"
    assert ("2021", "new_received") not in found
    assert found["2021", "denied_process"] == "reading_changed"  # was unreadable, is no longer read
    assert {k: v for k, v in found.items() if k[0] == "2022"} == {
        ("2022", name): "source_changed" for name in ("new_received", "processed_total", "carried_out")
    }
    assert {v for k, v in found.items() if k[0] == "2020"} == {"new"}
    assert sum(made.changes.values()) == len(rows_of(made.path, "changes"))
    (row,) = [r for r in rows_of(made.path, "changes") if (r["year"], r["indicator"]) == ("2022", "new_received")]
    assert (row["old_value"], row["new_value"]) == ("58.0000", "59.0000")


def test_what_is_gone_is_removed(world: World, release: Path, tmp_path: Path) -> None:
    """The earlier release has a publisher that the present warehouse does not know."""
    import shutil

    earlier = Path(shutil.copytree(release, tmp_path / "earlier"))
    for name in ("panel", "report"):
        path = earlier / "parquet" / f"{name}.parquet"
        table = (
            pd.read_parquet(path).assign(publisher_id="ouhai", document_sha256=sha("gone")) if name == "report" else pd.read_parquet(path)
        )
        (table if name == "report" else table.assign(publisher_id="ouhai")).to_parquet(path)
    made = export(world.published, tmp_path / "r", since=earlier)
    assert set(made.changes) == {"removed", "new"}


def test_a_folder_that_is_no_release_is_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no release there"):
        export(world.published, tmp_path / "r", since=tmp_path)


# --- as of


def test_as_of_a_date_the_reports_stand_as_they_did(world: World, tmp_path: Path) -> None:
    world.run("r2")
    world.seen(A, "a2", "r2")
    world.crawled("r2")
    world.publish(world.part("p2", loaded("a2", A, figures={"new_received": "60"}, fetched_at="2026-11-22T18:00:00Z")), run_id="r2")
    from datetime import datetime

    old = export(world.published, tmp_path / "old", as_of=datetime(2026, 11, 21)).path
    now = export(world.published, tmp_path / "now").path
    figure = {
        name: [r["value"] for r in rows_of(folder, "panel") if (r["year"], r["indicator"]) == ("2021", "new_received")]
        for name, folder in (("old", old), ("now", now))
    }
    assert figure == {"old": ["58.0000"], "now": ["60.0000"]}
    assert [r["is_current"] for r in rows_of(old, "report") if r["year"] == "2021"] == ["true"]
    assert not (old / "csv" / "coverage.csv").exists()
    assert json.loads((old / MANIFEST).read_text("utf-8"))["as_of"] == "2026-11-21 00:00:00"


# --- whole or not at all


def test_a_release_is_replaced_and_a_foreign_folder_is_refused(world: World, tmp_path: Path) -> None:
    target = tmp_path / "r"
    export(world.published, target)
    (target / "notes.txt").write_text("mine")
    with pytest.raises(ExportError, match=r"notes\.txt"):
        export(world.published, target)
    (target / "notes.txt").unlink()
    (target / "csv" / "panel.csv").write_text("damaged")
    export(world.published, target)
    assert "damaged" not in (target / "csv" / "panel.csv").read_text("utf-8")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.docx").write_text("mine")
    with pytest.raises(ExportError, match="not empty"):
        export(world.published, foreign)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["foreign", "r", "world"]
    assert [p.name for p in foreign.iterdir()] == ["thesis.docx"]


@pytest.mark.parametrize("limit", [20_000, 60_000])
def test_a_full_disk_leaves_nothing(world: World, tmp_path: Path, limit: int) -> None:
    """RLIMIT_FSIZE refuses writes as a full disk does, in DuckDB and in Python."""
    target = tmp_path / "out" / "r"
    target.parent.mkdir()
    code = "import sys; from flows.cli import main; main()"
    home = tmp_path / "home"
    (home / "warehouse").mkdir(parents=True)
    (home / "warehouse" / "gongkai.duckdb").write_bytes(world.published.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", code, "export", str(target), "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 1, done.stderr
    assert "nothing was exported" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(target.parent.iterdir()) == []


def test_a_place_that_can_not_be_written_is_said(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExportError, match="nothing was exported"):
        export(world.published, tmp_path / "file" / "r")


def test_without_a_warehouse(tmp_path: Path) -> None:
    with pytest.raises(WarehouseMissing):
        export(tmp_path / "none.duckdb", tmp_path / "r")


# --- the command


def test_the_command(world: World, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "warehouse").mkdir(parents=True)
    (home / "warehouse" / "gongkai.duckdb").write_bytes(world.published.read_bytes())
    run = CliRunner().invoke(app, ["export", str(tmp_path / "r"), "--home", str(home)])
    assert run.exit_code == 0, run.output
    assert "panel" in run.output
    assert rows_of(tmp_path / "r", "panel")[0]["value"] != ""
    refused = CliRunner().invoke(app, ["export", str(tmp_path / "r2"), "--home", str(home), "--as-of", "yesterday"])
    assert refused.exit_code == 2
    assert CliRunner().invoke(app, ["export", str(tmp_path / "r3"), "--home", str(tmp_path / "none")]).exit_code == 1
    assert Decimal(rows_of(tmp_path / "r", "wide_requests")[0]["new_received__total"]) == 58
