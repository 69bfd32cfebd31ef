"""A small home with an archive and a ledger, made the way the crawler makes them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from extract.archive import Answer, Archive, Asked, read_record
from extract.home import Home
from extract.ledger import Body, Ledger, Place, utc_text

AT = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)
SITE = "http://127.0.0.1"


def answer(path: str, body: bytes = b"<html>hello</html>", status: int = 200, at: datetime = AT) -> Answer:
    asked = Asked("GET", [("User-Agent", "gongkai/test"), ("Accept", "*/*")])
    return Answer(SITE + path, status, [("Content-Type", "text/html")], body, at, ip="127.0.0.1", request=asked)


def new_run(home: Home) -> str:
    with Ledger(home.create().ledger) as ledger:
        return ledger.start_run("run")


def crawl(home: Home, run_id: str, bodies: dict[str, bytes], worker: int = 0, at: datetime = AT) -> dict[str, Place]:
    """Archive and record bodies by path; an address that had the same body gets a revisit record."""
    archive, places = Archive.of(home), {}
    with Ledger(home.ledger) as ledger, archive.writer(run_id, worker, {"robots": "obey"}) as writer:
        for path, body in bodies.items():
            got = answer(path, body, at=at)
            known = ledger.document(got.url)
            sha256 = hashlib.sha256(body).hexdigest()
            if known and known.sha256 == sha256:
                place = writer.write_revisit(
                    got, read_record(archive, known.archive_file, known.archive_offset), "identical-payload-digest"
                )
            else:
                place = writer.write_response(got)
            ledger.record_body(got.url, 200, Body(sha256, "html", len(body), place), utc_text(at))
            places[path] = place
    return places


def warcs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.warc.gz"))
