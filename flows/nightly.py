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
from flows import pipeline, progress
from flows.engine import WorkPool
from flows.pipeline import Batch, Job, Outcome
from flows.registry import Source, load_registry
from flows.settings import Settings
from warehouse.build import PublisherRow
from warehouse.districts import codes
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
) -> Outcome:
    """One run over the registry at `sources`, into `home`. `run_id` is a run that the ledger has open.

    Raises RegistryError, BuildError, GateError: nothing was published then. Everything else that goes wrong is a row of `problem`.
    """
    place, settings = Home(home), Settings()
    registry = load_registry(sources, codes())
    chosen = [s for s in registry if not source_ids or s.id in source_ids]
    if not reparse:
        crawl(place, run_id, chosen, years or [], refetch, settings)
    publishers = pipeline.publisher_rows(registry)
    readable = publishers_to_read(place, publishers, source_ids, reparse)
    read = read_all(place, pipeline.find_work(place, run_id, readable, years or [], reparse), settings)
    counts = load_and_publish(place, run_id, [b.part for b in read], publishers)
    outcome = pipeline.settle(place, run_id, counts, read)
    leave_artifacts(place, outcome)
    return outcome


def publishers_to_read(home: Home, publishers: list[PublisherRow], source_ids: list[str] | None, reparse: bool) -> list[PublisherRow]:
    """The chosen publishers; a whole `--reparse` also reads again what came through `gongkai ingest`."""
    ingested = pipeline.known_publishers(home) if reparse and not source_ids else []
    rows = {p.publisher_id: p for p in [*ingested, *publishers]}
    return [p for p in rows.values() if not source_ids or p.publisher_id in source_ids]


def crawl(home: Home, run_id: str, sources: list[Source], years: list[int], refetch: bool, settings: Settings) -> None:
    """Visit all sources; those whose crawler died for good are problem rows."""
    progress.current().stage("crawl")
    jobs = pipeline.crawl_jobs(home, run_id, sources, years, refetch, settings)
    options = crawl_batch.with_options(
        retries=settings.task_retries, retry_delay_seconds=exponential_backoff(settings.task_retry_delay), retry_jitter_factor=0.5
    )
    for start in range(0, len(jobs), settings.crawlers):
        wave = [(job, options.submit(job)) for job in jobs[start : start + settings.crawlers]]
        for job, future in wave:
            _await_crawl(home, job, future)


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
        if event["event"] in ("fetched", "not_modified"):
            progress.current().step("crawl", str(event.get("url")))

    return run_crawl(job, show).fetched


def read_all(home: Home, jobs: list[Job], settings: Settings) -> list[Batch]:
    """Read documents in batches on one pool of processes."""
    if not jobs:
        return []
    progress.current().stage("read", len(jobs))
    work = pipeline.batches(jobs, min(settings.batch_size, -(-len(jobs) // settings.workers)))
    options = read_batch.with_options(retries=settings.task_retries, retry_delay_seconds=settings.task_retry_delay)
    out: list[Batch] = []
    with WorkPool(settings.workers, settings.document_memory, pipeline.warm_up) as pool:
        for start in range(0, len(work), WAVE):
            futures = [options.submit(home, jobs, pool, settings.document_timeout) for jobs in work[start : start + WAVE]]
            out.extend(f.result() for f in futures)
    return out


@task(name="read", cache_policy=NO_CACHE, persist_result=False)
def read_batch(home: Home, jobs: list[Job], pool: WorkPool, timeout: float) -> Batch:
    """Read one batch of documents into a part."""
    return pipeline.read_batch(home, jobs, pool, timeout, lambda url: progress.current().step("read", url))


@task(name="load", cache_policy=NO_CACHE, persist_result=False)
def load_and_publish(home: Home, run_id: str, parts: list[Path], publishers: list[PublisherRow]) -> dict[str, int] | None:
    """Build, check and publish the warehouse; None where nothing is new."""
    progress.current().stage("load", 1)
    counts = pipeline.load(home, run_id, parts, publishers, complete=True)
    progress.current().step("load")
    return counts


def leave_artifacts(home: Home, outcome: Outcome) -> None:
    """Counts and problems of the run where Prefect shows them."""
    lines = [f"| {name} | {number} |" for name, number in outcome.counts.items()]
    create_markdown_artifact("\n".join([f"**{outcome.status}**", "", "| what | count |", "|---|---|", *lines]), key="run-counts")
    with connect(home.warehouse) as con:
        found = con.execute(
            "SELECT stage, publisher_id, year, kind, message, url FROM problem WHERE run_id = ? ORDER BY ALL LIMIT 500", [outcome.run_id]
        )
        names = [d[0] for d in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    create_table_artifact(rows, key="run-problems")
