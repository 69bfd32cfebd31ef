"""Data files that pages load from a file share: scripts that hand over one value, because pages opened as files may not fetch anything."""

from __future__ import annotations

import json
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

MANIFEST = "site.json"
PICTURES = "pictures"
NAME = "gongkai site"  # what the manifest calls it
#: What lies in a site's folder; anything else there is not ours to delete.
OWN = {MANIFEST, PICTURES, "assets", "data", "district", "index.html", "compare.html", "report.html", "errors.html"}


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

    Raises SiteError where `target` is no site and not empty.
    """
    refuse_foreign(target)
    staging = target.with_name(f".{target.name}.{os.getpid()}")
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, staging, ignore_errors=True)
        staging.mkdir(parents=True)
        (staging / PICTURES).mkdir()
        for old in (target / PICTURES).glob("*"):
            _link(old, staging / PICTURES / old.name)
        yield staging
        take_place(staging, target)


def _link(old: Path, new: Path) -> None:
    try:
        new.hardlink_to(old)
    except OSError:
        shutil.copy2(old, new)


def refuse_foreign(target: Path) -> None:
    """Raises SiteError where something else than a site lies at `target`, or a site with something in it that is not of the site."""
    if target.exists() and not target.is_dir():
        raise SiteError(f"{target} is a file")
    there = {path.name for path in target.iterdir()} if target.exists() else set()
    if there and not _is_site(target / MANIFEST):
        raise SiteError(f"{target} is not empty and holds no site: choose another folder")
    if foreign := sorted(there - OWN):
        raise SiteError(f"{target} holds files that are not of the site: {', '.join(foreign[:5])}; move them, or choose another folder")


def _is_site(manifest: Path) -> bool:
    """Whether a manifest is of this program: others name a file so too."""
    try:
        found = json.loads(manifest.read_text("utf-8"))
    except (FileNotFoundError, IsADirectoryError, ValueError):
        return False
    return isinstance(found, dict) and found.get("name") == NAME
