"""Rows of the ledger as data classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

RunStatus = Literal["running", "published", "nothing_new", "failed"]
Role = Literal["page", "attachment"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record starts: the plain name of a file of the archive, and the offset of the record's gzip member in it."""

    archive_file: str
    archive_offset: int


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it was received from an address: what it is and where it lies. `sha256` is of the decoded entity body."""

    sha256: str
    media: str
    bytes: int
    place: Place
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One row of `run`."""

    run_id: str
    started_at: str
    finished_at: str | None
    version: str
    command: str
    status: RunStatus
    counts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One row of `document`: the newest answer of an address.

    `status` and `last_checked` are of the newest answer (an answer 304 counts as the 200 it confirms). The body (`sha256`
    … `archive_offset`) is the newest that came with a success: an address that is gone (404) keeps the last body it had.
    `last_seen` is the last time the address answered with a body.
    """

    url: str
    first_seen: str
    last_seen: str | None
    last_checked: str
    status: int
    media: str | None
    sha256: str | None
    bytes: int | None
    etag: str | None
    last_modified: str | None
    archive_file: str | None
    archive_offset: int | None


@dataclass(frozen=True, slots=True)
class ContentRow:
    """One row of `content`: a body an address once had."""

    url: str
    sha256: str
    fetched_at: str
    media: str
    bytes: int
    archive_file: str
    archive_offset: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A report link as seen: what to write into `sighting`.

    `role` is `page` for what an index or the registry links to, whatever its medium, and `attachment` for what hangs on
    such a page.
    """

    publisher_id: str
    url: str
    title: str | None
    year: int | None
    role: Role
    parent_url: str | None = None
    published_on: str | None = None
    declared: bool = False


@dataclass(frozen=True, slots=True)
class SourceState:
    """One row of `source_state`: how the last visit to a source went."""

    publisher_id: str
    last_run_id: str
    checked_at: str
    index_read: bool
    reports_found: int
    conditional: int
    unchanged: int
    fetched: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sighted report document together with the current body of its address: what a reader needs."""

    publisher_id: str
    url: str
    title: str | None
    year: int | None
    declared: bool
    role: Role
    parent_url: str | None
    published_on: str | None
    first_seen: str
    last_seen: str
    last_run_id: str
    status: int
    sha256: str
    media: str
    bytes: int
    archive_file: str
    archive_offset: int
    fetched_at: str
