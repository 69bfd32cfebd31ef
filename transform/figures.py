"""The figures of a document: every recognised cell read, doubted where there is reason to, and settled to one per figure."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files

from extract.grid import Cell, Document, Grid, Text
from extract.problem import Problem, Severity
from transform.check import Key
from transform.labels import compact
from transform.layout import Layout, Table
from transform.leftovers import Leftover, find_leftovers
from transform.match import Found, Match
from transform.numbers import Figure, Kind, read_figure
from transform.recognise import form_labels, match_grid
from transform.rivals import Place, named_rows, rivals

_MONEY = "10k_cny"
#: A figure recognised from a picture with less certainty than this is not taken, unless an identity proves it.
MIN_CERTAINTY = 0.9
#: Digits with white space between them: one number or two, only an identity can tell.
_SPLIT_DIGITS = re.compile(r"^\d[\d\s]*\d$")
_SPACES = re.compile(r"\s+")
#: The order in which sections name the form of the whole report.
SECTIONS = ("requests", "proactive", "litigation")
#: The statistical annex of 2014 to 2018, which came instead of these.
ANNEX = "legacy"


@dataclass(slots=True)
class Observed:
    """A figure of the form with the cell it was read from and its table, counted from 1.

    `doubt` says why the reading is not certain, with `rivals` what else may stand there; `transform.doubts` settles it. `confirmed`: a
    second reading saw the same.
    """

    section: str
    format: int
    found: Found
    figure: Figure
    table_no: int
    method: str
    doubt: str | None = None
    rivals: tuple[Figure, ...] = ()
    confirmed: bool = False
    key: Key = field(init=False)

    def __post_init__(self) -> None:
        self.key = self.found[:2]

    @property
    def place(self) -> str:
        """Where the figure stands, for messages."""
        return f"{'/'.join(k for k in self.key if k)}, table {self.table_no}, row {self.found.cell.row + 1}: {self.found.cell.text!r}"


@dataclass(slots=True)
class Figures:
    """What a document's tables say: observations, the form of each section, and what was in doubt."""

    observed: list[Observed] = field(default_factory=list)
    formats: dict[str, int] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=dict)  # sections whose table is the same in several forms
    problems: list[Problem] = field(default_factory=list)
    unmapped: list[Leftover] = field(default_factory=list)  # cells of recognised tables that no form explains
    unread: list[frozenset[str]] = field(default_factory=list)  # what tables name that could not be read

    @property
    def format(self) -> int | None:
        """The form of table three, else of the first section there is."""
        return next((self.formats[s] for s in (*SECTIONS, ANNEX) if s in self.formats), None)

    @property
    def recognised(self) -> bool:
        """Whether there is a table of a form, be it one without a figure that can be placed."""
        return bool(self.observed or self.unmapped)

    def problem(self, kind: str, message: str, severity: Severity = "failure") -> None:
        self.problems.append(Problem("transform", kind, message, severity=severity))


@cache
def _kinds() -> dict[str, tuple[str, Kind]]:
    """Unit of every indicator, and what may stand in its cell."""
    return {indicator: (unit, _kind(indicator, unit)) for indicator, unit in codebook().items()}


@cache
def codebook() -> dict[str, str]:
    """Unit of every indicator."""
    with (files("warehouse") / "seeds" / "indicators.csv").open("r", encoding="utf-8") as lines:
        return {row["indicator"]: row["unit"] for row in csv.DictReader(lines)}


def read_figures(document: Document, forms: Sequence[Layout], tables_before: int = 0) -> Figures:
    """Read the figures of every table of a document that a form explains.

    A figure that two readings see differently, that stands at a doubtful place, or that is no number is `unreadable`, with a
    problem. Cells of a recognised table that no form explains, rows and tables that are not there, and labels taken by similarity
    are problems too. Tables are numbered from 1, or from what follows `tables_before`.
    """
    work = Figures()
    for number, grid in enumerate(join_fragments(document).grids(), tables_before + 1):
        _observe(work, grid, number, forms)
    if work.recognised:
        _settle_formats(work)
        _settle_rivals(work)
        _settle_duplicates(work)
        _report_missing(work, forms)
        _report_unmapped(work, forms)
    return work


