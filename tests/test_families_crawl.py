"""Site families as they are crawled: a real server on loopback, one run over all of them, a second one the same night."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from site_server import Page, Site

from extract.crawl.job import CrawlJob, CrawlSettings, CrawlSource, run_crawl
from extract.ledger import Ledger

PAGES = Path(__file__).parent / "families"
SETTINGS = CrawlSettings(min_delay=0, timeout=2, retry_times=0, backoff=0, max_index_pages=12, give_up_after=50)
OFFICE = "温州市鹿城区人民政府办公室"
PDF = b"%PDF-1.4\n%% "


def saved(name):
    return (PAGES / name).read_text(encoding="utf-8")


def title(year, body=OFFICE):
    return f"{body}{year}年政府信息公开工作年度报告"


def report(year, body=OFFICE):
    parts = "".join(f"<h3>{p}</h3><p>{year}年</p>" for p in ("一、总体情况", "二、主动公开情况", "三、依申请公开情况", "四、行政复议情况"))
    return f"<html><h1>{title(year, body)}</h1><p>发布时间：{year + 1}-01-20</p>{parts}</html>"


def item(url, year, body=OFFICE):
    return f'<li><a href="{url}">{title(year, body)}</a> {year + 1}-01-20</li>'


class Portal(Site):
    """A site that also answers by the parameters of an address, whatever their order."""

    def __init__(self, pages):
        super().__init__(pages)
        self.dynamic = {}

    def answer(self, path, headers):
        parts = urlsplit(path)
        if parts.path in self.dynamic and path not in self.pages:
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.pages[path] = Page(self.dynamic[parts.path](asked))
        return super().answer(path, headers)


def hanweb(site):
    """7 records, 2 of them in the page; the rest in groups of 2, posted for by the page's script."""
    site.pages["/col/col9/index.html"] = Page(saved("jpage_column.html").replace("http://www.lucheng.gov.cn", ""))
    for n in range(2017, 2024):
        site.pages[f"/art/{n}.html"] = Page(report(n))
    first = {2023: "/art/2024/1/19/art_1229514107_87779.html", 2022: "/art/2023/1/16/art_1229514107_71201.html"}
    for year, path in first.items():
        site.pages[path] = Page(report(year))

    def proxy(asked):
        assert asked["columnid"] == "1229514107"
        years = range(2024 - int(asked["startrecord"]), 2023 - int(asked["endrecord"]), -1)
        records = "".join(f"<record><![CDATA[{item(f'/art/{y}.html', y)}]]></record>" for y in years)
        return f"<?xml version='1.0' encoding='utf-8'?><datastore><totalrecord>7</totalrecord><recordset>{records}</recordset></datastore>"

    site.dynamic["/module/web/jpage/dataproxy.jsp"] = proxy


def annual(site):
    def answer(asked):
        name = {"2021": "annual_jsp.html", "2020": "annual_jsp_2020.html", "2019": "annual_jsp_none.html"}
        return saved(name[asked.get("fbtime", "2021")])

    site.dynamic["/module/xxgk/xxgkAnnualReport.jsp"] = answer
    site.pages["/attach/0/2020nb.pdf"] = Page(PDF + b"2020")


def drop_down(site):
    site.pages |= {
        "/years/": Page(saved("years_select.html")),
        "/xxgk/nb/2022/index.html": Page(f"<ul>{item('/years/2022.html', 2022)}</ul>"),
        "/years/2022.html": Page(report(2022)),
        "/xxgk/nb/2021/index.html": Page(report(2021)),
    }


def json_lists(site):
    site.pages["/nb/json.html"] = Page(saved("json_page.html"))
    rows = {1: (2022, 2021), 2: (2020, 2019), 3: (2018,)}

    def answer(asked):
        records = [{"bt": title(y, "某某县教育局"), "lj": f"/json/{y}.html", "fbsj": f"{y + 1}-01-19"} for y in rows[int(asked["pageNo"])]]
        return json.dumps({"data": {"totalCount": 5, "pageSize": 2, "list": records}})

    site.dynamic["/xxgk/api/list"] = answer
    for years in rows.values():
        for y in years:
            site.pages[f"/json/{y}.html"] = Page(report(y, "某某县教育局"))


