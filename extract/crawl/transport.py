"""The connection to a server: its turn, its time, its limits. Nearer to the network than every middleware."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
)
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Request, Response
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web._newclient import ParseError

from extract.crawl.faults import BudgetSpentError, HostUnreachableError
from extract.crawl.policy import backoff, host_of, retry_after, server_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from extract.crawl.session import CrawlSession

UNREACHABLE = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
#: Bytes of all header lines of an answer together, those of 1xx answers included.
MAX_HEADER_BYTES = 256 * 1024
#: Seconds an idle connection is kept open: longer than the delay between two requests to most hosts.
IDLE = 15


def session_of(crawler: Crawler) -> CrawlSession:
    """The session the spider carries."""
    session: CrawlSession = crawler.spider.session  # type: ignore[union-attr]
    return session


class PoliteHandler(HTTP11DownloadHandler):
    """Waits, holding the host, while a server is to be left in peace; asks nothing of one that was given up or has had its budget.

    What an answer says about waiting is noted here, before the host is free for the next request.
    """

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._session = session_of(crawler)
        self._retried = {int(code) for code in crawler.settings.getlist("RETRY_HTTP_CODES")}
        self._contextFactory: Any = self._session.tls
        self._pool._factory = _BoundedFactory
        self._pool.cachedConnectionTimeout = IDLE
        self._pool.retryAutomatically = False  # Twisted would ask again at once on a fresh connection, past delay, budget and archive
        crawler.signals.connect(_count_bytes, signal=signals.bytes_received)

    async def download_request(self, request: Request) -> Response:
        server, hosts = server_of(request.url), self._session.hosts
        self._refuse(request)
        async with hosts.turn(host_of(request.url)):
            while (seconds := hosts.wait(server)) > 0:
                await asyncio.sleep(seconds)
            self._refuse(request)
            hosts.count(host_of(request.url), 0)
            self._session.take_up(request.meta.get("publisher_id"), request.meta.get("redirect_urls", [request.url])[0])
            try:
                response = await self._in_time(request)
            except DownloadCancelledError as error:
                limit = self._session.job.settings.max_bytes
                raise DownloadCancelledError(str(error) or f"Received more than {limit} bytes of {request.url}") from error
            except UNREACHABLE as error:
                self._check_tls(request, error)
                self._back_off(request)
                raise
            hosts.count(host_of(request.url), len(response.body))
            hosts.answered(server)
            if response.status in self._retried:
                self._heed(request, response)
            return response

    def _refuse(self, request: Request) -> None:
        """Raise HostUnreachableError, BudgetSpentError where the host is not to be asked."""
        hosts = self._session.hosts
        if (reason := hosts.given_up(server_of(request.url))) is not None:
            raise reason
        if spent := hosts.spent(host_of(request.url)):
            raise BudgetSpentError(f"{host_of(request.url)}: {spent}")

    def _check_tls(self, request: Request, error: Exception) -> None:
        """Give a server up at once whose certificate or TLS is refused: it is the same for every address and every try."""
        if told := self._session.tls.explain(host_of(request.url), str(error)):
            self._session.hosts.give_up(server_of(request.url), told)
            raise HostUnreachableError(f"TLS: {told}") from error

    async def _in_time(self, request: Request) -> Response:
        """The whole answer. Raises DownloadTimeoutError where it takes longer than the settings allow for what has come so far."""
        began, settings = monotonic(), self._session.job.settings
        async with _cancelled_at_the_end(asyncio.ensure_future(super().download_request(request))) as answer:
            while not answer.done():
                received = request.meta.get("received", 0)
                left = began + settings.timeout + received / settings.min_rate - monotonic()
                if left <= 0:
                    raise DownloadTimeoutError(f"no whole answer in {monotonic() - began:.0f} s: {received} bytes of {request.url}")
                await asyncio.wait({answer}, timeout=left)
            return answer.result()

    def _heed(self, request: Request, response: Response) -> None:
        """Wait as long as Retry-After asks, or as the back-off says; leave the server alone where it asks for too long."""
        server, limit = server_of(request.url), self._session.job.settings.max_retry_after
        value = header(response, "Retry-After") if response.status in (429, 503) else None
        asked = retry_after(value, datetime.now(UTC))
        if asked is None:
            self._back_off(request)
        elif asked > limit:
            self._session.hosts.give_up(server, f"HTTP {response.status}, Retry-After {asked:.0f} s")
        else:
            self._session.hosts.pause(server, asked)

    def _back_off(self, request: Request) -> None:
        settings = self._session.job.settings
        seconds = backoff(request.meta.get("retry_times", 0), settings.backoff, settings.max_backoff)
        self._session.hosts.pause(server_of(request.url), seconds)


@asynccontextmanager
async def _cancelled_at_the_end(task: asyncio.Future[Response]) -> AsyncIterator[asyncio.Future[Response]]:
    """A download that is not left running, whatever happens: its connection is closed before the host is free again."""
    try:
        yield task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=5)


def _count_bytes(data: bytes, request: Request) -> None:
    request.meta["received"] = request.meta.get("received", 0) + len(data)


def header(response: Response, name: str) -> str | None:
    """A header field as text."""
    value = response.headers.get(name)
    return None if value is None else value.decode("latin-1")


class _BoundedParser(_LenientHTTPClientParser):
    """Ends an answer whose header lines never end: Twisted limits a line, not their number."""

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 (Twisted's name)
        seen = getattr(self, "_seen", 0) + len(line) + 1
        if seen > MAX_HEADER_BYTES:
            raise ParseError(f"more than {MAX_HEADER_BYTES} bytes of header lines", line[:80])  # type: ignore[no-untyped-call]
        self._seen = seen
        super().lineReceived(line)


class _BoundedProtocol(_LenientHTTP11ClientProtocol):
    def request(self, request: Any) -> Any:
        answer = super().request(request)
        self._parser.__class__ = _BoundedParser
        return answer

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 (Twisted's name)
        """A body that only the end of the connection ends is cut off, not ended, where the connection was reset (RFC 9112 §8)."""
        decoder = getattr(self._parser, "bodyDecoder", None)
        if isinstance(reason.value, ConnectionLost) and getattr(decoder, "contentLength", 0) is None:
            decoder.contentLength = 1  # type: ignore[union-attr]  # now bytes are missing
        super().connectionLost(reason)  # type: ignore[no-untyped-call]


class _BoundedFactory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: Any) -> _BoundedProtocol:  # noqa: N802 (Twisted's name)
        return _BoundedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]
