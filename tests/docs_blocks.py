"""Runs what the README and the docs show: SQL blocks, console blocks and Python blocks, on the demo's warehouse.

`python -m docs_blocks --write` puts the results of the SQL blocks into the pages again (`make docs`); tests/test_docs.py holds them equal.
A SQL block is followed by its result as a Markdown table. A console block's lines that begin with `$ ` are run in a shell, in a folder
in which `data/` is the demo's home. `<!-- not run here: REASON -->` before a block says why a block can't be run.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
_BLOCK = re.compile(
    r"^(?P<note><!-- not run here: (?P<reason>.+?) -->\n)?```(?P<kind>\w+)[^\n]*\n(?P<text>.*?)^```\n(?P<table>(?:\n(?:\|[^\n]*\n)+)?)",
    re.M | re.S,
)
#: What a command in the docs may not do in a test: the suite itself, and what never ends.
_ALREADY_RUN = {"make demo", "make test", "make bench", "make accuracy", "make lock", "make docs"}


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page. `table` is the Markdown table that follows it, `reason` why it is not run."""

    page: Path
    line: int
    kind: str
    text: str
    table: str
    span: tuple[int, int]
    reason: str | None

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> list[str]:
        """The commands of a console block, without prompt and trailing comment."""
        lines = [line[2:].split("  #")[0].strip() for line in self.text.splitlines() if line.startswith("$ ")]
        return [line for line in lines if line not in _ALREADY_RUN]


def pages() -> list[Path]:
    """README and every page of the docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, kind: str | None = None) -> list[Block]:
    """The fenced blocks of a page, of one kind or all."""
    text = page.read_text("utf-8")
    found = [
        Block(page, text.count("\n", 0, m.start()) + 1, m["kind"], m["text"], m["table"], m.span("table"), m["reason"])
        for m in _BLOCK.finditer(text)
    ]
    return [b for b in found if kind in (None, b.kind)]


def result(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """A statement's rows as a Markdown table."""
    found = con.execute(sql)
    names = [d[0] for d in found.description]
    rows = [[_shown(value) for value in row] for row in found.fetchall()]
    right = ["-:" if rows and all(re.fullmatch(r"-?[\d.,]+|", row[i]) for row in rows) else "-" for i in range(len(names))]
    lines = [names, right, *rows]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return str(value).replace("|", "\\|").replace("\n", " ")


def write(con: duckdb.DuckDBPyConnection, page: Path) -> int:
    """Put the results of a page's SQL blocks after them; the number of tables that changed."""
    text, changed = page.read_text("utf-8"), 0
    for block in reversed(blocks(page, "sql")):
        if block.reason is None:
            table = result(con, block.text)
            changed += table != block.table
            text = text[: block.span[0]] + table + text[block.span[1] :]
    page.write_text(text, "utf-8")
    return changed


def environment(folder: Path) -> dict[str, str]:
    """The environment of a command in the docs: this project's programs first on the path, its Prefect quiet."""
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder), "COLUMNS": "120"}


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one command of a console block in a folder."""
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=240, check=False
    )


def make_demo(folder: Path) -> Path:
    """A home filled by `gongkai demo`: the `data/` of every example. Raises CalledProcessError."""
    subprocess.run([BIN / "gongkai", "demo"], cwd=folder, env=environment(folder), check=True, capture_output=True, timeout=240)
    return folder / "data"


def documented() -> Iterator[Path]:
    """Pages with SQL blocks."""
    return (page for page in pages() if blocks(page, "sql"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the results into the pages."""
    parser = argparse.ArgumentParser(description="Run the SQL blocks of README and docs on the demo and write their results.")
    parser.add_argument("--home", type=Path, help="a home that `gongkai demo` filled; else one is made")
    parser.add_argument("--write", action="store_true", required=True)
    given = parser.parse_args(arguments)
    with ExitStack() as stack:
        home = given.home or make_demo(Path(stack.enter_context(TemporaryDirectory())))
        con = stack.enter_context(duckdb.connect(home / "warehouse" / "gongkai.duckdb", read_only=True))
        for page in documented():
            print(f"{page.relative_to(ROOT)}: {write(con, page)} results changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
