"""Parts: the tidy frames of a batch, written aside and renamed, with the digests by which a damaged one is known."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from extract.home import Home
from extract.ledger import Ledger
from extract.problem import Problem

log = logging.getLogger("gongkai")

#: The files of a part by their names: a Parquet file of each frame, and batch.json.
Files = dict[str, bytes]
#: Digests of the files of a part, as `sha256sum --check` takes them.
SUMS = "SHA256SUMS"


def write_part(part: Path, files: Files) -> None:
    """Write the files of a part, whole or not at all. Raises OSError."""
    aside = part.with_name(f".{part.name}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    for name, data in {**files, SUMS: sums.encode()}.items():
        (aside / name).write_bytes(data)
    aside.rename(part)


def fault(part: Path) -> str | None:
    """What is wrong with a part, None where its files are what was written."""
    try:
        lines = [line.partition("  ") for line in (part / SUMS).read_text("utf-8").splitlines()]
        damaged = [name for digest, _, name in lines if hashlib.sha256((part / name).read_bytes()).hexdigest() != digest]
    except (OSError, UnicodeDecodeError) as error:
        return str(error)
    if not any(name == "batch.json" for _, _, name in lines):
        return f"{SUMS} is not whole"
    return f"{', '.join(damaged)}: not what was written" if damaged else None


def kept(part: Path, make: Callable[[], Files]) -> Path:
    """The part of this name; `make` gives its files where there is none yet, or a damaged one, which is made anew. Raises OSError."""
    if part.exists() and (wrong := fault(part)):
        log.warning("part %s is damaged and made anew: %s", part, wrong)
        discard(part)
    if not part.exists():
        write_part(part, make())
    return part


def sound(home: Home, run_id: str, parts: Sequence[Path]) -> list[Path]:
    """The parts that are what was written. A damaged one is removed and a problem of the run: the next run reads its documents again."""
    wrong = {part: told for part in parts if (told := fault(part))}
    if wrong:
        problems = [
            Problem("load", "broken_part", f"{part}: {told}; the next run reads its documents again") for part, told in wrong.items()
        ]
        with Ledger(home.ledger) as ledger:
            ledger.add_problems(run_id, problems)
    for part in wrong:
        discard(part)
    return [part for part in parts if part not in wrong]


def discard(part: Path) -> None:
    """Remove what lies in the place of a part. What can't be removed stays, and is never taken for a part that is whole."""
    if part.is_dir() and not part.is_symlink():
        shutil.rmtree(part, ignore_errors=True)
    else:
        part.unlink(missing_ok=True)