def odd_ones(site):
    pager = '<a href="javascript:go(2)">下一页</a><span>共5页</span>'
    away = '<li><a href="http://jyj.ouhai.gov.cn/2020.html">2020年政府信息公开工作年度报告</a></li>'
    clone = '<li><a href="http://www.lucheng.gov.cn.evil.com/2019.html">2019年政府信息公开工作年度报告</a></li>'
    neighbour = '<li><a href="http://127.0.0.2:1/2018.html">2018年政府信息公开工作年度报告</a></li>'
    others = (
        item("/m/jy.html", 2021, "鹿城区教育局") + item("/m/cz.html", 2021, "鹿城区财政局") + item("/m/lw.html", 2021, "龙湾区人民政府")
    )
    site.pages |= {
        "/column": Page(saved("column.html")),
        "/script/": Page(saved("script_only.html")),
        "/short/": Page(f"<ul>{item('/short/1.html', 2021)}</ul>{pager}"),
        "/short/1.html": Page(report(2021)),
        "/calendar/": Page(saved("calendar.html")),
        "/nb/2021.html": Page(report(2021, "某某局")),
        "/away/": Page(f"<ul>{item('/short/1.html', 2021)}{away}{clone}{neighbour}</ul>"),
        "/mixed/": Page(f"<ul>{item('/m/own.html', 2021)}{others}<li><a href='/m/zn.html'>政府信息公开指南</a></li></ul>"),
        "/m/own.html": Page(report(2021)),
        "/lost/": Page("<ul>" + item("/short/1.html", 2021) + '</ul><script>createPageHTML(3, 0, "index", "html")</script>'),
        "/lost/index_1.html": Page(f"<ul>{item('/m/own.html', 2020)}</ul>"),
    }


SOURCES = {
    "hanweb": ("/col/col9/index.html", OFFICE),
    "annual": ("/module/xxgk/xxgkAnnualReport.jsp?area=001008003001001", OFFICE),
    "years": ("/years/", OFFICE),
    "json": ("/nb/json.html", "某某县教育局"),
    "column": ("/column", "天门市人民政府办公室"),
    "script": ("/script/", OFFICE),
    "short": ("/short/", OFFICE),
    "calendar": ("/calendar/", "某某局"),
    "away": ("/away/", OFFICE),
    "mixed": ("/mixed/", OFFICE),
    "lost": ("/lost/", OFFICE),
}


class World:
    def __init__(self, site, home):
        self.site, self.home, self.run_id = site, home, ""

    def run(self):
        self.site.log.clear()
        with self.ledger() as ledger:
            self.run_id = ledger.start_run("test")
        sources = [CrawlSource(id=name, publisher=body, index=[self.site.url(path)]) for name, (path, body) in SOURCES.items()]
        publishers = [body for _, body in SOURCES.values()] + ["温州市鹿城区教育局"]
        job = CrawlJob(home=self.home, run_id=self.run_id, sources=sources, settings=SETTINGS, publishers=publishers)
        run_crawl(job, lambda event: None)

    def ledger(self):
        return Ledger(self.home / "state" / "ledger.sqlite")

    def sightings(self, name):
        with self.ledger() as ledger:
            rows = [r for r in ledger.rows("sighting") if r["publisher_id"] == name and r["last_run_id"] == self.run_id]
        return {(r["url"].removeprefix(self.site.base), r["year"], r["role"]) for r in rows}

    def problems(self, name):
        with self.ledger() as ledger:
            return sorted(
                (p.kind, p.url.removeprefix(self.site.base), p.severity) for p in ledger.problems(self.run_id) if p.publisher_id == name
            )

    def state(self, name):
        with self.ledger() as ledger:
            return next(s for s in ledger.source_states() if s.publisher_id == name)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    site = Portal({})
    for make in (hanweb, annual, drop_down, json_lists, odd_ones):
        make(site)
    with site:
        world = World(site, tmp_path_factory.mktemp("home"))
        world.run()
        yield world


AREA = "/module/xxgk/xxgkAnnualReport.jsp?area=001008003001001"


