"""A sign of life from the crawler to its parent, so that one that hangs is told from one that waits for slow hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.utils.asyncio import create_looping_call

from extract.crawl.transport import session_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

#: Seconds between two signs; the parent gives a crawler up that is silent for `extract.crawl.job.SILENCE`.
BEAT = 15.0


class Heartbeat:
    """An event `alive` from the event loop: one that is stuck sends none."""

    def __init__(self, crawler: Crawler) -> None:
        self._loop = create_looping_call(self._beat)
        self._crawler = crawler
        crawler.signals.connect(self._start, signal=signals.spider_opened)
        crawler.signals.connect(self._stop, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Heartbeat:
        return cls(crawler)

    def _start(self) -> None:
        self._loop.start(BEAT, now=False)

    def _stop(self) -> None:
        if self._loop.running:
            self._loop.stop()

    def _beat(self) -> None:
        session_of(self._crawler).emit("alive", None, None)