def join_fragments(document: Document) -> Document:
    """Tables of one width with nothing between them, where a medium has no pages, are one table cut in several."""
    blocks: list[Text | Grid] = []
    for block in document.blocks:
        last = blocks[-1] if blocks else None
        if isinstance(block, Grid) and isinstance(last, Grid) and _same_table(last, block):
            moved = [c.moved(rows=last.n_rows) for c in block.cells]
            blocks[-1] = Grid(last.cells + moved, last.n_rows + block.n_rows, last.n_cols, last.method)
        else:
            blocks.append(block)
    return replace(document, blocks=blocks)


def _same_table(above: Grid, below: Grid) -> bool:
    return above.n_cols == below.n_cols > 1 and above.col_edges is None and below.col_edges is None


def _observe(work: Figures, grid: Grid, number: int, forms: Sequence[Layout]) -> None:
    mended, sections = match_grid(grid, forms)
    if not sections:
        labels = form_labels(grid, forms)
        if len(labels) >= 3:
            work.problem("unmapped_cell", f"table {number} has labels of the form ({_some(labels)}) but could not be read")
            work.unread.append(named_rows(grid, forms))
        return
    for matches in sections:
        match = matches[0]
        _take_match(work, match, number, mended.method)
        if not match.found:
            work.unread.append(frozenset(match.table.indicators()))
        for variant in match.variants:
            work.problem("label_variant", f"table {number}: {variant}", "warning")
        (work.formats if len(matches) == 1 else work.shared).setdefault(match.table.section, match.format)
    work.unmapped += find_leftovers(mended, [matches[0] for matches in sections], number, mended.method)


def _report_unmapped(work: Figures, forms: Sequence[Layout]) -> None:
    """Rows and columns of their own beside a table that has all its figures are extras; anything else may be a misreading."""
    tables: dict[int, list[Leftover]] = {}
    for found in work.unmapped:
        tables.setdefault(found.table_no, []).append(found)
    for number, cells in tables.items():
        rows: dict[int, list[Leftover]] = {}
        for found in cells:
            rows.setdefault(found.cell.row, []).append(found)
        whole, read = _is_whole(work, forms, number), any(o.table_no == number for o in work.observed)
        extra = [r for r in rows.values() if whole and all(found.extra for found in r)]
        for row in (r for r in rows.values() if read and r not in extra):
            work.problem("unmapped_cell", f"table {number}, row {row[0].cell.row + 1}: {_texts(row)} is in no layout")
        if extra or not read:
            told = [found for r in (extra or rows.values()) for found in r]
            work.problem("unmapped_cell", f"table {number}: {_texts(told)} is in no layout", "warning" if read else "failure")


def _texts(cells: Sequence[Leftover]) -> str:
    return _some([found.cell.text for found in cells])


def _is_whole(work: Figures, forms: Sequence[Layout], table_no: int) -> bool:
    """Whether every section that stands in a table has all its figures, and all of them could be read."""
    sections = {o.section for o in work.observed if o.table_no == table_no}
    have = {o.key for o in work.observed if o.figure.status != "unreadable"}
    tables = [t for form in forms for t in form.tables if t.section in sections and work.formats[t.section] == form.format]
    return bool(tables) and all(
        (i, who) in have for t in tables for i in t.indicators() for who in (t.columns if t.shape == "matrix" else [None])
    )


def _some(texts: Sequence[str], limit: int = 8) -> str:
    shown = ", ".join(repr(compact(t)) for t in texts[:limit])
    return shown + (f" and {len(texts) - limit} more" if len(texts) > limit else "")


def _take_match(work: Figures, match: Match, table_no: int, method: str) -> None:
    kinds, section = _kinds(), match.table.section
    for found in match.found:
        unit, kind = kinds[found.indicator]
        cell = found.cell
        figure = read_figure(cell.text, unit, kind, found.header)
        observed = Observed(section, match.format, found, figure, table_no, method)
        if found.doubt and cell.text.strip():
            work.problem("unreadable_cell", f"{observed.place}: {found.doubt}")
            observed.figure = Figure(None, "unreadable", figure.unit)
        elif cell.second is not None or cell.certainty is not None or figure.status == "unreadable":
            texts, observed.doubt = _other_readings(cell, figure)
            observed.rivals = tuple(read_figure(t, unit, kind, found.header) for t in texts)
            # two readings of a picture are by one recogniser: a failed identity has the document read again
            observed.confirmed = cell.second is not None and cell.certainty is None and observed.doubt is None
        work.observed.append(observed)


