"""Log lines on standard error: plain text, or one JSON object a line with time, level, run_id, stage, source and message."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

from pythonjsonlogger.json import JsonFormatter

log = logging.getLogger("gongkai")

Form = Literal["text", "json"]

#: Inherited by the processes of a run.
RUN_ID = "GONGKAI_RUN_ID"
STAGE = "GONGKAI_STAGE"

_source: ContextVar[str | None] = ContextVar("source", default=None)
_form: Form = "text"


class _Context(logging.Filter):
    """Gives every record the run, the stage and the source it belongs to; what a call says in `extra` counts first."""

    def filter(self, record: logging.LogRecord) -> bool:
        known = {"run_id": os.environ.get(RUN_ID), "stage": os.environ.get(STAGE), "source": _source.get()}
        for name, value in known.items():
            if getattr(record, name, None) is None:
                setattr(record, name, value)
        return True


def configure(form: Form) -> None:
    """Log to standard error in this form; a later call replaces the earlier. Warnings of libraries are log lines too."""
    global _form
    _form = form
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Context())
    if form == "json":
        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        fields = "{asctime}{levelname}{run_id}{stage}{source}{name}{message}"
        handler.setFormatter(JsonFormatter(fields, "%Y-%m-%dT%H:%M:%S%z", style="{", rename_fields=names, json_ensure_ascii=False))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("gongkai").setLevel(logging.INFO)
    # What matters of a crawl is a problem row; the crawler's own lines are for machines.
    logging.getLogger("extract.crawl.job").setLevel(logging.WARNING if form == "json" else logging.CRITICAL)
    logging.captureWarnings(form == "json")


def crawl_event(event: Mapping[str, Any]) -> None:
    """An event of the crawler as a line with its source; in text the progress of the stage tells it."""
    if _form == "text":
        return
    words = [event["event"], event.get("kind"), event.get("url"), event.get("message")]
    level = {"failure": logging.ERROR, "warning": logging.WARNING}.get(str(event.get("severity")), logging.INFO)
    log.log(level, "%s", " ".join(str(w) for w in words if w), extra={"source": event.get("publisher_id")})


def worker(form: Form) -> None:
    """Log from a process that reads documents; in text it stays silent, as what it has to say are problem rows."""
    if form == "json":
        configure(form)


def is_json() -> bool:
    """Whether log lines are JSON: nothing else then goes to standard error."""
    return _form == "json"


@contextmanager
def source(publisher_id: str | None) -> Iterator[None]:
    """Log lines of the block belong to a source."""
    token = _source.set(publisher_id)
    try:
        yield
    finally:
        _source.reset(token)


def stage(name: str | None) -> None:
    """Log lines from now on, in processes that start from now on too, belong to a stage of the run."""
    _set(STAGE, name)


def run(run_id: str | None) -> None:
    """The same for a run."""
    _set(RUN_ID, run_id)


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
