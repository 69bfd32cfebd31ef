"""What went wrong, as data: every failure of the pipeline becomes one row of `problem`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["crawl", "extract", "transform", "check", "load"]
Severity = Literal["failure", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that went wrong.

    `kind` is a word of the closed list in docs/architecture.md; `message` names the place and quotes the offending text.
    `severity` is `failure` where a document, a source or a figure was lost, `warning` where all was loaded but needs a look.
    """

    stage: Stage
    kind: str
    message: str
    publisher_id: str | None = None
    url: str | None = None
    year: int | None = None
    severity: Severity = "failure"
