"""Between Scrapy's engine and the network: archive every answer, ask conditionally, obey robots.txt, wait when told to."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Headers, HtmlResponse, Request, Response

from extract.archive import Answer, ArchiveError, Asked, BodyTooLarge, Stored, decode_body, payload_digest, read_record
from extract.crawl.challenge import challenge, soft_404
from extract.crawl.faults import (
    BudgetSpentError,
    CrawlFault,
    DamagedBodyError,
    HostUnreachableError,
    OffSiteError,
    ScriptChallengeError,
    UnusableAnswerError,
)
from extract.crawl.policy import WITH_BODY, host_of, is_government, is_loopback, server_of
from extract.crawl.transport import UNREACHABLE, header, session_of
from extract.ledger import Body, DocumentRow, Place, utc_text
from extract.media import sniff

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from extract.crawl.session import Visit

__all__ = ["ArchiveMiddleware", "OffSiteError", "PatientRetryMiddleware", "RobotsMiddleware", "ScopeMiddleware", "describe"]

#: RFC 9309 §2.5: at least 500 KiB of a robots.txt must be read.
ROBOTS_BYTES = 512 * 1024
CONDITIONS = ("If-None-Match", "If-Modified-Since")


class _WithSession:
    def __init__(self, crawler: Crawler) -> None:
        self._session = session_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> _WithSession:
        return cls(crawler)

    def _visit(self, request: Request) -> Visit | None:
        return self._session.visits.get(request.meta.get("publisher_id", ""))


class ScopeMiddleware(_WithSession):
    """Stops a request before it waits for its host: off the source's sites, or to a host that is asked nothing more in this run."""

    def process_request(self, request: Request) -> None:
        request.meta.pop("download_slot", None)  # a redirect keeps that of the host it came from
        moved = "redirect_urls" in request.meta
        if _is_robots(request):
            if moved and not _same_hands(request.meta["redirect_urls"][0], request.url):
                raise OffSiteError(f"robots.txt redirected to {request.url}")
            return
        visit = self._visit(request)
        if visit is not None and moved and not visit.scope.allows(request.url):
            raise OffSiteError(f"redirected to {request.url}: neither the source's site nor a gov.cn host")
        if (reason := self._session.hosts.given_up(server_of(request.url))) is not None:
            raise reason
        if spent := self._session.hosts.spent(host_of(request.url)):
            raise BudgetSpentError(f"{host_of(request.url)}: {spent}")


def _same_hands(asked: str, target: str) -> bool:
    """Whether a robots.txt may be fetched from where its address redirects to."""
    host, other = host_of(asked), host_of(target)
    return host == other or is_government(other) or (is_loopback(host) and is_loopback(other))


