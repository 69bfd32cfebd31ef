"""Makes generated documents and judges how they are read: every cell right, flagged, or silently wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import generator_document
import generator_paper
import generator_pdf
import generator_structure
import generator_values
import generator_web
from generator import SECTIONS, Key, Made, Plan, Truth, compose

from extract.reader import read_document
from transform.check import PARTS, identities
from transform.frames import Rows
from transform.tidy import Context, tidy

#: Importing them registers their quirks.
QUIRK_MODULES = (generator_values, generator_structure, generator_document, generator_web, generator_pdf)
CONTEXT = Context("p", "330302", "http://127.0.0.1/x", "ab" * 32, "2026-01-01T00:00:00Z", "run")


def make(plan: Plan) -> Made:
    """The document of a plan; LibreOffice's exports come from `make_all`."""
    report = compose(plan)
    match plan.medium:
        case "html":
            data = generator_web.html(report, plan.seed)
        case "pdf":
            data = generator_pdf.pdf(report, plan.seed)
        case "scan":
            data = generator_paper.scanned(generator_pdf.pdf(report, plan.seed), plan.seed)
        case _:
            data = generator_web.word(report, plan.seed)
    return Made(plan, data, ((report.year, report.truth), *report.others))


def make_all(plans: Sequence[Plan]) -> list[Made]:
    """The documents of many plans; those for LibreOffice are exported together."""
    made = [make(p) for p in plans]
    places = [i for i, m in enumerate(made) if m.plan.medium == "export"]
    for i, data in zip(places, generator_paper.exported([made[i].data for i in places]), strict=True):
        made[i] = replace(made[i], data=data)
    return made


@dataclass(slots=True)
class Verdict:
    """Cells of one document: how many are right, and which are flagged or silently wrong (what was read, what is printed)."""

    plan: Plan
    right: int = 0
    flagged: dict[Key, str] = field(default_factory=dict)
    wrong: dict[Key, str] = field(default_factory=dict)
    marked: int = 0  # of the flagged: not withheld, but named by a problem or a failed check
    problems: list[str] = field(default_factory=list)
    year_wrong: bool = False

    @property
    def cells(self) -> int:
        return self.right + len(self.flagged) + len(self.wrong)


def judge(made: Made) -> Verdict:
    """Read the document and hold every cell against what it prints."""
    return compare(made.plan, tidy(read_document(made.data), CONTEXT), made.reports)


def compare(plan: Plan, rows: Rows, reports: Sequence[tuple[int, Truth]]) -> Verdict:
    """The verdict on the tidy rows of a document. A report read is held against the report of its year, the plan's own first."""
    verdict = Verdict(plan, problems=[f"{p['kind']}: {p['message']}" for p in rows["problem"]])
    flags = Flags(rows)
    waiting = list(reports)
    for report in rows["report"]:
        mine = next((i for i, (year, _) in enumerate(waiting) if year == report["year"]), None)
        truth = waiting.pop(mine)[1] if mine is not None else {}
        verdict.year_wrong |= mine is None and not any(p["kind"] == "year_conflict" for p in rows["problem"])
        _judge_report(verdict, [r for r in rows["observation"] if r["report_id"] == report["report_id"]], truth, flags)
    if not rows["report"]:
        _judge_report(verdict, [], reports[0][1], flags)
    return verdict


def _judge_report(verdict: Verdict, observed: list[dict[str, Any]], truth: Truth, flags: Flags) -> None:
    seen = {(r["indicator"], r["applicant"]): r for r in observed}
    for key in [*truth, *(k for k in seen if k not in truth)]:
        _judge_cell(verdict, key, seen.get(key), truth.get(key), flags)


class Flags:
    """What a document says is wrong with it, by place."""

    def __init__(self, rows: Rows) -> None:
        self.messages = [str(p["message"]) for p in rows["problem"] if p["severity"] == "failure"]
        self.lost = bool(self.messages) and not rows["report"]
        self.checked = {k for r in rows["check_result"] if r["passed"] is False for k in _operands(r)}

    def name(self, key: Key, row: dict[str, object] | None, section: str | None) -> bool:
        """Whether something said names the place of this figure: its table, its section, the figure itself, or a failed check."""
        if self.lost or key in self.checked:
            return True
        words = [f"section {section}", "/".join(k for k in key if k)]
        words += [f"table {row['table_no']}{end}" for end in (",", " ", ":")] if row else []
        return any(word in message for message in self.messages for word in words)


def _operands(result: dict[str, Any]) -> Iterable[Key]:
    check_id, who = str(result["check_id"]), result["applicant"]
    if check_id.startswith("R2."):
        return [(check_id[3:], part) for part in (*PARTS, "total")]
    rules = [r for r in identities() if r.id == check_id]
    return [(i, who if r.each else None) for r in rules for i in (*r.left, *r.right)]


def _judge_cell(
    verdict: Verdict, key: Key, row: dict[str, object] | None, printed: tuple[str, Decimal | None] | None, flags: Flags
) -> None:
    if printed and printed[0] == "doubtful":
        return
    read = (str(row["value_status"]), row["value"]) if row else ("missing", None)
    section = str(row["section"]) if row else section_of(key)
    if read == printed or (printed is None and read[0] == "blank"):
        verdict.right += 1
        return
    text = f"read {read[0]} {read[1]} ({row['raw_text'] if row else ''}), printed {printed}"
    if read[0] == "unreadable" or flags.name(key, row, section):
        verdict.flagged[key] = text
        verdict.marked += read[0] in ("reported", "blank", "not_applicable")
    else:
        verdict.wrong[key] = text


def section_of(key: Key) -> str:
    if key[1]:
        return SECTIONS[1]
    if key[0].startswith("legacy"):
        return "legacy"
    return SECTIONS[2] if key[0].startswith(("reconsideration", "litigation")) else SECTIONS[0]


def total(verdicts: Iterable[Verdict]) -> Counter[str]:
    """Documents and cells of many verdicts."""
    out: Counter[str] = Counter()
    for v in verdicts:
        out.update(documents=1, cells=v.cells, right=v.right, flagged=len(v.flagged), wrong=len(v.wrong) + v.year_wrong)
    return out


def smallest(plan: Plan, bad: bool = True) -> Plan:
    """The plan with as few quirks as still give a silently wrong cell (`bad`) or a flagged one."""

    def fails(p: Plan) -> bool:
        v = judge(make_all([p])[0])
        return bool(v.wrong or v.year_wrong) if bad else bool(v.flagged)

    for name in plan.quirks:
        if fails(plan.without(name)):
            plan = plan.without(name)
    return plan
