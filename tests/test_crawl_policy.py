"""When to ask again, how long to wait, and which hosts to leave in peace."""

import asyncio
import multiprocessing
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from extract.crawl.hosts import Hosts
from extract.crawl.job import CrawlSettings
from extract.crawl.policy import backoff, is_due, retry_after
from extract.ledger_rows import DocumentRow

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
JANUARY = datetime(2026, 1, 20, 18, tzinfo=UTC)


def document(checked, status=200, sha256="a" * 64, size=1, url="u"):
    at = checked.strftime("%Y-%m-%dT%H:%M:%SZ")
    return DocumentRow(url, at, at, at, status, "html", sha256, size, None, None, "f", 0)


@pytest.mark.parametrize(("now", "first", "last"), [(JANUARY, 20, 30), (NOW, 61, 91)])
def test_a_month_in_the_season_and_a_quarter_after_it(now, first, last):
    """Never before two thirds of the interval, always at its end, and the same address always on the same day."""
    urls = [f"http://127.0.0.1/{n}" for n in range(300)]

    def due(days):
        return sum(is_due(document(now - timedelta(days=days), url=url), now) for url in urls)

    assert due(first - 1) == 0
    assert due(last) == len(urls)
    each_day = [due(day + 1) - due(day) for day in range(first, last)]
    assert min(each_day) >= 0
    assert max(each_day) < len(urls) / 4


def test_what_failed_is_always_due():
    assert is_due(None, NOW)
    assert is_due(document(NOW, 404), NOW)
    assert is_due(document(NOW, 206), NOW)
    assert is_due(document(NOW, 302, None), NOW)
    assert is_due(document(NOW, size=0), NOW)
    assert not is_due(document(NOW, 302), NOW)
    assert not is_due(document(NOW), NOW)
    assert is_due(document(NOW), NOW, refetch=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (" 0 ", 0.0),
        ("Sun, 22 Nov 2026 18:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 17:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after(value, NOW) == seconds


def test_back_off_has_full_jitter_and_a_limit():
    for tries, most in ((0, 2.0), (1, 4.0), (2, 8.0), (10, 60.0), (10_000, 60.0)):
        waits = [backoff(tries, 2.0, 60.0) for _ in range(400)]
        assert all(0 <= w <= most for w in waits)
        assert min(waits) < most / 4
        assert max(waits) > most * 3 / 4


def hosts(folder, **settings):
    return Hosts(CrawlSettings(**({"min_delay": 0, "give_up_after": 3} | settings)), folder)


def test_hosts_are_given_up_after_failures_in_a_row(tmp_path):
    known = hosts(tmp_path)
    for _ in range(2):
        known.failed("h", "refused")
    known.answered("h")
    for _ in range(2):
        known.failed("h", "refused")
    assert known.given_up("h") is None
    known.failed("h", "refused")
    assert "refused" in str(known.given_up("h"))
    assert known.given_up("h").kind == "unreachable"
    assert known.given_up("other") is None


def test_challenges_in_a_row_end_the_visits(tmp_path):
    known = hosts(tmp_path)
    for _ in range(2):
        known.challenged("h", "瑞数")
    known.served("h")
    for _ in range(3):
        assert known.given_up("h") is None
        known.answered("h")  # a challenge is an answer, too
        known.challenged("h", "瑞数")
    assert (known.given_up("h").kind, "瑞数" in str(known.given_up("h"))) == ("script_challenge", True)


def test_a_pause_is_never_shortened(tmp_path):
    known = hosts(tmp_path)
    known.pause("h", 100)
    known.pause("h", 1)
    assert 99 < known.wait("h") <= 100
    assert known.wait("other") == 0


def test_a_budget(tmp_path):
    known = hosts(tmp_path, max_requests_per_host=2, max_mb_per_host=1)
    known.count("h", 0)
    assert known.spent("h") is None
    known.count("h", 0)
    assert known.spent("h") == "2 requests"
    known.count("g", 600_000)
    assert known.spent("g") is None
    known.count("g", 600_000)
    assert known.spent("g") == "1 MB"


def test_the_delay_that_a_host_asks_for_has_a_limit(tmp_path):
    known = hosts(tmp_path, min_delay=1, max_crawl_delay=300)
    assert known.slow_down("h", 0.2) == 1
    assert known.slow_down("h", 20) == 20
    assert known.slow_down("h", 5) == 20
    assert known.slow_down("h", 86400) == 300


async def turns(known, name, count):
    spans = []
    for _ in range(count):
        async with known.turn(name):
            began = time.time()
            await asyncio.sleep(0.01)
            spans.append((began, time.time()))
    return spans


def test_one_at_a_time_with_the_delay_between(tmp_path):
    async def both():
        known = hosts(tmp_path, min_delay=0.05)
        return [span for spans in await asyncio.gather(turns(known, "h", 3), turns(known, "h", 3)) for span in spans]

    spans = sorted(asyncio.run(both()))
    assert all(start - end >= 0.045 for (_, end), (start, _) in pairwise(spans))


def visit_host(folder, delay, count, pipe):
    known = hosts(folder, min_delay=delay)
    pipe.send(asyncio.run(turns(known, "h", count)))


def test_two_processes_never_speak_to_a_host_at_once(tmp_path):
    context = multiprocessing.get_context("fork")
    pipes = [context.Pipe() for _ in range(3)]
    workers = [context.Process(target=visit_host, args=(tmp_path, 0.03, 5, there)) for _, there in pipes]
    for worker in workers:
        worker.start()
    spans = sorted(span for here, _ in pipes for span in here.recv())
    for worker in workers:
        worker.join(20)
    assert len(spans) == 15
    assert all(start - end >= 0.025 for (_, end), (start, _) in pairwise(spans))


def test_the_delay_outlives_the_process_but_not_a_wrong_clock(tmp_path):
    asyncio.run(turns(hosts(tmp_path, min_delay=0.3), "h", 1))
    began = time.monotonic()
    asyncio.run(turns(hosts(tmp_path), "h", 1))
    assert 0.2 < time.monotonic() - began < 1
    (tmp_path / "h.lock").write_text(f"{time.time() + 86400:.3f} 0.100\n")
    began = time.monotonic()
    asyncio.run(turns(hosts(tmp_path), "h", 1))
    assert time.monotonic() - began < 1
