"""Dates as pages print them, to ISO 8601. A date that could be read in two ways is none."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

PRINTED = re.compile(r"(?<![\d.])(20\d{2})(?:\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{1,2})|\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日)(?!\d)")
#: Beijing time, without summer time since 1991: what a server in China means by a day.
CHINA = timezone(timedelta(hours=8))
_FIRST, _LAST = datetime(2004, 1, 1, tzinfo=UTC).timestamp(), datetime(2100, 1, 1, tzinfo=UTC).timestamp()


def dates(text: str) -> set[str]:
    """Every date a text prints."""
    return {found for match in PRINTED.finditer(text) if (found := iso(match)) is not None}


def iso(match: re.Match[str]) -> str | None:
    """The date of a match of `PRINTED`; None for a date that does not exist. 2024126, without separators, never matches."""
    year, _, month, day, c_month, c_day = match.groups()[-6:]
    try:
        return date(int(year), int(month or c_month), int(day or c_day)).isoformat()
    except ValueError:
        return None


def moment(value: object) -> str | None:
    """The day of a JSON value: a text that prints one date, or seconds or milliseconds since 1970."""
    if isinstance(value, str) and not value.strip().isdigit():
        found = dates(value)
        return found.pop() if len(found) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not str(value).strip():
        return None
    seconds = float(value)
    seconds = seconds / 1000 if seconds > _LAST else seconds
    return datetime.fromtimestamp(seconds, CHINA).date().isoformat() if _FIRST <= seconds < _LAST else None
