"""`gongkai sources`: check a registry, and propose entries for it."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Column, Table

from flows.registry import KINDS, Source
from flows.registry_rules import check_registry, forbidden_address
from flows.settings import Settings
from warehouse.districts import codes, read_districts

app = typer.Typer(no_args_is_help=True, help="The registry: which bodies publish where.")
out = Console()
err = Console(stderr=True)


class KindOption(StrEnum):
    """What a body is."""

    government = "government"
    office = "office"
    department = "department"
    township = "township"
    other = "other"


def stop(message: str, code: int) -> NoReturn:
    """Say why on standard error and end with `code`."""
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def shipped() -> Path:
    """The registry that ships with the project."""
    return Path(str(files("sources")))


@app.command(epilog="Example: gongkai sources check sources")
def check(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="A YAML file or a folder of them; else the registry shipped.")
    ] = None,
) -> None:
    """Check a registry: form, codes, hosts, evidence, addresses that stand twice. Ends with status 2 where there is a fault."""
    sources, faults = check_registry(path or shipped(), codes())
    if faults:
        stop("\n".join([f"{len(faults)} fault{'s' if len(faults) > 1 else ''}", *map(str, faults)]), 2)
    out.print(counts(sources))
    crawled = sum(bool(source.crawled) for source in sources)
    out.print(f"{len(sources)} publishers, {sum(len(set(s.urls())) for s in sources)} addresses; crawled from here: {crawled}")


def counts(sources: list[Source]) -> Table:
    """Publishers per province and kind."""
    provinces = {d.district_code[:2]: d for d in read_districts() if d.level == "province"}
    cells = Counter((source.district[:2], source.kind) for source in sources)
    table = Table("", Column("province", no_wrap=True), *KINDS, "all", box=None)
    for code in sorted({province for province, _ in cells}):
        row = [cells[code, kind] for kind in KINDS]
        table.add_row(code, provinces[code].name, *(str(n or "") for n in row), str(sum(row)))
    totals = [sum(n for (_, of), n in cells.items() if of == kind) for kind in KINDS]
    table.add_row("", "all", *(str(n or "") for n in totals), str(len(sources)), style="bold")
    return table


@app.command(epilog="Example: gongkai sources add http://www.lucheng.gov.cn/col/col1229610/index.html --out my-sources/33-zhejiang.yml")
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="A page that lists reports.")],
    publisher: Annotated[
        str | None, typer.Option("--publisher", metavar="NAME", help="Whose reports; else read from their titles.")
    ] = None,
    district: Annotated[
        str | None, typer.Option("--district", metavar="CODE", help="GB/T 2260 code; else from the names on the page.")
    ] = None,
    kind: Annotated[KindOption | None, typer.Option("--kind", help="What the body is; else from its name.")] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Append the entry to this file; else it is only printed.")
    ] = None,
) -> None:
    """Propose an entry from a live index page, fetched as a run fetches it. Ends with status 1 where the page lists no report."""
    from extract.crawl.job import CrawlError
    from flows.propose import ProposalError, propose

    if reason := forbidden_address(url):
        stop(f"{url}: {reason}", 2)
    try:
        text = propose(url, Settings(), publisher, district, kind.value if kind else None).yaml()
    except ProposalError as error:
        lines = [f"  --district {d.district_code}  {full_name(d.district_code)}" for d in error.candidates]
        stop("\n".join([str(error), *lines]), 2 if lines else 1)
    except ValidationError as error:
        stop(f"settings: {error}", 2)
    except (CrawlError, OSError, sqlite3.Error) as error:
        stop(str(error), 1)
    print(text, end="")
    if out_file is not None:
        append(out_file, text)


def full_name(code: str) -> str:
    """河北省石家庄市桥西区."""
    known = {d.district_code: d for d in read_districts()}
    parents = dict.fromkeys((known[code].province_code, known[code].prefecture_code, code))
    return "".join(known[parent].name for parent in parents if parent)


def append(path: Path, text: str) -> None:
    """Append an entry to a registry file, where the file is right with it; ends with status 2, and leaves the file alone, where not."""
    before = path.read_text("utf-8-sig") if path.exists() else ""
    after = f"{before.rstrip()}\n\n{text}" if before.strip() else text
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / path.name
        trial.write_text(after, "utf-8")
        _, faults = check_registry(trial, codes())
    if faults:
        stop("\n".join([f"not written to {path}:", *(f"{fault.entry}: {fault.message}" for fault in faults)]), 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(after, "utf-8")
