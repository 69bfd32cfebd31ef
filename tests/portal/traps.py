"""Lists without an end, addresses that never repeat, and the two kinds of index that list nothing."""

from __future__ import annotations

from portal.case import INDEX, Builder, Trouble
from portal.reports import listing
from portal.server import Asked, Reply

PAGES = 6


def build(b: Builder) -> None:
    """Every trap."""
    for make in (loop, endless, many_pages, calendar, sessions, empty, drawn_by_script):
        make(b)


def _next(number: int) -> str:
    return f'<a href="/list?p={number + 1}">下一页</a> <a href="/list?p={max(number - 1, 0)}">上一页</a>'


def loop(b: Builder) -> None:
    """After its last page a list shows that page again, under ever new numbers."""
    case = b.new("loop", index=["/list?p=0"])
    links = [case.put(f"/art/{y}.html", case.report(y)) for y in (2022, 2021)]

    def answer(asked: Asked) -> Reply:
        number = int(asked.path.rpartition("=")[2]) if asked.path.startswith("/list?p=") else -1
        return Reply(listing(links[:1] if number == 0 else links[1:], _next(number))) if number >= 0 else Reply("", 404)

    case.site.otherwise = answer
    case.troubles.append(Trouble(("trap",), "/list?p=2", ""))
    case.most_requests = 1 + 3 + 2


def endless(b: Builder) -> None:
    """A list that goes on for ever, each page different; the reports are on the first."""
    case = b.new("endless", index=["/list?p=0"])
    links = [case.put(f"/art/{y}.html", case.report(y)) for y in (2022, 2021)]

    def answer(asked: Asked) -> Reply:
        if not asked.path.startswith("/list?p="):
            return Reply("", 404)
        number = int(asked.path.rpartition("=")[2])
        return Reply(listing(links if number == 0 else [(f"/news/{number}.html", f"第{number}期工作动态")], _next(number)))

    case.site.otherwise = answer
    case.troubles.append(Trouble(("trap",), "/list?p=0", ""))
    case.most_requests = 1 + PAGES + 2


def many_pages(b: Builder) -> None:
    """A pager that says there are 9,999 pages: each is there, and each lists other news."""
    case = b.new("many-pages")
    links = [case.put(f"/art/{y}.html", case.report(y)) for y in (2022, 2021)]
    case.list(links, after='<script>createPageHTML(9999, 0, "index", "html");</script>')

    def answer(asked: Asked) -> Reply:
        if not asked.path.startswith("/zfxxgknb/index_"):
            return Reply("", 404)
        return Reply(
            listing(
                [(f"/news/{asked.path[-9:]}", f"工作动态{asked.path[-9:]}")], '<script>createPageHTML(9999, 1, "index", "html");</script>'
            )
        )

    case.site.otherwise = answer
    case.troubles.append(Trouble(("trap",), INDEX, ""))
    case.most_requests = 1 + PAGES + 2


def calendar(b: Builder) -> None:
    """A calendar beside the list: days that look like page numbers, and months without end."""
    case = b.new("calendar")
    links = [case.put(f"/art/{y}.html", case.report(y)) for y in (2022, 2021)]

    def draw(month: int) -> str:
        days = "".join(f'<td><a href="{INDEX}?day={month}-{d}">{d}</a></td>' for d in range(1, 29))
        turn = f'<a href="{INDEX}?month={month - 1}">上月</a><a href="{INDEX}?month={month + 1}">下月</a>'
        return f'<div class="calendar"><table><tr>{days}</tr></table>{turn}</div>'

    def answer(asked: Asked) -> Reply:
        if not asked.path.startswith(INDEX + "?"):
            return Reply("", 404)
        month = int(asked.path.rpartition("=")[2].split("-")[0])
        return Reply(listing([(f"/news{asked.path[-7:]}.html", f"日程{asked.path[-7:]}")], draw(month)))

    case.list(links, after=draw(1))
    case.site.otherwise = answer
    case.perhaps.append(Trouble(("trap",), INDEX, ""))
    case.most_requests = 1 + PAGES + 2


def sessions(b: Builder) -> None:
    """Every answer writes a new session id into every address."""
    case = b.new("sessions", index=["/list.jsp"])
    reports = {y: case.report(y) for y in (2022, 2021)}
    from portal.reports import page

    def answer(asked: Asked) -> Reply:
        path = asked.path.partition(";")[0]
        new = f"{asked.began:.6f}".replace(".", "A")
        if path == "/list.jsp":
            links = [(f"/show{y}.jsp;jsessionid={new}", r) for y, r in reports.items()]
            return Reply(listing(links, f'<div class="page"><a href="/list.jsp;jsessionid={new}">下一页</a></div>'))
        found = next((r for y, r in reports.items() if path == f"/show{y}.jsp"), None)
        return Reply(page(found), etag=True) if found else Reply("", 404)

    case.site.otherwise = answer
    case.loaded = {report: (f"/show{year}.jsp",) for year, report in reports.items()}
    case.perhaps.append(Trouble(("trap",), "/list.jsp", ""))
    case.most_requests = 1 + PAGES + 4


def empty(b: Builder) -> None:
    case = b.new("empty")
    case.list([("/zn.html", "政府信息公开指南"), ("/ml.html", "政府信息公开目录")])
    case.troubles.append(Trouble(("empty_index",), INDEX))


def drawn_by_script(b: Builder) -> None:
    """An index that an unknown script draws: nothing is listed, which is not the same as nothing being there."""
    case = b.new("script-index")
    case.pages[INDEX] = Reply(
        '<!DOCTYPE html><html><head><meta charset="utf-8"><title>政府信息公开年报</title></head><body><div id="app"></div>'
        '<script src="/static/js/chunk-vendors.3f1c.js"></script><script src="/static/js/app.91ab.js"></script></body></html>'
    )
    case.troubles.append(Trouble(("script_listing",), INDEX))
