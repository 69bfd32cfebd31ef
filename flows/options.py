"""Options that several commands share. What they set holds for the processes of the command too, and ends with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from flows import logs


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for the length of a block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _home(context: typer.Context, value: Path | None) -> Path | None:
    """The settings file lies in the home, and every process of a run reads it."""
    if value is not None:
        context.with_resource(environment({"GONGKAI_HOME": str(value.absolute())}))
    return value


def _log_json(context: typer.Context, value: bool) -> bool:
    if value:
        context.with_resource(environment({"GONGKAI_LOG": "json"}))
        logs.configure("json")
    return value


HomeOption = Annotated[
    Path | None, typer.Option("--home", metavar="DIR", callback=_home, help="Where everything lies; or GONGKAI_HOME, else ./data.")
]
LogOption = Annotated[bool, typer.Option("--log-json", callback=_log_json, help="Log lines as JSON; or GONGKAI_LOG=json.")]
