"""Whole report documents from random figures with random quirks, and what they print: the truth of every cell.

A `Plan` names layout, medium, quirks and seed; `make` gives its bytes and truth. The same plan gives the same document. Quirks draw from a
generator of their own, so that a plan with one quirk less is otherwise the same document: failures can be made smaller.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from forms import Rows, litigation_rows, proactive_rows, requests_rows, table

from extract.grid import Grid
from transform.check import identities
from transform.figures import codebook
from transform.frames import APPLICANTS

Key = tuple[str, str | None]
Truth = dict[Key, tuple[str, Decimal | None]]

#: The form of tables two, three and four.
LAYOUTS = {"2019": (2019, 2019, 2019), "2021": (2021, 2021, 2021), "mixed": (2021, 2019, 2019), "2014": (2014, 2014, 2014)}
SECTIONS = ("proactive", "requests", "litigation")
#: The statistical annex of 2014 to 2018, instead of tables two to four.
ANNEX = "2014"
UNITS = {
    "10k_cny": "万元",
    "request": "件",
    "case": "件",
    "time": "次",
    "article": "篇",
    "person": "人",
    "person_time": "人次",
    "office": "个",
}
HEADINGS = {
    "proactive": "二、主动公开政府信息情况",
    "requests": "三、收到和处理政府信息公开申请情况",
    "litigation": "四、政府信息公开行政复议、行政诉讼情况",
}
MONEY = ("administrative_fee_amount", "government_procurement_amount", "legacy_fees", "legacy_budget")
MEDIA = ("html", "docx", "pdf", "export", "scan")
YEARS = {"2014": range(2014, 2019), "2019": range(2019, 2021), "2021": range(2021, 2026), "mixed": range(2021, 2025)}
NAMES = ("云溪区住房和城乡建设局", "青浦县人民政府办公室", "临江市松岭镇人民政府", "石桥街道办事处")


@dataclass(slots=True)
class P:
    """A printed cell under construction. `key` names the figure it prints; `kind` is figure, label, head or other."""

    text: str
    rows: int = 1
    cols: int = 1
    key: Key | None = None
    kind: str = "other"

    def like(self, text: str = "", **changes: Any) -> P:
        """A cell of the same shape that prints no figure."""
        return replace(self, **{"text": text, "key": None, "kind": "other"} | changes)


Printed = list[list[P]]


@dataclass(slots=True)
class Sheet:
    """A table, its section (None: not of the form) and the rows before which a PDF starts a new page.

    `torn` is the row that a page end cuts in two, with the share of its lines above; `glued` sheets follow the one before them directly.
    """

    rows: Printed
    section: str | None = None
    breaks: list[int] = field(default_factory=list)
    torn: tuple[int, float] | None = None
    repeat_header: bool = False
    glued: bool = False

    def cells(self) -> Iterator[P]:
        return (c for row in self.rows for c in row)


@dataclass(slots=True)
class Report:
    """A report under construction: text and tables in reading order, what its cells print, and flags for the writer of its medium."""

    year: int
    publisher: str
    forms: tuple[int, int, int]
    blocks: list[str | Sheet]
    truth: Truth
    style: set[str] = field(default_factory=set)
    others: list[tuple[int, Truth]] = field(default_factory=list)  # year and figures of other reports in the same document

    def sheets(self, section: str | None = None) -> list[Sheet]:
        found = [b for b in self.blocks if isinstance(b, Sheet) and b.section]
        return [s for s in found if section in (None, s.section)]

    def figures(self, section: str | None = None) -> list[P]:
        return [c for s in self.sheets(section) for c in s.cells() if c.key]

    def sheet(self, section: str) -> Sheet:
        return self.sheets(section)[0]

    def labels(self, *kinds: str, section: str | None = None) -> list[P]:
        return [c for s in self.sheets(section) for c in s.cells() if c.kind in kinds and c.text]

    def say(self, cell: P, text: str, status: str = "reported", value: Decimal | int | None = None) -> None:
        """Print `text` in a cell and note what it means."""
        assert cell.key
        cell.text = text
        self.truth[cell.key] = (status, Decimal(value) if value is not None else None)

    def value(self, cell: P) -> Decimal | None:
        return self.truth[cell.key][1] if cell.key in self.truth else None

    def place(self, sheet: Sheet) -> int:
        """Where a sheet stands among the blocks."""
        return next(i for i, b in enumerate(self.blocks) if b is sheet)


Change = Callable[[random.Random, Report], None]


@dataclass(frozen=True, slots=True)
class Quirk:
    """A way in which real reports differ from the form.

    `harmless`: every figure can still be read with certainty; elsewhere a reader may say that it can't. `stage` orders quirks: 0 figures,
    1 labels, 2 structure, 3 document, 4 medium. `annex`: whether the statistical annex may have it too.
    """

    name: str
    apply: Change
    stage: int
    harmless: bool
    media: tuple[str, ...]
    seen: str
    annex: bool


QUIRKS: dict[str, Quirk] = {}


def quirk(
    stage: int, harmless: bool = True, media: tuple[str, ...] = MEDIA, seen: str = "", annex: bool = True
) -> Callable[[Change], Change]:
    """Register a function as the quirk of its name; `seen` are the numbers of domain.md §6."""

    def register(apply: Change) -> Change:
        name = apply.__name__
        QUIRKS[name] = Quirk(name, apply, stage, harmless, media, seen, annex)
        return apply

    return register


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make."""

    layout: str
    medium: str
    quirks: tuple[str, ...]
    seed: int

    @property
    def harmless(self) -> bool:
        return all(QUIRKS[q].harmless for q in self.quirks)

    def without(self, name: str) -> Plan:
        return Plan(self.layout, self.medium, tuple(q for q in self.quirks if q != name), self.seed)


