"""Three nights over the test portal: what its log says of the crawler's manners, and what the warehouse made of every site."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from portal import changes
from portal.case import Case, Trouble
from portal.elsewhere import CLONE, FOREIGN
from portal.nights import CONTACT, MIN_DELAY, RETRIES, TIMEOUT, Night, World, build_all, quick, surroundings
from portal.server import Asked, Portal, Reply, by_host

from flows.engine import embedded_api

SLACK = 0.012  # seconds by which the server may read two requests closer together than they were sent
LATER = {("grows", 2023)}  # published between the first and the second night
REFETCHED = ("changes", "vanishes", "returns", "empties", "etag-only", "modified-only", "no-validator", "trs", "attachments")
Rows = dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Night one and night two over every source, night three with --refetch over some."""
    folder = tmp_path_factory.mktemp("portal")
    with Portal() as portal:
        made = World(portal, build_all(portal, folder), folder)
        with surroundings(portal, folder / "trusted.pem"), quick(), embedded_api(folder / "prefect"):
            made.run()
            made.first = snapshot(made)
            changes.turn(made.cases, 2)
            made.run()
            made.second = snapshot(made)
            changes.turn(made.cases, 3)
            made.run("--refetch", *(w for id_ in REFETCHED for w in ("--source", id_)))
        yield made


def snapshot(world: World) -> Rows:
    """What the warehouse said after a night, by publisher."""
    reports = "SELECT publisher_id, year, url, title, report_id FROM report WHERE is_current"
    figures = "SELECT publisher_id, year, indicator, applicant, value, value_status FROM panel"
    problems = "SELECT publisher_id, stage, kind, url, year, message, severity FROM problem WHERE run_id = ?"
    states = "SELECT publisher_id, year, state, reason FROM coverage"
    run_id = world.nights[-1].run_id
    found = {"reports": reports, "figures": figures, "states": states}
    return {name: grouped(world.query(sql)) for name, sql in found.items()} | {"problems": grouped(world.query(problems, run_id))}


