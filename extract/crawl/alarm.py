"""An index that used to list reports and now lists none, or far fewer, is no "nothing new"."""

from __future__ import annotations

from datetime import datetime, timedelta

from extract.ledger import Ledger, utc_text
from extract.problem import Problem

#: Within this time an index is held against the most it ever listed.
MEMORY = timedelta(days=366)


def listing_alarm(ledger: Ledger, publisher_id: str, run_id: str, url: str, listed: int, now: datetime) -> Problem | None:
    """The problem of an index whose pages were all read in this run and list `listed` reports; None where there is none.

    `index_emptied` (failure): it lists none and once listed some. `index_shrunk` (warning): fewer than half of the most it listed within
    a year. Neither says that a report is gone: a redesign of the site is likelier.
    """
    if listed == 0:
        before = ledger.last_listed(publisher_id, run_id)
        if before is None:
            return None
        message = f"the index lists no report any more; it listed {before.reports} on {before.at[:10]}"
        return Problem("crawl", "index_emptied", message, publisher_id, url)
    most = ledger.most_listed(publisher_id, run_id, utc_text(now - MEMORY))
    if most is None or listed * 2 >= most.reports:
        return None
    message = f"the index lists {listed} report{'' if listed == 1 else 's'}; it listed {most.reports} on {most.at[:10]}"
    return Problem("crawl", "index_shrunk", message, publisher_id, url, severity="warning")
