"""Data files that pages load from a file share: scripts that hand over one value, because pages opened as files may not fetch anything."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from warehouse.folders import take_place
from warehouse.site.model import SiteError

log = logging.getLogger(__name__)

MANIFEST = "site.json"
PICTURES = "pictures"
NAME = "gongkai site"  # what the manifest calls it
#: Every file the site wrote, one path a line: whatever else lies in its folder is not ours, and is kept.
LIST = "files.txt"


def encode(value: Any) -> str:
    """A value as compact JSON; whole decimals as integers, times as ISO 8601 text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_other, allow_nan=False)


def _other(value: Any) -> Any:
    match value:
        case Decimal():
            return number(value)
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a data file")


def number(value: Decimal | float) -> int | float:
    """A whole number as int, any other as float."""
    return int(value) if value == int(value) else float(value)


def put(folder: Path, name: str, text: str) -> int:
    """Write JSON `text` as the data file `name` (may hold slashes) under `folder`/data. Returns its bytes."""
    path = folder / "data" / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    # U+2028 and U+2029 end a line in older scripts but not in JSON.
    safe = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return path.write_text(f"gongkai.put({encode(name)},{safe});\n", "utf-8")


@contextmanager
def taking_place(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its place when the block ends well; pictures of the old site are linked into it.

    Files in the old site's folders that it did not write are kept where they lie. A site that does not say what it wrote (before 23
    November 2026) is moved aside whole, to `target`.old. Raises SiteError where `target` is no site and not empty, or a file of somebody
    else lies where the new site has one of its own.
    """
    refuse_other(target)
    staging = target.with_name(f".{target.name}.{os.getpid()}")
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, staging, ignore_errors=True)
        (staging / PICTURES).mkdir(parents=True)
        for name in _listed(target):
            if name.startswith(f"{PICTURES}/") and (target / name).is_file():
                _link(target / name, staging / name)
        yield staging
        _write_list(staging)
        if _unlisted(target):
            log.warning("the site in %s does not say which files are its own: it was moved to %s", target, target.rename(_aside(target)))
        _keep_foreign(target, staging)
        take_place(staging, target)


def _link(old: Path, new: Path) -> None:
    try:
        new.hardlink_to(old)
    except OSError:
        shutil.copy2(old, new)


def refuse_other(target: Path) -> None:
    """Raises SiteError where something else than a site lies at `target`, or a site without a list that can't be moved aside."""
    if target.exists() and not target.is_dir():
        raise SiteError(f"{target} is a file")
    if not target.exists() or not any(target.iterdir()):
        return
    if not _is_site(target / MANIFEST):
        raise SiteError(f"{target} is not empty and holds no site: choose another folder")
    if _unlisted(target) and os.path.lexists(_aside(target)):
        raise SiteError(
            f"{target} holds a site without {LIST}, and {_aside(target)} is there already: remove one, or choose another folder"
        )


def _unlisted(target: Path) -> bool:
    return (target / MANIFEST).is_file() and not (target / LIST).is_file()


def _aside(target: Path) -> Path:
    return target.with_name(f"{target.name}.old")


def _is_site(manifest: Path) -> bool:
    """Whether a manifest is of this program: others name a file so too."""
    try:
        found = json.loads(manifest.read_text("utf-8"))
    except (FileNotFoundError, IsADirectoryError, ValueError):
        return False
    return isinstance(found, dict) and found.get("name") == NAME


def _write_list(folder: Path) -> None:
    written = {LIST, *(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())}
    (folder / LIST).write_text("\n".join(sorted(written)) + "\n", "utf-8")


def _listed(target: Path) -> set[str]:
    """What the site in `target` wrote; nothing where there is none."""
    listed = target / LIST
    return set(listed.read_text("utf-8").splitlines()) if listed.is_file() else set()


def foreign(target: Path) -> list[Path]:
    """Files, links and empty folders in the folder of a site that the site did not write; relative paths."""
    own = _listed(target)
    found = []
    for folder, folders, names in os.walk(target):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        found += [path for name in [*names, *links] if (path := (here / name).relative_to(target)).as_posix() not in own]
        if not folders and not names and here != target:
            found.append(here.relative_to(target))
    return [path for path in sorted(found) if path.as_posix() != PICTURES]


def _keep_foreign(target: Path, staging: Path) -> None:
    """Put what is not of the old site into the new one. Raises SiteError where the new one has something in that place."""
    for path in foreign(target) if target.exists() else []:
        old, new = target / path, staging / path
        if os.path.lexists(new) or any((staging / above).is_file() for above in path.parents):
            raise SiteError(f"{old} is not of the site and lies where the site has a file of its own: move it, or choose another folder")
        new.parent.mkdir(parents=True, exist_ok=True)
        if old.is_symlink():
            new.symlink_to(old.readlink())
        elif old.is_dir():
            new.mkdir()
        else:
            _link(old, new)
