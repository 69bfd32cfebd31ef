"""Propose a registry entry from a live index page: the page is fetched once, through the crawler, and read as a run would read it."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from extract.archive import read_body
from extract.bodies import body_named, take_apart
from extract.crawl.families import FAMILIES
from extract.crawl.job import CrawlJob, CrawlSource, Event, run_crawl
from extract.crawl.page import Page, one_line
from extract.crawl.pages import read_index
from extract.home import Home
from extract.ledger import Ledger
from flows.registry import FIRST_YEAR, Kind
from flows.settings import Settings
from warehouse.districts import District, read_districts, read_names

_SITE_CODE = re.compile(r"标识码\s*[:：]?\s*(\d{6})\d{4}")  # 政府网站标识码: the first six digits are the division's code
_PROVINCES = (
    "京11津12冀13晋14蒙15辽21吉22黑23沪31苏32浙33皖34闽35赣36鲁37豫41鄂42湘43"
    "粤44桂45琼46渝50川51蜀51贵52黔52云53滇53藏54陕61甘62陇62青63宁64新65"
)
_ICP_PROVINCES = {abbreviation: f"{digits}0000" for abbreviation, digits in re.findall(r"(\D)(\d\d)", _PROVINCES)}
_ICP = re.compile(rf"([{''.join(_ICP_PROVINCES)}])ICP备\s*\d+号")
_DEPTH = {"province": 0, "prefecture": 1, "county": 2}
_KINDS: dict[str, Kind] = {"government": "government", "office": "office", "township": "township", "department": "department"}
_NO_YEAR = FIRST_YEAR - 1  # of which no report is wanted: the index is read, nothing else


class ProposalError(ValueError):
    """No entry can be proposed; the message says why. `candidates` are the districts it may be, where that is what is not clear."""

    def __init__(self, message: str, candidates: Sequence[District] = ()) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an index page shows: its address after redirects, families that know it, its own names, titles and years of its reports."""

    url: str
    families: tuple[str, ...]
    names: tuple[str, ...]
    titles: tuple[str, ...]
    years: tuple[int, ...]
    reports: int
    site_code: str | None
    icp: str | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry of the registry, and what it rests on."""

    id: str
    publisher: str
    district: District
    kind: Kind
    seen: Seen

    def yaml(self, today: date | None = None) -> str:
        """The entry as it would stand in a file, with what was seen as a comment above it."""
        today = today or datetime.now(UTC).date()
        host = urlsplit(self.seen.url).hostname or ""
        entry = {
            "id": self.id,
            "publisher": self.publisher,
            "district": self.district.district_code,
            "kind": self.kind,
            "index": [self.seen.url],
            **({"hosts": [host]} if _is_public_ip(host) else {}),
            "evidence": f"gongkai sources add, {today}",
            "crawled": today,
        }
        years = ", ".join(map(str, self.seen.years)) or "none named"
        facts = [
            f"{self.publisher}, {self.district.name}, {self.district.name_en}",
            f"{self.seen.reports} reports; years: {years}; families: {', '.join(self.seen.families)}",
            *([f"site: {self.seen.names[0]}"] if self.seen.names else []),
            *([self.seen.icp] if self.seen.icp else []),
        ]
        comment = "".join(f"# {one_line(fact)}\n" for fact in facts)
        return comment + yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=200)


def propose(url: str, settings: Settings, publisher: str | None = None, district: str | None = None, kind: Kind | None = None) -> Proposal:
    """Fetch an index page and propose its entry; what is given is not guessed.

    Raises ProposalError where the page can't be had, lists no report, or does not say whose it is; CrawlError where the crawler dies.
    """
    seen = look(fetch(url, settings), url)
    if not seen.reports and not seen.years:
        raise ProposalError(f"{url} lists no report")
    name = publisher or publisher_of(seen)
    if name is None:
        raise ProposalError(f"{url} does not say whose reports it lists; give --publisher")
    where = _by_code(district) if district else district_of(name, seen)
    what = kind or _KINDS.get(take_apart(name).kind, "other")
    return Proposal(f"{_slug(where)}-{what}", name, where, what, seen)


def fetch(url: str, settings: Settings) -> Page:
    """The page, asked for by the crawler: robots.txt, user agent and delays are those of a run. Raises ProposalError, CrawlError."""
    with tempfile.TemporaryDirectory(prefix="gongkai-sources-") as folder:
        home, troubles = Home(Path(folder)), []
        home.create()

        def hear(event: Event) -> None:
            if event["event"] == "problem":
                troubles.append(f"{event['kind']}: {event['message']}")

        with Ledger(home.ledger) as ledger:
            run_id = ledger.start_run("sources add")
        crawl = settings.crawl({urlsplit(url).hostname or ""}).model_copy(update={"max_index_pages": 1})
        source = CrawlSource(id="proposal", publisher="", index=[url])
        run_crawl(CrawlJob(home=home.root, run_id=run_id, sources=[source], years=[_NO_YEAR], settings=crawl), hear)
        with Ledger(home.ledger) as ledger:
            document = ledger.document(source.index[0])
        if document is None or document.sha256 is None or document.archive_file is None or document.archive_offset is None:
            raise ProposalError(f"{url} can't be had: {'; '.join(troubles) or 'no answer'}")
        return Page(source.index[0], read_body(home.archive, document.archive_file, document.archive_offset))


def look(page: Page, url: str) -> Seen:
    """What the page shows, read as a run reads an index page."""
    index = read_index(page.body, page.url)
    titles = tuple(link.text for link in index.reports)
    years = {link.title.year for link in index.reports if link.title.year} | {year.year for year in index.years}
    icp, code = _ICP.search(page.text), _SITE_CODE.search(page.text)
    return Seen(
        url=url,
        families=tuple(family.name for family in FAMILIES if family.reads(page) is not None),
        names=tuple(dict.fromkeys(_site_names(page))),
        titles=titles,
        years=tuple(sorted(years)),
        reports=len(index.reports) or len(index.years),
        site_code=code[1] if code else None,
        icp=icp[0] if icp else None,
    )


def _site_names(page: Page) -> Iterator[str]:
    """What the page calls its site and itself: the metadata that government sites must carry, then headings and title."""
    metas = {(meta.get("name") or "").lower(): one_line(meta.get("content") or "") for meta in page.root.iter("meta")}
    yield from (metas[name] for name in ("sitename", "contentsource", "columnname") if metas.get(name))
    yield from page.headings


def publisher_of(seen: Seen) -> str | None:
    """The body that most of the reports' titles name; else the one the page's own headings name."""
    named = Counter(body for title in seen.titles if (body := body_named(title)))
    if named:
        return max(named, key=lambda body: (named[body], len(body)))
    headings = (body_named(heading) for heading in seen.names)
    return next((body for body in headings if body), None)


def district_of(publisher: str, seen: Seen) -> District:
    """The district the publisher's name or the site's name gives. Raises ProposalError where it is none or several."""
    hints = set(codes_named(" ".join(seen.names)))
    if seen.site_code:
        hints.add(seen.site_code)
    if seen.icp:
        hints.add(_ICP_PROVINCES[seen.icp[0]])
    own = codes_named(publisher)
    found = best(own or hints, hints.union(own), hints)
    if not found:
        raise ProposalError(f"{publisher}: no district is named; give --district")
    if len(found) > 1:
        raise ProposalError(f"{publisher}: more than one district has this name; give --district", found)
    return found[0]


def codes_named(text: str) -> list[str]:
    """Codes in force whose name, now or before, stands in a text; of names within names (城区 in 鹿城区) the longest."""
    names, found, at = _codes_by_name(), [], 0
    longest = max(map(len, names))
    while at < len(text):
        name = next((text[at : at + n] for n in range(longest, 1, -1) if text[at : at + n] in names), None)
        found += names[name] if name else []
        at += len(name) if name else 1
    return found


def best(codes: Iterable[str], named: Collection[str], hints: Collection[str] = ()) -> list[District]:
    """Of the districts with these codes the lowest ones, and of those the ones that the page hints at or whose parents are named most."""
    districts = [_districts()[code] for code in dict.fromkeys(codes) if code in _districts()]
    lowest = [d for d in districts if _DEPTH[d.level] == max(_DEPTH[other.level] for other in districts)]

    def support(district: District) -> int:
        parents = {district.prefecture_code, district.province_code} - {district.district_code}
        return 3 * (district.district_code in hints) + len(parents & set(named))

    most = max(map(support, lowest), default=0)
    return [district for district in lowest if support(district) == most]


@cache
def _districts() -> dict[str, District]:
    return {district.district_code: district for district in read_districts()}


def _by_code(code: str) -> District:
    try:
        return _districts()[code]
    except KeyError:
        raise ProposalError(f"--district {code}: no such GB/T 2260 code") from None


@cache
def _codes_by_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in read_names():
        if _districts()[name.district_code].valid_to is None and name.district_code not in found.get(name.name, []):
            found.setdefault(name.name, []).append(name.district_code)
    return found


def _slug(district: District) -> str:
    """The place part of an id: the district's English name without its generic word."""
    words = re.sub(r"[^a-z0-9 -]", "", district.name_en.lower()).replace("-", " ").split()
    return "-".join(words[:-1] or words)


def _is_public_ip(host: str) -> bool:
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return False
