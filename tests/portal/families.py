"""Sites of every family, with the markup their content management systems write."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs, urlsplit

from portal.case import Builder, Case, Trouble
from portal.reports import Printed, article, as_docx, as_pdf, items, listing, story
from portal.server import Asked, Reply

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def build(b: Builder) -> None:
    """Every family."""
    for make in (plain, numbered, trs, hanweb_records, hanweb_groups, hanweb_annual, hanweb_annual_links, guangdong, gkmlpt, anhui):
        make(b)
    for make in (drop_down, drop_down_form, year_columns, column_page, json_list, attachments):
        make(b)


def _articles(case: Case, years: Sequence[int], path: str) -> list[tuple[str, Printed]]:
    return [case.put(path.format(year=y, next=y + 1), case.report(y)) for y in years]


def plain(b: Builder) -> None:
    """A list with 下一页, five lines a page, other articles between."""
    case = b.new("plain")
    links = _articles(case, range(2025, 2018, -1), "/zfxxgknb/{next}/0118/{year}.html")
    pager = '<a href="index.html">首页</a> <a href="{}">上一页</a> <a href="{}">下一页</a> <a href="index_3.html">尾页</a> 共3页'
    case.list(links[:3], after=pager.format("index.html", "index_2.html"))
    case.list(links[3:5], "/zfxxgknb/index_2.html", pager.format("index.html", "index_3.html"))
    case.list(links[5:], "/zfxxgknb/index_3.html", pager.format("index_2.html", "index_3.html"))


def numbered(b: Builder) -> None:
    """A list whose pages are asked for by query, with numbers and 后页."""
    case = b.new("numbered", index=["/list.aspx?cid=18"])
    links = _articles(case, range(2024, 2018, -1), "/show.aspx?id=77{year}")
    for number in (1, 2, 3):
        pager = "".join(f'<a href="list.aspx?cid=18&amp;page={n}">{n}</a>' for n in (1, 2, 3) if n != number)
        address = f"/list.aspx?cid=18&page={number}"
        case.list(links[2 * number - 2 : 2 * number], address, f'<div class="pagination">{pager}</div>')
    case.pages["/list.aspx?cid=18"] = case.pages["/list.aspx?cid=18&page=1"]


def trs(b: Builder) -> None:
    """TRS WCM: the pager is drawn by createPageHTML, addresses are relative."""
    case = b.new("trs", index=["/zwgk/zfxxgknb/"])
    links = _articles(case, range(2024, 2018, -1), "/zwgk/zfxxgknb/{next}01/t{next}0118_48{year}.html")
    relative = [("./" + url.removeprefix("/zwgk/zfxxgknb/"), report) for url, report in links]
    for number, name in enumerate(("", "index_1.html", "index_2.html")):
        script = f'<script type="text/javascript">\n\tcreatePageHTML(3, {number}, "index", "html");\n</script>'
        case.list(relative[2 * number : 2 * number + 2], f"/zwgk/zfxxgknb/{name}", script)
    case.pages["/zwgk/zfxxgknb/index.html"] = case.pages["/zwgk/zfxxgknb/"]


def _records(links: Sequence[tuple[str, Printed]]) -> str:
    return "".join(f"<record><![CDATA[{items([link])}]]></record>\n" for link in links)


def _asked_for(asked: Asked) -> dict[str, str]:
    fields = parse_qs(urlsplit(asked.path).query) | parse_qs(asked.form)
    return {name: values[0] for name, values in fields.items()}


def hanweb_records(b: Builder) -> None:
    """Hanweb jpage: the page holds the first group of records, dataproxy.jsp the others by startrecord and endrecord."""
    case = b.new("hanweb-records", index=["/col/col1229610/index.html"])
    links = _articles(case, range(2024, 2016, -1), "/art/{next}/1/18/art_1229610_{year}.html")

    def proxy(asked: Asked) -> Reply:
        want = _asked_for(asked)
        if (want.get("columnid"), want.get("unitid")) != ("1229610", "4388822") or "startrecord" not in want:
            return Reply("<datastore><totalrecord>0</totalrecord><recordset></recordset></datastore>", media="text/xml")
        start, end = int(want["startrecord"]), int(want["endrecord"])
        found = links[start - 1 : end]
        return Reply(
            f"<datastore><totalrecord>8</totalrecord><totalpage>4</totalpage><recordset>{_records(found)}</recordset></datastore>",
            media="text/xml; charset=utf-8",
        )

    script = (
        f'<div id="4388822"><script type="text/xml"><datastore><recordset>{_records(links[:4])}</recordset></datastore></script></div>'
        "<script>$(function(){$('#4388822').jpage({themeName:'default',showMode:'full',totalRecord:8,openCookies:false,dataBefore:'',"
        "dataAfter:'',groupSize:2,proxyUrl:'/module/web/jpage/dataproxy.jsp',perPage:2,barPosition:'bottom',ajaxParam:{col:1,appid:'1',"
        "webid:'3037',path:'/',columnid:'1229610',sourceContentType:'1',unitid:'4388822',webname:'区政府',permissiontype:0}});});</script>"
    )
    case.pages["/col/col1229610/index.html"] = Reply(listing([], inside=script), modified="Mon, 16 Nov 2026 08:00:00 GMT")
    case.site.otherwise = _under("/module/web/jpage/dataproxy.jsp", proxy)


def hanweb_groups(b: Builder) -> None:
    """Hanweb jpage where a nextgroup link in the records leads on."""
    case = b.new("hanweb-groups", index=["/col/col33718/index.html"])
    links = _articles(case, range(2024, 2018, -1), "/art/{next}/1/18/art_33718_{year}.html")
    address = "/module/web/jpage/dataproxy.jsp?page={}&appid=1&webid=1&path=/&columnid=33718&unitid=212860&permissiontype=0"

    def group(number: int, inside: str) -> str:
        more = f'<nextgroup><![CDATA[<a href="{address.format(number + 1)}"></a>]]></nextgroup>' if number < 3 else ""
        head = "" if inside else "<totalrecord>6</totalrecord><totalpage>3</totalpage>"
        return f"<datastore>{head}{more}<recordset>{_records(links[2 * number - 2 : 2 * number])}</recordset></datastore>"

    for number in (1, 2, 3):
        case.pages[address.format(number)] = Reply(group(number, ""), media="text/xml; charset=utf-8")
    script = f'<div id="212860"><script type="text/xml">{group(1, "page")}</script></div>'
    case.pages["/col/col33718/index.html"] = Reply(listing([], inside=script), etag=True)


def _under(path: str, answer: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    """Answers one script whatever its query; everything else is not there."""
    return lambda asked: answer(asked) if urlsplit(asked.path).path == path else Reply("not found", 404)


ANNUAL = "/module/xxgk/xxgkAnnualReport.jsp?area=001008003001001&fbtime={}"


def _annual_page(report: Printed | None, years: str) -> str:
    inner = f'<h1>{report.title}</h1><div id="zoom">{article(report)}</div>' if report else '<div id="zoom">暂无内容</div>'
    title = f"<title>{report.title if report else '信息公开年报'}</title>"
    return f'<html><head><meta charset="utf-8">{title}</head><body><div class="xxgk_ndbg">{years}{inner}</div></body></html>'


def hanweb_annual(b: Builder) -> None:
    """Wenzhou's annual report page: a drop-down of years, the report of the chosen one below it."""
    case = b.new("hanweb-annual", index=[ANNUAL.format(2024)])
    years = (2024, 2023, 2022, 2020)
    for year in years:
        options = "".join(f'<option value="{y}"{" selected" if y == year else ""}>{y}年</option>' for y in years)
        select = f'<select name="fbtime" id="fbtime" onchange="changeYear(this.value)">{options}</select>'
        script = (
            "<script>function changeYear(y){location.href='/module/xxgk/xxgkAnnualReport.jsp?area=001008003001001&fbtime='+y;}</script>"
        )
        report = case.report(year)
        case.put(ANNUAL.format(year), report, Reply(_annual_page(report, select + script), etag=True))
    case.site.otherwise = _under("/module/xxgk/xxgkAnnualReport.jsp", lambda _: Reply(_annual_page(None, "")))


