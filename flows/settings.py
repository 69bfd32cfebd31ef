"""Settings in one typed place: an environment variable (GONGKAI_ and the name), else a key of the settings file, else a default."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from extract.archive_settings import ArchiveSettings
from extract.config_file import VARIABLE, ConfigFileError, config_file, read_config_file
from extract.crawl.job import CrawlSettings
from flows.schedule import Schedule, duration
from warehouse.duck import Limits
from warehouse.snapshots import Keep

#: This machine's own names: nobody needs to be spared there.
LOOPBACK = ("localhost", "::1")


class SettingsError(ValueError):
    """Settings that can't be used. The message names each faulty one and where it stands."""


class Settings(ArchiveSettings):
    """How a run behaves. Raises pydantic.ValidationError for a value that can't be, ConfigFileError for the file; times in seconds."""

    model_config = SettingsConfigDict(env_prefix="GONGKAI_", frozen=True, extra="forbid")

    home: Path = Field(default=Path("data"), description="where everything lies")
    sources: Path | None = Field(default=None, description="registry of the nightly run: a YAML file or a folder of them")
    schedule: str = Field(default="0 2 * * *", description="cron expression of the nightly run; six fields: seconds first")
    timezone: str = Field(default="Asia/Shanghai", description="time zone of the schedule (IANA name)")
    catch_up: bool = Field(default=True, description="run once, at once, where a scheduled run was missed")
    stop_grace: float = Field(default=300.0, ge=0, description="seconds a running night may still take when `serve` is told to stop")
    max_age: str = Field(default="24h", description="`status --check` fails when the last success is older (90m, 36h, 2d)")
    max_failing: int = Field(default=3, ge=1, description="`status --check` fails when this many visits in a row to a source failed")
    notify: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), description="Apprise addresses to tell of a run; in the environment separated by blanks"
    )
    notify_on: Literal["failure", "alarm", "always"] = Field(
        default="alarm", description="failure: nothing was published; alarm: also when `status --check` finds something; always: every run"
    )
    log: Literal["text", "json"] = Field(default="text", description="how log lines are written to standard error")
    workers: int = Field(default_factory=lambda: min(os.cpu_count() or 1, 8), ge=1, description="processes that read documents")
    batch_size: int = Field(default=50, ge=1, description="documents of one task")
    crawler_sources: int = Field(default=1000, ge=1, description="sources of one crawler process (benchmarks/crawl.py)")
    crawlers: int = Field(default=2, ge=1, description="crawler processes at once")
    document_timeout: float = Field(default=60.0, gt=0, description="seconds to read one document")
    document_memory_mb: int = Field(default=1024, ge=64, description="memory that reading one document may take")
    dask: str | None = Field(
        default=None, pattern=r"^(tcp|tls)://[^/\s]+:\d+$", description="scheduler of the Dask cluster that reads; None: this machine"
    )
    dask_wait: float = Field(default=60.0, gt=0, description="seconds to wait for a worker of the Dask cluster, also when none is left")
    task_retries: int = Field(default=2, ge=0, description="times a batch that broke is tried again")
    task_retry_delay: float = Field(default=5.0, ge=0, description="seconds before a batch is tried again")
    snapshots: int = Field(default=7, ge=0, description="published files of before that are kept for `gongkai rollback`")
    snapshots_mb: int | None = Field(default=None, ge=0, description="MiB that snapshots may take; None: any; the newest always stays")
    build_memory_mb: int = Field(default=1200, ge=64, description="MiB of DuckDB in a build of the warehouse; what is more spills")
    build_threads: int | None = Field(default=None, ge=1, description="threads of a build of the warehouse; None: one per core")
    build_spill_mb: int | None = Field(default=None, ge=0, description="MiB a build may spill beside the file; None: half of what is free")
    gate_bounds: dict[str, float] = Field(default={}, description="other bounds of gates than warehouse/gates says, by name (JSON)")
    population: Path | None = Field(default=None, description="CSV file of population and area; None: HOME/population.csv, if there is one")
    corrections: Path | None = Field(default=None, description="folder of corrections; None: those that ship with the project")
    contact: str | None = Field(default=None, description="address a webmaster can write to; part of the user agent")
    min_delay: float | None = Field(default=None, ge=0, description="least time between two requests to one host; 1 s, none on loopback")
    request_timeout: float = Field(default=60.0, gt=0, description="seconds an answer may take")
    request_retries: int = Field(default=2, ge=0, description="times a failed request is tried again")
    max_requests_per_host: int = Field(default=5000, ge=1, description="budget of a host in one run; the rest comes first in the next")
    max_seconds_per_host: float = Field(default=4 * 3600.0, gt=0, description="seconds of visits to a host in one run")
    max_mb_per_host: float = Field(default=2048.0, gt=0, description="MiB fetched from a host in one run")
    max_document_mb: int = Field(default=100, ge=1, description="MiB of one document")
    max_index_pages: int = Field(default=50, ge=1, description="pages of one index that are followed")

    @field_validator("notify", mode="before")
    @classmethod
    def _addresses(cls, value: object) -> object:
        """The environment's text: a JSON list, or addresses separated by blanks."""
        if not isinstance(value, str):
            return value
        return json.loads(value) if value.lstrip().startswith("[") else value.split()

    @field_validator("timezone", "schedule")
    @classmethod
    def _can_be_scheduled(cls, value: str, info: ValidationInfo) -> str:
        _ = Schedule("0 2 * * *", value) if info.field_name == "timezone" else Schedule(value, "UTC")
        return value

    @field_validator("max_age")
    @classmethod
    def _is_a_duration(cls, value: str) -> str:
        duration(value)
        return value

    @property
    def keep(self) -> Keep:
        """Which snapshots of published files are kept."""
        return Keep(self.snapshots, None if self.snapshots_mb is None else self.snapshots_mb * 1024 * 1024)

    @property
    def limits(self) -> Limits:
        """What a build of the warehouse may take."""
        return Limits(self.build_memory_mb, self.build_threads, self.build_spill_mb)

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
            max_requests_per_host=self.max_requests_per_host,
            max_seconds_per_host=self.max_seconds_per_host,
            max_mb_per_host=self.max_mb_per_host,
            contact=self.contact,
        )


