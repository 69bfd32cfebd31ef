"""The nightly run as a Prefect flow: crawl, read, check, load, publish; straight down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

from extract.crawl.job import CrawlError, CrawlJob, Event, run_crawl
from extract.home import Home
from extract.ledger import Ledger
from extract.problem import Problem
from flows import logs, pipeline, progress, scale, stop
from flows.night import summarise
from flows.pipeline import Batch, Job, Outcome
from flows.registry import Source, load_registry
from flows.scale import Reader
from flows.settings import Settings
from flows.summary import snapshot
from warehouse.build import PublisherRow
from warehouse.corrections import load_corrections
from warehouse.districts import codes
from warehouse.migrate import require
from warehouse.query import connect

#: Outstanding tasks: a submitted task costs the client 35 KB (docs/decisions.md).
WAVE = 200

RUNNER: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=4)


@flow(name="nightly", flow_run_name="{run_id}", task_runner=RUNNER, persist_result=False)  # type: ignore[arg-type]
def nightly(
    run_id: str,
    home: Path,
    sources: Path,
    source_ids: list[str] | None = None,
    years: list[int] | None = None,
    refetch: bool = False,
    reparse: bool = False,
    accepted: dict[str, str] | None = None,
) -> Outcome:
    """One run over the registry at `sources`, into `home`. `run_id` is a run that the ledger has open, `accepted` are gates that may be
    red, and why.

    Raises RegistryError, CorrectionError, BuildError, GateError: nothing was published then. Everything else that goes wrong is a
    row of `problem`.
    """
    stop.rearm()
    place, settings = Home(home), Settings()
    require(place.warehouse)
    before = snapshot(place)
    registry = load_registry(sources, codes())
    load_corrections(settings.corrections)
    chosen = [s for s in registry if not source_ids or s.id in source_ids]
    if not reparse:
        crawl(place, run_id, chosen, years or [], refetch, settings, [s.publisher for s in registry])
    pipeline.ship(place, run_id)
    publishers = pipeline.publisher_rows(registry)
    readable = publishers_to_read(place, publishers, source_ids, reparse)
    read = read_all(place, pipeline.find_work(place, run_id, readable, years or [], reparse), settings)
    counts = load_and_publish(place, run_id, [b.part for b in read], publishers, accepted)
    outcome = pipeline.settle(place, run_id, counts, read, accepted)
    leave_artifacts(place, outcome, summarise(place, outcome, before, settings, accepted))
    return outcome


def publishers_to_read(home: Home, publishers: list[PublisherRow], source_ids: list[str] | None, reparse: bool) -> list[PublisherRow]:
    """The chosen publishers; a whole `--reparse` also reads again what came through `gongkai ingest`."""
    ingested = pipeline.known_publishers(home) if reparse and not source_ids else []
    rows = {p.publisher_id: p for p in [*ingested, *publishers]}
    return [p for p in rows.values() if not source_ids or p.publisher_id in source_ids]


def crawl(
    home: Home, run_id: str, sources: list[Source], years: list[int], refetch: bool, settings: Settings, publishers: list[str]
) -> None:
    """Visit all sources; those whose crawler died for good are problem rows. `publishers` are the names of the whole registry."""
    progress.current().stage("crawl")
    jobs = pipeline.crawl_jobs(home, run_id, sources, years, refetch, settings, publishers)
    options = crawl_batch.with_options(
        retries=settings.task_retries, retry_delay_seconds=exponential_backoff(settings.task_retry_delay), retry_jitter_factor=0.5
    )
    for start in range(0, len(jobs), settings.crawlers):
        wave = [(job, options.submit(job)) for job in jobs[start : start + settings.crawlers]]
        for job, future in wave:
            _await_crawl(home, job, future)
        pipeline.ship(home)


def _await_crawl(home: Home, job: CrawlJob, future: PrefectFuture[int]) -> None:
    try:
        future.result()
    except CrawlError as error:
        problems = [Problem("crawl", "unreachable", f"the crawler died: {str(error).splitlines()[0]}", s.id) for s in job.sources]
        with Ledger(home.ledger) as ledger:
            ledger.add_problems(job.run_id, problems)


@task(name="crawl", cache_policy=NO_CACHE, persist_result=False)
def crawl_batch(job: CrawlJob) -> int:
    """Visit one batch of hosts in a crawler process; the number of bodies fetched. Raises CrawlError where the crawler dies."""

    def show(event: Event) -> None:
        logs.crawl_event(event)
        if event["event"] in ("fetched", "not_modified"):
            progress.current().step("crawl", str(event.get("url")))

    return run_crawl(job, show).fetched


def read_all(home: Home, jobs: list[Job], settings: Settings) -> list[Batch]:
    """Read documents in batches, on this machine or on a Dask cluster. Raises ClusterError."""
    if not jobs:
        return []
    progress.current().stage("read", len(jobs))
    options = read_batch.with_options(retries=settings.task_retries, retry_delay_seconds=settings.task_retry_delay)
    out: list[Batch] = []
    runner: ThreadPoolTaskRunner[Any]
    with scale.reader(settings, jobs) as reader, ThreadPoolTaskRunner(max_workers=reader.at_once) as runner:
        work = pipeline.batches(jobs, min(settings.batch_size, -(-len(jobs) // reader.processes)))
        for start in range(0, len(work), WAVE):
            wave = [Work(home, jobs, reader) for jobs in work[start : start + WAVE]]
            futures: list[PrefectFuture[Batch]] = [runner.submit(options, {"work": given}) for given in wave]  # type: ignore[arg-type]
            out.extend(f.result() for f in futures)
    return out


class Work:
    """A batch to read, and by what. Not a dataclass: Prefect looks for futures in every field of every document of one."""

    __slots__ = ("home", "jobs", "reader")

    def __init__(self, home: Home, jobs: list[Job], reader: Reader) -> None:
        self.home, self.jobs, self.reader = home, jobs, reader


@task(name="read", cache_policy=NO_CACHE, persist_result=False)
def read_batch(work: Work) -> Batch:
    """Read one batch of documents into a part."""
    return pipeline.kept(work.home, work.jobs, lambda: work.reader.files(work.jobs, lambda url: progress.current().step("read", url)))


@task(name="load", cache_policy=NO_CACHE, persist_result=False)
def load_and_publish(
    home: Home, run_id: str, parts: list[Path], publishers: list[PublisherRow], accepted: dict[str, str] | None = None
) -> dict[str, int] | None:
    """Build, check and publish the warehouse; None where nothing is new."""
    progress.current().stage("load", 1)
    counts = pipeline.load(home, run_id, parts, publishers, complete=True, accepted=accepted)
    progress.current().step("load")
    return counts


def leave_artifacts(home: Home, outcome: Outcome, summary: str | None) -> None:
    """Summary and problems of the run where Prefect shows them."""
    if summary is not None:
        create_markdown_artifact(summary, key="run-summary")
    with connect(home.warehouse) as con:
        found = con.execute(
            "SELECT stage, publisher_id, year, kind, message, url FROM problem WHERE run_id = ? ORDER BY ALL LIMIT 500", [outcome.run_id]
        )
        names = [d[0] for d in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    create_table_artifact(rows, key="run-problems")