class RobotsMiddleware(RobotsTxtMiddleware):
    """robots.txt as RFC 9309 §2.3.1 has it: 4xx allows all; 5xx, 429, or no answer, allows nothing.

    Where there is no answer the host's pages fail with the reason why, without being asked for. Crawl-delay and Request-rate,
    which the RFC does not have, are kept.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._session = session_of(crawler)
        self._failed: dict[str, CrawlFault] = {}

    async def process_request(self, request: Request) -> None:  # type: ignore[override]
        await super().process_request(request)
        fault = self._failed.get(server_of(request.url))
        if fault is not None and not _is_robots(request):
            raise fault

    def process_response(self, request: Request, response: Response) -> Response:
        if not _is_robots(request):
            return response
        if response.status >= 500 or response.status == 429:
            self._failed[_first_server(request)] = HostUnreachableError(f"robots.txt: HTTP {response.status}")
        return response.replace(body=b"" if response.status >= 300 else response.body[:ROBOTS_BYTES])

    def process_exception(self, request: Request, exception: Exception) -> None:
        if not _is_robots(request) or isinstance(exception, IgnoreRequest):
            return
        if not isinstance(exception, BudgetSpentError):
            kind = exception.kind if isinstance(exception, CrawlFault) else "unreachable"
            exception = HostUnreachableError(f"robots.txt: {describe(exception)}", kind)
        self._failed[_first_server(request)] = exception

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        await super()._parse_robots(response, netloc, request)
        asked = _asked_delay(getattr(self._parsers[netloc], "rp", None), self._robotstxt_useragent or "*")
        if asked is None:
            return
        kept = self._session.hosts.slow_down(host_of(request.url), asked)
        visit = self._session.visits.get(request.meta.get("publisher_id", ""))
        if kept < asked and visit is not None:
            message = f"robots.txt asks for {asked:.0f} s between two requests; {kept:.0f} s are kept"
            self._session.problem(visit, "crawl_delay", message, response.url, severity="warning")


def _asked_delay(rules: Any, agent: str) -> float | None:
    """Seconds between two requests that a parsed robots.txt (Protego) asks for; None where it asks for none."""
    rate = rules and rules.request_rate(agent)
    asked = [rules and rules.crawl_delay(agent), rate and rate.requests and rate.seconds / rate.requests]
    return max((float(a) for a in asked if a and a > 0), default=None)


def _is_robots(request: Request) -> bool:
    return bool(request.meta.get("dont_obey_robotstxt")) and "publisher_id" not in request.meta


def _first_server(request: Request) -> str:
    return server_of(request.meta.get("redirect_urls", [request.url])[0])


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
        for name in CONDITIONS:
            request.headers.pop(name, None)
        if document is None or document.sha256 is None or not (document.etag or document.last_modified):
            return
        for name, value in zip(CONDITIONS, (document.etag, document.last_modified), strict=True):
            if value:
                request.headers[name] = value.encode("latin-1", "replace")
        visit = self._visit(request)
        if visit is not None:
            visit.conditional += 1

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        try:
            return await self._keep(request, response)
        except (OSError, sqlite3.Error) as error:
            self._session.fatal = f"{type(error).__name__}: {error}"
            raise

    async def _keep(self, request: Request, response: Response) -> Request | Response:
        answer = _answer(request, response)
        document = self._session.ledger.document(request.url)
        if response.status == 304:
            return await self._not_modified(request, answer, document)
        body = answer.body if 300 <= response.status < 400 else await self._decoded(response, answer)
        if fault := self._fault(request, response, body, document):
            self._session.archive.write_response(answer, sync=False)
            if isinstance(fault, UnusableAnswerError) and fault.status is not None:
                await self._session.synced()
                self._session.ledger.record_status(request.url, fault.status, utc_text(answer.at))
            raise fault
        if response.status in WITH_BODY:
            return await self._body(request, response, answer, body, document)
        self._session.archive.write_response(answer, sync=False)
        await self._session.synced()
        self._session.ledger.record_status(request.url, response.status, utc_text(answer.at))
        return response

    def _fault(self, request: Request, response: Response, body: bytes, document: DocumentRow | None) -> CrawlFault | None:
        """What is wrong with an answer that an HTTP client would take for good."""
        server, status = server_of(request.url), response.status
        cookies = [value.decode("latin-1") for value in response.headers.getlist("Set-Cookie")]
        if not 300 <= status < 400 and (marker := challenge(status, cookies, body)):
            self._session.hosts.challenged(server, marker)
            return ScriptChallengeError(f"HTTP {status}, but the answer is a script challenge or a block: {marker}")
        self._session.hosts.served(server)
        if 200 <= status < 300 and status not in WITH_BODY:
            return UnusableAnswerError(f"HTTP {status}: not what a plain GET is answered with", status)
        if status in WITH_BODY and not _is_robots(request):
            if words := soft_404(body):
                return UnusableAnswerError(f"soft 404: HTTP {status}, but the page says {words!r}", 404)
            if not body and document is not None and document.bytes:
                return UnusableAnswerError(f"HTTP {status} without a single byte, where there was a document before")
        return None

    async def _not_modified(self, request: Request, answer: Answer, document: DocumentRow | None) -> Request | Response:
        if not any(name in request.headers for name in CONDITIONS):
            self._session.archive.write_response(answer, sync=False)
            raise UnusableAnswerError("HTTP 304 to a request without conditions")
        original = self._original(document)
        if original is None:
            self._session.archive.write_response(answer, sync=False)
            return request.replace(meta={**request.meta, "unconditional": True}, dont_filter=True)
        self._session.archive.write_revisit(answer, original, "server-not-modified", sync=False)
        await self._session.synced()
        self._session.ledger.record_unchanged(request.url, utc_text(answer.at))
        self._count(request, unchanged=True)
        if self._visit(request) is not None:
            self._session.emit("not_modified", request.meta["publisher_id"], request.url)
        return _response(request.url, 200, original.headers, original.body)

    async def _body(self, request: Request, response: Response, answer: Answer, body: bytes, document: DocumentRow | None) -> Response:
        sha256 = hashlib.sha256(body).hexdigest()
        same = document is not None and document.sha256 == sha256
        original = self._original(document) if same else None
        if original is not None and original.payload_digest == payload_digest(answer.body):
            place = self._session.archive.write_revisit(answer, original, "identical-payload-digest", sync=False)
        else:
            place = self._session.archive.write_response(answer, sync=False)
        await self._session.synced()
        kept = Body(sha256, sniff(body), len(body), place, header(response, "ETag"), header(response, "Last-Modified"))
        self._session.ledger.record_body(request.url, response.status, kept, utc_text(answer.at), moved=same and original is None)
        self._count(request, unchanged=same)
        if self._visit(request) is not None:
            details: dict[str, Any] = {"status": response.status, "media": kept.media, "bytes": kept.bytes, "new": not same}
            self._session.emit("fetched", request.meta["publisher_id"], request.url, **details)
        return _response(request.url, response.status, answer.headers, body, response)

    async def _decoded(self, response: Response, answer: Answer) -> bytes:
        """The body unpacked; of an error page as much as can be had."""
        try:
            return decode_body(answer.body, header(response, "Content-Encoding"), self._session.job.settings.max_bytes)
        except (BodyTooLarge, ArchiveError) as error:
            if response.status not in WITH_BODY:
                return answer.body
            self._session.archive.write_response(answer, sync=False)
            if isinstance(error, BodyTooLarge):
                raise DownloadCancelledError(str(error)) from error
            raise DamagedBodyError(str(error)) from error

    def _original(self, document: DocumentRow | None) -> Stored | None:
        """The record an address's body lies in; None where there is none or it can't be read (it is then fetched and kept anew)."""
        if document is None or document.archive_file is None or document.archive_offset is None:
            return None
        place = Place(document.archive_file, document.archive_offset)
        try:
            return read_record(self._session.records, place.archive_file, place.archive_offset)
        except ArchiveError:
            return None

    def _count(self, request: Request, *, unchanged: bool) -> None:
        visit = self._visit(request)
        if visit is not None:
            visit.unchanged += unchanged
            visit.fetched += not unchanged


def _fields(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, values in headers.items() for value in values]


def _answer(request: Request, response: Response) -> Answer:
    headers, asked = _fields(response.headers), Asked(request.method, _fields(request.headers), request.body)
    ip = str(response.ip_address) if response.ip_address else None
    protocol = response.protocol or "HTTP/1.1"
    return Answer(response.url, response.status, headers, response.body, datetime.now(UTC), protocol, ip, asked)


def _response(url: str, status: int, headers: list[tuple[str, str]], body: bytes, like: Response | None = None) -> Response:
    """The answer as the layers above see it: decoded, and of a class that fits its bytes."""
    kept: dict[str, list[str]] = {}
    for name, value in headers:
        if name.lower() not in ("content-encoding", "content-length"):
            kept.setdefault(name, []).append(value)
    kind = HtmlResponse if sniff(body) == "html" else Response
    return kind(url, status=status, headers=kept, body=body, flags=list(like.flags) if like else ["not_modified"])


def describe(error: BaseException | None) -> str:
    """An exception in one line: its kind and what it says."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text}"[:500] if text else name
