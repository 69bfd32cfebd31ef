"""Put a built file in the place of the published one, if every gate is green."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict
from pathlib import Path

import duckdb

from warehouse import snapshots
from warehouse.build import BuildResult, discard
from warehouse.duck import OFFLINE, Limits
from warehouse.gate import GateError, Known, Result, check
from warehouse.mirror import insert
from warehouse.snapshots import Keep, sync

log = logging.getLogger("gongkai")


def publish(
    built: BuildResult,
    target: Path | None = None,
    *,
    accepted: Mapping[str, str] | None = None,
    bounds: Mapping[str, float] | None = None,
    registered: Collection[str] | None = None,
    keep: Keep | None = None,
    moment: AbstractContextManager[object] | None = None,
    limits: Limits | None = None,
) -> Path:
    """Check the built file and let `target` (the file it was built from) be it: a link that is replaced in one step. Returns the target.

    `accepted` are gates that may be red, and why; `bounds` other bounds of gates than their files say; `registered` the publishers of the
    registry, where it is known whole; `keep` says how many files of before stay; `moment` is held while the
    link is replaced; `limits` is what the gates may take of memory, cores and disk. Readers that hold the old file keep it until they
    open it again.
    Raises GateError when a gate is red: the built file is then put aside in refused/, its path is in the message. Raises OSError, or
    SnapshotError, when the disk refuses: the built file is then removed. Either way the published file is what it was, byte for byte.
    """
    target = target or built.published
    known = Known(built.replaced, built.brought, registered)
    with ExitStack() as undo:
        undo.callback(discard, built.path)
        try:
            results = check(built.path, target if target.exists() else None, known, accepted, bounds, limits)
        except GateError as error:
            error.add_note(_advice(error, snapshots.refuse(built.path, target, built.run_id)))
            raise
        _record(built, results)
        built.path.chmod(0o444)  # a client that forgets to open it read-only is refused instead of locking it
        sync(built.path)
        if target.exists():
            snapshots.keep(target)
        with moment or nullcontext():
            snapshots.show(built.path, target, built.run_id)
        undo.pop_all()
    _prune(target, keep or Keep(0))
    return target


def _advice(error: GateError, refused: Path) -> str:
    """What to do about red gates."""
    lines = [f"the refused file is {refused}; what was published stays"]
    names = dict.fromkeys(r.gate for r in error.red)
    if names and error.can_be_accepted:
        options = " ".join(f"--accept-gate {name}" for name in names)
        lines.append(f'to publish it all the same, add to the command: {options} --reason "…" (what was read is not read again)')
    return "\n".join(lines)


def _record(built: BuildResult, results: Sequence[Result]) -> None:
    """Write what the gates found into the file: the table `gate_result`."""
    names = ("gate", "measure", "before", "after", "bound", "passed", "accepted_reason")
    rows = [asdict(r) for r in results]
    data = {"run_id": [built.run_id] * len(rows), **{name: [row[name] for row in rows] for name in names}}
    with duckdb.connect(built.path, config=OFFLINE) as con:
        insert(con, "gate_result", data)
        con.execute("CHECKPOINT")


def _prune(target: Path, keep: Keep) -> None:
    """What is published stays published where old snapshots can't be removed."""
    try:
        snapshots.prune(target, keep)
    except OSError as error:
        log.warning("old snapshots stay: %s", error)
