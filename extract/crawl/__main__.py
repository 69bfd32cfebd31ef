"""`python -m extract.crawl JOB.json`: run one crawl job; events on standard output, log on standard error."""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TextIO

from scrapy.crawler import AsyncCrawlerProcess

from extract.crawl.job import CrawlJob, CrawlSettings
from extract.crawl.session import CrawlSession
from extract.crawl.spider import ReportSpider

HERE = "extract.crawl.middlewares"
PR_SET_PDEATHSIG = 1
#: Names looked up at once: a dead name server takes its time with each.
RESOLVERS = 32


def user_agent(contact: str | None) -> str:
    """`gongkai/<version> (+contact)`: who asks, and where to complain."""
    try:
        name = f"gongkai/{version('gongkai')}"
    except PackageNotFoundError:
        name = "gongkai"
    return f"{name} (+{contact})" if contact else name


def scrapy_settings(settings: CrawlSettings) -> dict[str, Any]:
    """Scrapy's settings for a job."""
    return {
        "USER_AGENT": user_agent(settings.contact),
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": "gongkai",
        "CONCURRENT_REQUESTS": settings.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",  # what waits longest comes first: nothing starves
        "CONCURRENT_ITEMS": 1,  # there are none; Scrapy starts as many tasks for every answer
        "DOWNLOAD_DELAY": settings.min_delay,
        "DOWNLOAD_DELAY_JITTER": 0,
        "AUTOTHROTTLE_ENABLED": True,
        "AUTOTHROTTLE_START_DELAY": settings.min_delay,
        "AUTOTHROTTLE_MAX_DELAY": settings.max_delay,
        # the end of every download; `PoliteHandler` ends it before, by what has come so far
        "DOWNLOAD_TIMEOUT": settings.timeout + settings.max_bytes / settings.min_rate,
        "REACTOR_THREADPOOL_MAXSIZE": RESOLVERS,
        "DOWNLOAD_MAXSIZE": settings.max_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "extract.crawl.transport.PoliteHandler")
        | dict.fromkeys(("ftp", "s3", "file", "data")),
        "DOWNLOADER_MIDDLEWARES": _middlewares(),
        "EXTENSIONS": {"extract.crawl.heartbeat.Heartbeat": 0},
        "RETRY_TIMES": settings.retry_times,
        "RETRY_GIVE_UP_LOG_LEVEL": "INFO",
        "REDIRECT_MAX_TIMES": 5,
        "METAREFRESH_MAXDELAY": 5,
        "COOKIES_ENABLED": False,
        "COMPRESSION_ENABLED": False,
        "URLLENGTH_LIMIT": 0,
        "DEFAULT_REQUEST_HEADERS": {"Accept": "*/*", "Accept-Language": "zh-CN,zh;q=0.9", "Accept-Encoding": "gzip, deflate"},
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "MEMUSAGE_ENABLED": False,
        "STATS_DUMP": False,
        "LOG_LEVEL": "INFO",
    }


def _middlewares() -> dict[str, int | None]:
    base = "scrapy.downloadermiddlewares"
    return {
        f"{HERE}.ScopeMiddleware": 60,
        f"{base}.robotstxt.RobotsTxtMiddleware": None,
        f"{HERE}.RobotsMiddleware": 100,
        f"{base}.retry.RetryMiddleware": None,
        f"{base}.offsite.OffsiteMiddleware": None,
        f"{base}.httpauth.HttpAuthMiddleware": None,
        f"{HERE}.PatientRetryMiddleware": 550,
        f"{HERE}.ArchiveMiddleware": 990,
    }


def die_with(parent: int) -> None:
    """Ask the kernel (Linux) to end this process when its parent ends; end at once where the parent is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent process is gone")


@contextmanager
def _events() -> Iterator[TextIO]:
    """The real standard output, for events alone: whatever else prints goes to standard error."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        yield out


def _spare_loopback_from_proxies() -> None:
    """A proxy named in the environment is used, but not for this machine."""
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost", "::1"]))


def _allow_open_files() -> None:
    """As many open files as this user may have: a connection and a lock for every host."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Run the job file named on the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m extract.crawl", description=__doc__)
    parser.add_argument("job", type=Path, help="job file (JSON, extract.crawl.job.CrawlJob)")
    parser.add_argument("--parent", type=int, help="process this one is to end with")
    arguments = parser.parse_args()
    if arguments.parent is not None:
        die_with(arguments.parent)
    job = CrawlJob.model_validate_json(arguments.job.read_text(encoding="utf-8"))
    _spare_loopback_from_proxies()
    _allow_open_files()
    with _events() as out, CrawlSession(job, out) as session:
        process = AsyncCrawlerProcess(scrapy_settings(job.settings))
        process.crawl(ReportSpider, session=session)
        process.start()
        unfinished = [visit.source.id for visit in session.visits.values() if not visit.done]
    if session.fatal or unfinished or process.bootstrap_failed:
        sys.stderr.write(f"crawl failed: {session.fatal or 'sources left unvisited: ' + ', '.join(unfinished)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
