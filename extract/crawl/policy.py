"""When to ask again, whom to ask, and how to treat a host that is in trouble."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit
from zlib import crc32

from extract.ledger_rows import DocumentRow

# Reports are due by 31 January and 31 March (条例 Art. 49) and appear until mid-April (domain.md §5)
SEASON = range(1, 5)
IN_SEASON, OUT_OF_SEASON = timedelta(days=30), timedelta(days=91)
#: The part of the interval by which an address may be early: what was fetched in one night does not fall due in one night.
SPREAD = 1 / 3
#: What was written so much later than now was written by a clock that was wrong.
WRONG_CLOCK = timedelta(days=1)
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+")
#: Names of one and the same host: this one.
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
#: Statuses whose body is the document (RFC 9110 §15.3); a redirect has the body of its target.
WITH_BODY = (200, 203)


def is_due(document: DocumentRow | None, now: datetime, refetch: bool = False) -> bool:
    """Whether a known report page or attachment is to be asked for again.

    Yes where it never gave a body or an empty one, where its last answer was an error, on `refetch`, and otherwise at the latest
    a month after the last time in January–April, a quarter after it in the rest of the year; up to a third of that earlier, by a
    share that is always the same for an address. Also where the last time is a day or more from now: a wrong clock wrote it. Index
    pages are read in every run.
    """
    if refetch or document is None or not document.sha256 or not document.bytes or not _answered(document.status):
        return True
    interval = IN_SEASON if now.month in SEASON else OUT_OF_SEASON
    early = SPREAD * crc32(document.url.encode()) / 2**32
    age = now - datetime.fromisoformat(document.last_checked)
    return age >= interval * (1 - early) or age <= -WRONG_CLOCK


def _answered(status: int) -> bool:
    return status in WITH_BODY or 300 <= status < 400


def host_of(url: str) -> str:
    """The host name of an address, lower case; empty where there is none, or where programs differ about it (a backslash, `%`)."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
    return host if _HOST.fullmatch(host) else ""


def server_of(url: str) -> str:
    """Host and port of an address, lower case: what answers, or doesn't."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def is_loopback(host: str) -> bool:
    """Whether a host name stands for this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_government(host: str) -> bool:
    """Whether a host lies under gov.cn, which only government bodies can register."""
    return host == "gov.cn" or host.endswith(".gov.cn")


@dataclass(frozen=True, slots=True)
class Scope:
    """The hosts a source may send the crawler to. `hosts` are those of the addresses in the registry."""

    hosts: frozenset[str]

    @classmethod
    def of(cls, urls: Iterable[str], named: Iterable[str] = ()) -> Scope:
        """The scope of a source with these addresses, and these further hosts."""
        return cls(frozenset(host_of(url) for url in urls) | frozenset(host.lower() for host in named))

    def on_site(self, url: str) -> bool:
        """Whether a page belongs to the source's own site: its host, one it names, or another one under the same gov.cn domain.

        A bare IP address is of the site only where the registry has it: 127.0.0.2 is another host than 127.0.0.1.
        """
        host = host_of(url)
        if host in HERE:
            return not HERE.isdisjoint(self.hosts)
        return host in self.hosts or (is_government(host) and _domain(host) in {_domain(h) for h in self.hosts})

    def allows(self, url: str) -> bool:
        """Whether an attachment or the target of a redirect may be fetched: on the site, or http(s) to any gov.cn host."""
        return urlsplit(url).scheme in ("http", "https") and (self.on_site(url) or is_government(host_of(url)))


def _domain(host: str) -> str:
    """`zfxxgk.lucheng.gov.cn` → `lucheng.gov.cn`; any other host is its own domain."""
    return ".".join(host.split(".")[-3:]) if is_government(host) else host


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds asked for by a Retry-After field (RFC 9110 §10.2.3: seconds or an HTTP date); None where it says nothing usable."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def backoff(tries: int, first: float, longest: float) -> float:
    """The wait before try number `tries` + 1: full jitter, that is anything up to `first`, twice that, …, at most `longest`.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return random.uniform(0, min(longest, first * 2.0 ** min(tries, 32)))
