"""gongkai status: narrow enough for a terminal, whole on request, and the same for one district as for three thousand."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console
from warehouse_world import World, loaded

from flows.show_status import status as show
from warehouse.build import PublisherRow
from warehouse.status import Selection, status

CODES = ("330302", "330303", "330304", "440103", "110101")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Sixty publishers: a third loaded, a third unreachable, a third not found; one index emptied."""
    world = World(tmp_path_factory.mktemp("home"))
    world.publishers = [PublisherRow(f"p{n:02}", f"机关{n}", CODES[n % 5], "office") for n in range(60)]
    documents = []
    for n, row in enumerate(world.publishers):
        url = f"http://127.0.0.1/{n}.html"
        world.crawled(publisher=row.publisher_id)
        if n % 3 == 0:
            world.seen(url, f"{n:04}", publisher=row.publisher_id)
            documents.append(loaded(f"{n:04}", url, publisher=row.publisher_id, district_code=row.district_code))
        elif n % 3 == 1:
            world.failed("unreachable", url, publisher=row.publisher_id, year=2021)
    world.failed("index_emptied", "http://127.0.0.1/list", publisher="p59")
    world.publish(world.part("p1", *documents))
    return world


def printed(world: World, chosen: Selection | None = None, *, everything: bool = False, width: int = 80) -> str:
    stream = StringIO()
    show(Console(file=stream, width=width), status(world.published, world.ledger, chosen=chosen), everything=everything)
    return stream.getvalue()


def test_alarms_come_first_and_lines_fit(world: World) -> None:
    text = printed(world)
    assert max(map(len, text.splitlines())) <= 80
    assert text.index("ALARM") < text.index("coverage (publisher") < text.index("missing, and why") < text.index("last runs")
    assert "index_emptied" in text
    assert len(text.splitlines()) < 120


def test_all_shows_every_missing_report(world: World) -> None:
    assert all(f"p{n:02}" in printed(world, everything=True) for n in range(60) if n % 3 == 1)
    assert "of 280; --all shows every one" in printed(world)


@pytest.mark.parametrize(
    ("chosen", "coverage"),
    [
        (Selection(years=(2021,)), {"loaded": 20, "not_found": 19, "unreachable": 21}),
        (Selection(district="33", years=(2021,)), {"loaded": 12, "not_found": 12, "unreachable": 12}),
        (Selection(district="110101", years=(2021,)), {"loaded": 4, "not_found": 3, "unreachable": 5}),
        (Selection(source="p03"), {"loaded": 1, "not_found": 4}),
    ],
)
def test_a_selection_narrows_coverage_problems_and_sources(world: World, chosen: Selection, coverage: dict[str, int]) -> None:
    found = status(world.published, world.ledger, chosen=chosen)
    assert found.coverage == coverage
    if chosen.source:
        assert (found.problems, [s.publisher_id for s in found.sources]) == ([], ["p03"])
    if chosen.district == "110101":
        assert {p.publisher_id for p in found.problems} == {f"p{n:02}" for n in range(4, 60, 5) if n % 3 == 1 or n == 59}


def test_problems_are_counted_by_kind(world: World) -> None:
    groups = {(g.severity, g.kind): (g.problems, g.publishers) for g in status(world.published, world.ledger).groups}
    assert groups == {("failure", "unreachable"): (20, 20), ("failure", "index_emptied"): (1, 1)}
