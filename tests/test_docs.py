"""Every SQL block, console command and Python block of README and docs runs on the demo, and prints what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import nbformat
import pytest
from docs_blocks import BIN, ROOT, Block, blocks, environment, make_demo, pages, result, run
from nbclient import NotebookClient

from sources.sample import server

SQL = [b for page in pages() for b in blocks(page, "sql")]
CONSOLE = [b for page in pages() for b in blocks(page, "console") if b.commands()]
RUN: dict[str, subprocess.CompletedProcess[str]] = {}
PYTHON = [b for page in pages() for b in blocks(page, "python")]


def name(block: Block) -> str:
    return block.name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which `data/` is the demo's home, with what the examples name beside it, while the portal is served."""
    place = tmp_path_factory.mktemp("docs")
    make_demo(place)
    (place / "sources").symlink_to(ROOT / "sources")
    (place / "report.pdf").write_bytes(next((ROOT / "sources/sample/portal").rglob("*44023.pdf")).read_bytes())
    with server.serve():
        yield place


@pytest.fixture(scope="module")
def con(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(folder / "data/warehouse/gongkai.duckdb", read_only=True) as found:
        yield found


def test_the_pages_hold_what_they_promise() -> None:
    cookbook = [b for b in SQL if b.page.name == "cookbook.md"]
    assert len(cookbook) >= 25
    assert all(b.table for b in cookbook), "a question without its result"
    assert {b.kind for page in pages() for b in blocks(page)} <= {"sql", "console", "python", "r", "yaml", "text", "bibtex"}


@pytest.mark.parametrize("block", SQL, ids=name)
def test_sql(con: duckdb.DuckDBPyConnection, block: Block) -> None:
    if block.reason is None:
        found = result(con, block.text)
        assert found == block.table or not block.table, f"{block.name}: run `make docs`"
        assert found.count("\n") > 3, f"{block.name} gives no row"


@pytest.mark.parametrize("block", CONSOLE, ids=name)
def test_commands(folder: Path, block: Block) -> None:
    """A command that several pages show is run once."""
    if block.reason is None:
        for command in block.commands():
            done = RUN.get(command) or run(command, folder)
            RUN[command] = done
            # 3: the run was published, and the sample portal's broken PDF is a problem of it
            assert done.returncode in (0, 3), f"{command}\n{done.stdout}\n{done.stderr}"
            assert "gongkai ingest" in command or "gongkai run" in command or done.returncode == 0


@pytest.mark.parametrize("block", PYTHON, ids=name)
def test_python(folder: Path, block: Block) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block.text], cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_r_blocks_ask_what_the_python_blocks_ask(con: duckdb.DuckDBPyConnection) -> None:
    """R is not on the machine; its statement is run all the same."""
    for block in (b for page in pages() for b in blocks(page, "r")):
        sql = block.text.split('dbGetQuery(con, "')[1].split('")')[0]
        assert con.execute(sql).fetchall()


def test_the_site_is_built_without_a_warning_and_asks_no_other_host(tmp_path: Path) -> None:
    config = ROOT / "docs/site/mkdocs.yml"
    done = subprocess.run(
        [BIN / "mkdocs", "build", "--quiet", "--config-file", config, "--site-dir", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    built = sorted(tmp_path.glob("*.html"))
    assert {p.stem for p in built} >= {"index", "start", "cookbook", "dictionary", "method", "cite", "extend"}
    for page in built:
        text = page.read_text("utf-8")
        assert 'src="http' not in text and '<link rel="stylesheet" href="http' not in text, page.name


def test_the_notebook_runs_and_every_plot_states_its_n_and_filter(folder: Path) -> None:
    notebook = nbformat.read(ROOT / "docs/compare.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "committed without outputs"
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [o["data"] for cell in notebook.cells for o in cell.get("outputs", []) if o["output_type"] == "execute_result"]
    plots = [data["image/svg+xml"] for data in outputs if "image/svg+xml" in data]
    assert len(plots) == 3
    for plot in plots:
        stated = re.search(r">n = (\d+) of (\d+); [^<]*scope = 'own'", plot)
        assert stated, "no n, no filter"
        marks = Counter(re.findall(r'aria-roledescription="(point|bar)"', plot))
        assert max(marks.values()) == int(stated[1]) > 5
