"""A small web site on loopback for tests of the crawler: pages by path, and a log of what was asked and when."""

from __future__ import annotations

import gzip
import hashlib
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Page:
    """What to answer. `etag` and `modified` make it answer conditional requests; `chunked` leaves Content-Length out."""

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: bool = False
    modified: str | None = None
    packed: bool = False
    chunked: bool = False
    wait: float = 0.0

    @property
    def payload(self) -> bytes:
        raw = self.body.encode() if isinstance(self.body, str) else self.body
        return gzip.compress(raw, mtime=0) if self.packed else raw

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.payload).hexdigest()[:12]}"'

    def fields(self) -> dict[str, str]:
        found = {"Content-Type": "text/html"} | self.headers
        if self.etag:
            found["ETag"] = self.tag
        if self.modified:
            found["Last-Modified"] = self.modified
        if self.packed:
            found["Content-Encoding"] = "gzip"
        return found


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    path: str
    at: float
    headers: dict[str, str]
    status: int

    @property
    def conditional(self) -> bool:
        return "if-none-match" in self.headers or "if-modified-since" in self.headers


Answer = Page | Callable[[int], Page]


class Site:
    """A server of pages; a page may be a function of how often it was asked before. A context manager."""

    def __init__(self, pages: dict[str, Answer] | None = None, tls_folder: Path | None = None) -> None:
        self.pages: dict[str, Answer] = pages or {}
        self.log: list[Asked] = []
        self.open_now = self.most_open = self.busy_now = self.most_busy = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.base = f"{'https' if tls_folder else 'http'}://127.0.0.1:{self._server.server_port}"
        if tls_folder:
            self._server.socket = _self_signed(tls_folder).wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Site:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        return self.base + path

    def asked(self, prefix: str = "/") -> list[Asked]:
        return [a for a in self.log if a.path.startswith(prefix) and a.path != "/robots.txt"]

    def count_open(self, change: int) -> None:
        with self._lock:
            self.open_now += change
            self.most_open = max(self.most_open, self.open_now)

    def count_busy(self, change: int) -> None:
        with self._lock:
            self.busy_now += change
            self.most_busy = max(self.most_busy, self.busy_now)

    def answer(self, path: str, headers: dict[str, str]) -> Page:
        with self._lock:
            page = self.pages.get(path, Page("not here", 404))
            if not isinstance(page, Page):
                page = page(sum(a.path == path for a in self.log))
            known = headers.get("if-none-match"), headers.get("if-modified-since")
            unchanged = (page.etag and known[0] == page.tag) or (not page.etag and page.modified and known[1] == page.modified)
            if unchanged:
                page = Page(b"", 304, etag=False, headers={"ETag": page.tag} if page.etag else {})
            self.log.append(Asked(path, time.monotonic(), headers, page.status))
        return page


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            site.count_open(1)

        def finish(self) -> None:
            site.count_open(-1)
            try:
                super().finish()
            except OSError:
                self.close_connection = True

        def do_GET(self) -> None:
            site.count_busy(1)
            try:
                self.send(site.answer(self.path, {k.lower(): v for k, v in self.headers.items()}))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                site.count_busy(-1)

        def send(self, page: Page) -> None:
            time.sleep(page.wait)
            self.send_response(page.status)
            for name, value in page.fields().items():
                self.send_header(name, value)
            if page.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            elif page.status != 304:
                self.send_header("Content-Length", str(len(page.payload)))
            self.end_headers()
            if page.chunked:
                for start in range(0, len(page.payload), 4096):
                    part = page.payload[start : start + 4096]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")
            elif page.status != 304:
                self.wfile.write(page.payload)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler
