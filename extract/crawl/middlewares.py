"""Between Scrapy's engine and the network: archive every answer, ask conditionally, obey robots.txt, wait when told to."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import HtmlResponse, Request, Response

from extract.archive import Answer, ArchiveError, BodyTooLarge, Stored, decode_body, payload_digest, read_record
from extract.crawl.policy import backoff, retry_after, server_of
from extract.ledger import Body, DocumentRow, Place, utc_text
from extract.media import sniff

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from extract.crawl.session import CrawlSession, Visit


UNREACHABLE = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)


class OffSiteError(IgnoreRequest):
    """A redirect that leads to a host the source has no business with."""


class HostUnreachableError(Exception):
    """A host that was given up for this run, or whose robots.txt can't be had."""


class DamagedBodyError(Exception):
    """A body whose content-encoding can't be undone."""


def session_of(crawler: Crawler) -> CrawlSession:
    """The session the spider carries."""
    session: CrawlSession = crawler.spider.session  # type: ignore[union-attr]
    return session


class PoliteHandler(HTTP11DownloadHandler):
    """Waits, holding the host's only place, while a server is to be left in peace; asks nothing of one that was given up.

    What an answer says about waiting is noted here, before the place is free for the next request.
    """

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._session = session_of(crawler)
        self._retried = {int(code) for code in crawler.settings.getlist("RETRY_HTTP_CODES")}

    async def download_request(self, request: Request) -> Response:
        server, hosts = server_of(request.url), self._session.hosts
        while (seconds := hosts.wait(server)) > 0:
            await asyncio.sleep(seconds)
        if reason := hosts.given_up(server):
            raise HostUnreachableError(f"host left alone for the rest of the run: {reason}")
        try:
            response = await super().download_request(request)
        except UNREACHABLE:
            self._back_off(request)
            raise
        hosts.answered(server)
        if response.status in self._retried:
            self._heed(request, response)
        return response

    def _heed(self, request: Request, response: Response) -> None:
        """Wait as long as Retry-After asks, or as the back-off says; leave the server alone where it asks for too long."""
        server, limit = server_of(request.url), self._session.job.settings.max_retry_after
        value = _text(response, "Retry-After") if response.status in (429, 503) else None
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


class _WithSession:
    def __init__(self, crawler: Crawler) -> None:
        self._session = session_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> _WithSession:
        return cls(crawler)

    def _visit(self, request: Request) -> Visit | None:
        return self._session.visits.get(request.meta.get("publisher_id", ""))


class ScopeMiddleware(_WithSession):
    """Stops a redirect that leads off the source's sites."""

    def process_request(self, request: Request) -> None:
        visit = self._visit(request)
        if visit is not None and "redirect_urls" in request.meta and not visit.scope.allows(request.url):
            raise OffSiteError(f"redirected to {request.url}: neither the source's site nor a gov.cn host")


class RobotsMiddleware(RobotsTxtMiddleware):
    """robots.txt as RFC 9309 §2.3.1 has it: 4xx allows all; 5xx, or no answer, allows nothing.

    Where there is no answer the host's pages fail with the reason why, without being asked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._unreachable: dict[str, str] = {}

    async def process_request(self, request: Request) -> None:  # type: ignore[override]
        await super().process_request(request)
        reason = self._unreachable.get(server_of(request.url))
        if reason is not None and not _is_robots(request):
            raise HostUnreachableError(f"robots.txt: {reason}")

    def process_response(self, request: Request, response: Response) -> Response:
        if not _is_robots(request) or response.status < 400:
            return response
        return response.replace(body=b"User-agent: *\nDisallow: /\n" if response.status >= 500 else b"")

    def process_exception(self, request: Request, exception: Exception) -> None:
        if _is_robots(request):
            self._unreachable[server_of(request.url)] = describe(exception)


def _is_robots(request: Request) -> bool:
    return bool(request.meta.get("dont_obey_robotstxt")) and "publisher_id" not in request.meta


class PatientRetryMiddleware(RetryMiddleware):
    """Scrapy's retries (`PoliteHandler` waits between them), but for servers that were given up; counts those out of reach."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        if session_of(self.crawler).hosts.given_up(server_of(request.url)):
            return response
        return super().process_response(request, response)

    def process_exception(self, request: Request, exception: Exception) -> Request | Response | None:  # type: ignore[override]
        result = super().process_exception(request, exception)
        if result is None and isinstance(exception, UNREACHABLE):
            session_of(self.crawler).hosts.failed(server_of(request.url), describe(exception))
        return result


