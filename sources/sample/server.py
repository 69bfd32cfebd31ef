"""Serves the sample portal on loopback, the way a plain government web server does."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from threading import Thread
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).resolve().parent
PORTAL = HERE / "portal"
HOST = "127.0.0.1"
PORT = 8765
MEDIA = {
    ".html": "text/html",  # without a charset: the pages declare their own
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".txt": "text/plain; charset=utf-8",
}


@contextmanager
def serve(port: int = PORT, folder: Path = PORTAL) -> Iterator[str]:
    """Serves the folder on 127.0.0.1 in threads and gives the address, without a slash at its end.

    A busy port gives way to a free one; port 0 asks for a free one. The server is down when the context ends.
    """
    server = _bound(port, partial(PortalHandler, folder=folder.resolve()))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sample-portal", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def registry(base_url: str) -> str:
    """The text of the sample's sources registry with its addresses on `base_url`."""
    text = (HERE / "sources.yml").read_text(encoding="utf-8")
    return text.replace(f"http://{HOST}:{PORT}", base_url.rstrip("/"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False  # a port that another server listens on must count as busy


def _bound(port: int, handler: partial[PortalHandler]) -> _Server:
    try:
        return _Server((HOST, port), handler)
    except OSError:
        return _Server((HOST, 0), handler)


@dataclass(frozen=True, slots=True)
class _Entity:
    """What a path holds, ready to send."""

    body: bytes
    media: str
    encoding: str | None
    etag: str
    modified: float


class PortalHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD with files of a folder: ETag and Last-Modified, 304, gzip for HTML, no directory listings, no log."""

    protocol_version = "HTTP/1.1"
    server_version = "sample-portal"

    def __init__(self, *args: object, folder: Path) -> None:
        self.folder = folder
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps quiet."""

    def _answer(self, with_body: bool) -> None:
        path = self._file()
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        entity = self._entity(path)
        if self._unchanged(entity):
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self._validators(entity)
            self.end_headers()
            return
        self.send_response(HTTPStatus.OK)
        self._validators(entity)
        self.send_header("Content-Type", entity.media)
        self.send_header("Content-Length", str(len(entity.body)))
        if entity.encoding:
            self.send_header("Content-Encoding", entity.encoding)
        self.end_headers()
        if with_body:
            self.wfile.write(entity.body)

    def _validators(self, entity: _Entity) -> None:
        self.send_header("ETag", entity.etag)
        self.send_header("Last-Modified", formatdate(entity.modified, usegmt=True))
        self.send_header("Vary", "Accept-Encoding")

    def _file(self) -> Path | None:
        """The file of the request's path; a folder stands for its index.html. None for what is not inside the portal."""
        name = unquote(urlsplit(self.path).path)
        if "\0" in name or ".." in PurePosixPath(name).parts:
            return None
        path = self.folder / name.lstrip("/")
        path = path / "index.html" if name.endswith("/") else path
        return path if path.is_file() else None

    def _entity(self, path: Path) -> _Entity:
        body = path.read_bytes()
        tag = hashlib.sha256(body).hexdigest()[:16]
        media = MEDIA.get(path.suffix, "application/octet-stream")
        modified = float(int(path.stat().st_mtime))
        if path.suffix == ".html" and "gzip" in self.headers.get("Accept-Encoding", ""):
            return _Entity(gzip.compress(body, mtime=0), media, "gzip", f'"{tag}-gzip"', modified)
        return _Entity(body, media, None, f'"{tag}"', modified)

    def _unchanged(self, entity: _Entity) -> bool:
        """RFC 9110 §13.2.2: If-None-Match decides alone where it is sent."""
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return tags.strip() == "*" or entity.etag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
        since = self.headers.get("If-Modified-Since")
        return since is not None and _at_most(entity.modified, since)


def _at_most(modified: float, date: str) -> bool:
    try:
        return modified <= parsedate_to_datetime(date).timestamp()
    except ValueError:
        return False
