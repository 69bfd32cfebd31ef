"""What is a report and what is not, addresses and encodings as they are found, validators, duplicates."""

from __future__ import annotations

from urllib.parse import quote

from portal.case import INDEX, Builder, Trouble
from portal.reports import Printed, body_of, listing, page, story
from portal.server import Reply

OTHERS = {
    "/other/zn.html": "政府信息公开指南（2022年版）",
    "/other/yd.html": "2022年政务公开工作要点",
    "/other/ml.html": "政府信息公开目录",
    "/other/gzbg.html": "2022年政府工作报告",
    "/other/fz.html": "2022年法治政府建设年度报告",
    "/other/ys.html": "2022年部门预算公开",
    "/other/tz.html": "关于做好2022年政府信息公开工作年度报告编制发布工作的通知",
}


def build(b: Builder) -> None:
    """Every case."""
    for make in (not_reports, named_alike, bodies, duplicates, encodings, based, cased, chinese, validators):
        make(b)


def not_reports(b: Builder) -> None:
    """Guides, plans, catalogues and other reports beside the reports."""
    case = b.new("not-reports")
    links: list[tuple[str, Printed | str]] = [case.put("/art/2022.html", case.report(2022)), *OTHERS.items()]
    for path, title in OTHERS.items():
        case.pages[path] = Reply(story(title, "正文。"), etag=True)
    case.list([*links, case.put("/art/2021.html", case.report(2021))])


def named_alike(b: Builder) -> None:
    """A link that is called like a report and leads to a work report of the government: the document decides."""
    case = b.new("named-alike")
    work = story("2021年政府工作报告", "各位代表：现在，我代表区人民政府向大会报告工作。", "一、2021年工作回顾", "二、2022年工作安排")
    links = [
        case.put("/art/2022.html", case.report(2022)),
        case.put("/art/2021.html", case.report(2021), Reply(work, etag=True), lost=True),
    ]
    case.list(links)
    case.troubles.append(Trouble(("other_report", "no_tables", "not_a_report"), "/art/2021.html"))


def bodies(b: Builder) -> None:
    """A list of several bodies: our own, one that has its own source, one that nobody expects."""
    case = b.new("bodies")
    known, stranger = b.cases["plain"].body, body_of("stranger", 150)
    own = [case.put(f"/art/{y}.html", case.report(y)) for y in (2022, 2021)]
    alien = Printed(stranger, 2022, 77)
    theirs = Printed(known, 2018, 78)
    case.pages["/art/alien.html"] = Reply(page(alien), etag=True)
    case.pages["/art/theirs.html"] = Reply(page(theirs), etag=True)
    case.list([*own, ("/art/alien.html", alien), ("/art/theirs.html", theirs)])
    kinds = ("other_publisher", "unexpected_publisher", "unknown_publisher")
    case.troubles.append(Trouble(kinds, "/art/alien.html", stranger.name))
    case.perhaps.append(Trouble(kinds, "/art/theirs.html", known.name))


def duplicates(b: Builder) -> None:
    """One report under three addresses: the same bytes, another page around it, and a copy for phones."""
    case = b.new("duplicates")
    report = case.report(2022)
    links = [
        case.put("/art/2022.html", report),
        case.put("/zfxxgk/2022.html", report),
        case.put("/wap/2022.html", report, Reply(page(report, head='<meta name="viewport" content="width=device-width">'), etag=True)),
    ]
    case.list([*links, case.put("/art/2021.html", case.report(2021))])


def encodings(b: Builder) -> None:
    """GBK without a word of it in the header, and a header that is wrong."""
    case = b.new("gbk")
    links = [(f"/art/{y}.html", case.report(y)) for y in (2022, 2021)]
    for path, report in links:
        case.put(path, report, Reply(page(report, charset="gb2312").encode("gb18030"), etag=True))
    case.pages[INDEX] = Reply(listing(links, charset="gb2312").encode("gb18030"), etag=True)
    wrong = b.new("wrong-charset")
    report = wrong.report(2022)
    link = wrong.put("/art/2022.html", report, Reply(page(report), media="text/html; charset=ISO-8859-1", etag=True))
    wrong.pages[INDEX] = Reply(listing([link]), media="text/html; charset=ISO-8859-1", etag=True)


def based(b: Builder) -> None:
    """Relative links under a <base>, and with ../ in them."""
    case = b.new("base")
    case.put("/deep/er/2022.html", case.report(2022))
    case.put("/deep/2021.html", case.report(2021))
    links = [("2022.html", case.report(2022)), ("../2021.html?", case.report(2021))]
    case.pages[INDEX] = Reply(listing([links[0], ("../2021.html", case.report(2021))], head='<base href="/deep/er/">'), etag=True)


def cased(b: Builder) -> None:
    """Paths in capitals, which are other paths than those in small letters."""
    case = b.new("capitals", index=["/ZFXXGK/INDEX.HTML"])
    case.list([case.put("/ZFXXGK/Art_2022.HTML", case.report(2022)), case.put("/ZFXXGK/ART/2021.SHTML", case.report(2021))], case.index[0])


def chinese(b: Builder) -> None:
    """Spaces and Chinese in addresses, written into the page as they are."""
    case = b.new("chinese-paths", index=["/信息公开/年报 列表.html"])
    links = [("/信息公开/2022年 报告.html", case.report(2022)), ("2021年报告.html?名=年报", case.report(2021))]
    case.put(quote("/信息公开/2022年 报告.html"), links[0][1])
    case.put(quote("/信息公开/2021年报告.html") + "?" + quote("名") + "=" + quote("年报"), links[1][1])
    case.pages[quote("/信息公开/年报 列表.html")] = Reply(listing(links), etag=True)


def validators(b: Builder) -> None:
    """ETag only, Last-Modified only, neither; each for index and report."""
    kinds = {"etag-only": {"etag": True}, "modified-only": {"modified": "Mon, 16 Jan 2023 08:00:00 GMT"}, "no-validator": {}}
    for id_, fields in kinds.items():
        case = b.new(id_)
        report = case.report(2022)
        link = case.put("/art/2022.html", report, Reply(page(report), **fields))  # type: ignore[arg-type]
        case.pages[INDEX] = Reply(listing([link]), **fields)  # type: ignore[arg-type]
