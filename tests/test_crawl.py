"""The crawler as it runs: its own process against a real server on loopback, what it asks for, and what it leaves behind."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from crawl_world import PDF, World, endless, link, listing, looping, moved, offsite, paged_pages, report_html, title, trouble
from site_server import Page, Site
from warcio.checker import Checker

from extract.archive import read_body


@pytest.fixture(scope="module")
def site():
    pages = paged_pages() | {
        "/robots.txt": Page("User-agent: *\nDisallow: /private/\n", headers={"Content-Type": "text/plain"}),
        "/empty/": Page(listing('<a href="zn.html">政府信息公开指南</a>')),
        "/declared/2018.pdf": Page(PDF + b"2018", etag=True),
        "/declared/x.html": Page(report_html(2017), etag=True),
        "/odd/": Page("\x00<html><a href='http://[x'>" + title(2021) + "</a>" + listing(link("/odd/a.pdf", 2021)), chunked=True),
        "/odd/a.pdf": Page(b""),
    }
    endless(pages)
    looping(pages)
    trouble(pages)
    moved(pages)
    offsite(pages)
    with Site(pages) as running:
        yield running


@pytest.fixture(scope="module")
def first(site, tmp_path_factory):
    later = Page("come back", 503, {"Retry-After": "3600"})
    busy = Site({"/": Page(listing(link("/a.pdf", 2020), link("/b.pdf", 2021))), "/a.pdf": later, "/b.pdf": later})
    closed = Site({"/robots.txt": Page("maintenance", 500), "/": Page(listing(link("/a.pdf", 2021)))})
    forged = Site({"/": Page(listing(link("/a.pdf", 2021)))}, tls_folder=tmp_path_factory.mktemp("tls"))
    with busy, closed, forged:
        world = World(site, tmp_path_factory.mktemp("home"), busy, closed, forged)
        world.run()
    world.log = list(site.log)
    return world


def test_reports_are_found_through_pagination(first):
    found = first.sightings("paged")
    assert {(u, r["year"], r["role"], r["published_on"]) for u, r in found.items()} == {
        ("/paged/2023.html", 2023, "page", "2024-01-19"),
        ("/paged/2022.html", 2022, "page", "2023-01-10"),
        ("/paged/files/2021.pdf", 2021, "page", None),
        ("/paged/2020.docx", 2020, "page", "2021-01-28"),
        ("/paged/files/2022.pdf", 2022, "attachment", None),
    }
    assert found["/paged/files/2022.pdf"]["parent_url"] == first.site.url("/paged/2022.html")
    assert found["/paged/2022.html"]["title"] == title(2022)
    assert not first.problems("paged")
    assert not [a for a in first.log if a.path in ("/paged/tz.html", "/guide.pdf")]
    state = first.state("paged")
    assert (state.index_read, state.reports_found, state.conditional, state.unchanged, state.fetched) == (True, 4, 0, 0, 8)


def test_media_come_from_the_bytes(first):
    media = {u: first.document(u).media for u in first.sightings("paged")}
    assert media == {
        "/paged/2023.html": "html",
        "/paged/2022.html": "html",
        "/paged/files/2021.pdf": "pdf",
        "/paged/2020.docx": "docx",
        "/paged/files/2022.pdf": "pdf",
    }


def test_every_candidate_is_in_the_archive(first):
    with first.ledger() as ledger:
        candidates = ledger.candidates()
    assert len(candidates) > 15
    for c in candidates:
        page = first.site.pages[c.url.removeprefix(first.site.base)]
        if isinstance(page, Page) and page.status == 200:
            expected = page.body.encode() if isinstance(page.body, str) else page.body
            assert read_body(first.home / "archive", c.archive_file, c.archive_offset) == expected


def test_every_answer_is_a_valid_record(first):
    files = sorted({name for name, *_ in first.records()})
    command = type("Arguments", (), {"inputs": [str(first.home / "archive" / f) for f in files], "verbose": False})
    assert Checker(command).process_all() == 0
    archived = [urlsplit(u)._replace(scheme="", netloc="").geturl() for _, kind, u, _ in first.records() if kind == "response"]
    logs = first.log + first.busy.log + first.closed.log
    answered = [a.path for a in logs if a.path not in ("/trouble/slow", "/trouble/big")]
    assert sorted(archived) == sorted(answered)
    packed = next(r for _, _, u, r in first.records() if u and u.endswith("/paged/2023.html"))
    assert packed.http_headers.get_header("Content-Encoding") == "gzip"
    assert packed.rec_headers.get_header("WARC-IP-Address") == "127.0.0.1"


def test_the_site_is_treated_politely(first):
    quiet = [a for a in first.log if not a.path.startswith("/trouble/")]
    assert {a.headers["user-agent"] for a in quiet} == {"gongkai/2026.11.0 (+https://example.org/gongkai)"}
    assert not any("cookie" in a.headers for a in quiet)
    assert first.log[0].path == "/robots.txt"
    assert sum(a.path == "/robots.txt" for a in first.log) == 1


def test_robots_txt_is_obeyed(first):
    assert [k for k in first.problems("trouble") if k[1] == "robots_disallowed"] == [("/private/private", "robots_disallowed")]
    assert not [a for a in first.log if a.path.startswith("/private/")]


def test_what_recovers_is_read_and_what_does_not_is_a_problem(first):
    problems = first.problems("trouble")
    assert {k: p.message.partition(":")[0] for k, p in problems.items() if "torn" not in k[0]} == {
        ("/trouble/404", "http_error"): "HTTP 404 Not Found",
        ("/trouble/500", "http_error"): "HTTP 500 Internal Server Error",
        ("/trouble/slow", "unreachable"): "DownloadTimeoutError",
        ("/trouble/big", "too_large"): "DownloadCancelledError",
        ("/trouble/bomb", "too_large"): "DownloadCancelledError",
        ("/private/private", "robots_disallowed"): "Forbidden by robots.txt",
    }
    assert ("/trouble/torn", "unreachable") in problems
    assert all(p.year == 2021 and p.severity == "failure" for p in problems.values())
    assert first.document("/trouble/500-once").status == 200
    assert first.document("/trouble/429-once").status == 200
    assert first.document("/trouble/404").status == 404
    assert first.document("/trouble/404").sha256 is None
    assert first.document("/trouble/slow") is None


def test_retry_after_is_waited_out(first):
    """Nothing at all is asked of the host in the meantime."""
    at = [a.at for a in first.log]
    index = next(n for n, a in enumerate(first.log) if a.status == 429)
    assert at[index + 1] - at[index] >= 1.0


def test_a_host_that_asks_for_too_long_a_wait_is_left_alone(first):
    """One of its two reports is asked for, once; the other not at all."""
    assert [a.status for a in first.busy.asked() if a.path != "/"] == [503]
    kinds = {k: p.message for (_, k), p in first.problems("busy").items()}
    assert kinds["http_error"].startswith("HTTP 503")
    assert "Retry-After 3600 s" in kinds["unreachable"]


def test_a_robots_txt_that_fails_forbids_everything(first):
    assert [(k, p.message) for (_, k), p in first.problems("closed").items()] == [("unreachable", "robots.txt: HTTP 500")]
    assert {a.path for a in first.closed.log} == {"/robots.txt"}


def test_a_certificate_nobody_vouches_for_is_not_accepted(first):
    ((_, kind),) = first.problems("forged")
    assert kind == "unreachable"
    assert first.forged.log == []


def test_failed_requests_are_tried_again_once(first):
    tries = {p: sum(a.path == f"/trouble/{p}" for a in first.log) for p in ("500", "500-once", "404", "slow", "big")}
    assert tries == {"500": 2, "500-once": 2, "404": 1, "slow": 2, "big": 1}


def test_redirects(first):
    problems = first.problems("moved")
    assert set(problems) == {(f"/moved/{n}", "http_error") for n in ("home", "login", "away", "round")}
    assert "home or login page" in problems[("/moved/home", "http_error")].message
    assert "www.example.com" in problems[("/moved/away", "http_error")].message
    moved_page = first.document("/moved/moved")
    assert (moved_page.status, moved_page.sha256) == (302, first.document("/moved/target.html").sha256)
    assert first.sightings("moved")["/moved/x.pdf"]["parent_url"] == first.site.url("/moved/moved")
    with first.ledger() as ledger:
        assert first.site.url("/moved/moved") in {c.url for c in ledger.candidates(["moved"])}


def test_pagination_ends(first):
    endless_problem = first.problems("endless")[("/endless/?p=0", "trap")]
    assert (endless_problem.severity, "more than 5" in endless_problem.message) == ("failure", True)
    assert first.state("endless").index_read is False
    assert first.state("endless").reports_found == 5
    assert {k: p.severity for k, p in first.problems("loop").items()} == {("/loop/?p=2", "trap"): "warning"}
    assert len([a for a in first.log if a.path.startswith("/loop/?")]) == 3
    assert first.state("loop").index_read is True


def test_an_index_without_reports(first):
    assert list(first.problems("empty")) == [("/empty/", "empty_index")]


def test_nothing_leaves_the_sites(first):
    problems = first.problems("offsite")
    assert {(u, p.severity) for (u, _), p in problems.items()} == {
        ("http://www.example.com/2019.html", "warning"),
        ("http://files.example.com/a.pdf", "warning"),
    }
    assert not any(u and "example.com" in u for _, _, u, _ in first.records())


def test_a_dead_host_stops_nobody(first):
    (_, kind), problem = next(iter(first.problems("dead").items()))
    assert kind == "unreachable"
    assert "refused" in problem.message
    assert first.state("dead").index_read is False
    assert sorted(first.result.sources_done) == sorted(s.id for s in first.sources())


def test_declared_reports(first):
    found = first.sightings("declared")
    assert {(u, r["year"], r["declared"], r["title"], r["published_on"]) for u, r in found.items()} == {
        ("/declared/2018.pdf", 2018, 1, None, None),
        ("/declared/x.html", None, 1, title(2017), "2022-01-20"),
    }
    state = first.state("declared")
    assert (state.index_read, state.reports_found) == (False, 2)


def test_odd_bytes(first):
    assert not first.problems("odd")
    assert first.document("/odd/a.pdf").media == "empty"


def test_events_tell_what_the_ledger_holds(first):
    with first.ledger() as ledger:
        problems = ledger.problems(first.run_id)
    assert first.result.problems == len(problems) == sum(e["event"] == "problem" for e in first.events)
    assert first.result.fetched == sum(first.state(s.id).fetched for s in first.sources())
    assert {e["publisher_id"] for e in first.events} == {s.id for s in first.sources()}


@pytest.fixture(scope="module")
def second(first):
    """The same night once more: nothing is due but the indexes."""
    first.run(only={"paged", "declared", "moved"})
    return first


def test_a_second_run_asks_only_for_the_indexes_and_conditionally(second):
    asked = {a.path: a for a in second.site.asked("/paged") + second.site.asked("/declared")}
    assert set(asked) == {"/paged/index.html", "/paged/index_1.html", "/paged/index_2.html"}
    assert asked["/paged/index.html"].status == asked["/paged/index_1.html"].status == 304
    assert not asked["/paged/index_2.html"].conditional
    state = second.state("paged")
    assert (state.reports_found, state.conditional, state.unchanged, state.fetched, state.index_read) == (4, 2, 3, 0, True)
    assert {r["last_run_id"] for r in second.sightings("paged").values()} == {second.run_id}
    assert {r["last_run_id"] for r in second.sightings("declared").values()} == {second.run_id}


def test_unchanged_answers_are_revisit_records(second):
    revisits = {
        u.removeprefix(second.site.base): r.rec_headers.get_header("WARC-Profile").rpartition("/")[2]
        for name, kind, u, r in second.records()
        if kind == "revisit" and second.run_id in name
    }
    assert {p: k for p, k in revisits.items() if p.startswith("/paged")} == {
        "/paged/index.html": "server-not-modified",
        "/paged/index_1.html": "server-not-modified",
        "/paged/index_2.html": "identical-payload-digest",
    }
    assert second.run_id not in second.document("/paged/index.html").archive_file


def test_what_failed_is_asked_again(second):
    asked = {a.path for a in second.site.asked("/moved")}
    assert {"/moved/home", "/moved/login", "/moved/away", "/moved/round"} <= asked
    assert "/moved/moved" not in asked
    assert "/moved/x.pdf" not in asked


@pytest.fixture(scope="module")
def third(second):
    """`--refetch`, after one report was changed, one vanished from its index, and one record of the archive was lost."""
    pages = second.site.pages
    pages["/paged/2022.html"] = Page(report_html(2022, "corrected", '<a href="files/2022.pdf">附件：2022年报告</a>'), etag=True)
    pages["/paged/index_2.html"] = Page(listing())
    damage(second.home / "archive", second.document("/declared/2018.pdf"))
    second.run(only={"paged", "declared"}, refetch=True, years=[2022, 2020, 2018])
    return second


def damage(folder: Path, document):
    with (folder / document.archive_file).open("r+b") as file:
        file.seek(document.archive_offset)
        file.write(b"\xff" * 40)


def test_refetch_asks_for_every_known_address_of_the_years(third):
    asked = {a.path: (a.status, a.conditional) for a in third.site.asked("/paged")}
    assert {p: v for p, v in asked.items() if "index" not in p} == {
        "/paged/2022.html": (200, True),
        "/paged/files/2022.pdf": (304, True),
        "/paged/2020.docx": (200, False),
    }
    seen = third.sightings("paged")
    assert seen["/paged/2020.docx"]["last_run_id"] != third.run_id
    assert seen["/paged/2023.html"]["last_run_id"] == third.run_id


def test_one_connection_and_one_request_at_a_time(third):
    assert len(third.site.log) > 5
    assert (third.site.most_open, third.site.most_busy) == (1, 1)


def test_both_versions_of_a_changed_report_are_kept(third):
    versions = [r for r in third.rows("content") if r["url"] == third.site.url("/paged/2022.html")]
    bodies = [read_body(third.home / "archive", r["archive_file"], r["archive_offset"]) for r in versions]
    assert sorted("corrected" in b.decode() for b in bodies) == [False, True]
    with third.ledger() as ledger:
        current = next(c for c in ledger.candidates(["paged"]) if c.url.endswith("/2022.html"))
    assert b"corrected" in read_body(third.home / "archive", current.archive_file, current.archive_offset)


def test_a_lost_record_is_fetched_anew(third):
    """The server says 304, the archive can't give the body: asked again without conditions, and the place is put right."""
    assert [(a.status, a.conditional) for a in third.site.asked("/declared/2018")] == [(304, True), (200, False)]
    document = third.document("/declared/2018.pdf")
    assert read_body(third.home / "archive", document.archive_file, document.archive_offset) == PDF + b"2018"
