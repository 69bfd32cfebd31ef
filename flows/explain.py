"""`gongkai explain`: the story of a figure in the terminal, and the picture of its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extract.archive import Archive, ArchiveError, read_body
from extract.home import Home
from extract.ledger import ContentRow, Ledger
from extract.picture import PictureError, Place, draw
from extract.picture_table import FontMissingError
from flows.show import table
from transform.check import Equation, equations
from warehouse.query import connect
from warehouse.story import Row, Story, rows, story

_MARKS = {True: ("holds", "green"), False: ("FAILS", "red"), None: ("not assessable", "yellow")}


@dataclass(frozen=True, slots=True)
class Checked:
    """An identity that a figure takes part in, written out, and what came of it."""

    equation: Equation
    text: str
    result: Row


def explain(console: Console, home: Home, report_id: str, indicator: str, applicant: str | None, out: Path | None) -> None:
    """Print the story of a figure; with `out` write the picture of its page.

    Raises WarehouseMissing, QueryError, NoSuchFigure; with `out` also PictureError, FontMissingError, ArchiveError and OSError.
    """
    with connect(home.warehouse) as con:
        found = story(con, report_id, indicator, applicant)
        checked = checks_of(con, found)
    with Ledger(home.ledger) as ledger:
        content = ledger.content(found.report["url"], found.report["document_sha256"])
    tell(console, found, checked, content)
    if out is not None:
        out.write_bytes(picture(home, found, content))
        console.print(f"picture: {out}", markup=False, highlight=False)


def checks_of(con: duckdb.DuckDBPyConnection, found: Story) -> list[Checked]:
    """The hard identities in which the figure is an operand, with the figures they were evaluated on."""
    printed = rows(
        con, "SELECT section, format, indicator, applicant, value FROM observation WHERE report_id = ?", [found.report["report_id"]]
    )
    values = {(r["indicator"], r["applicant"]): r["value"] for r in printed}
    formats = {r["section"]: r["format"] for r in printed}
    results = {(r["check_id"], r["applicant"]): r for r in found.checks}
    key = (found.figure["indicator"], found.figure["applicant"])
    return [
        Checked(e, _written(e, values), results[e.check_id, e.applicant])
        for e in equations(values, formats)
        if key in e.keys and (e.check_id, e.applicant) in results
    ]


def _written(equation: Equation, values: dict[tuple[str, str | None], Any]) -> str:
    """`new_received 58 + carried_in 1 = processed_total 54 + carried_out 5`; by applicant where the applicants are added up."""
    by_applicant = len({indicator for indicator, _ in equation.keys}) == 1

    def side(keys: Sequence[tuple[str, str | None]]) -> str:
        return " + ".join(f"{(who if by_applicant else name) or name} {_number(values.get((name, who)))}" for name, who in keys)

    return f"{side(equation.left)} = {side(equation.right)}"


def _number(value: Any) -> str:
    return "?" if value is None else f"{value.normalize():f}"


def tell(console: Console, found: Story, checked: Sequence[Checked], content: ContentRow | None) -> None:
    """Print the story. `content` is the archive's record of the very bytes the report was read from."""
    figure, label = found.figure, found.indicator
    name = " / ".join(filter(None, (figure["indicator"], figure["applicant"])))
    shown = _number(figure["value"]) if figure["value"] is not None else f"no number ({figure['value_status']})"
    console.print(Text.assemble((shown, "bold"), f"  {name}  {label['label_zh']} ({label['label_en']})"))
    grid = Table(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for what, text in _facts(found, content):
        grid.add_row(what, Text(text))
    console.print(grid)
    console.print()
    _tell_checks(console, checked)
    _tell_rest(console, found)


def _facts(found: Story, content: ContentRow | None) -> list[tuple[str, str]]:
    figure, report, body, document, label = found.figure, found.report, found.publisher, found.document, found.indicator
    place = f"table {figure['table_no']}, row {figure['row_no']}, column {figure['col_no']}"
    page = f"page {figure['page']}, " if figure["page"] else ""
    kept = f"{content.archive_file} at byte {content.archive_offset}" if content else "the ledger does not know where they are"
    standing = "the current one" if report["is_current"] else "superseded"
    when = f"fetched {report['fetched_at']} UTC, published {report['published_on'] or 'on no stated date'}"
    facts = [
        ("meaning", label["definition"]),
        ("printed", f"{figure['raw_text']!r}, {figure['value_status']}, unit {figure['unit']}"),
        ("where", f"{page}{place}; read by {figure['method']}"),
        ("report", f"{report['report_id']}: {report['title'] or 'no title'}"),
        ("publisher", f"{body.get('name') or report['publisher_id']}, {body.get('district') or ''} {report['district_code']}"),
        (
            "year, scope",
            f"{report['year']} ({report['year_evidence']}); {report['scope']} ({report['scope_evidence'] or 'nothing says so'})",
        ),
        ("form", f"{figure['format']} ({found.indicator['section']}); {_comparability(found)}"),
        (
            "version",
            f"{report['version']}, {standing}; {when}",
        ),
        ("address", str(report["url"])),
        ("bytes", f"sha256 {report['document_sha256']}; {kept}"),
    ]
    if document.get("last_checked"):
        facts.append(("seen", f"first {document['first_seen']}, last {document['last_seen']}, checked {document['last_checked']} UTC"))
    return facts


def _comparability(found: Story) -> str:
    return "; ".join(str(found.indicator[k]) for k in ("series", "comparability") if found.indicator.get(k)) or "no series"


def _tell_checks(console: Console, checked: Sequence[Checked]) -> None:
    if not checked:
        console.print("checks: no accounting identity holds this figure\n")
        return
    console.print(Text("checks", style="bold"))
    for item in checked:
        word, style = _MARKS[item.result["passed"]]
        why = f" by {item.result['difference'].normalize():f}, cause {item.result['cause']}" if item.result["passed"] is False else ""
        who = f" {item.equation.applicant}" if item.equation.applicant else ""
        console.print(Text.assemble((f"{word}{why}", style), f"  {item.equation.check_id}{who}: {item.text}"))
    console.print()


def _tell_rest(console: Console, found: Story) -> None:
    if found.claims:
        claims = [(c["sentence"], c["value"], {True: "yes", False: "NO"}.get(c["agrees"], "can't tell")) for c in found.claims]
        table(console, "what the report's text says", ("sentence", "number", "agrees"), claims)
    if len(found.years) > 1:
        years = [(y["year"], y["value"], y["value_status"], y["raw_text"], y["format"]) for y in found.years]
        table(
            console, "the same figure over the years (current reports, same scope)", ("year", "value", "status", "printed", "form"), years
        )
    if found.twins:
        twins = [(t["version"], t["raw_text"], t["media"], str(t["fetched_at"]), t["url"]) for t in found.twins]
        table(console, "other versions and editions of this report", ("version", "printed", "media", "fetched", "address"), twins)
    if found.problems:
        problems = [(p["severity"], p["stage"], p["kind"], p["message"]) for p in found.problems]
        table(console, "problems of this document", ("severity", "stage", "kind", "message"), problems)


def picture(home: Home, found: Story, content: ContentRow | None) -> bytes:
    """A PNG of the page the figure was printed on, drawn from the archive. Raises PictureError, FontMissingError, ArchiveError."""
    figure, report = found.figure, found.report
    place = Place(
        figure["table_no"],
        figure["row_no"],
        figure["col_no"],
        figure["page"],
        tuple(figure["bbox"]) if figure["bbox"] else None,
        figure["raw_text"],
    )
    caption = (
        f"{found.publisher.get('name') or report['publisher_id']} {report['year']}: {found.indicator['label_zh']}",
        f"{report['url']} · {report['fetched_at']} UTC · sha256 {report['document_sha256'][:16]}",
    )
    if content is None:
        raise ArchiveError(f"the ledger knows no document {report['document_sha256'][:16]} of {report['url']}")
    data = read_body(Archive.of(home), content.archive_file, content.archive_offset)
    return draw(data, place, caption, _pictures(home, report))


def _pictures(home: Home, report: Row) -> list[bytes]:
    """The pictures of a web page whose tables are pictures, in the order the pipeline reads them in."""
    with Ledger(home.ledger) as ledger:
        found = ledger.candidates({report["publisher_id"]})
    mine = [c for c in found if c.media == "image" and c.parent_url == report["url"]]
    return [read_body(Archive.of(home), c.archive_file, c.archive_offset) for c in mine]


__all__ = ["FontMissingError", "PictureError", "explain"]
