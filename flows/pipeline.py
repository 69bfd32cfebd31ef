"""The steps of a run as plain functions: the Prefect flow and `gongkai ingest` call the same ones."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from importlib import import_module
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pandas as pd
from pandera.errors import SchemaError, SchemaErrors

from extract.archive import ArchiveError, read_body
from extract.crawl.job import CrawlJob, CrawlSource, ReportLocation
from extract.home import Home
from extract.ledger import Candidate, Ledger, Place
from extract.problem import Problem
from extract.reader import read_document
from flows.engine import Done, WorkPool
from flows.registry import Source, host_batches
from flows.settings import Settings
from transform.frames import Rows, frames
from transform.tidy import PARSER_VERSION, Context, failed, tidy
from warehouse.build import PublisherRow, build
from warehouse.changes import known_parses, needs_publish
from warehouse.publish import publish
from warehouse.query import connect

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


class BusyError(RuntimeError):
    """Another run is using this home. Raised by `exclusive`."""


@dataclass(frozen=True, slots=True)
class Job:
    """A document to read: where its bytes lie in the archive, and what is known of it."""

    archive: Path
    archive_file: str
    archive_offset: int
    promised: str | None
    context: Context
    pictures: tuple[Place, ...] = ()


@dataclass(slots=True)
class Batch:
    """What became of a batch: the folder of its parts, how many documents it had, how many were lost."""

    part: Path
    documents: int
    failures: int


@dataclass(slots=True)
class Outcome:
    """What a run came to. `status` is published, nothing_new or failed; `failures` counts problems of severity failure in this run."""

    run_id: str
    status: str
    counts: dict[str, int] = field(default_factory=dict)
    failures: int = 0

    @property
    def exit_status(self) -> int:
        """0 all went well, 1 nothing was published, 3 some documents or sources failed (contract)."""
        if self.status == "failed":
            return 1
        return 3 if self.failures else 0


@contextmanager
def exclusive(home: Home) -> Iterator[None]:
    """One run at a time for a home; the lock goes with the process. Raises BusyError."""
    home.create()
    with (home.state / "run.lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another run is using {home.root}") from None
        yield


# --- crawl


def crawl_jobs(
    home: Home, run_id: str, sources: Sequence[Source], years: Sequence[int], refetch: bool, settings: Settings
) -> list[CrawlJob]:
    """One job for each batch of hosts; all sources of a host are in the same one, because politeness lives in the crawler process."""
    return [
        CrawlJob(
            home=home.root.absolute(),
            run_id=run_id,
            worker=number,
            sources=[_crawl_source(source, years) for source in batch],
            years=sorted(years) or None,
            refetch=refetch,
            settings=settings.crawl({host for source in batch for host in source.hosts()}),
        )
        for number, batch in enumerate(host_batches(sources, settings.crawler_sources))
    ]


def _crawl_source(source: Source, years: Sequence[int]) -> CrawlSource:
    reports = [ReportLocation(year=r.year, url=r.url) for r in source.reports if not years or r.year in years]
    return CrawlSource(id=source.id, publisher=source.publisher, index=list(source.index), reports=reports)


# --- read


def find_work(home: Home, run_id: str, publishers: Sequence[PublisherRow], years: Sequence[int], reparse: bool) -> list[Job]:
    """Documents of these publishers that no published file has read yet; with `reparse`, all of them."""
    known = {} if reparse else known_parses(home.warehouse)
    rows = {p.publisher_id: p for p in publishers}
    with Ledger(home.ledger) as ledger:
        found = ledger.candidates(set(rows), set(years) or None)
    fresh: dict[tuple[str, str], Candidate] = {}
    pictures: dict[tuple[str, str], list[Place]] = {}
    for candidate in found:
        key = (candidate.publisher_id, candidate.sha256)
        if candidate.media == "image" and candidate.parent_url:
            where = Place(candidate.archive_file, candidate.archive_offset)
            pictures.setdefault((candidate.publisher_id, candidate.parent_url), []).append(where)
        elif key not in known:
            fresh.setdefault(key, candidate)
    return [_job(home, run_id, rows[c.publisher_id], c, pictures.get((c.publisher_id, c.url), [])) for c in fresh.values()]


def _job(home: Home, run_id: str, publisher: PublisherRow, c: Candidate, pictures: Sequence[Place]) -> Job:
    context = Context(
        publisher_id=c.publisher_id,
        district_code=publisher.district_code,
        url=c.url,
        sha256=c.sha256,
        fetched_at=c.fetched_at,
        run_id=run_id,
        scope=publisher.scope,
        title=c.title,
        year=c.year if c.declared else None,
        link_year=c.year,
        published_on=c.published_on,
    )
    return Job(home.archive, c.archive_file, c.archive_offset, promised_media(c.url), context, tuple(pictures))


def promised_media(url: str) -> str | None:
    """The media that the end of an address promises, None where it promises none."""
    return _PROMISED.get(PurePosixPath(unquote(urlsplit(url).path)).suffix.lower())


def batches(jobs: Sequence[Job], size: int) -> list[list[Job]]:
    """Jobs in batches of `size`, in their order."""
    return [list(jobs[i : i + size]) for i in range(0, len(jobs), size)]


def warm_up() -> None:
    """Import what reading needs: before a worker's memory limit is set, and once for all its documents."""
    for name in ("playa", "camelot.parsers.lattice", "camelot.utils", "docx", "lxml.html", "pypdfium2"):
        import_module(name)
    pd.DataFrame([["x"]])  # the first one reserves 1 GB of address space, which is not the documents'


