"""When to ask again, whom to ask, and how to treat a host that is in trouble."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from extract.ledger_rows import DocumentRow

# Reports are due by 31 January and 31 March (条例 Art. 49) and appear until mid-April (domain.md §5)
SEASON = range(1, 5)
IN_SEASON, OUT_OF_SEASON = timedelta(days=30), timedelta(days=91)


def is_due(document: DocumentRow | None, now: datetime, refetch: bool = False) -> bool:
    """Whether a known report page or attachment is to be asked for again.

    Yes where it never gave a body, where its last answer was an error, on `refetch`, and otherwise a month after the last
    time in January–April, a quarter after it in the rest of the year. Index pages are read in every run.
    """
    if refetch or document is None or document.sha256 is None or document.status >= 400:
        return True
    checked = datetime.fromisoformat(document.last_checked)
    return now - checked >= (IN_SEASON if now.month in SEASON else OUT_OF_SEASON)


def host_of(url: str) -> str:
    """The host name of an address, lower case; empty where there is none or the address can't be taken apart."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


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
    def of(cls, urls: Iterable[str]) -> Scope:
        return cls(frozenset(host_of(url) for url in urls))

    def on_site(self, url: str) -> bool:
        """Whether a page belongs to the source's own site: its host, or another one under the same gov.cn domain."""
        host = host_of(url)
        if is_loopback(host):
            return any(is_loopback(h) for h in self.hosts)
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
    """The wait before try number `tries` + 1: doubled each time, at most `longest`, with ±25 % of jitter."""
    return min(longest, float(first * 2**tries)) * random.uniform(0.75, 1.25)


@dataclass(slots=True)
class Hosts:
    """Which servers (host and port) are to be left in peace, and which were given up for this run."""

    give_up_after: int
    _until: dict[str, float] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    _given_up: dict[str, str] = field(default_factory=dict)

    def pause(self, host: str, seconds: float) -> None:
        """Send nothing to a host for so long."""
        self._until[host] = max(self._until.get(host, 0.0), time.monotonic() + seconds)

    def wait(self, host: str) -> float:
        """Seconds a host is still to be left in peace."""
        return max(0.0, self._until.get(host, 0.0) - time.monotonic())

    def answered(self, host: str) -> None:
        self._failures.pop(host, None)

    def failed(self, host: str, reason: str) -> None:
        """Count an address that can't be reached; the host is given up after too many in a row."""
        self._failures[host] = self._failures.get(host, 0) + 1
        if self._failures[host] >= self.give_up_after:
            self.give_up(host, f"{self._failures[host]} addresses in a row could not be reached, last: {reason}")

    def give_up(self, host: str, reason: str) -> None:
        self._given_up.setdefault(host, reason)

    def given_up(self, host: str) -> str | None:
        """Why a host was given up, None where it was not."""
        return self._given_up.get(host)
