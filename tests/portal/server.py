"""Web servers on many loopback addresses in one event loop, with a log of when each request began and ended."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["drip_headers", "drip_body", "endless", "truncated", "reset"]
FIRST_ADDRESS = 2
DRIP = 0.1


@dataclass(slots=True)
class Asked:
    """One request: `began` when its line was read, `ended` when the last byte was sent or the asker hung up."""

    site: str
    host: str
    path: str
    method: str
    headers: dict[str, str]
    form: str
    before: int
    night: int
    began: float
    ended: float | None = None
    status: int = 0

    @property
    def conditional(self) -> bool:
        return "if-none-match" in self.headers or "if-modified-since" in self.headers


@dataclass(slots=True)
class Reply:
    """What to answer. `etag` and `modified` are validators that are also honoured; a `liar` says 304 to any conditional request."""

    body: bytes | str = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    media: str = "text/html"
    etag: bool = False
    modified: str | None = None
    packed: bool = False
    liar: bool = False
    wait: float = 0.0
    fault: Fault | None = None

    @property
    def raw(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body

    @property
    def payload(self) -> bytes:
        return gzip.compress(self.raw, 9, mtime=0) if self.packed else self.raw

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.raw).hexdigest()[:16]}"'

    def unchanged(self, headers: dict[str, str]) -> bool:
        """RFC 9110 §13.2.2: If-None-Match decides alone where it is sent."""
        if "if-none-match" in headers:
            return self.liar or (self.etag and headers["if-none-match"] == self.tag)
        if "if-modified-since" in headers:
            return self.liar or (self.modified is not None and headers["if-modified-since"] == self.modified)
        return False

    def fields(self) -> dict[str, str]:
        found = {"Content-Type": self.media, **self.headers}
        if self.etag:
            found["ETag"] = self.tag
        if self.modified:
            found["Last-Modified"] = self.modified
        if self.packed:
            found["Content-Encoding"] = "gzip"
        return found


Answer = Reply | Callable[[Asked], Reply]
Pages = dict[str, Answer]


@dataclass(slots=True)
class Site:
    """Pages by path and query on one address. `otherwise` answers every other path. `open` counts connections."""

    name: str
    pages: Pages
    host: str = ""
    base: str = ""
    tls: ssl.SSLContext | None = None
    otherwise: Answer = field(default_factory=lambda: Reply("<html><body><h1>404 Not Found</h1></body></html>", 404))
    open_now: int = 0
    most_open: int = 0

    def reply(self, asked: Asked) -> Reply:
        answer = self.pages.get(asked.path, self.otherwise)
        return answer if isinstance(answer, Reply) else answer(asked)


class Portal:
    """Sites in one thread. A context manager; `night` is written into the log by whoever starts a crawl.

    `world` are sites with names of the real internet: they are reached through `proxy`, which logs whatever else is asked of it too.
    """

    def __init__(self, first: int = FIRST_ADDRESS) -> None:
        self.sites: dict[str, Site] = {}
        self.world: dict[str, Site] = {}
        self.log: list[Asked] = []
        self.night = 1
        self.proxy = ""
        self._next = first
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test-portal", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Portal:
        self._thread.start()
        self.proxy = self.add(Site("proxy", {})).base
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def add(self, site: Site) -> Site:
        """Bind a site to the next loopback address, at a free port."""
        site.host = f"127.0.0.{self._next}"
        self._next += 1
        bound = socket.create_server((site.host, 0), backlog=50)
        site.base = f"{'https' if site.tls else 'http'}://{site.host}:{bound.getsockname()[1]}"
        self.sites[site.name] = site
        asyncio.run_coroutine_threadsafe(self._listen(site, bound), self._loop).result(10)
        return site

    def refused(self) -> tuple[str, str]:
        """Host and base of an address at which nothing listens."""
        host = f"127.0.0.{self._next}"
        self._next += 1
        with socket.create_server((host, 0)) as probe:
            return host, f"http://{host}:{probe.getsockname()[1]}"

    def no_proxy(self) -> str:
        """Every loopback address of the portal, as the environment variable of that name wants them."""
        return ",".join(f"127.0.0.{n}" for n in range(1, self._next))

    async def _listen(self, site: Site, bound: socket.socket) -> None:
        await asyncio.start_server(lambda r, w: self._connected(site, r, w), sock=bound, ssl=site.tls)

    def _connected(self, site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(site, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        site.open_now += 1
        site.most_open = max(site.most_open, site.open_now)
        try:
            while (asked := await self._read(site, reader)) is not None and await self._answer(site, asked, reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
            pass
        finally:
            site.open_now -= 1
            writer.transport.abort()

    async def _read(self, site: Site, reader: asyncio.StreamReader) -> Asked | None:
        line = await reader.readline()
        if not line.strip():
            return None
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers: dict[str, str] = {}
        while (line := await reader.readline()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        form = (await reader.readexactly(int(headers.get("content-length", 0)))).decode("latin-1")
        host, path = self._place(site, target)
        before = sum(a.host == host and a.path == path for a in self.log)
        asked = Asked(site.name, host, path, method, headers, form, before, self.night, time.monotonic())
        self.log.append(asked)
        return asked

    def _place(self, site: Site, target: str) -> tuple[str, str]:
        """Host and path of a request line; a proxy is asked for whole addresses."""
        if not target.startswith("http"):
            return site.host, target
        parts = urlsplit(target)
        return parts.hostname or "", parts.path + (f"?{parts.query}" if parts.query else "")

    async def _answer(self, site: Site, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer, or stop when the asker hangs up; whether the connection can be used again."""
        owner = self.world.get(asked.host, site) if site.name == "proxy" else site
        asked.site = owner.name
        sending = self._loop.create_task(self._send(owner.reply(asked), asked, writer))
        gone = self._loop.create_task(_hung_up(reader))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.ended = time.monotonic()
            hung_up = not sending.done()
            for task in (sending, gone):
                task.cancel()
            results = await asyncio.gather(sending, gone, return_exceptions=True)
        return not hung_up and results[0] is True

    async def _send(self, reply: Reply, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(reply.wait)
        if reply.fault == "reset":
            return False
        unchanged = reply.unchanged(asked.headers)
        asked.status = status = 304 if unchanged else reply.status
        body = b"" if unchanged or asked.method == "HEAD" else reply.payload
        head = b"HTTP/1.1 %d X\r\n" % status + b"".join(f"{k}: {v}\r\n".encode() for k, v in reply.fields().items())
        if reply.fault == "endless":
            writer.write(head + b"Connection: close\r\n\r\n")
            return await _pour(writer)
        length = len(body) + (1000 if reply.fault == "truncated" else 0)
        head += b"" if unchanged else b"Content-Length: %d\r\n" % length
        await _write(writer, head + b"\r\n", slowly=reply.fault == "drip_headers")
        await _write(writer, body, slowly=reply.fault == "drip_body")
        return reply.fault is None


async def _hung_up(reader: asyncio.StreamReader) -> None:
    """Ends when the asker has closed the connection; takes nothing from what it may have sent."""
    while not reader.at_eof() and reader.exception() is None:
        await asyncio.sleep(0.01)


async def _write(writer: asyncio.StreamWriter, data: bytes, slowly: bool) -> None:
    for byte in data if slowly else ():
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(DRIP)
    if not slowly:
        writer.write(data)
        await writer.drain()


async def _pour(writer: asyncio.StreamWriter) -> bool:
    with contextlib.suppress(OSError):
        while True:
            writer.write(b"<p>" + b"x" * 65536)
            await writer.drain()
            await asyncio.sleep(0.001)
    return False


def by_host(log: list[Asked]) -> Iterator[tuple[str, list[Asked]]]:
    """The requests of each host in the order they began."""
    for host in sorted({a.host for a in log}):
        yield host, sorted((a for a in log if a.host == host), key=lambda a: a.began)
