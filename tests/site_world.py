"""What the tests of the site share: a small warehouse that has one of everything, and a real home with pages to draw."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from comparison_world import body, publish, put, report
from warehouse_world import World, claim, unmapped

from extract.home import Home
from flows.engine import Done, Failed, WorkPool
from flows.ingest import archive_files, publisher_row
from flows.night import by_hand
from flows.pipeline import Outcome, find_work, load, read_batch, settle
from flows.settings import Settings
from warehouse.site import reports as site_reports

Item, Result = TypeVar("Item"), TypeVar("Result")

SAMPLE = Path(__file__).parents[1] / "sources" / "sample" / "portal"
#: Publisher, district and files of a real home: a PDF with boxes, a web page, a Word file, and a report that does not add up.
FILES = {
    ("温州市鹿城区人民政府办公室", "330302"): ("*42021.pdf", "art_*_42022.html", "*42023.docx", "art_*_42020.html"),
    ("淮安市清江浦区人民政府办公室", "320812"): ("t*_46023.html",),
}


def one_of_everything(root: Path) -> World:
    """Four bodies in two provinces, three scopes, forms of 2019 and 2021; a blank, a stroke, an unreadable figure and a wrong total."""
    bodies = [body("lucheng", scope=None), body("longwan", "330303"), body("ouhai", "330304", "department"), body("qing", "320812")]
    requests = {"new_received": 40, "new_received__natural_person": 40, "processed_total": 40, "processed_total__natural_person": 40}
    sums = {**requests, "granted": 25, "granted__natural_person": 25, "denied_process": 15, "denied_process__natural_person": 15}
    reports = [
        report("lucheng", 2020, put(**sums), form=2019),
        report("lucheng", 2021, put(**sums, reconsideration_upheld=2, reconsideration_total=2, normative_document_in_force=12)),
        report("lucheng", 2021, put(granted=90), name="all", scope="consolidated"),
        report("lucheng", 2022, put(**sums | {"processed_total": 41, "normative_document_in_force": "1352"})),
        report("longwan", 2021, put(**sums), district_code="330303"),
        report("longwan", 2022, put(**sums | {"granted": 30}), district_code="330303"),
        report("ouhai", 2021, put(**sums | {"granted": "", "carried_in": "/", "carried_out": "l2"}), district_code="330304"),
        report("qing", 2021, put(**sums | {"new_received": 7}), district_code="320812", unit="unknown"),
    ]
    for row in reports[3]["observation"]:
        if row["raw_text"] == "1352":
            row["raw_text"] = "1,352"
    return publish(World(root), bodies, *reports)


#: What a crawled page may bring: it must stay text wherever it is shown.
HOSTILE = '</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1">\u2028\'--'


#: Width and height of a page that lies on its side: it must be turned clockwise by a quarter.
LYING = (640, 320)


def lying(n: int) -> tuple[float, float, float, float]:
    """Where the n-th cell of a table of seven columns stands on that page."""
    row, col = divmod(n, 7)
    x, y = 20 + 40 * col, 20 + 20 * row
    return y, LYING[1] - x - 36, y + 16, LYING[1] - x


def hard_cases(root: Path) -> World:
    """Years 2018 (annex of 2014) to 2025, two scopes in one year, a report revised and one withdrawn on the second night, a page on its
    side, gaps, few cases, a failure; hostile names and texts."""
    bodies = [replace(body("lucheng"), name="鹿城" + HOSTILE), body("longwan", "330303"), body("ouhai", "330304", "department")]
    counted = {"new_received": 40, "processed_total": 40, "granted": 25, "denied_process": 15}
    sums = {name + who: n for name, n in counted.items() for who in ("", "__natural_person")}
    suits = {"reconsideration_upheld": 2, "reconsideration_total": 2}
    reports = {2018: report("lucheng", 2018, put(legacy_requests_received=31), form=2014, sections=("legacy",))}
    reports |= {y: report("lucheng", y, put(**sums, **suits), form=2019 if y < 2021 else 2021) for y in (2020, 2021, 2022, 2025)}
    old = reports[2022]["report"][0]
    few = report("longwan", 2022, put(processed_total=12, granted=12), district_code="330303")
    gaps = report("ouhai", 2022, put(**sums | {"granted": "", "carried_in": "/", "carried_out": "l2"}), district_code="330304")
    for row in gaps["observation"]:
        row["raw_text"] = row["raw_text"].replace("l2", HOSTILE)
    whole = report("lucheng", 2022, put(**{name: 3 * n for name, n in sums.items()}), name="whole", scope="consolidated")
    gone = report("longwan", 2021, put(**sums), district_code="330303")
    for n, row in enumerate(gone["observation"]):
        row |= {"page": 1, "bbox": list(lying(n)), "row_no": n // 7 + 1, "col_no": n % 7 + 1}
    world = publish(World(root), bodies, *reports.values(), few, gaps, whole, gone)
    address = gone["report"][0]["url"]
    world.seen(address, "longwan-2021", "r1", "longwan")
    world.crawled("r1", "longwan")
    again = put(**sums, **suits, granted__business=1, carried_in="")
    new = report("lucheng", 2022, again, name="again", title=HOSTILE, url=old["url"], fetched_at="2026-11-22T18:00:00Z")
    key = new["report"][0]["report_id"]
    new |= {"unmapped_cell": [unmapped(key) | {"text": HOSTILE}], "claim": [claim(key) | {"sentence": HOSTILE}]}
    new["parse"][0]["url"] = old["url"]
    world.run("r2")
    world.refuses(address, 404, "r2")
    world.crawled("r2", "longwan")
    world.seen(old["url"], "lucheng-2022", "r1", year=2022)
    world.seen(old["url"], "again", "r2", year=2022)
    world.failed("http_error", "http://127.0.0.1/" + HOSTILE, "r2", "lucheng", 2024)
    world.publish(world.part("p2", new), run_id="r2")
    return world


class InProcess(WorkPool):
    """Jobs done by the process of the test: what the processes of readers guard against is tested elsewhere."""

    def __init__(self) -> None:
        """No process is started."""

    def map(self, fn: Callable[[Item], Result], items: Iterable[Item], timeout: float) -> Iterator[Done[Result] | Failed]:
        return (Done(fn(item)) for item in items)


def real_home(root: Path) -> Home:
    """A home into which sample reports were read, each with its bytes in the archive."""
    home, present = Home(root), Settings()
    files = {body: [next(SAMPLE.rglob(pattern)) for pattern in patterns] for body, patterns in FILES.items()}
    with by_hand(home, "ingest", present) as hand:
        hand.conclude(lambda: _ingest(home, hand.run_id, files, present.document_timeout))
    return home


def _ingest(home: Home, run_id: str, files: dict[tuple[str, str], list[Path]], timeout: float) -> Outcome:
    """What `gongkai ingest` does for each publisher, with one load for all."""
    bodies = [publisher_row(home, name, district, "own") for name, district in files]
    for row, paths in zip(bodies, files.values(), strict=True):
        archive_files(home, run_id, paths, row.publisher_id, None)
    jobs = find_work(home, run_id, bodies, [], reparse=False)
    read = [read_batch(home, jobs, InProcess(), timeout, lambda url: None)]
    return settle(home, run_id, load(home, run_id, [b.part for b in read], bodies, complete=False), read)


def data(site: Path, name: str) -> Any:
    """The value of a data file."""
    return site_reports.load((site / "data" / f"{name}.js").read_text("utf-8"))


def cells(site: Path, district: str) -> Iterator[tuple[Any, ...]]:
    """(report, table, row, column, indicator, applicant, text, status, value, page) of every cell in a district's data file."""
    codes, file = data(site, "codes"), data(site, f"report/{district}")
    status = {"r": "reported", "b": "blank", "n": "not_applicable", "u": "unreadable"}
    for found in file["reports"]:
        for no, place in enumerate(file["layouts"][found["layout"]].split(";") if "layout" in found else ()):
            _, _, *where, indicator, applicant = place.split(",")
            state, raw = status[found["status"][no]], found["raw"][no]
            odd = found.get("odd_values", {}).get(str(no))
            value = odd if odd is not None else int(raw) if state == "reported" else None
            who = codes["applicants"][int(applicant)] if applicant else None
            page = (found.get("pages") or {no: None})[no]
            yield found["id"], *map(int, where), codes["indicators"][int(indicator)]["id"], who, raw, state, value, page


def words_used(assets: Path, pages: Path) -> tuple[set[str], set[str]]:
    """Keys of the catalogue named in scripts and templates, and the heads of those made up when they run."""
    text = "\n".join(p.read_text("utf-8") for p in [*assets.glob("*.js"), *pages.glob("*.html"), assets.parent / "charts.py"])
    whole = set(re.findall(r"""(?<![\w.])(?:g\.)?t\(\s*"([^"]+)"[,)]""", text)) | set(re.findall(r'data-t-\w+="([^"]+)"', text))
    whole |= set(re.findall(r"\{\{([\w.]+)\}\}", text)) | set(re.findall(r'\{\{ t\("([^"]+)"\) \}\}', text))
    heads = set(re.findall(r"\bt\(\s*`([\w.]+)\$\{", text)) | set(re.findall(r't\("([\w.]+)" ~', text))
    return {key for key in whole if re.fullmatch(r"[\w.-]+", key)}, heads
