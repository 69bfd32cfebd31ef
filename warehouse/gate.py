"""What must hold before a built file is published. A gate is a file of gates/: adding one is adding a file.

The head of a file says what the gate is, in comments: `-- message: …` (required), `-- compares: published` (it needs the published file),
`-- accept: never` (nothing excuses it), `-- bound: 0.02` (it compares numbers). The query of a gate without bound selects the rows that
break the rule: no row, no objection. That of a gate with a bound selects measure, before, after and passed. Both ask the built file
(current database), the published one (`previous`), and

- temp.replaced: documents (publisher_id, document_sha256) that this build brought, temp.brought: rows per relation that came with them,
- temp.judged: reports of these documents, temp.touched: these documents; where nothing is known of the build, all that the file has.
  Figures that were not touched passed before, and gate nothing_lost sees to it that they did not change,
- temp.registered: publishers of the registry, where it is known (variable registry_known), temp.shares (gates/_shares.sql),
- getvariable('bound').
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow

from warehouse.duck import ROOT, Limits, columns, quoted, spill_of

FOLDER = ROOT / "gates"
_HEAD = re.compile(r"^-- (message|compares|accept|bound): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Gate:
    """One file of gates/; see the module."""

    name: str
    message: str
    sql: str
    needs_previous: bool = False
    acceptable: bool = True
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a gate found: numbers before and after, a row of the table `gate_result`. `detail` says it in words.

    Of a gate without bound `after` is how many rows break the rule. `accepted_reason` is why a red one was let pass.
    """

    gate: str
    measure: str | None
    before: float | None
    after: float | None
    bound: float | None
    passed: bool
    detail: str = ""
    accepted_reason: str | None = None

    @property
    def stops(self) -> bool:
        """Whether nothing may be published."""
        return not self.passed and self.accepted_reason is None


