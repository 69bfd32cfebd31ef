"""`gongkai site`: hands the forms, the pictures and the measured accuracy to the builder of the site."""

from __future__ import annotations

import re
from pathlib import Path

from extract.home import Home
from flows.site_forms import forms
from flows.site_pictures import Pictures
from warehouse.site.build import build
from warehouse.site.model import Accuracy, Site

ACCURACY = Path(__file__).parents[1] / "docs" / "accuracy.md"
_MADE = re.compile(r"^Made by .*? on (\d{4}-\d{2}-\d{2})", re.M)
_ROW = re.compile(r"^\| ([^|]+?) \| (\d+) \| (\d+) \| (\d+) \([^|]*\| (\d+) \([^|]*\| (\d+) \([^|]*\|$", re.M)


def make_site(home: Home, directory: Path, *, pictures: bool = True) -> Site:
    """Write the site of a home into `directory`. Raises WarehouseMissing, SiteError."""
    return build(home.warehouse, directory, forms=forms(), draw=Pictures(home) if pictures else None, accuracy=read_accuracy())


def read_accuracy(path: Path = ACCURACY) -> Accuracy | None:
    """The table by medium of docs/accuracy.md; None where the file is not there (it is no part of an installed wheel)."""
    if not path.is_file():
        return None
    text = path.read_text("utf-8")
    made, start = _MADE.search(text), text.find("| medium |")
    if made is None or start < 0:
        return None
    table = text[start : text.index("\n\n", start)]
    return Accuracy(made[1], [(m[1], *(int(n) for n in m.groups()[1:])) for m in _ROW.finditer(table)])  # type: ignore[misc]