class ArchiveMiddleware(_WithSession):
    """Nearest to the network: every answer is in the archive, and on record, before anything reads it.

    Known addresses are asked conditionally; an answer 304 goes on as the body that is in the archive.
    """

    def process_request(self, request: Request) -> None:
        document = None if "unconditional" in request.meta else self._session.ledger.document(request.url)
        for name in ("If-None-Match", "If-Modified-Since"):
            request.headers.pop(name, None)
        if document is None or document.sha256 is None or not (document.etag or document.last_modified):
            return
        if document.etag:
            request.headers["If-None-Match"] = document.etag
        if document.last_modified:
            request.headers["If-Modified-Since"] = document.last_modified
        visit = self._visit(request)
        if visit is not None:
            visit.conditional += 1

    def process_response(self, request: Request, response: Response) -> Request | Response:
        try:
            return self._keep(request, response)
        except (OSError, sqlite3.Error) as error:
            self._session.fatal = f"{type(error).__name__}: {error}"
            raise

    def _keep(self, request: Request, response: Response) -> Request | Response:
        answer = _answer(response)
        document = self._session.ledger.document(request.url)
        if response.status == 304:
            return self._not_modified(request, answer, document)
        if not 200 <= response.status < 300:
            self._session.archive.write_response(answer)
            self._session.ledger.record_status(request.url, response.status, utc_text(answer.at))
            return response
        return self._body(request, response, answer, document)

    def _not_modified(self, request: Request, answer: Answer, document: DocumentRow | None) -> Request | Response:
        original = self._original(document)
        if original is None:
            self._session.archive.write_response(answer)
            return request.replace(meta={**request.meta, "unconditional": True}, dont_filter=True)
        self._session.archive.write_revisit(answer, original, "server-not-modified")
        self._session.ledger.record_unchanged(request.url, utc_text(answer.at))
        self._count(request, unchanged=True)
        if self._visit(request) is not None:
            self._session.emit("not_modified", request.meta["publisher_id"], request.url)
        return _response(request.url, 200, original.headers, original.body)

    def _body(self, request: Request, response: Response, answer: Answer, document: DocumentRow | None) -> Response:
        body = self._decoded(response, answer)
        sha256 = hashlib.sha256(body).hexdigest()
        same = document is not None and document.sha256 == sha256
        original = self._original(document) if same else None
        if original is not None and original.payload_digest == payload_digest(answer.body):
            place = self._session.archive.write_revisit(answer, original, "identical-payload-digest")
        else:
            place = self._session.archive.write_response(answer)
        kept = Body(sha256, sniff(body), len(body), place, _text(response, "ETag"), _text(response, "Last-Modified"))
        self._session.ledger.record_body(request.url, response.status, kept, utc_text(answer.at), moved=same and original is None)
        self._count(request, unchanged=same)
        if self._visit(request) is not None:
            details: dict[str, Any] = {"status": response.status, "media": kept.media, "bytes": kept.bytes, "new": not same}
            self._session.emit("fetched", request.meta["publisher_id"], request.url, **details)
        return _response(request.url, response.status, answer.headers, body, response)

    def _decoded(self, response: Response, answer: Answer) -> bytes:
        try:
            return decode_body(answer.body, _text(response, "Content-Encoding"), self._session.job.settings.max_bytes)
        except BodyTooLarge as error:
            self._session.archive.write_response(answer)
            raise DownloadCancelledError(str(error)) from error
        except ArchiveError as error:
            self._session.archive.write_response(answer)
            raise DamagedBodyError(str(error)) from error

    def _original(self, document: DocumentRow | None) -> Stored | None:
        """The record an address's body lies in; None where there is none or it can't be read (it is then fetched and kept anew)."""
        if document is None or document.archive_file is None or document.archive_offset is None:
            return None
        place = Place(document.archive_file, document.archive_offset)
        try:
            return read_record(self._session.folder, place.archive_file, place.archive_offset)
        except ArchiveError:
            return None

    def _count(self, request: Request, *, unchanged: bool) -> None:
        visit = self._visit(request)
        if visit is not None:
            visit.unchanged += unchanged
            visit.fetched += not unchanged


def _answer(response: Response) -> Answer:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, values in response.headers.items() for value in values]
    ip = str(response.ip_address) if response.ip_address else None
    protocol = response.protocol or "HTTP/1.1"
    return Answer(response.url, response.status, headers, response.body, datetime.now(UTC), protocol, ip)


def _response(url: str, status: int, headers: list[tuple[str, str]], body: bytes, like: Response | None = None) -> Response:
    """The answer as the layers above see it: decoded, and of a class that fits its bytes."""
    kept: dict[str, list[str]] = {}
    for name, value in headers:
        if name.lower() not in ("content-encoding", "content-length"):
            kept.setdefault(name, []).append(value)
    kind = HtmlResponse if sniff(body) == "html" else Response
    return kind(url, status=status, headers=kept, body=body, flags=list(like.flags) if like else ["not_modified"])


def _text(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return None if value is None else value.decode("latin-1")


def describe(error: BaseException | None) -> str:
    """An exception in one line: its kind and what it says."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text}"[:500] if text else name