def hanweb_annual_links(b: Builder) -> None:
    """The same family with a link for each year, and one year that is empty."""
    case = b.new("hanweb-annual-links", index=[ANNUAL.format(2023)])
    links = "".join(f'<li><a href="xxgkAnnualReport.jsp?area=001008003001001&amp;fbtime={y}">{y}年</a></li>' for y in (2023, 2022, 2021))
    for year in (2023, 2021):
        report = case.report(year)
        case.put(ANNUAL.format(year), report, Reply(_annual_page(report, f"<ul class='nd'>{links}</ul>"), etag=True))
    case.troubles.append(Trouble(("no_report",), ANNUAL.format(2022), "2022"))
    case.pages[ANNUAL.format(2022)] = Reply(_annual_page(None, f"<ul class='nd'>{links}</ul>"))
    case.site.otherwise = _under("/module/xxgk/xxgkAnnualReport.jsp", lambda _: Reply(_annual_page(None, "")))


def guangdong(b: Builder) -> None:
    """Guangdong's NFCMS: content/post_N.html, pages index_N.html."""
    case = b.new("guangdong", index=["/zwgk/zfxxgknb/index.html"])
    links = _articles(case, (2023, 2022, 2021), "/zwgk/zfxxgknb/content/post_70{year}.html")
    pager = '<a class="next" href="{0}/zwgk/zfxxgknb/index_2.html">下一页</a><a class="last" href="{0}/zwgk/zfxxgknb/index_2.html">尾页</a>'
    case.list(links[:2], "/zwgk/zfxxgknb/index.html", pager.format(case.site.base))
    case.list(links[2:], "/zwgk/zfxxgknb/index_2.html", f'<a class="prev" href="{case.site.base}/zwgk/zfxxgknb/index.html">上一页</a>')