def load_settings() -> Settings:
    """The settings. Raises SettingsError, naming the variable, or the file and its key."""
    try:
        return Settings()
    except ConfigFileError as error:
        raise SettingsError(str(error)) from error
    except ValidationError as error:
        raise SettingsError("; ".join(_fault(e["loc"], e["type"], e["msg"]) for e in error.errors())) from None  # may quote a secret


def origin(name: str) -> str:
    """Where the value of a setting comes from: its environment variable, the file, or `default`."""
    variable = f"GONGKAI_{name.upper()}"
    if variable in {key.upper() for key in os.environ}:
        return variable
    return str(config_file()) if name in read_config_file() else "default"


def strangers() -> list[str]:
    """Variables of the environment that begin like settings and are none: most likely misspelt."""
    known = {f"GONGKAI_{name.upper()}" for name in Settings.model_fields} | {VARIABLE}
    return sorted(name for name in os.environ if name.upper().startswith("GONGKAI_") and name.upper() not in known)


def _fault(place: tuple[int | str, ...], kind: str, message: str) -> str:
    """`GONGKAI_WORKERS: …`, or `data/gongkai.toml: workers: …`."""
    name = str(place[0]) if place else ""
    if kind == "extra_forbidden":
        near = get_close_matches(name, Settings.model_fields, 1)
        message = "no such setting" + (f"; did you mean {near[0]}?" if near else "")
    message = message.removeprefix("Value error, ")
    source = origin(name) if name else "settings"
    return f"{source}: {message}" if source.startswith("GONGKAI_") or not name else f"{source}: {name}: {message}"
