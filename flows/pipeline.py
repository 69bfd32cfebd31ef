"""The steps of a run as plain functions: the Prefect flow and `gongkai ingest` call the same ones."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, LOCK_NB, flock
from importlib.metadata import version
from pathlib import Path

from extract.archive import Archive, StoreUnreachable
from extract.crawl.job import CrawlJob, CrawlSource, ReportLocation, Tls
from extract.home import Home
from extract.ledger import Candidate, Ledger, Place, RunStatus
from extract.problem import Problem
from flows import closing, reading, reread
from flows import parts as staged
from flows.engine import WorkPool
from flows.parts import Files
from flows.reading import Job as Job
from flows.reading import read_files as read_files
from flows.reading import readers as readers
from flows.registry import Source, host_batches
from flows.settings import Settings
from transform.tidy import PARSER_VERSION, Context
from warehouse.build import BuildError, PublisherRow, build
from warehouse.changes import known_parses, needs_publish
from warehouse.corrections import failed_corrections
from warehouse.publish import publish
from warehouse.query import connect

log = logging.getLogger("gongkai")


class BusyError(RuntimeError):
    """Another run is using this home. Raised by `exclusive`."""


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
    """One run at a time for a home; the lock goes with the process. A run that had published when its process died is closed first.

    Raises BusyError, OSError where the home can't be written, sqlite3.Error where the ledger can't.
    """
    home.create()
    with (home.state / "run.lock").open("w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another run is using {home.root}") from None
        closing.settle_published(home)
        yield


# --- crawl


def crawl_jobs(
    home: Home,
    run_id: str,
    sources: Sequence[Source],
    years: Sequence[int],
    refetch: bool,
    settings: Settings,
    publishers: Sequence[str] = (),
) -> list[CrawlJob]:
    """One job for each batch of hosts; all sources of a host are in the same one, because politeness lives in the crawler process.

    `publishers` are the names of the whole registry: a report of another of them is told from one of an unknown body.
    """
    return [
        CrawlJob(
            home=home.root.absolute(),
            run_id=run_id,
            worker=number,
            sources=[_crawl_source(source, years) for source in batch],
            years=sorted(years) or None,
            refetch=refetch,
            settings=settings.crawl({host for source in batch for host in source.all_hosts()}),
            publishers=list(publishers),
        )
        for number, batch in enumerate(host_batches(sources, settings.crawler_sources))
    ]


def _crawl_source(source: Source, years: Sequence[int]) -> CrawlSource:
    reports = [ReportLocation(year=r.year, url=r.url) for r in source.reports if not years or r.year in years]
    tls = Tls(**source.tls.model_dump()) if source.tls else None
    return CrawlSource(
        id=source.id,
        publisher=source.publisher,
        index=list(source.index),
        reports=reports,
        hosts=list(source.hosts),
        tls=tls,
        district=source.district,
        kind=source.kind,
    )


def ship(home: Home, run_id: str | None = None) -> None:
    """Bring finished files of the archive to the object store, if there is one. What can't be brought there stays in the spool for the
    next time, and is a problem of the run `run_id`."""
    archive = Archive.of(home)
    try:
        archive.ship()
    except (StoreUnreachable, OSError) as error:
        log.warning("archive: %s", error)
        if run_id is not None:
            waiting = len(list(archive.folders[0].glob("*.warc.gz")))
            with Ledger(home.ledger) as ledger:
                message = f"{waiting} file(s) wait in {archive.folders[0]}: {error}"
                ledger.add_problems(run_id, [Problem("crawl", "archive_unreachable", message)])


# --- read


def find_work(
    home: Home, run_id: str, publishers: Sequence[PublisherRow], years: Sequence[int], reparse: bool, everything: bool = False
) -> list[Job]:
    """Documents of these publishers that no published file has read yet; with `reparse`, also those that a new version of the reader
    affects, all of them where there are none or `everything` is to be read."""
    lost = {} if reparse else lost_records(home)
    rows = {p.publisher_id: p for p in publishers}
    with Ledger(home.ledger) as ledger:
        find = reread.reparse_candidates if reparse else reread.new_candidates
        found, known = find(home, ledger, set(rows), set(years) or None)
    if everything:
        known = set()
    fresh: dict[tuple[str, str], Candidate] = {}
    pictures: dict[tuple[str, str], list[Place]] = {}
    for candidate in found:
        key = (candidate.publisher_id, candidate.sha256)
        if candidate.media == "image" and candidate.parent_url:
            where = Place(candidate.archive_file, candidate.archive_offset)
            pictures.setdefault((candidate.publisher_id, candidate.parent_url), []).append(where)
        elif key not in known or lost.get(key, _place(candidate)) != _place(candidate):
            fresh.setdefault(key, candidate)
    archive = Archive.of(home)
    return [_job(archive, run_id, rows[c.publisher_id], c, pictures.get((c.publisher_id, c.url), [])) for c in fresh.values()]


def lost_records(home: Home) -> dict[tuple[str, str], str]:
    """(publisher_id, sha256) of documents that could not be had -> where the record lay, empty where the store or the readers failed.

    They are read as soon as the record can be had, or lies elsewhere, having been fetched anew.
    """
    if not home.warehouse.exists():
        return {}
    query = """SELECT publisher_id, document_sha256, kind, message FROM problem
        WHERE kind IN ('broken_archive', 'archive_unreachable', 'reader_lost') AND document_sha256 IS NOT NULL"""
    with connect(home.warehouse) as con:
        rows = con.execute(query).fetchall()
    return {(p, sha): message.partition(":")[0] if kind == "broken_archive" else "" for p, sha, kind, message in rows}


def _place(c: Candidate) -> str:
    return f"{c.archive_file} at {c.archive_offset}"


def _job(archive: Archive, run_id: str, publisher: PublisherRow, c: Candidate, pictures: Sequence[Place]) -> Job:
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
        publisher=publisher.name,
    )
    return Job(archive, c.archive_file, c.archive_offset, reading.promised_media(c.url), context, tuple(pictures))


def batches(jobs: Sequence[Job], size: int) -> list[list[Job]]:
    """Jobs in batches of `size`, in their order."""
    return [list(jobs[i : i + size]) for i in range(0, len(jobs), size)]


def read_batch(home: Home, jobs: Sequence[Job], pool: WorkPool, timeout: float, done: Callable[[str], None]) -> Batch:
    """Read a batch of documents on this machine and write their frames as one part."""
    return kept(home, jobs, lambda: reading.read_files(jobs, pool, timeout, done))


def kept(home: Home, jobs: Sequence[Job], make: Callable[[], Files]) -> Batch:
    """The part of a batch, whose files `make` gives where there is none yet.

    The part's name is made of what was read and by which parser: a batch that an earlier, interrupted run wrote whole is not read again.
    """
    part = staged.kept(home.parts / _part_key(jobs), make)
    lost = json.loads((part / "batch.json").read_text("utf-8"))["failures"]
    return Batch(part, len(jobs), lost)


def _part_key(jobs: Sequence[Job]) -> str:
    code = PARSER_VERSION, version("gongkai")
    told = [[*code, *(str(v) for v in (*_identity(j.context), j.pictures))] for j in jobs]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]


def _identity(c: Context) -> tuple[object, ...]:
    return c.publisher_id, c.sha256, c.url, c.district_code, c.scope, c.year, c.link_year, c.title, c.published_on, c.publisher


# --- load and publish


def load(
    home: Home,
    run_id: str,
    parts: Sequence[Path],
    publishers: Sequence[PublisherRow],
    complete: bool,
    accepted: Mapping[str, str] | None = None,
    rebuilt: bool = False,
) -> dict[str, int] | None:
    """Build and publish the warehouse, if there is anything new; the counts of the run, None where there is nothing new.

    `complete`: the publishers are the whole registry. `accepted`: gates that may be red, and why. `rebuilt`: the parts hold every
    document of a file of an older schema. A part that is damaged by now is a problem of the run; with `rebuilt` nothing may be missing.
    Raises BuildError, GateError; the published file is then what it was, and the parts stay.
    """
    whole = staged.sound(home, run_id, parts)
    if rebuilt and len(whole) < len(parts):
        raise BuildError(f"{len(parts) - len(whole)} of {len(parts)} parts are damaged; the same command makes them anew")
    settings, heads = Settings(), population_file(home)
    entries = settings.corrections
    reread.tell_of_rollback(home)
    known = known_parses(home.warehouse).keys()
    if not needs_publish(home.warehouse, whole, home.ledger, publishers, registry_complete=complete, corrections=entries, population=heads):
        return None
    built = build(
        home.warehouse,
        whole,
        home.ledger,
        publishers,
        run_id=run_id,
        version=version("gongkai"),
        registry_complete=complete,
        corrections=entries,
        population=heads,
        reread=rebuilt,
        limits=settings.limits,
    )
    publish(
        built,
        accepted=accepted,
        bounds=settings.gate_bounds,
        registered=[p.publisher_id for p in publishers] if complete else None,
        keep=settings.keep,
        limits=settings.limits,
        moment=closing.LAST_WORD,
    )
    for part in home.parts.iterdir():
        staged.discard(part)
    again = built.replaced & known
    return dict(built.counts) | (reread.report_changes(home, run_id, again) if again else {})


def population_file(home: Home) -> Path | None:
    """The user's file of population and area (warehouse/population.py): the one of the settings, else HOME/population.csv, else none."""
    own = home.root / "population.csv"
    return Settings().population or (own if own.exists() else None)


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


def settle(
    home: Home, run_id: str, counts: dict[str, int] | None, read: Sequence[Batch], accepted: Mapping[str, str] | None = None
) -> Outcome:
    """Close the run in the ledger and say what it came to."""
    with closing.LAST_WORD, Ledger(home.ledger) as ledger:
        crawl_failures = sum(p.severity == "failure" for p in ledger.problems(run_id))
        figures = counts or {"documents_parsed": sum(b.documents for b in read)}
        status: RunStatus = "nothing_new" if counts is None else "published"
        ledger.finish_run(run_id, status, figures | ({"accepted_gates": dict(accepted)} if accepted and counts else {}))
    return Outcome(run_id, status, figures, crawl_failures + sum(b.failures for b in read) + _failed_corrections(home))


def _failed_corrections(home: Home) -> int:
    with connect(home.warehouse) as con:
        return failed_corrections(con)