def gkmlpt(b: Builder) -> None:
    """Guangdong's gkmlpt platform: a page drawn by script from /gkmlpt/api/all/<column>?page=&sid=."""
    case = b.new("gkmlpt", index=["/gkmlpt/annualreport"])
    links = _articles(case, (2023, 2022, 2021), "/gkmlpt/content/9/90/post_90{year}.html")
    tree = [{"id": 2600, "name": "政府信息公开指南"}, {"id": 2629, "name": "政府信息公开年报", "parent": 0}]
    config = f"window._CONFIG = {{ SITE_NAME: '公开目录', SID: '755325', TREE: {json.dumps(tree, ensure_ascii=False)} }};"
    head = f"<script>{config}</script>"
    case.pages["/gkmlpt/annualreport"] = Reply(
        listing([], inside='<div id="app"></div><script src="/gkmlpt/js/app.js"></script>', head=head)
    )

    def api(asked: Asked) -> Reply:
        number = int(_asked_for(asked).get("page", 1))
        rows = (
            [_gkmlpt_row(case.url(u), r) for u, r in links[2 * number - 2 : 2 * number]] if _asked_for(asked).get("sid") == "755325" else []
        )
        return Reply(json.dumps({"total": 3, "articles": rows}, ensure_ascii=False), media="application/json")

    case.site.otherwise = _under("/gkmlpt/api/all/2629", api)


def _gkmlpt_row(url: str, report: Printed) -> dict[str, object]:
    day = report.published
    return {"id": report.seed, "title": report.title, "url": url, "publisher": report.body.name, "display_publish_time": f"{day} 10:00:00"}


def anhui(b: Builder) -> None:
    """Anhui: XxgkAnnualReport/show/N.html, listed by year."""
    case = b.new("anhui", index=["/XxgkAnnualReport/index.html"])
    links = _articles(case, (2023, 2022, 2021), "/XxgkAnnualReport/show/4{year}.html")
    older = case.put("/OpennessAnnualReport/show/3561.html", case.report(2019))
    case.list([*links, older], case.index[0])


