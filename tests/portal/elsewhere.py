"""Links that lead elsewhere, hosts of the real internet (behind the portal's proxy), and old or self-made TLS."""

from __future__ import annotations

from pathlib import Path

from portal.case import INDEX, Builder, Case, Trouble
from portal.certificates import certificate, context, old_context
from portal.families import DOCX
from portal.reports import Printed, as_docx, page, story
from portal.server import Reply, Site

CLONE = "http://www.lucheng.gov.cn.fanyingyong.com"
FOREIGN = "http://files.commercial-disk.com"
GOVERNMENT = "http://files.portaltest.gov.cn"
NAMED = "http://cdn.named-by-registry.com"
SHARED = "http://shared.portaltest.gov.cn"
NOT_FOLLOWED = ("unreachable", "off_site", "not_followed", "clone")


def build(b: Builder, folder: Path) -> None:
    """Every case; certificates are made in the folder. `trusted.pem` there is the authority to trust."""
    links(b)
    files(b)
    shared(b, 1)
    tls(b, folder)


def _world(b: Builder, base: str) -> Site:
    host = base.partition("//")[2]
    return b.portal.world.setdefault(host, Site(host, {}))


def links(b: Builder) -> None:
    """A report that lies on another site, and one on a clone of a government site."""
    stranger = b.portal.add(Site("stranger", {}))
    for id_, base in (("off-site", stranger.base), ("clone", CLONE)):
        case = b.new(id_)
        lost = case.report(2021)
        stranger.pages["/art/2021.html"] = Reply(page(lost))
        case.list([case.put("/art/2022.html", case.report(2022)), (f"{base}/art/2021.html", lost)])
        case.troubles.append(Trouble(NOT_FOLLOWED, f"{base}/art/2021.html", lost.title))


def _attached(case: Case, report: Printed, url: str) -> tuple[str, Printed]:
    """A report whose page only says that the text is attached."""
    anchor = f'<p>附件：<a href="{url}">{report.title}.docx</a></p>'
    case.pages[f"/art/{report.year}.html"] = Reply(story(report.title, "全文见附件。", published=report.published, extra=anchor), etag=True)
    return f"/art/{report.year}.html", report


def files(b: Builder) -> None:
    """Attachments on a commercial host and on a clone (never), on a government host and on one the registry names (fetched)."""
    for id_, base in (("foreign-file", FOREIGN), ("clone-file", CLONE)):
        case = b.new(id_)
        report, url = case.report(2022), f"{base}/f/2022.docx"
        anchor = f'<p>附件：<a href="{url}">{report.title}.docx</a></p>'
        case.list([case.put("/art/2022.html", report, Reply(page(report, anchor), etag=True))])
        case.troubles.append(Trouble(NOT_FOLLOWED, url, report.title))
    for id_, base, hosts in (("government-file", GOVERNMENT, []), ("named-file", NAMED, ["cdn.named-by-registry.com"])):
        case = b.new(id_, hosts=hosts)
        report, url = case.report(2022), f"{base}/f/2022.docx"
        _world(b, base).pages["/f/2022.docx"] = Reply(as_docx(report), media=DOCX, etag=True)
        case.loaded[report] = (url,)
        case.list([_attached(case, report, url)])


def shared(b: Builder, number: int) -> None:
    """A source whose attachments lie on a host that other sources use too; call it again for a further source."""
    case = b.new(f"shared-file-{number}")
    found = []
    for year in (2022,):
        report, url = case.report(year), f"{SHARED}/{number}/{year}.docx"
        _world(b, SHARED).pages[f"/{number}/{year}.docx"] = Reply(as_docx(report), media=DOCX, etag=True, wait=0.5)
        case.loaded[report] = (url,)
        found.append(_attached(case, report, url))
    case.list(found)


def tls(b: Builder, folder: Path) -> None:
    trusted, own = certificate(folder, "trusted"), certificate(folder, "own")
    good = b.new("tls-good", tls=context(trusted))
    good.list([good.put("/art/2022.html", good.report(2022))])
    for id_, made in (("tls-self-signed", context(own)), ("tls-old", old_context(trusted))):
        case = b.no_index(id_, Reply("never"), "unreachable", tls=made)
        case.forbidden.append("/")
    unverified = b.new("tls-unverified", tls=context(own))
    legacy = b.new("tls-legacy", tls=old_context(trusted))
    unverified.tls = {"mode": "unverified", "reason": "self-signed certificate, seen by the test"}
    legacy.tls = {"mode": "legacy", "reason": "TLS 1.0 only, seen by the test"}
    for case in (unverified, legacy):
        case.list([case.put("/art/2022.html", case.report(2022))], INDEX)
