"""Put a built file in the place of the published one, if every gate is green."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from warehouse.build import BuildResult, discard
from warehouse.gate import check


def publish(built: BuildResult, target: Path | None = None) -> Path:
    """Check the built file and rename it over `target` (the file it was built from). Returns the target.

    Readers that hold the old file keep it until they open it again. Raises GateError when a gate is red, OSError when the disk refuses;
    then the published file is what it was and the built one is removed.
    """
    target = target or built.published
    with ExitStack() as undo:
        undo.callback(discard, built.path)
        check(built.path, target if target.exists() else None, built.replaced, built.brought)
        built.path.chmod(0o444)  # a client that forgets to open it read-only is refused instead of locking it
        _sync(built.path)
        built.path.replace(target)
        _sync(target.parent)
        undo.pop_all()
    return target


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
