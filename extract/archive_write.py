"""Writing the archive: records on disk before anything points at them, and a checksum beside every finished file."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from fcntl import LOCK_EX, flock
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self
from urllib.parse import quote

from warcio.recordloader import ArcWarcRecord
from warcio.warcwriter import WARCWriter

from extract.archive_record import Answer, Stored
from extract.archive_seal import Seal, sync_folder, write_seal
from extract.ledger import Place, utc_text

SIZE_LIMIT = 1 << 30
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
CONFORMS_TO = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"

Profile = Literal["identical-payload-digest", "server-not-modified"]


def ingest_uri(sha256: str, name: str) -> str:
    """The target URI of a local file: `urn:gongkai:ingest:<sha256>/<quoted name>`; the plain name only, no path of the machine."""
    return f"urn:gongkai:ingest:{sha256}/{quote(Path(name).name, safe='')}"


def warcinfo(run_id: str, about: Mapping[str, str]) -> dict[str, str]:
    """Fields of the warcinfo record (WARC 1.1 §6.2 and the DCMI terms it names): software, format, run, and `about` the crawl."""
    try:
        software = f"gongkai/{version('gongkai')} (warcio/{version('warcio')})"
    except PackageNotFoundError:
        software = f"gongkai (warcio/{version('warcio')})"
    return {"software": software, "format": "WARC File Format 1.1", "conformsTo": CONFORMS_TO, "isPartOf": run_id, **about}


class WarcArchive:
    """Writes the records of one worker of one run, to files of its own in `folder`.

    A file is begun with the first record, with a warcinfo record first, and followed by the next when it has reached `size_limit`
    (bytes). When a write method returns, the record is on disk (fsync); a ledger row may point at it. With `sync=False` it is on disk
    only after the next `sync()`. A record that can't be written whole (disk full) is cut off again and the OSError passed on, as is
    the loss of the file under its writer. A file is locked (flock) while it is written; a closed one gets a `.sha256` beside it.
    A context manager. `about` are fields of the warcinfo record.
    """

    def __init__(
        self, folder: Path, run_id: str, worker: str | int, size_limit: int = SIZE_LIMIT, about: Mapping[str, str] | None = None
    ) -> None:
        self._folder = folder
        # random: the name of a first try may be free again here, its file being in the store by then
        self._stem = f"gongkai-{run_id}-{worker}-{secrets.token_hex(3)}"
        self._size_limit = size_limit
        self._info = warcinfo(run_id, about or {})
        self._info_id = ""
        self._file: BinaryIO | None = None
        self._name = ""
        self._next = 0
        self._unsynced = False
        self._hash = hashlib.sha256()
        self._records = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Finish the file: sync it and write its checksum beside it. Raises OSError; the file is closed then too."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with file:
            if self._unsynced:
                os.fsync(file.fileno())
                self._unsynced = False
            size = file.seek(0, os.SEEK_END)
            write_seal(self._folder / self._name, Seal(self._hash.hexdigest(), size, self._records))

    def sync(self) -> None:
        """Bring to disk what was written with `sync=False`. Raises OSError: the records since the last sync may be lost."""
        if self._file is not None and self._unsynced:
            os.fsync(self._file.fileno())
            self._unsynced = False

    def write_response(self, answer: Answer, *, sync: bool = True) -> Place:
        """Write a `response` record, and the `request` record after it where the answer has one; returns where the response starts."""
        writer, out, file = self._writer()
        body, size = BytesIO(answer.body), len(answer.body)
        record = writer.create_warc_record(
            answer.url, "response", payload=body, length=size, http_headers=answer.http(), warc_headers_dict=self._about(answer)
        )
        return self._append(writer, out, file, [record, *self._request(writer, answer, record)], sync)

    def write_revisit(self, answer: Answer, original: Stored, profile: Profile, *, sync: bool = True) -> Place:
        """Write a `revisit` record: the answer's header fields, and a reference to the record that holds the body."""
        writer, out, file = self._writer()
        record = writer.create_revisit_record(
            answer.url,
            original.payload_digest,
            original.url,
            original.date,
            http_headers=answer.http(),
            warc_headers_dict=self._about(answer),
        )
        if original.record_id:
            record.rec_headers.add_header("WARC-Refers-To", original.record_id)
        if profile == "server-not-modified":
            record.rec_headers.replace_header("WARC-Profile", NOT_MODIFIED)
        return self._append(writer, out, file, [record, *self._request(writer, answer, record)], sync)

    def write_local_file(self, path: Path, at: datetime, *, sync: bool = True) -> tuple[str, str, Place]:
        """Write a local file as a `resource` record; returns its URI (see `ingest_uri`), sha256 and place. Raises OSError."""
        body = path.read_bytes()
        sha256 = hashlib.sha256(body).hexdigest()
        uri = ingest_uri(sha256, path.name)
        writer, out, file = self._writer()
        record = writer.create_warc_record(
            uri,
            "resource",
            payload=BytesIO(body),
            length=len(body),
            warc_content_type="application/octet-stream",
            warc_headers_dict={"WARC-Date": utc_text(at), "WARC-Warcinfo-ID": self._info_id},
        )
        return uri, sha256, self._append(writer, out, file, [record], sync)

    def _about(self, answer: Answer) -> dict[str, str]:
        about = {"WARC-Date": utc_text(answer.at), "WARC-Warcinfo-ID": self._info_id}
        if answer.ip:
            about["WARC-IP-Address"] = answer.ip
        return about

    def _request(self, writer: WARCWriter, answer: Answer, response: ArcWarcRecord) -> list[ArcWarcRecord]:
        asked = answer.request
        if asked is None:
            return []
        about = self._about(answer) | {"WARC-Concurrent-To": response.rec_headers.get_header("WARC-Record-ID")}
        body, http = BytesIO(asked.body), asked.http(answer.url)
        return [
            writer.create_warc_record(
                answer.url, "request", payload=body, length=len(asked.body), http_headers=http, warc_headers_dict=about
            )
        ]

    def _writer(self) -> tuple[WARCWriter, BytesIO, BinaryIO]:
        """A writer into memory, and the file its records go to."""
        file = self._open_file()
        out = BytesIO()
        return WARCWriter(out, gzip=True, warc_version="1.1"), out, file

    def _append(self, writer: WARCWriter, out: BytesIO, file: BinaryIO, records: list[ArcWarcRecord], sync: bool) -> Place:
        for record in records:
            writer.write_record(record)
        data = out.getbuffer()
        start = _append_whole(file, data, sync)
        self._unsynced = not sync
        self._hash.update(data)
        self._records += len(records)
        return Place(self._name, start)

    def _open_file(self) -> BinaryIO:
        if self._file is not None and self._file.tell() >= self._size_limit:
            self.close()
        if self._file is None:
            self._file = self._begin_file()
        return self._file

    def _begin_file(self) -> BinaryIO:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._new_file()
        out = BytesIO()
        writer = WARCWriter(out, gzip=True, warc_version="1.1")
        record = writer.create_warcinfo_record(self._name, self._info)
        self._info_id = record.rec_headers.get_header("WARC-Record-ID")
        self._hash, self._records = hashlib.sha256(), 0
        try:
            self._append(writer, out, file, [record], sync=True)
            sync_folder(self._folder)
        except OSError:
            file.close()
            (self._folder / self._name).unlink(missing_ok=True)
            raise
        return file

    def _new_file(self) -> BinaryIO:
        """The next file whose name is free, locked. One that was swept away as empty before it was locked gives way to the next."""
        while True:
            self._name = f"{self._stem}-{self._next:05d}.warc.gz"
            self._next += 1
            try:
                file = (self._folder / self._name).open("xb", buffering=0)
            except FileExistsError:
                continue
            flock(file, LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:
                return file
            file.close()


def _append_whole(file: BinaryIO, data: memoryview, sync: bool) -> int:
    start = file.seek(0, os.SEEK_END)
    try:
        while data:
            data = data[file.write(data) :]
        if sync:
            os.fsync(file.fileno())
    except OSError:
        file.truncate(start)
        raise
    if not os.fstat(file.fileno()).st_nlink:
        raise FileNotFoundError("the archive file was removed while it was being written")
    return start
