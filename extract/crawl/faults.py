"""What can be wrong with a host or with its answer: exceptions that know the kind of problem they are."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest


class CrawlFault(Exception):  # noqa: N818
    """An address that gave nothing. `kind` is the kind of problem it is."""

    kind = "http_error"


class HostUnreachableError(CrawlFault):
    """A host that was given up for this run, or whose robots.txt can't be had."""

    def __init__(self, reason: str, kind: str = "unreachable") -> None:
        super().__init__(reason)
        self.kind = kind


class BudgetSpentError(CrawlFault):
    """A host whose budget for this run is spent: what is left is for the next run."""

    kind = "budget_spent"


class DamagedBodyError(CrawlFault):
    """A body whose content-encoding can't be undone."""

    kind = "unreachable"


class UnusableAnswerError(CrawlFault):
    """An answer that claims to be fine and is not: a partial or empty one, a page that says there is no such page.

    `status` is what goes on record for the address, None where nothing does.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class ScriptChallengeError(CrawlFault):
    """A script challenge, or a block, in place of what was asked for."""

    kind = "script_challenge"


class OffSiteError(IgnoreRequest):
    """A redirect that leads to a host the source has no business with."""
