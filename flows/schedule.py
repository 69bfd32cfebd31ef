"""When the nightly run is due: a cron expression in a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression (five fields, or six with seconds first) and an IANA time zone. Raises ValueError where it is none."""

    cron: str
    timezone: str

    def __post_init__(self) -> None:
        try:
            self.after(datetime.now(UTC))
        except (CronSimError, StopIteration) as error:
            raise ValueError(f"{self.cron!r} is no cron expression: {error}") from None
        except (KeyError, OSError, ValueError):
            raise ValueError(f"{self.timezone!r} is no time zone") from None

    def after(self, moment: datetime) -> datetime:
        """The first due time after a moment, in UTC."""
        return next(CronSim(self.cron, moment.astimezone(self._zone))).astimezone(UTC)

    def before(self, moment: datetime) -> datetime:
        """The last due time before a moment, in UTC."""
        return next(CronSim(self.cron, moment.astimezone(self._zone), reverse=True)).astimezone(UTC)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def __str__(self) -> str:
        return f"{self.cron} {self.timezone}"


def duration(text: str) -> timedelta:
    """`90m`, `36h`, `2d` as a length of time. Raises ValueError for anything else, and for none at all."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not float(match[1]):
        raise ValueError(f"{text!r} is no length of time (90m, 36h, 2d)")
    return timedelta(**{_UNITS[match[2]]: float(match[1])})
