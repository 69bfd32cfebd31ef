"""Documents of the archive to the files of a part: each is read in a process of its own, and handed over as Arrow bytes."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from extract.archive import Archive, ArchiveError, StoreUnreachable, read_body
from extract.ledger import Place
from extract.problem import Problem
from extract.reader import read_document
from flows import logs
from flows.parts import Files
from flows.settings import Settings
from flows.workers import Done, Failed, WorkPool
from transform.rows import Rows
from transform.tidy import Context, failed, tidy

if TYPE_CHECKING:  # slow to import: `gongkai status` does not need them
    import pandas as pd

    from transform.frames import Packed

log = logging.getLogger("gongkai")

#: What reading needs. Imported once, by the process that the readers are forked from.
IMPORTS = (
    "camelot.parsers.lattice",
    "camelot.utils",
    "cn2an",
    "docx",
    "flows.reading",
    "lxml.html",
    "playa",
    "pypdfium2",
    "transform.frames",
)

_PROMISED = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".doc": "doc",
    ".wps": "doc",
    ".rtf": "rtf",
    ".mht": "mht",
    ".mhtml": "mht",
    ".html": "html",
    ".htm": "html",
    ".shtml": "html",
}


@dataclass(frozen=True, slots=True)
class Job:
    """A document to read: where its bytes lie in the archive, and what is known of it."""

    archive: Archive | Path
    archive_file: str
    archive_offset: int
    promised: str | None
    context: Context
    pictures: tuple[Place, ...] = ()


def promised_media(url: str) -> str | None:
    """The media that the end of an address promises, None where it promises none."""
    return _PROMISED.get(PurePosixPath(unquote(urlsplit(url).path)).suffix.lower())


def readers(max_workers: int, memory_limit: int) -> WorkPool:
    """Processes that read documents; each may take `memory_limit` bytes beyond its imports.

    Each runs the main module again: under `gongkai` that imports the command line, which is had from the fork server too, then.
    """
    more = [name for name in ("flows.cli",) if name in sys.modules]
    return WorkPool(max_workers, memory_limit, warm_up, (*IMPORTS, *more))


# --- in a reader


def warm_up() -> None:
    """Import what reading needs, where it is not there by then: before a reader's memory limit is set, and once for all its documents."""
    for name in IMPORTS:
        import_module(name)
    logs.worker(Settings().log)
    import pandas as pd

    pd.DataFrame([["x"]])  # the first one reserves 1 GB of address space, which is not the documents'


def read_packed(job: Job) -> Packed:
    """Read one document from the archive into packed rows; rows that are not of their columns' types make it an `invalid_rows`."""
    from transform.frames import pack

    rows = read_one(job)
    try:
        return pack(rows)
    except (ValueError, TypeError, OverflowError) as error:  # pyarrow's are kinds of these
        return pack(_invalid(error, job.context))


def read_one(job: Job) -> Rows:
    """Read one document from the archive into rows."""
    with logs.source(job.context.publisher_id):
        log.info("read %s", job.context.url)
        return _read_one(job)


def _read_one(job: Job) -> Rows:
    try:
        body = read_body(job.archive, job.archive_file, job.archive_offset)
        pictures = [read_body(job.archive, p.archive_file, p.archive_offset) for p in job.pictures]
    except StoreUnreachable as error:
        return failed(Problem("extract", "archive_unreachable", str(error)), job.context)
    except (ArchiveError, OSError) as error:
        message = f"{job.archive_file} at {job.archive_offset}: {error}"
        return failed(Problem("extract", "broken_archive", message), job.context)
    return tidy(read_document(body, job.promised, pictures), job.context)


def _invalid(error: Exception, context: Context) -> Rows:
    return failed(Problem("transform", "invalid_rows", str(error).partition("\n")[0]), context)


# --- in the run


def read_files(jobs: Sequence[Job], pool: WorkPool, timeout: float, done: Callable[[str], None]) -> Files:
    """Read a batch of documents into the files of its part; `done` is told the address of each one.

    A document that takes too long, or kills its process, is a problem row; the others are not affected.
    """
    read = []
    for job, result in zip(jobs, pool.map(read_packed, jobs, timeout), strict=True):
        read.append(_packed(job, result))
        done(job.context.url)
    found = _checked(read, jobs)
    failures = int((found["problem"]["severity"] == "failure").sum())
    return {**_files(found), "batch.json": json.dumps({"failures": failures}).encode()}


def _files(found: dict[str, pd.DataFrame]) -> Files:
    """Each frame as the bytes of a Parquet file."""
    return {f"{name}.parquet": table.to_parquet(index=False) for name, table in found.items()}


def _packed(job: Job, result: Done[Packed] | Failed) -> Packed:
    if isinstance(result, Done):
        return result.value
    from transform.frames import pack

    return pack(failed(Problem("extract", _death(result.kind), result.message), job.context))


def _death(kind: str) -> str:
    return {"timeout": "timeout", "died": "reader_died", "lost": "reader_lost"}.get(kind, "reader_error")


def frames(documents: Iterable[Packed]) -> dict[str, pd.DataFrame]:
    """`transform.frames.joined`, imported where the first part is written: pandera is slow to import."""
    from transform.frames import joined

    return joined(documents)


def _checked(read: Sequence[Packed], jobs: Sequence[Job]) -> dict[str, pd.DataFrame]:
    from pandera.errors import SchemaError, SchemaErrors

    try:
        return frames(read)
    except (SchemaError, SchemaErrors):
        return frames(_valid_or_failed(r, j.context) for r, j in zip(read, jobs, strict=True))


def _valid_or_failed(read: Packed, context: Context) -> Packed:
    """The rows of one document, or its failure where they break a rule of the tidy frames."""
    from pandera.errors import SchemaError, SchemaErrors

    from transform.frames import pack

    try:
        frames([read])
    except (SchemaError, SchemaErrors) as error:
        return pack(_invalid(error, context))
    return read