def grouped(rows: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    out: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for first, *others in rows:
        out[first].append(tuple(others))
    return out


# --- the first night: what was loaded


def test_a_night_with_faults_publishes_and_says_so(world: World) -> None:
    assert [n.result.exit_code for n in world.nights[:2]] == [3, 3], world.nights[0].result.output[-3000:]


def test_every_report_of_every_family_is_loaded_and_nothing_else(world: World) -> None:
    wrong = {}
    for case in world.cases.values():
        found = Counter(year for year, *_ in world.first["reports"][case.id])
        expected = Counter(report.year for report in case.loaded if (case.id, report.year) not in LATER)
        if found != expected:
            wrong[case.id] = f"loaded {sorted(found.elements())}, expected {sorted(expected.elements())}"
    assert wrong == {}


def test_every_figure_is_the_one_that_was_printed(world: World) -> None:
    wrong = {}
    for case in world.cases.values():
        by_year: dict[int, dict[tuple[str, str | None], Any]] = defaultdict(dict)
        for year, indicator, applicant, value, status in world.first["figures"][case.id]:
            by_year[year][indicator, applicant] = value if status == "reported" else status
        for report in case.loaded:
            if by_year[report.year] and (bad := differences(by_year[report.year], report.figures)):
                wrong[case.id, report.year] = bad
    assert wrong == {}


def differences(found: dict[Any, Any], truth: dict[Any, int]) -> list[str]:
    return [f"{k}: {found.get(k)} instead of {truth.get(k)}" for k in {*found, *truth} if found.get(k) != truth.get(k)][:3]


def test_every_report_has_its_title_and_one_of_its_addresses(world: World) -> None:
    wrong = {}
    for case in world.cases.values():
        for report in case.loaded:
            allowed = {case.url(path) for path in case.loaded[report]}
            for year, url, title, _ in world.first["reports"][case.id]:
                if year == report.year and (url.partition(";")[0] not in allowed or title.removesuffix(".docx") != report.title):
                    wrong[case.id, year] = (url, title)
    assert wrong == {}


def test_duplicates_keep_all_their_addresses(world: World) -> None:
    case = world.cases["duplicates"]
    seen = {url for (url,) in world.query("SELECT url FROM sighting WHERE publisher_id = 'duplicates'")}
    assert seen == {case.url(path) for paths in case.loaded.values() for path in paths}


# --- the first night: what went wrong


def test_each_fault_is_one_problem_row(world: World) -> None:
    """Of the right kind, with source, address and offending text; and no site has a problem that it does not have."""
    wrong = {}
    for case in world.cases.values():
        rows = world.first["problems"][case.id]
        if found := complaints(case, rows):
            wrong[case.id] = found
    assert wrong == {}


def complaints(case: Case, rows: list[tuple[Any, ...]]) -> list[str]:
    left, out = list(rows), []
    for trouble in case.troubles:
        fitting = [row for row in left if fits(case, trouble, row)]
        if len(fitting) != 1:
            out.append(f"{len(fitting)} rows for {trouble}")
        left = [row for row in left if row not in fitting]
    for trouble in case.perhaps:
        fitting = [row for row in left if fits(case, trouble, row)]
        left = [row for row in left if row not in fitting[:1]]
    return out + [f"unexpected: {row}" for row in left]


def fits(case: Case, trouble: Trouble, row: tuple[Any, ...]) -> bool:
    _, kind, url, _, message, _ = row
    return kind in trouble.kinds and url == case.url(trouble.path) and trouble.says in message


def test_a_fault_stays_with_its_source(world: World) -> None:
    """Every source was visited to its end; those whose index could be read say so."""
    unread = {id_ for id_, c in world.cases.items() if any(t.path in c.index for t in c.troubles) and id_ != "empty"}
    rows = dict(world.query("SELECT publisher_id, last_run_id FROM source_state WHERE last_run_id IS NOT NULL"))
    assert set(rows) == set(world.cases)
    states = {r["publisher_id"]: r["index_read"] for r in ledger_rows(world, "source_state")}
    wrong = {id_: states[id_] for id_ in world.cases if id_ not in TRAPS and bool(states[id_]) != (id_ not in unread)}
    assert wrong == {}


TRAPS = ("loop", "endless", "many-pages", "calendar", "sessions", "empties")


def ledger_rows(world: World, table: str) -> list[dict[str, Any]]:
    from extract.ledger import Ledger

    with Ledger(world.home / "state" / "ledger.sqlite") as ledger:
        return ledger.rows(table)


STATES = {
    "plain": (2024, {"loaded", "flagged"}),
    "robots-report": (2021, {"robots_disallowed"}),
    "timeout": (2021, {"unreachable"}),
    "drip-body": (2021, {"unreachable"}),
    "not-there": (2021, {"unreachable", "withdrawn"}),
    "challenge-report": (2021, {"unreachable"}),
}


@pytest.mark.parametrize("id_", STATES)
def test_states_are_told_apart(world: World, id_: str) -> None:
    year, expected = STATES[id_]
    states = {y: s for y, s, _ in world.first["states"][id_]}
    assert states.get(year) in expected


# --- manners, over all nights


def nights(world: World) -> Iterator[tuple[int, Night]]:
    yield from enumerate(world.nights, 1)


def test_never_more_than_one_request_at_a_time_to_a_host(world: World) -> None:
    wrong = []
    for night, run in nights(world):
        for host, log in by_host(run.log):
            pairs = pairwise(log)
            wrong += [(night, host, a.path, b.path) for a, b in pairs if a.ended is None or b.began < a.ended - SLACK]
    assert wrong == []


def test_one_connection_to_a_host(world: World) -> None:
    quiet = [c for c in world.cases.values() if not c.troubles and not c.site.tls and c.id != "reset-once"]
    assert {c.id: c.site.most_open for c in quiet if c.site.most_open > 1} == {}


def test_delays_are_kept(world: World) -> None:
    """From the beginning of one request to that of the next: min_delay, or the Crawl-delay of robots.txt once that is known."""
    least = {c.site.host: c.least_gap for c in world.cases.values()}
    wrong = []
    for night, run in nights(world):
        for host, log in by_host(run.log):
            gaps = [(b.began - a.began, a.path, b.path) for a, b in pairwise(log)]
            wrong += [(night, host, *gap) for gap in gaps if gap[0] < max(MIN_DELAY, least.get(host, 0)) - SLACK]
    assert wrong == []


@pytest.mark.parametrize(("id_", "seconds"), [("wait-seconds", 1.0), ("wait-date", 1.0)])
def test_retry_after_is_waited_out(world: World, id_: str, seconds: float) -> None:
    """A date two seconds ahead has lost up to one by being written in whole seconds."""
    log = world.asked(world.cases[id_])
    (told,) = [n for n, a in enumerate(log) if a.status == 429]
    ended = log[told].ended
    assert ended is not None
    assert log[told + 1].began - ended >= seconds - SLACK


def test_no_disallowed_path_is_asked(world: World) -> None:
    wrong = []
    for _, run in nights(world):
        for case in world.cases.values():
            log = [a for a in run.log if a.host == case.site.host and a.path != "/robots.txt"]
            wrong += [(case.id, a.path) for a in log if any(a.path.startswith(p) for p in case.forbidden)]
    assert wrong == []


def test_nothing_is_asked_of_strangers_and_clones(world: World) -> None:
    """Not even robots.txt; the proxy of the portal would have seen it."""
    hosts = {a.host for a in world.portal.log if a.site == "proxy"} | {a.host for a in world.portal.log}
    strange = {h.partition("//")[2] for h in (CLONE, FOREIGN)} | {"www.parked-domain.com", world.portal.sites["stranger"].host}
    assert hosts & strange == set()
    assert {a.host for a in world.portal.log if a.site == "proxy"} == set()


def test_robots_txt_is_asked_first_and_once_a_run(world: World) -> None:
    wrong = []
    for night, run in nights(world):
        for host, log in by_host(run.log):
            asked = [a for a in log if a.path == "/robots.txt"]
            failed = [a for a in asked if a.status >= 500]
            if log[0].path != "/robots.txt" or len(asked) - min(len(failed), RETRIES) > 1:
                wrong.append((night, host, [a.path for a in log[:4]], len(asked)))
    assert wrong == []


def test_who_asks_is_told(world: World) -> None:
    agents = {a.headers.get("user-agent", "") for a in world.portal.log}
    assert all(a.startswith("gongkai/") and a.endswith(f"(+{CONTACT})") for a in agents), agents
    assert not [a.path for a in world.portal.log if "cookie" in a.headers]


def test_traps_and_faults_end(world: World) -> None:
    """Each within its number of requests in every night, and each request soon after its time is up."""
    wrong = {}
    for night, run in nights(world):
        counts = Counter(a.host for a in run.log)
        wrong |= {(night, c.id): counts[c.site.host] for c in world.cases.values() if counts[c.site.host] > c.most_requests}
    assert wrong == {}
    long = [(a.site, a.path, a.ended - a.began) for a in world.portal.log if a.ended and a.ended - a.began > TIMEOUT + 0.7]
    assert long == []


# --- the second night


#: Where the report's page is itself the index, or one of its pages.
#: What an index that was read no longer lists is asked for once: it may be gone.
LOOKED_AFTER = {id_: {"/art/2021.html"} for id_ in ("vanishes", "returns", "delisted")}
OWN_INDEX = ("hanweb-annual", "hanweb-annual-links", "column-page")


def test_the_second_night_asks_index_pages_and_what_failed(world: World) -> None:
    wrong = []
    for case in world.cases.values():
        if case.id in OWN_INDEX:
            continue
        good = {a.path.partition(";")[0] for a in world.asked(case, 1) if a.status in (200, 304) and a.ended}
        reports = {path for paths in case.loaded.values() for path in paths}
        again = {a.path.partition(";")[0] for a in world.asked(case, 2)} & good & reports
        wrong += [(case.id, path) for path in again - LOOKED_AFTER.get(case.id, set())]
    assert wrong == []


def test_every_index_is_read_every_night(world: World) -> None:
    wrong = []
    for case in world.cases.values():
        if (case.forbidden and "/" in case.forbidden) or case.id in ("refused", "robots-index", "robots-fails"):
            continue
        paths = {a.path.partition(";")[0] for a in world.asked(case, 2)}
        wrong += [(case.id, p) for p in case.index if quoted(p) not in paths]
    assert wrong == []


def quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/?=&;")


def test_nothing_with_a_validator_is_asked_again_without_it(world: World) -> None:
    had: set[tuple[str, str]] = set()
    wrong = []
    for night, run in nights(world):
        wrong += [(night, a.site, a.path) for a in run.log if (a.host, a.path) in had and not a.conditional]
        had |= {(a.host, a.path) for a in run.log if a.status == 200 and validated(world, a)}
    assert wrong == []


def validated(world: World, asked: Asked) -> bool:
    site = world.portal.sites.get(asked.site) or world.portal.world[asked.site]
    answer = site.pages.get(asked.path)
    return isinstance(answer, Reply) and (answer.etag or answer.modified is not None) and answer.fault is None


def test_validators_are_sent_back_as_they_came(world: World) -> None:
    sent = {
        "etag-only": {"if-none-match"},
        "modified-only": {"if-modified-since"},
        "no-validator": set(),
    }
    for id_, names in sent.items():
        for asked in world.asked(world.cases[id_], 2) + world.asked(world.cases[id_], 3):
            assert names == {"if-none-match", "if-modified-since"} & set(asked.headers), (id_, asked.path)


def test_the_second_night_loses_nothing(world: World) -> None:
    """What was loaded is loaded still, but for the report that is no longer there; a new one came."""
    before = {(i, r[0]) for i, rows in world.first["reports"].items() for r in rows}
    after = {(i, r[0]) for i, rows in world.second["reports"].items() for r in rows}
    assert after - before == LATER
    assert before - after <= {("vanishes", 2021), ("returns", 2021), ("empties", 2021), ("empties", 2022)}


def test_an_index_that_empties_is_an_alarm(world: World) -> None:
    rows = world.second["problems"]["empties"]
    assert len(rows) == 1, rows
    stage, kind, url, _, message, severity = rows[0]
    assert (stage, severity) == ("crawl", "failure")
    assert kind in ("empty_index", "index_emptied")
    assert url == world.cases["empties"].url(world.cases["empties"].index[0])
    assert message != "no report in 1 index page(s)"
    assert {y: s for y, s, _ in world.second["states"]["empties"]}[2022] in ("loaded", "flagged"), "an emptied index withdraws nothing"


def test_what_is_gone_is_withdrawn_and_its_figures_stay(world: World) -> None:
    """Gone is what is neither listed nor there: what only left the list is asked for, and is still loaded."""
    states = {i: {y: s for y, s, _ in world.second["states"][i]} for i in ("vanishes", "returns", "delisted")}
    assert {i: s[2021] for i, s in states.items()} == {"vanishes": "withdrawn", "returns": "withdrawn", "delisted": "loaded"}
    for id_ in states:
        truth = world.cases[id_].report(2021).figures
        rows = world.query(
            "SELECT indicator, applicant, value FROM observation JOIN report USING (report_id) WHERE publisher_id = ? AND year = 2021", id_
        )
        assert {(i, a): v for i, a, v in rows} == truth


# --- the third night


def test_a_report_that_comes_back_is_current_again(world: World) -> None:
    rows = world.query("SELECT state FROM coverage WHERE publisher_id = 'returns' AND year = 2021")
    assert rows[0][0] in ("loaded", "flagged")
    rows = world.query("SELECT state FROM coverage WHERE publisher_id = 'vanishes' AND year = 2021")
    assert rows == [("withdrawn",)]


def test_a_changed_report_is_a_new_version_with_a_revision_per_cell(world: World) -> None:
    case = world.cases["changes"]
    versions = world.query("SELECT version, is_current FROM report WHERE publisher_id = 'changes' AND year = 2021 ORDER BY version")
    assert versions == [(1, False), (2, True)]
    old, new = case.report(2021).figures, case.report(2021, changes.OTHER_SEED).figures
    rows = world.query("SELECT indicator, applicant, value FROM panel WHERE publisher_id = 'changes' AND year = 2021")
    assert {(i, a): v for i, a, v in rows} == new
    changed = {key for key in old if old[key] != new[key]}
    found = world.query("SELECT indicator, applicant FROM revision WHERE publisher_id = 'changes' AND year = 2021")
    assert set(found) == changed
    assert len(found) == len(changed)


def test_refetch_asks_every_known_address_conditionally_and_once(world: World) -> None:
    for id_ in ("etag-only", "modified-only", "trs", "attachments"):
        case = world.cases[id_]
        log = world.asked(case, 3)
        assert {p for paths in case.loaded.values() for p in paths} <= {a.path for a in log}, id_
        assert max(Counter(a.path for a in log).values()) == 1, id_
        plain = [a.path for a in log if not a.conditional and validated(world, a)]
        assert plain == [], id_
