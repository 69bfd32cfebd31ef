"""`gongkai ingest`: files already on disk go the same way as crawled ones, archive first."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from extract.archive import Archive
from extract.home import Home
from extract.ledger import Body, Ledger, Sighting, utc_text
from extract.media import sniff
from flows import pipeline, progress
from flows.engine import WorkPool
from flows.pipeline import Outcome
from flows.settings import Settings
from warehouse.build import PublisherRow


def ingest_files(
    home: Home,
    run_id: str,
    files: Sequence[Path],
    publisher: str,
    district: str,
    year: int | None,
    scope: str | None,
    pool: WorkPool,
    settings: Settings,
) -> Outcome:
    """Archive files, read those that are new for this publisher, load and publish. Raises OSError, BuildError, GateError."""
    row = publisher_row(home, publisher, district, scope)
    urls = archive_files(home, run_id, files, row.publisher_id, year)
    jobs = [j for j in pipeline.find_work(home, run_id, [row], [], reparse=False) if j.context.url in urls]
    progress.current().stage("read", len(jobs))
    read = [
        pipeline.read_batch(home, batch, pool, settings.document_timeout, lambda url: progress.current().step("read", url))
        for batch in pipeline.batches(jobs, settings.batch_size)
    ]
    counts = pipeline.load(home, run_id, [b.part for b in read], [row], complete=False)
    return pipeline.settle(home, run_id, counts, read)


def publisher_row(home: Home, name: str, district: str, scope: str | None) -> PublisherRow:
    """The publisher of this name and district that the warehouse knows, else a new one whose id is made of both."""
    for known in pipeline.known_publishers(home):
        if (known.name, known.district_code) == (name, district):
            return PublisherRow(known.publisher_id, name, district, known.kind, scope or known.scope)
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return PublisherRow(f"ingest-{district}-{digest}", name, district, "other", scope)


def archive_files(home: Home, run_id: str, files: Sequence[Path], publisher_id: str, year: int | None) -> set[str]:
    """Write files to the archive, then to the ledger; their addresses there."""
    urls: set[str] = set()
    with Ledger(home.ledger) as ledger, Archive.of(home).writer(run_id, "ingest") as archive:
        for path in files:
            at = datetime.now(UTC)
            url, sha256, where = archive.write_local_file(path, at)
            body = path.read_bytes()
            ledger.record_body(url, 200, Body(sha256, sniff(body), len(body), where), utc_text(at))
            seen = Sighting(publisher_id, url, title=None, year=year, role="page", declared=year is not None)
            ledger.record_sighting(run_id, seen, utc_text(at))
            urls.add(url)
    pipeline.ship(home, run_id)
    return urls