def _kind(indicator: str, unit: str) -> Kind:
    if unit == _MONEY:
        return "money"
    return "change" if indicator.endswith("_change") else "count"


def _other_readings(cell: Cell, figure: Figure) -> tuple[list[str], str | None]:
    """What else may stand in a cell, and why the first reading is in doubt; ([], None) where it is not."""
    if cell.second is not None and _bare(cell.text) != cell.second:
        return [cell.second], f"a second reading sees {cell.second!r}"
    if cell.certainty is not None and cell.certainty < MIN_CERTAINTY:
        return [], f"recognised with certainty {cell.certainty:.2f} only"
    if figure.status == "unreadable":
        return ([_bare(cell.text)] if _SPLIT_DIGITS.match(cell.text.strip()) else []), "not a number"
    return [], None


def _bare(text: str) -> str:
    return _SPACES.sub("", text)


def _settle_formats(work: Figures) -> None:
    """A table that is the same in several forms has the form of table three, else of table two, else the newest."""
    for section, newest in work.shared.items():
        work.formats.setdefault(section, work.format or newest)
    for row in work.observed:
        row.format = work.formats[row.section]


def _settle_rivals(work: Figures) -> None:
    """Where two tables of a section contradict each other, what only one of them prints can't be taken: it may be another report's."""
    places = {(row.section, row.table_no) for row in work.observed}
    if len(places) == len({section for section, _ in places}) and not work.unread:
        return
    tables: dict[Place, dict[Key, Figure]] = {}
    for row in work.observed:
        tables.setdefault((row.section, row.table_no), {})[row.key] = row.figure
    contested = rivals(tables, work.unread)
    if len({section for section, _ in contested}) > 1:  # two reports in one: whose the other tables are is as uncertain
        contested |= tables.keys()
    printed = Counter(row.key for row in work.observed)
    for section, number in sorted(contested):
        work.problem("duplicate_figure", f"section {section}: table {number} or another one of this document is another report's")
    for row in work.observed:
        if (row.section, row.table_no) in contested and printed[row.key] == 1:
            row.figure = Figure(None, "unreadable", row.figure.unit)
            row.doubt, row.rivals, row.confirmed = None, (), False


def _settle_duplicates(work: Figures) -> None:
    """A figure printed twice in one report counts once where both are alike; where they differ, neither can be taken."""
    kept: dict[tuple[str, str | None], Observed] = {}
    for row in work.observed:
        first = kept.setdefault(row.key, row)
        if first is not row and (first.figure.value, first.figure.status) != (row.figure.value, row.figure.status):
            texts = f"{first.found.cell.text!r} (table {first.table_no}) and {row.found.cell.text!r} (table {row.table_no})"
            work.problem("duplicate_figure", f"{'/'.join(k for k in row.key if k)} is printed as {texts}")
            first.figure = Figure(None, "unreadable", first.figure.unit)
    work.observed = list(kept.values())


def _report_missing(work: Figures, forms: Sequence[Layout]) -> None:
    have = {o.found.indicator for o in work.observed}
    tables: dict[tuple[int, str], Table] = {(form.format, t.section): t for form in forms for t in form.tables}
    tabular = SECTIONS if any(section in work.formats for section in SECTIONS) else ()
    for section in (*tabular, *(s for s in (ANNEX,) if s in work.formats)):
        number = work.formats.get(section)
        if number is None:
            work.problem("missing_table", f"no table of section {section} was found")
        elif missing := [label for i, label in tables[(number, section)].indicators().items() if i not in have]:
            work.problem("missing_row", f"section {section} (form {number}) lacks {_some(missing)}")
        if number is not None and (columns := _missing_columns(work, tables[(number, section)])):
            work.problem("missing_row", f"section {section} (form {number}) lacks cells of its columns {_some(columns)}")


def _missing_columns(work: Figures, table: Table) -> list[str]:
    """Columns of a matrix that any of its rows lacks."""
    if table.shape != "matrix":
        return []
    have = {o.key for o in work.observed}
    rows = {indicator for indicator, _ in have} & table.indicators().keys()
    return [words[0] for key, words in table.columns.items() if any((row, key) not in have for row in rows)]
