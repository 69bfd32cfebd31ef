"""A build in slices gives what one in a single piece gives, and stays within its limits."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warehouse_world import World, loaded

from warehouse import build as building
from warehouse import parts
from warehouse.build import BuildError, Limits, PublisherRow
from warehouse.duck import scripts

FIGURES = {"new_received": "58", "carried_in": "2", "granted": "40", "processed_total": "55", "carried_out": "5"}
RELATIONS = ("observation", "check_result", "narrative", "report", "report_figures", "cross_year_check", "report_quality", "panel_wide")


def home(root: Path) -> tuple[World, list[Path]]:
    """Two bodies, three years each, one part a report."""
    root.mkdir(exist_ok=True)
    world = World(root)
    world.publishers.append(PublisherRow("ouhai", "温州市瓯海区人民政府办公室", "330304", "office", "own"))
    made = []
    for publisher in ("lucheng", "ouhai"):
        for year in (2021, 2022, 2023):
            name = f"{publisher}{year}"
            url = f"http://127.0.0.1/{name}.html"
            world.seen(url, name, publisher=publisher, year=year)
            made.append(world.part(name, loaded(name, url, year, publisher, FIGURES)))
    return world, made


def rows(world: World) -> dict[str, list[tuple[object, ...]]]:
    return {name: sorted(world.ask(f"SELECT t::VARCHAR FROM {name} AS t")) for name in RELATIONS}


def test_slices_give_what_one_piece_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, made = home(tmp_path / "whole")
    whole.publish(*made)
    expected = rows(whole)
    assert len(expected["cross_year_check"]) >= 2 * 2 * 7
    monkeypatch.setattr(parts, "SLICE", 1)
    small = [sql.replace("// 5000 AS slice_no", "// 1 AS slice_no") for sql in scripts("steps")]
    assert small != list(scripts("steps"))
    monkeypatch.setattr(building, "scripts", lambda folder: small)
    sliced, made = home(tmp_path / "sliced")
    sliced.publish(*made)
    assert rows(sliced) == expected


def test_figures_of_a_slice_lie_by_indicator(tmp_path: Path) -> None:
    world, made = home(tmp_path)
    world.publish(*made)
    names = [name for (name,) in world.ask("SELECT indicator FROM observation ORDER BY rowid")]
    assert names == sorted(names)
    assert len(set(names)) == len(FIGURES)


@given(st.lists(st.integers(0, 300), min_size=1), st.integers(1, 1000))
def test_every_part_is_in_one_slice_in_order(figures: list[int], size: int) -> None:
    slices = list(parts._slices(figures, size))
    assert [number for numbers in slices for number in numbers] == list(range(len(figures)))
    for numbers in slices[:-1]:
        assert sum(figures[n] for n in numbers) >= size > sum(figures[n] for n in numbers[:-1])


def test_a_build_that_needs_more_than_it_may_take_fails_and_leaves_the_published_file(tmp_path: Path) -> None:
    world, made = home(tmp_path)
    before = world.published.read_bytes()
    with pytest.raises(BuildError, match="Memory"):
        building.build(
            world.published,
            made,
            world.ledger,
            world.publishers,
            run_id="r1",
            version="1",
            limits=Limits(memory_mb=2, threads=1, spill_mb=0),
        )
    assert world.published.read_bytes() == before
    assert [path.name for path in world.published.parent.iterdir()] == [world.published.name]


def test_limits_are_those_of_the_connection(tmp_path: Path) -> None:
    with duckdb.connect(config=Limits(memory_mb=300, threads=1, spill_mb=7).config(tmp_path / "x.tmp")) as con:
        sql = "SELECT current_setting('memory_limit'), current_setting('threads'), current_setting('max_temp_directory_size')"
        assert con.execute(sql).fetchone() == ("300.0 MiB", 1, "7.0 MiB")