class GateError(Exception):
    """Gates are red: `name` says which is the first, `detail` what it found, `red` what all of them found."""

    def __init__(self, name: str, detail: str, red: Sequence[Result] = ()) -> None:
        told = [f"gate {r.gate}: {r.detail}" for r in red] or [f"gate {name}: {detail}"]
        super().__init__("\n".join(told))
        self.name = name
        self.detail = detail
        self.red = list(red)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *getattr(self, "__notes__", ())])

    @property
    def can_be_accepted(self) -> bool:
        """Whether a reason would do for all that is red."""
        return bool(self.red) and all(r.gate in ACCEPTABLE for r in self.red)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a build: documents it brought, rows per table that came with them, publishers of the registry. None: not known."""

    replaced: Collection[tuple[str, str]] | None = None
    brought: Mapping[str, int] = field(default_factory=dict)
    registered: Collection[str] | None = None


def read_gate(path: Path) -> Gate:
    """A gate from its file. Raises ValueError for one without a message."""
    text = path.read_text("utf-8")
    head = dict(_HEAD.findall(text))
    if "message" not in head:
        raise ValueError(f"{path.name}: a gate says `-- message: …`")
    bound = float(head["bound"]) if "bound" in head else None
    return Gate(path.stem.partition("_")[2], head["message"], text, "compares" in head, head.get("accept") != "never", bound)


GATES: tuple[Gate, ...] = tuple(read_gate(path) for path in sorted(FOLDER.glob("[0-9]*.sql")))
#: Names of gates that a reason may let pass.
ACCEPTABLE = frozenset(gate.name for gate in GATES if gate.acceptable)


def check(
    built: Path,
    previous: Path | None = None,
    known: Known | None = None,
    accepted: Mapping[str, str] | None = None,
    bounds: Mapping[str, float] | None = None,
    limits: Limits | None = None,
) -> list[Result]:
    """Run every gate on a built file; what each found. `accepted` are names of gates and the reasons why red ones are let pass, `bounds`
    other bounds than the files say, `limits` what they may take of memory, cores and disk.

    Raises GateError where a gate is red and not accepted; a gate that can't be run is red, as `readable`.
    """
    try:
        found = list(_judge(built, previous, known or Known(), bounds or {}, limits or Limits()))
    except duckdb.Error as error:
        raise GateError("readable", str(error)) from error
    reasons = {name: reason for name, reason in (accepted or {}).items() if name in ACCEPTABLE}
    results = [r if r.passed else replace(r, accepted_reason=reasons.get(r.gate)) for r in found]
    if red := [r for r in results if r.stops]:
        raise GateError(red[0].gate, red[0].detail, red)
    return results


def _judge(built: Path, previous: Path | None, known: Known, bounds: Mapping[str, float], limits: Limits) -> Iterator[Result]:
    with duckdb.connect(config=limits.config(spill_of(built))) as con:
        con.execute(f"ATTACH {quoted(built)} AS built (READ_ONLY)")
        if previous is not None:
            con.execute(f"ATTACH {quoted(previous)} AS previous (READ_ONLY)")
        con.execute("USE built")
        _prepare(con, known, previous is not None)
        for gate in GATES:
            if previous is not None or not gate.needs_previous:
                yield from _run(con, gate, bounds.get(gate.name, gate.bound))


def _prepare(con: duckdb.DuckDBPyConnection, known: Known, compares: bool) -> None:
    keys = sorted(known.replaced or ())
    text = pyarrow.string()
    named = {"publisher_id": pyarrow.array([p for p, _ in keys], text), "document_sha256": pyarrow.array([d for _, d in keys], text)}
    con.register("keys", pyarrow.table(named))
    con.execute("CREATE TEMP TABLE replaced AS FROM keys")
    touched = "parse" if known.replaced is None else "temp.replaced"
    con.execute(f"CREATE TEMP TABLE touched AS SELECT publisher_id, document_sha256 FROM {touched}")
    only = "" if known.replaced is None else "SEMI JOIN temp.replaced USING (publisher_id, document_sha256)"
    con.execute(f"CREATE TEMP TABLE judged AS SELECT report_id FROM report {only}")
    con.execute(
        "CREATE TEMP TABLE brought AS SELECT unnest(?::VARCHAR[]) AS relation, unnest(?::BIGINT[]) AS rows",
        [[*known.brought], [*known.brought.values()]],
    )
    con.execute("CREATE TEMP TABLE registered AS SELECT unnest(?::VARCHAR[]) AS publisher_id", [sorted(known.registered or ())])
    con.execute("SET VARIABLE registry_known = ?::BOOLEAN", [known.registered is not None])
    if compares:
        soft = "soft" if "soft" in columns(con, "previous")["check_result"] else "false AS soft"  # a column since 2026.11.2
        con.execute(f"CREATE TEMP VIEW old_check AS SELECT report_id, passed, {soft} FROM previous.check_result")
        con.execute((FOLDER / "_shares.sql").read_text("utf-8"))


def _run(con: duckdb.DuckDBPyConnection, gate: Gate, bound: float | None) -> list[Result]:
    con.execute("SET VARIABLE bound = ?::DOUBLE", [bound])
    result = con.execute(gate.sql)
    names = [column[0] for column in result.description or ()]
    rows = result.fetchall()
    if bound is not None and gate.bound is not None:
        return [_measured(gate, bound, *row) for row in rows]
    first = "; ".join(", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True)) for row in rows[:3])
    detail = f"{gate.message}: {len(rows)} in all, first: {first}" if rows else ""
    return [Result(gate.name, None, None, float(len(rows)), 0.0, not rows, detail)]


def _measured(gate: Gate, bound: float, measure: str, before: float, after: float, passed: bool) -> Result:
    detail = f"{gate.message}: {measure}, {before:,.6g} before, {after:,.6g} now, bound {bound:g}"
    return Result(gate.name, measure, float(before), float(after), bound, bool(passed), "" if passed else detail)
