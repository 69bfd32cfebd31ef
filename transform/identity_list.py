"""The identities as a list for the warehouse: `python -m transform.identity_list > warehouse/seeds/identities.csv`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from typing import TextIO

from transform.check import PARTS, Identity, identities

COLUMNS = ("check_id", "section", "formats", "evaluated_for", "left_side", "right_side", "source")


def rows() -> Iterator[tuple[str, ...]]:
    """One row per identity of identities.yml, in its order; sides are sums of indicators, of R2 of applicants."""
    for rule in identities():
        formats = " ".join(map(str, rule.formats or ()))
        yield rule.id, rule.section, formats, _places(rule), *_sides(rule), rule.source


def _places(rule: Identity) -> str:
    return "each row" if rule.over else "each applicant" if rule.each else ""


def _sides(rule: Identity) -> tuple[str, str]:
    return (" + ".join(PARTS), "total") if rule.over else (" + ".join(rule.left), " + ".join(rule.right))


def write(stream: TextIO) -> None:
    """The list as CSV with a header."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows())


if __name__ == "__main__":
    write(sys.stdout)
