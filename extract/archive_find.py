"""Which record of the archive holds what an address answered with at a time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from extract.ledger import Ledger, Place, utc_text

_NEWEST = "SELECT sha256, media, archive_file, archive_offset FROM document WHERE url = :url AND archive_file IS NOT NULL"
# stretches of time in which an address answered with the same body; the last that had begun by then, unless it had ended
_AT = """
SELECT c.sha256, c.media, c.archive_file, c.archive_offset, p.gone_at
FROM presence p JOIN content c ON c.url = p.url AND c.sha256 = p.sha256
WHERE p.url = :url AND p.first_seen <= :at ORDER BY p.id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class FoundBody:
    """A body of an address: its sha256 and media, and the record it lies in."""

    sha256: str
    media: str
    place: Place


def find_body(ledger: Path, url: str, at: datetime | None = None) -> FoundBody | None:
    """The newest body an address had; with `at`, the body it had then, as far as it was asked. None where there is none.

    Raises sqlite3.Error where the file is no ledger.
    """
    if not ledger.exists():
        return None
    with Ledger(ledger):  # brings the tables of an older ledger up to date
        pass
    moment = utc_text(at) if at else None
    with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)) as db:
        row = db.execute(_AT if moment else _NEWEST, {"url": url, "at": moment}).fetchone()
    if row is None or (moment and row[4] is not None and row[4] <= moment):
        return None
    return FoundBody(row[0], row[1], Place(row[2], row[3]))
