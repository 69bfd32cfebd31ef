"""`gongkai upgrade`: a home of an older version becomes one of this version, out of its own archive and without one request."""

from __future__ import annotations

from collections.abc import Mapping

from extract.home import Home
from flows import pipeline, progress
from flows.engine import WorkPool
from flows.pipeline import Outcome
from flows.settings import Settings
from warehouse.migrate import Plan, plan
from warehouse.rereading import readings


def upgrade(home: Home, run_id: str, pool: WorkPool, settings: Settings, accepted: Mapping[str, str] | None = None) -> Outcome:
    """Read again what the present version reads differently, and publish the warehouse in its present schema.

    That is every document where tables gained or changed a column, else those that a new version of the reader affects, else none.
    Raises BuildError (NewerFileError for a file of a newer version), GateError: the published file is then what it was.
    """
    needed = plan(home.warehouse)
    publishers = pipeline.known_publishers(home)
    rebuild = needed is Plan.reread
    jobs = pipeline.find_work(home, run_id, publishers, [], reparse=True, everything=rebuild) if rebuild or _outdated(home) else []
    progress.current().stage("read", len(jobs))
    read = [
        pipeline.read_batch(home, batch, pool, settings.document_timeout, lambda url: progress.current().step("read", url))
        for batch in pipeline.batches(jobs, settings.batch_size)
    ]
    counts = pipeline.load(home, run_id, [b.part for b in read], publishers, complete=False, accepted=accepted, rebuilt=rebuild)
    return pipeline.settle(home, run_id, counts, read, accepted)


def _outdated(home: Home) -> bool:
    """Whether a new version of the reader affects any document."""
    from transform.tidy import PARSER_VERSION

    return any(reading.parser_version != PARSER_VERSION for reading in readings(home.warehouse).values())
