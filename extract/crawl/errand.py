"""Why the crawler asks for an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from extract.crawl.listing import Listing
from extract.crawl.session import Visit


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """Why an address is asked for.

    `year` is that of the report, as the link or the registry says; of an index page, the year it was offered for.
    """

    visit: Visit
    url: str
    role: Literal["index", "page", "attachment"]
    listing: Listing | None = None
    year: int | None = None
    sighted: bool = True
