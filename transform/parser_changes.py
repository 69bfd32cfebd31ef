"""Which documents a new version of the reader reads differently (parser_changes.yml)."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

_FILE = Path(__file__).with_suffix(".yml")


class Change(BaseModel):
    """A version of the reader and what it reads differently than the version before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    media: tuple[str, ...] | Literal["all"]
    formats: tuple[int, ...] | Literal["all"]
    what: str

    def affects(self, media: str, formats: Collection[int]) -> bool:
        """Whether a document of this medium, from which tables of these layouts were read, may read differently."""
        right_form = self.formats == "all" or not formats or not set(formats).isdisjoint(self.formats)
        return right_form and (self.media == "all" or media in self.media)


@cache
def changes() -> tuple[Change, ...]:
    """The list, oldest first. Raises pydantic.ValidationError for an entry with an unknown key."""
    return tuple(Change(**entry) for entry in yaml.safe_load(_FILE.read_text("utf-8")))


def affected(since: str, media: str, formats: Collection[int], known: Collection[Change] | None = None) -> bool:
    """Whether any version after `since` affects such a document. A version that is not in the list is older than all of it."""
    listed = changes() if known is None else known
    versions = [change.version for change in listed]
    start = versions.index(since) + 1 if since in versions else 0
    return any(change.affects(media, formats) for change in list(listed)[start:])
