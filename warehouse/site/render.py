"""The pages: one template for each kind. What changes from page to page is in the data files; scripts draw it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from warehouse.site.text import catalogue

#: Template -> scripts beside the common ones, and data files the page needs in any case: named in the page, they come all at once.
PAGES = {
    "index": (["overview"], ["codes", "overview"]),
    "compare": (["figure", "query", "compare"], ["codes", "districts", "definitions", "compare/index", "publishers"]),
    "report": (["report", "cell"], ["codes", "forms", "definitions"]),
    "errors": (["report", "cell", "errors"], ["codes", "districts", "errors"]),
}
DISTRICT = ["figure", "district"]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("warehouse.site", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["t"] = _words
    return environment


def _words(key: str) -> Markup:
    """A text of the catalogue that the script puts into the other language. Raises KeyError for a key that is not there."""
    return Markup(f'<span data-t="{escape(key)}">{escape(catalogue()[key]["zh"])}</span>')


def write_pages(folder: Path, districts: dict[str, Any], built: dict[str, str]) -> None:
    """Write all pages into `folder`; `districts` is the data file of that name, `built` the time and version of the data."""
    for name, (scripts, data) in PAGES.items():
        values = {**built, "root": "", "scripts": scripts, "data": data, "title": catalogue()[f"title.{name}"]["zh"]}
        _write(folder / f"{name}.html", name, values)
    (folder / "district").mkdir()
    names = districts["names"]
    for code in districts["pages"]:
        zh, en, province, prefecture, _ = names[code]
        above = "".join(names[c][0] for c in dict.fromkeys((province, prefecture)) if c in names and c != code)
        data = ["codes", f"district/{code}", f"report/{code}", "charts"]
        values = {**built, "root": "../", "scripts": DISTRICT, "data": data, "title": above + zh, "code": code, "zh": zh, "en": en}
        _write(folder / "district" / f"{code}.html", "district", values)


def _write(path: Path, template: str, values: dict[str, Any]) -> None:
    path.write_text(_template(template).render(page=template, **values), "utf-8")


@cache
def _template(name: str) -> Any:
    return _environment().get_template(f"{name}.html")