def test_records_that_the_script_would_post_for_are_asked_for(first):
    assert {(y, role) for _, y, role in first.sightings("hanweb")} == {(y, "page") for y in range(2017, 2024)}
    asked = [parse_qs(urlsplit(a.path).query) for a in first.site.asked("/module/web/jpage")]
    assert sorted((q["startrecord"], q["endrecord"]) for q in asked) == [(["3"], ["4"]), (["5"], ["6"]), (["7"], ["7"])]
    assert first.problems("hanweb") == []
    assert first.state("hanweb").index_read is True


def test_each_year_of_the_annual_report_page_is_a_report_but_the_one_without(first):
    assert first.sightings("annual") == {
        (f"{AREA}&fbtime=2021", 2021, "page"),
        (f"{AREA}&fbtime=2020", 2020, "page"),
        ("/attach/0/2020nb.pdf", 2020, "attachment"),
    }
    assert first.problems("annual") == [("no_report", f"{AREA}&fbtime=2019", "warning")]
    assert first.state("annual").index_read is True


def test_years_of_a_drop_down_lead_to_lists_and_to_reports(first):
    assert first.sightings("years") == {("/years/2022.html", 2022, "page"), ("/xxgk/nb/2021/index.html", 2021, "page")}
    assert first.problems("years") == []


def test_a_list_in_json_is_found_through_its_page_and_read_to_the_end(first):
    assert first.sightings("json") == {(f"/json/{y}.html", y, "page") for y in range(2018, 2023)}
    assert first.problems("json") == []
    assert first.state("json").index_read is True


def test_a_column_is_the_report_and_its_address_names_no_year(first):
    assert first.sightings("column") == {("/column", None, "page")}
    assert first.problems("column") == []


def test_a_listing_drawn_by_an_unknown_script_is_told_of_as_such(first):
    assert first.problems("script") == [("script_listing", "/script/", "failure")]
    assert first.state("script").index_read is False


def test_fewer_pages_than_the_pager_states_is_a_failure(first):
    assert first.problems("short") == [("short_listing", "/short/", "failure")]
    assert first.state("short").index_read is False
    assert first.sightings("short") == {("/short/1.html", 2021, "page")}


def test_a_page_of_the_pager_that_is_lost_is_one_problem(first):
    assert first.problems("lost") == [("http_error", "/lost/index_2.html", "failure")]
    assert first.state("lost").index_read is False


def test_a_calendar_ends_at_once(first):
    assert first.problems("calendar") == [("trap", "/calendar/", "warning")]
    assert not [a for a in first.site.log if "month=" in a.path or "day=" in a.path]
    assert first.state("calendar").index_read is True


def test_what_lies_elsewhere_is_told_and_never_asked_for(first):
    assert first.problems("away") == [
        ("off_site", "http://127.0.0.2:1/2018.html", "warning"),
        ("off_site", "http://jyj.ouhai.gov.cn/2020.html", "failure"),
        ("off_site", "http://www.lucheng.gov.cn.evil.com/2019.html", "warning"),
    ]
    with first.ledger() as ledger:
        assert not [r for r in ledger.rows("document") if "gov.cn" in r["url"] or "127.0.0.2" in r["url"]]
        named = next(p for p in ledger.problems(first.run_id) if p.url == "http://jyj.ouhai.gov.cn/2020.html")
    assert "add jyj.ouhai.gov.cn to the source's hosts" in named.message


def test_reports_of_other_bodies_in_a_mixed_list_are_not_the_publishers(first):
    assert first.sightings("mixed") == {("/m/own.html", 2021, "page")}
    # the education bureau is in the registry: its own source brings its report
    assert first.problems("mixed") == [("other_publisher", "/m/cz.html", "warning"), ("other_publisher", "/m/lw.html", "warning")]
    assert not [a for a in first.site.log if a.path in ("/m/jy.html", "/m/cz.html", "/m/lw.html", "/m/zn.html")]


def test_the_same_night_again_asks_for_lists_only_and_forgets_nothing(first):
    before = {name: first.sightings(name) for name in SOURCES}
    first.run()
    assert {name: first.sightings(name) for name in SOURCES} == before
    asked = {a.path for a in first.site.log}
    assert f"{AREA}&fbtime=2020" not in asked
    assert f"{AREA}&fbtime=2019" in asked  # where there was nothing, something may be by now
    assert "/column" in asked
    assert "/xxgk/nb/2021/index.html" not in asked
