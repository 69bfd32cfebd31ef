"""The crawler against thousands of hosts: `python benchmarks/crawl.py --hosts 2000 --reports 6 --delay 1`.

Every host is a loopback address of its own (127.x.y.z), served by one process of its own. Prints what was fetched, requests a
second, the crawler's peak memory and CPU, and from the server's log: the least pause between two requests to a host (measured from
the end of an answer to the arrival of the next request), and how many requests a host ever had at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ClassVar

from extract.crawl.job import CrawlJob, CrawlSettings, CrawlSource, run_crawl
from extract.ledger import Ledger

TITLE = "某某区{number}号局{year}年政府信息公开工作年度报告"
FIRST_YEAR = 2019


class Hosts(asyncio.Protocol):
    """A minimal HTTP/1.1 server for all hosts; `log` has (host, arrival, end) of every request."""

    log: ClassVar[list[tuple[str, float, float]]] = []
    reports = 6
    latency = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            asyncio.get_running_loop().call_later(self.latency, self.answer, head, time.monotonic())

    def answer(self, head: bytes, arrived: float) -> None:
        lines = head.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        host = next(line[5:].strip() for line in lines if line.lower().startswith("host:"))
        status, media, body = self.page(path, host)
        fields = f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(fields.encode() + body)
        self.log.append((host.partition(":")[0], arrived, time.monotonic()))

    def page(self, path: str, host: str) -> tuple[str, str, bytes]:
        if path == "/robots.txt":
            return "404 Not Found", "text/plain", b""
        number = "".join(host.partition(":")[0].split(".")[1:])
        years = range(FIRST_YEAR, FIRST_YEAR + self.reports)
        if path == "/":
            links = "".join(f'<li><a href="/{y}.html">{TITLE.format(number=number, year=y)}</a></li>' for y in years)
            return "200 OK", "text/html", f"<html><title>年报</title><ul>{links}</ul></html>".encode()
        text = TITLE.format(number=number, year=path[1:5])
        return "200 OK", "text/html", f"<html><h1>{text}</h1>{'<p>本年度主动公开政府信息若干条。</p>' * 100}</html>".encode()


def serve(pipe: Connection, reports: int, latency: float) -> None:
    """Serve until told to stop, then hand over the log."""
    Hosts.reports, Hosts.latency = reports, latency

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Hosts, "0.0.0.0", 0, backlog=4096)
        pipe.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(ThreadPoolExecutor(1), pipe.recv)
        server.close()

    asyncio.run(run())
    pipe.send(Hosts.log)


def pauses(log: list[tuple[str, float, float]]) -> tuple[float, int]:
    """The least pause between an answer and the next request of a host (seconds), and the most requests of a host at once."""
    hosts: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for host, arrived, ended in log:
        hosts[host].append((arrived, ended))
    least, most = float("inf"), 1
    for spans in hosts.values():
        spans.sort()
        for (_, end), (start, _) in pairwise(spans):
            least = min(least, start - end)
            most = max(most, 2 if start < end else 1)
    return least, most


class Watch(threading.Thread):
    """Peak memory (MiB) and CPU seconds of the crawler processes that this process starts."""

    def __init__(self, server: int) -> None:
        super().__init__(daemon=True)
        self.server, self.peak, self.cpu, self.stopped = server, {}, {}, threading.Event()

    def run(self) -> None:
        tick = os.sysconf("SC_CLK_TCK")
        while not self.stopped.wait(0.25):
            for pid in self.children():
                try:
                    status = Path(f"/proc/{pid}/status").read_text()
                    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if "VmHWM" in status:
                    self.peak[pid] = int(status.split("VmHWM:")[1].split()[0]) / 1024
                    self.cpu[pid] = (int(stat[11]) + int(stat[12])) / tick

    def children(self) -> Iterator[int]:
        for task in Path("/proc/self/task").iterdir():
            try:
                yield from (int(pid) for pid in (task / "children").read_text().split() if int(pid) != self.server)
            except OSError:
                continue


@contextmanager
def server(reports: int, latency: float) -> Iterator[tuple[int, int, list[tuple[str, float, float]]]]:
    """The server's port and process id; its log once it has stopped."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(there, reports, latency), daemon=True)
    process.start()
    log: list[tuple[str, float, float]] = []
    yield here.recv(), process.pid or 0, log
    here.send("stop")
    log.extend(here.recv())
    process.join(10)


def sources(count: int, port: int) -> list[CrawlSource]:
    addresses = [f"127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}" for n in range(count)]
    return [CrawlSource(id=f"s{n}", publisher=f"某某区{n}号局", index=[f"http://{a}:{port}/"]) for n, a in enumerate(addresses)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--reports", type=int, default=6)
    parser.add_argument("--delay", type=float, default=1.0, help="least pause between two requests to a host, seconds")
    parser.add_argument("--latency", type=float, default=0.02, help="seconds the server takes to answer")
    parser.add_argument("--batch", type=int, default=2000, help="sources of one crawler process")
    parser.add_argument("--crawlers", type=int, default=1, help="crawler processes at once")
    parser.add_argument("--home", type=Path, help="default: a temporary folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(arguments, arguments.home or Path(folder))


def measure(a: argparse.Namespace, home: Path) -> None:
    with Ledger(home / "state" / "ledger.sqlite") as ledger:
        run_id = ledger.start_run("benchmark")
    with server(a.reports, a.latency) as (port, pid, log):
        watch = Watch(pid)
        watch.start()
        every = sources(a.hosts, port)
        settings = CrawlSettings(min_delay=a.delay)
        jobs = [
            CrawlJob(home=home, run_id=run_id, worker=n, sources=every[start : start + a.batch], settings=settings)
            for n, start in enumerate(range(0, a.hosts, a.batch))
        ]
        began = time.monotonic()
        with ThreadPoolExecutor(a.crawlers) as pool:
            results = list(pool.map(lambda job: run_crawl(job, lambda _: None), jobs))
        seconds = time.monotonic() - began
        watch.stopped.set()
    least, most = pauses(log)
    span = max(end for _, _, end in log) - min(arrived for _, arrived, _ in log)
    print(
        json.dumps(
            {
                "hosts": a.hosts,
                "processes": len(jobs),
                "at_once": a.crawlers,
                "reports": sum(r.fetched for r in results) - a.hosts,
                "problems": sum(r.problems for r in results),
                "requests": len(log),
                "seconds": round(seconds, 1),
                "requests_per_second": round(len(log) / span, 1),
                "peak_mib": round(max(watch.peak.values()), 1),
                "cpu_ms_per_request": round(1000 * sum(watch.cpu.values()) / len(log), 2),
                "least_pause": round(least, 3),
                "most_at_once_per_host": most,
                "floor_seconds": round((a.reports + 1) * (a.delay + a.latency) + a.latency, 1),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
