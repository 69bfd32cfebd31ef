"""Rules for a registry of real sites, beyond those of its form: evidence, government hosts, one publisher for a report, honest ids."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from extract.crawl.policy import is_government, is_loopback
from flows.registry import Entry, Fault, Source, read_entries

#: <place>-<body>, of letters and digits: lucheng-office, zoucheng-taiping-town
ID_STYLE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")

#: Copies of government pages with altered names, seen while the registry was made (Q-61): never a source, whatever an entry says.
CLONES = frozenset(
    {
        "082355.com", "292e.com", "4x4salist.com", "866tx.com", "996bkk.com", "999gcw.com", "aloodi.com", "basexf.com", "bjlywyzs.com",
        "bjspsj.com", "bt8.net", "cgyfzs.com", "ckzpt.com", "englishforum.cn", "eshutan.com", "fanyingyong.com", "gahcep.com",
        "iuagqiw.cn", "jingchikouqiang.com", "jordynalvidrez.com", "lahohwa.com", "liveschina.com", "ljxbmgzwsy.com", "owenbabies.com",
        "sdi-network.com", "shangkeht.com", "shangqiedu.com", "sqsdzc.com", "takarong.com", "tgflt.cn", "thebolducs.com",
        "wedosign.net", "williamhillcn.org", "www-346689.com", "xdaring.com", "xjbzrk.com", "yaoyejob.com", "yrdcpcn.com", "zxgxy.com",
    }
)  # fmt: skip


def check_registry(path: Path, district_codes: Collection[str]) -> tuple[list[Source], list[Fault]]:
    """The sources at `path` and every fault in them, by file and line: of form (flows.registry) and against the rules of this module."""
    entries, faults = read_entries(path, district_codes)
    for entry in entries:
        if entry.source:
            faults.extend(_faults(entry, entry.source))
    faults.extend(_shared_reports(entries))
    faults.extend(_same_body(entries))
    return [entry.source for entry in entries if entry.source], sorted(faults)


def _faults(entry: Entry, source: Source) -> Iterator[Fault]:
    if not ID_STYLE.fullmatch(source.id):
        yield entry.fault(f"id: {source.id!r} is not of the style <place>-<body>, such as lucheng-office", entry.at("id"))
    if all(is_loopback(host) for host in source.all_hosts()):
        return  # a portal on this machine: nobody has to be told where it was found
    if source.evidence is None:
        yield entry.fault("needs 'evidence': how the address is known")
    if source.crawled is None:
        yield entry.fault("needs 'crawled': false, or the day on which it was first crawled")
    for place, host in _hosts(source):
        reason = forbidden(host, source.hosts)
        if reason:
            yield entry.fault(f"{place[0]}: {host} {reason}", entry.at(*place))


def _hosts(source: Source) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Every host of a source with the place in the entry where it stands."""
    yield from ((("index", n), urlsplit(url).hostname or "") for n, url in enumerate(source.index))
    yield from ((("reports", n, "url"), urlsplit(report.url).hostname or "") for n, report in enumerate(source.reports))
    yield from ((("hosts", n), host) for n, host in enumerate(source.hosts))


def forbidden(host: str, named: Collection[str]) -> str | None:
    """Why a host can't be a source's, or None. `named` are the hosts under the entry's key `hosts`.

    Allowed are gov.cn, loopback, and bare IP addresses that the entry itself names: some bodies publish there. Other names are refused,
    because copies of government sites with altered names and figures stand there (Q-61).
    """
    if any(host == clone or host.endswith(f".{clone}") for clone in CLONES):
        return "is a copy of a government site, no source"
    if is_government(host) or is_loopback(host):
        return None
    if not _is_ip(host):
        return "is no government host: only gov.cn, and IP addresses named under 'hosts', are"
    return None if host in named else "is a bare IP address: name it under 'hosts' too, if the evidence is for it"


def forbidden_address(url: str) -> str | None:
    """Why an address can't be a source's, or None."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "not an http or https address"
    if parts.scheme not in ("http", "https") or not host:
        return "not an http or https address"
    reason = forbidden(host, [host])
    return f"{host} {reason}" if reason else None


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _shared_reports(entries: Iterable[Entry]) -> Iterator[Fault]:
    """Reports that another entry has too, as report or index. An index may be shared: a city's list holds the reports of many bodies."""
    owners: dict[str, Entry] = {}
    for entry in entries:
        for report in entry.source.reports if entry.source else ():
            owner = owners.setdefault(_same(report.url), entry)
            if owner is not entry:
                yield entry.fault(f"report {report.url} stands in {_place(owner)} too")
    for entry in entries:
        for url in entry.source.index if entry.source else ():
            owner = owners.get(_same(url), entry)
            if owner is not entry:
                yield entry.fault(f"index {url} is a report of {_place(owner)}")


def _same_body(entries: Iterable[Entry]) -> Iterator[Fault]:
    """Entries with the publisher and district of an earlier one: one body has one id, or its series falls apart."""
    bodies: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.source:
            bodies[entry.source.publisher, entry.source.district].append(entry)
    for first, *others in bodies.values():
        yield from (entry.fault(f"publisher stands in {_place(first)} already", entry.at("publisher")) for entry in others)


def _place(entry: Entry) -> str:
    return f"{entry.label}, {entry.file}:{entry.node.start_mark.line + 1}"


def _same(url: str) -> str:
    """An address without scheme, www. and closing slash: what differs in these only is one page."""
    parts = urlsplit(url)
    return f"{parts.netloc.lower().removeprefix('www.')}{parts.path.rstrip('/')}?{parts.query}"
