"""One report at several addresses is one report: one current, one version, one telling of what is wrong, all its addresses."""

import pytest
from warehouse_world import World, loaded, problem

PAGE, TWIN, COPY = "http://x/2021.html", "http://x/2021_app.html", "http://x/other/2021.html"
WRONG = {"kind": "unmapped_cell", "message": "table 2, row 3: 其他主动公开文件"}


def faulty(name, url, **report):
    rows = loaded(name, url, **report)
    rows["problem"] = [problem(WRONG["kind"], name, url, message=WRONG["message"])]
    return rows


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The page, its twin with other furniture, a copy with the same bytes; and last year's report at an address of its own."""
    made = World(tmp_path_factory.mktemp("home"))
    for url, name in ((PAGE, "page"), (TWIN, "twin"), (COPY, "page")):
        made.seen(url, name)
    made.seen("http://x/2020.html", "older", year=2020)
    made.crawled(listed=4)
    made.publish(made.part("a", faulty("page", PAGE), faulty("twin", TWIN), loaded("older", "http://x/2020.html", year=2020)))
    return made


def test_the_addresses_of_a_report(world):
    rows = world.ask("SELECT r.year, a.url FROM report_address AS a JOIN report AS r USING (report_id)")
    assert sorted(rows) == sorted([(2020, "http://x/2020.html"), (2021, PAGE), (2021, TWIN), (2021, COPY)])


def test_all_addresses_belong_to_the_current_report(world):
    found = world.ask("SELECT DISTINCT r.is_current FROM report_address AS a JOIN report AS r USING (report_id)")
    assert found == [(True,)]


def test_twins_are_one_version_and_one_of_them_is_current(world):
    rows = world.ask("SELECT version, count(*), count(*) FILTER (WHERE is_current) FROM report WHERE year = 2021 GROUP BY version")
    assert rows == [(1, 2, 1)]


def test_what_is_wrong_is_told_once(world):
    assert world.ask("SELECT count(*), count(*) FILTER (WHERE is_open) FROM problem WHERE kind = 'unmapped_cell'") == [(2, 1)]


def test_a_twin_with_other_figures_is_another_version_with_its_own_problems(tmp_path):
    made = World(tmp_path)
    made.seen(PAGE, "page")
    made.seen(TWIN, "twin")
    made.crawled(listed=2)
    made.publish(made.part("a", faulty("page", PAGE), faulty("twin", TWIN, figures={"new_received": "59", "carried_in": "2"})))
    assert made.ask("SELECT count(DISTINCT version) FROM report") == [(2,)]
    assert made.ask("SELECT count(*) FILTER (WHERE is_open) FROM problem WHERE kind = 'unmapped_cell'") == [(2,)]
    assert made.ask("SELECT count(*), count(DISTINCT report_id) FROM report_address") == [(2, 2)]
