"""Settings in one typed place, each also an environment variable (GONGKAI_ and its name in capitals)."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from extract.crawl.job import CrawlSettings

#: This machine's own names: nobody needs to be spared there.
LOOPBACK = ("localhost", "::1")


class Settings(BaseSettings):
    """How a run behaves. Raises pydantic.ValidationError for a value that can't be; times in seconds."""

    model_config = SettingsConfigDict(env_prefix="GONGKAI_", frozen=True)

    home: Path = Path("data")
    workers: int = Field(default_factory=lambda: min(os.cpu_count() or 1, 8), ge=1)
    batch_size: int = Field(default=25, ge=1, description="documents of one task: orchestration stays under 3 % (docs/decisions.md)")
    crawler_sources: int = Field(default=50, ge=1, description="sources of one crawler process")
    crawlers: int = Field(default=2, ge=1, description="crawler processes at once")
    document_timeout: float = Field(default=60.0, gt=0, description="seconds to read one document")
    document_memory_mb: int = Field(default=1024, ge=64, description="memory that reading one document may take")
    task_retries: int = Field(default=2, ge=0)
    task_retry_delay: float = Field(default=5.0, ge=0)
    contact: str | None = Field(default=None, description="address a webmaster can write to; part of the user agent")
    min_delay: float | None = Field(default=None, ge=0, description="least time between two requests to one host; 1 s, none on loopback")
    request_timeout: float = Field(default=60.0, gt=0)
    request_retries: int = Field(default=2, ge=0)
    max_document_mb: int = Field(default=100, ge=1)
    max_index_pages: int = Field(default=50, ge=1)

    @property
    def document_memory(self) -> int:
        return self.document_memory_mb * 1024 * 1024

    def crawl(self, hosts: Collection[str]) -> CrawlSettings:
        """The part that the crawler of these hosts needs."""
        own = all(host in LOOPBACK or host.startswith("127.") for host in hosts)
        return CrawlSettings(
            min_delay=self.min_delay if self.min_delay is not None else 0.0 if own else 1.0,
            timeout=self.request_timeout,
            retry_times=self.request_retries,
            max_bytes=self.max_document_mb * 1024 * 1024,
            max_index_pages=self.max_index_pages,
            contact=self.contact,
        )