def read_one(job: Job) -> Rows:
    """Read one document from the archive into rows. Runs in a worker process."""
    try:
        body = read_body(job.archive, job.archive_file, job.archive_offset)
        pictures = [read_body(job.archive, p.archive_file, p.archive_offset) for p in job.pictures]
    except (ArchiveError, OSError) as error:
        message = f"{job.archive_file} at {job.archive_offset}: {error}"
        return failed(Problem("extract", "broken_archive", message), job.context)
    return tidy(read_document(body, job.promised, pictures), job.context)


def read_batch(home: Home, jobs: Sequence[Job], pool: WorkPool, timeout: float, done: Callable[[str], None]) -> Batch:
    """Read a batch of documents and write their frames as one part.

    The part's name is made of what was read and by which parser: a batch that an earlier, interrupted run wrote whole is not read again. A
    document that takes too long, or kills its process, is a problem row; the others are not affected.
    """
    part = home.parts / _part_key(jobs)
    if not part.exists():
        results = pool.map(read_one, jobs, timeout)
        rows = []
        for job, result in zip(jobs, results, strict=True):
            rows.append(
                result.value if isinstance(result, Done) else failed(Problem("extract", _death(result.kind), result.message), job.context)
            )
            done(job.context.url)
        write_part(part, rows, jobs)
    lost = json.loads((part / "batch.json").read_text("utf-8"))["failures"]
    return Batch(part, len(jobs), lost)


def _death(kind: str) -> str:
    return "timeout" if kind == "timeout" else "reader_died" if kind == "died" else "reader_error"


def _part_key(jobs: Sequence[Job]) -> str:
    told = [[PARSER_VERSION, version("gongkai"), *(str(v) for v in (*_identity(j.context), j.pictures))] for j in jobs]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]


def _identity(c: Context) -> tuple[object, ...]:
    return c.publisher_id, c.sha256, c.url, c.district_code, c.scope, c.year, c.link_year, c.title, c.published_on


def write_part(part: Path, rows: Sequence[Rows], jobs: Sequence[Job]) -> None:
    """Write the frames of a batch as Parquet, whole or not at all."""
    aside = part.with_name(f".{part.name}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name, table in _checked(rows, jobs).items():
        table.to_parquet(aside / f"{name}.parquet", index=False)
    failures = sum(p["severity"] == "failure" for r in rows for p in r["problem"])
    (aside / "batch.json").write_text(json.dumps({"failures": failures}), "utf-8")
    aside.rename(part)


def _checked(rows: Sequence[Rows], jobs: Sequence[Job]) -> dict[str, pd.DataFrame]:
    try:
        return frames(rows)
    except (SchemaError, SchemaErrors):
        return frames(_valid_or_failed(r, j.context) for r, j in zip(rows, jobs, strict=True))


def _valid_or_failed(rows: Rows, context: Context) -> Rows:
    """The rows of one document, or its failure where they break a rule of the tidy frames."""
    try:
        frames([rows])
    except (SchemaError, SchemaErrors) as error:
        return failed(Problem("transform", "invalid_rows", str(error).splitlines()[0]), context)
    return rows


# --- load and publish


def load(home: Home, run_id: str, parts: Sequence[Path], publishers: Sequence[PublisherRow], complete: bool) -> dict[str, int] | None:
    """Build and publish the warehouse, if there is anything new; the counts of the run, None where there is nothing new.

    `complete`: the publishers are the whole registry. Raises BuildError, GateError; the published file is then what it was.
    """
    if not needs_publish(home.warehouse, parts, home.ledger, publishers, registry_complete=complete):
        return None
    built = build(home.warehouse, parts, home.ledger, publishers, run_id=run_id, version=version("gongkai"), registry_complete=complete)
    publish(built)
    for part in home.parts.iterdir():
        shutil.rmtree(part, ignore_errors=True)
    return dict(built.counts)


def publisher_rows(sources: Iterable[Source]) -> list[PublisherRow]:
    """The registry's publishers as rows of the warehouse."""
    return [PublisherRow(s.id, s.publisher, s.district, s.kind, s.scope) for s in sources]


def known_publishers(home: Home) -> list[PublisherRow]:
    """Publishers of the published warehouse; none where nothing is published yet."""
    if not home.warehouse.exists():
        return []
    with connect(home.warehouse) as con:
        rows = con.execute("SELECT publisher_id, name, district_code, kind, scope FROM publisher ORDER BY publisher_id").fetchall()
    return [PublisherRow(*row) for row in rows]


def settle(home: Home, run_id: str, counts: dict[str, int] | None, read: Sequence[Batch]) -> Outcome:
    """Close the run in the ledger and say what it came to."""
    with Ledger(home.ledger) as ledger:
        crawl_failures = sum(p.severity == "failure" for p in ledger.problems(run_id))
        status = "nothing_new" if counts is None else "published"
        figures = counts or {"documents_parsed": sum(b.documents for b in read)}
        ledger.finish_run(run_id, "nothing_new" if counts is None else "published", figures)
    return Outcome(run_id, status, figures, crawl_failures + sum(b.failures for b in read))