def drop_down(b: Builder) -> None:
    """A drop-down whose options are addresses; each lists the reports of one year."""
    case = b.new("drop-down", index=["/gk/nb.jsp"])
    years = (2023, 2022, 2021)
    select = "".join(f'<option value="/gk/nb.jsp?year={y}">{y}年</option>' for y in years)
    after = f'<select onchange="window.location=this.value"><option>请选择年份</option>{select}</select>'
    for year in years:
        case.list([case.put(f"/gk/nb/{year}.html", case.report(year))], f"/gk/nb.jsp?year={year}", after)
    case.pages["/gk/nb.jsp"] = case.pages["/gk/nb.jsp?year=2023"]


def drop_down_form(b: Builder) -> None:
    """A drop-down in a form that is sent by GET."""
    case = b.new("drop-down-form", index=["/xxgk/annual.do?unit=12"])
    years = (2023, 2022, 2021)
    options = "".join(f'<option value="{y}">{y}年</option>' for y in years)
    after = (
        '<form action="/xxgk/annual.do" method="get"><input type="hidden" name="unit" value="12">'
        f'<select name="year" onchange="this.form.submit()">{options}</select></form>'
    )
    for year in years:
        case.list([case.put(f"/xxgk/{year}.html", case.report(year))], f"/xxgk/annual.do?unit=12&year={year}", after)
    case.pages["/xxgk/annual.do?unit=12"] = case.pages["/xxgk/annual.do?unit=12&year=2023"]


def year_columns(b: Builder) -> None:
    """A column for every year, each with its own list."""
    case = b.new("year-columns", index=["/zfxxgk/ndbg/"])
    years = (2024, 2023, 2022)
    tabs = "".join(f'<li><a href="/zfxxgk/ndbg/{y}/">{y}年</a></li>' for y in years)
    for year in years:
        link = case.put(f"/zfxxgk/ndbg/{year}/art_{year}.html", case.report(year))
        case.list([link], f"/zfxxgk/ndbg/{year}/", f'<ul class="year">{tabs}</ul>')
    case.pages["/zfxxgk/ndbg/"] = Reply(listing([], inside=f'<ul class="year">{tabs}</ul>'), etag=True)


def column_page(b: Builder) -> None:
    """A column that is the report itself: next year's text replaces this one (domain.md Q-20)."""
    case = b.new("column-page", index=["/zwgk/zfnbhz/srmzfbgs"])
    report = case.report(2025)
    case.put("/zwgk/zfnbhz/srmzfbgs", report)


def json_list(b: Builder) -> None:
    """A list endpoint that answers JSON, three a page."""
    case = b.new("json-list", index=["/api/article/list?channelId=88&pageNum=1&pageSize=3"])
    links = _articles(case, range(2024, 2019, -1), "/xxgk/{next}/{year}.html")
    for number in (1, 2):
        rows = [{"title": r.title, "url": u, "publishDate": r.published} for u, r in links[3 * number - 3 : 3 * number]]
        data = {"code": 200, "data": {"total": 5, "pages": 2, "pageNum": number, "pageSize": 3, "list": rows}}
        address = f"/api/article/list?channelId=88&pageNum={number}&pageSize=3"
        case.pages[address] = Reply(json.dumps(data, ensure_ascii=False), media="application/json;charset=UTF-8")


def attachments(b: Builder) -> None:
    """Reports as PDF and DOCX behind a page, and one that the index links directly."""
    case = b.new("attachments")
    pdf, docx, straight = case.report(2022), case.report(2021), case.report(2020)
    links = [
        ("/art/2022.html", pdf),
        ("/art/2021.html", docx),
        case.put("/files/2020.docx", straight, Reply(as_docx(straight), media=DOCX)),
    ]
    for (path, report), name in zip(links, ("/files/2022.pdf", "/files/2021.docx"), strict=False):
        anchor = f'<p>附件：<a href="{name}">{report.title}</a></p>'
        case.pages[path] = Reply(story(report.title, "全文见附件。", published=report.published, extra=anchor), etag=True)
    case.put("/files/2022.pdf", pdf, Reply(as_pdf(pdf), media="application/pdf", etag=True))
    case.put("/files/2021.docx", docx, Reply(as_docx(docx), media=DOCX, modified="Mon, 16 Jan 2023 08:00:00 GMT"))
    case.list(links)