@dataclass(frozen=True, slots=True)
class Made:
    """A document with the truth of its cells."""

    plan: Plan
    data: bytes
    reports: tuple[tuple[int, Truth], ...]  # year and truth of each report in it, the first one is the plan's


def plan(seed: int, media: Iterable[str], most: int = 3) -> Plan:
    """A random plan: up to `most` quirks."""
    rng = random.Random(f"plan {seed}")
    medium = rng.choice(list(media))
    layout = rng.choice(list(LAYOUTS))
    chosen = rng.sample([q.name for q in fitting(layout, medium)], rng.randint(0, most))
    return Plan(layout, medium, tuple(sorted(chosen)), seed)


def fitting(layout: str, medium: str) -> list[Quirk]:
    """The quirks that a document of this layout and medium can have."""
    return [q for q in QUIRKS.values() if medium in q.media and (q.annex or layout != ANNEX)]


def compose(wanted: Plan) -> Report:
    """The report of a plan, before it is written in its medium."""
    report = plain(wanted.layout, wanted.seed)
    for name in sorted(wanted.quirks, key=lambda q: (QUIRKS[q].stage, q)):
        changed = copy.deepcopy(report)
        # another quirk may have taken away what this one would change
        with suppress(IndexError, ValueError):
            QUIRKS[name].apply(random.Random(f"{name} {wanted.seed}"), changed)
            report = changed
    return report


def plain(layout: str, seed: int) -> Report:
    """A report as the form wants it."""
    rng = random.Random(f"report {seed}")
    forms = LAYOUTS[layout]
    year = rng.choice(YEARS[layout])
    publisher = rng.choice(NAMES)
    if layout == ANNEX:
        return _with_annex(rng, year, publisher)
    figures = {
        "proactive": _proactive(rng, forms[0]),
        "requests": _requests(rng, forms[1]),
        "litigation": _litigation(rng),
    }
    truth: Truth = {k: ("reported", Decimal(v)) for section in figures.values() for k, v in section.items()}
    blocks = _opening(year, publisher)
    for section, form in zip(SECTIONS, forms, strict=True):
        blocks += [HEADINGS[section], Sheet(_sheet(section, form, figures[section]), section)]
    blocks += [
        "五、存在的主要问题及改进情况",
        "部分栏目更新不够及时，下一步将加强管理。",
        "六、其他需要报告的事项",
        "无其他需要报告的事项。",
    ]
    return Report(year, publisher, forms, blocks, truth)


def _opening(year: int, publisher: str) -> list[str | Sheet]:
    return [
        f"{publisher}{year}年政府信息公开工作年度报告",
        f"本报告由{publisher}按照《中华人民共和国政府信息公开条例》编制。本报告所列数据的统计期限自{year}年1月1日起至{year}年12月31日止。",
        "一、总体情况",
        f"{year}年，{publisher}坚持以公开为常态、不公开为例外，扎实做好政府信息公开各项工作。",
    ]


def _with_annex(rng: random.Random, year: int, publisher: str) -> Report:
    figures = _legacy(rng)
    rows: Printed = [[P(t, kind="head") for t in ("统计指标", "单位", "统计数")]]
    for path, item in table(2014, "legacy").flat:
        unit = UNITS.get(codebook()[item.indicator], "条") if item.indicator else "——"
        label = P("\u3000" * len(path) + item.label[0], kind="label" if item.indicator else "title")
        value = P(str(figures[item.indicator, None]), key=(item.indicator, None), kind="figure") if item.indicator else P("")
        rows.append([label, P(unit, kind="unit"), value])
    blocks = [
        *_opening(year, publisher),
        "二、主动公开政府信息情况",
        "全年未发生收费情况。",
        "附表：政府信息公开情况统计表",
        Sheet(rows, "legacy"),
    ]
    return Report(year, publisher, LAYOUTS[ANNEX], blocks, {k: ("reported", Decimal(v)) for k, v in figures.items()})


def column_shares(grid: Grid, widest_number: float = 9.0) -> list[float]:
    """How wide the columns of a printed table are beside each other: wide ones where long texts are."""
    shares = [1.6] * grid.n_cols
    for cell in grid.cells:
        longest = max((len(line) for line in cell.text.split("\n")), default=0) * (0.7 if cell.text.isascii() else 1)
        most = widest_number if cell.text.isdigit() else 9.0
        for col in range(cell.col, cell.col_end):
            shares[col] = max(shares[col], min(longest / cell.col_span, most) + 0.6)
    return shares


# --- figures


def _amount(rng: random.Random, kind: str) -> int:
    if kind == "sparse":
        return rng.randint(1, 30) if rng.random() < 0.15 else 0
    return rng.randint(0, 40 if kind == "dense" else 3000)


def _proactive(rng: random.Random, form: int) -> dict[Key, int]:
    kind = rng.choice(("sparse", "dense", "large"))
    return {(i, None): _amount(rng, kind) for i in table(form, "proactive").indicators()}


def _requests(rng: random.Random, form: int) -> dict[Key, int]:
    """Figures that keep R1, R2 and R3."""
    kind = rng.choice(("sparse", "dense", "large"))
    rows = [r.indicator for r in table(form, "requests").rows]
    out: dict[Key, int] = {}
    for who in APPLICANTS[:-1]:
        quiet = rng.random() < 0.3  # no request from these
        for row in rows[2:-2]:
            out[row, who] = 0 if quiet else _amount(rng, kind)
        handled = sum(out[row, who] for row in rows[2:-2])
        out["processed_total", who] = handled
        out["carried_out", who] = 0 if quiet else rng.randint(0, 9)
        out["carried_in", who] = rng.randint(0, min(9, handled + out["carried_out", who]))
        out["new_received", who] = handled + out["carried_out", who] - out["carried_in", who]
    for row in rows:
        out[row, "total"] = sum(out[row, who] for who in APPLICANTS[:-1])
    return out


def _litigation(rng: random.Random) -> dict[Key, int]:
    """Figures that keep R4."""
    kind = rng.choice(("sparse", "dense"))
    out: dict[Key, int] = {}
    for prefix in ("reconsideration", "litigation_direct", "litigation_after_reconsideration"):
        parts = {k: _amount(rng, kind) for k in ("upheld", "corrected", "other", "pending")}
        out |= {(f"{prefix}_{k}", None): v for k, v in (parts | {"total": sum(parts.values())}).items()}
    return out


def _legacy(rng: random.Random) -> dict[Key, int]:
    """Figures that keep R8."""
    kind = rng.choice(("sparse", "dense", "large"))
    out: dict[Key, int] = {(i, None): _amount(rng, kind) for i in table(2014, "legacy").indicators()}
    sums = [r for r in identities() if r.section == "legacy"]
    for rule in sums * 2:  # twice: a part may be a sum itself
        out[rule.right[0], None] = sum(out[part, None] for part in rule.left)
    return out


def _sheet(section: str, form: int, figures: dict[Key, int]) -> Printed:
    """The form's table, each figure's cell marked with its key."""
    keys = list(figures)
    marks = {key: 10**9 + i for i, key in enumerate(keys)}
    flat = {key[0]: mark for key, mark in marks.items()}
    rows: Rows
    match section:
        case "proactive":
            rows = proactive_rows(form, flat)
        case "requests":
            rows = requests_rows(form, {(i, who or ""): m for (i, who), m in marks.items()})
        case _:
            rows = litigation_rows(flat)
    out: Printed = []
    for row in rows:
        found = [keys[int(c.text) - 10**9] if c.text.isdigit() else None for c in row]
        cells = [P(str(figures[k]) if k else c.text, c.rows, c.cols, k) for c, k in zip(row, found, strict=True)]
        for cell in cells:
            cell.kind = "figure" if cell.key else "label" if any(found) else "head" if len(cells) > 1 else "title"
        out.append(cells)
    return out
