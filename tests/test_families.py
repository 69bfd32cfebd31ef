"""Site families on saved pages: what each lists, where it goes on, and what it never takes for a report or a further page."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.crawl.families import FAMILIES
from extract.crawl.families.base import listing_key, steady, with_parameters
from extract.crawl.page import Page
from extract.crawl.pages import read_index

PAGES = Path(__file__).parent / "families"
HOST = "http://www.lucheng.gov.cn"
JPAAS = "/api-gateway/jpaas-publish-server/front/page/build/unit"
JPAAS_QUERY = (
    "parseType=bulidstatic&webId=3176&tplSetId=0ZBvCX&pageType=column&tagId=%E5%88%97%E8%A1%A8%E9%A1%B5&editType=null&pageId=1229514107"
)
JPAGE_QUERY = (
    "columnid=1229514107&appid=1&webid=3168&path=%2F&unitid=5488336&webname=%E9%B9%BF%E5%9F%8E%E5%8C%BA%E4%BA%BA%E6%B0%91%E6%94%BF%E5%BA%9C"
    "&permissiontype=0"
)


def read(name, url):
    return read_index((PAGES / name).read_bytes(), HOST + url)


def reports(page):
    return [(r.url.removeprefix(HOST), r.title.year, r.published_on) for r in page.reports]


def further(page):
    """Addresses of further pages, by links and by counts."""
    return [u.removeprefix(HOST) for u in [*page.pages, *(a for p in page.pagers for a in p.addresses)]]


def years(page):
    return [(y.url.removeprefix(HOST), y.year) for y in page.years]


def stated(page):
    return {p.pages for p in page.pagers}


CASES = {
    "trs_index.html": (
        "/zfxxgknb/index.html",
        [("/zfxxgknb/202401/t20240126_9841.html", 2023, "2024-01-26"), ("/zfxxgknb/202301/t20230118_7712.html", 2022, "2023-01-18")],
        ["/zfxxgknb/index_1.html", "/zfxxgknb/index_2.html", "/zfxxgknb/index_3.html"],
        {4},
    ),
    "trs_container.html": (
        "/zgrsj/nb/list.shtml",
        [("/zgrsj/nb/202201/8b1f.shtml", 2021, "2022-01-25")],
        ["/zgrsj/nb/list_2.shtml", "/zgrsj/nb/list_3.shtml"],
        {3},
    ),
    "trs_variables.html": (
        "/nb/",
        [("/nb/202201/t20220120_406.shtml", 2021, "2022-01-20")],
        ["/nb/index_1.shtml", "/nb/index_2.shtml"],
        {3},
    ),
    "jpage_column.html": (
        "/col/col1229514107/index.html",
        [
            ("/art/2024/1/19/art_1229514107_87779.html", 2023, "2024-01-19"),
            ("/art/2023/1/16/art_1229514107_71201.html", 2022, "2023-01-16"),
        ],
        [
            f"/module/web/jpage/dataproxy.jsp?startrecord={start}&endrecord={end}&perpage=2&{JPAGE_QUERY}"
            for start, end in ((3, 4), (5, 6), (7, 7))
        ],
        {4},
    ),
    "jpage_answer.xml": (
        f"/module/web/jpage/dataproxy.jsp?startrecord=3&endrecord=4&perpage=2&{JPAGE_QUERY}",
        [
            ("/art/2022/1/26/art_1229514107_60001.html", 2021, "2022-01-26"),
            ("/art/2021/1/22/art_1229514107_50001.html", 2020, "2021-01-22"),
        ],
        [],
        set(),
    ),
    "jpage_group.html": (
        "/col/col114/index.html",
        [("/art/2019/1/2/art_114_9.html", 2018, None)],
        ["/module/jpage/dataproxy.jsp?page=2&appid=1&webid=1934&columnid=114&unitid=1737"],
        set(),
    ),
    "jpage_array.html": (
        "/col/col30067/index.html",
        [("/art/2014/3/4/art_30067_1.html", 2013, "2014-03-04"), ("/art/2013/3/1/art_30067_2.html", 2012, "2013-03-01")],
        [
            "/module/jslib/jquery/jpage/dataproxy.jsp?startrecord=3&endrecord=3&perpage=2&col=1&appid=1&webid=60&path=%2F&columnid=30067"
            "&unitid=49468&webname=%E5%8D%97%E9%80%9A%E5%B8%82&permissiontype=0"
        ],
        {2},
    ),
    "gkmlpt_shell.html": ("/gkmlpt/annualreport", [], ["/gkmlpt/api/all/2629?page=1&sid=200025"], set()),
    "gkmlpt_list.json": (
        "/gkmlpt/api/all/2629?page=1&sid=200025",
        [
            ("http://www.hp.gov.cn/gkmlpt/content/8/8075/post_8075401.html", 2021, "2022-01-20"),
            ("http://www.hp.gov.cn/gkmlpt/content/7/7038/post_7038677.html", 2020, "2021-01-22"),
        ],
        ["/gkmlpt/api/all/2629?page=2&sid=200025"],
        {2},
    ),
    "anhui_list.html": (
        "/XxgkAnnualReport/list?organId=7",
        [("/OpennessAnnualReport/show/3561.html", 2019, "2020-03-01"), ("/XxgkAnnualReport/show/4570.html", 2021, "2022-01-21")],
        ["/XxgkAnnualReport/list?organId=7&page=2"],
        set(),
    ),
    "json_answer.json": (
        "/xxgk/api/list?channelId=12&pageNo=1",
        [("/xxgk/content/a81.html", 2022, "2023-01-19"), ("/xxgk/content/a80.html", 2021, "2022-01-20")],
        ["/xxgk/api/list?channelId=12&pageNo=2", "/xxgk/api/list?channelId=12&pageNo=3"],
        {3},
    ),
    "jpaas_shell.html": ("/col/col1229514107/index.html", [], [f"{JPAAS}?{JPAAS_QUERY}"], set()),
    "jpaas_unit.json": (
        f"{JPAAS}?{JPAAS_QUERY}",
        [("/art/2025/art_9a1c.html", 2024, "2025-01-17")],
        [f"{JPAAS}?{JPAAS_QUERY}&paramJson=%7B%22pageNo%22%3A{n}%2C%22pageSize%22%3A1%7D" for n in (2, 3)],
        {3},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_saved_page(name):
    url, found, pages, count = CASES[name]
    page = read(name, url)
    assert reports(page) == found
    assert further(page) == pages
    assert stated(page) == count
    assert page.script is None
    assert not page.notices


def test_every_family_and_every_saved_page_is_tested():
    tested = set(CASES) | {p.name for p in PAGES.iterdir() if p.name.split("_")[0].split(".")[0] in TESTED_BELOW}
    assert {p.name for p in PAGES.iterdir()} == tested
    recognised = {
        f.name
        for f in FAMILIES
        for p in PAGES.iterdir()
        if f.reads(Page(f"{HOST}/module/xxgk/xxgkAnnualReport.jsp?area=1", p.read_bytes()))
    }
    assert recognised | {"gkmlpt", "jpaas"} == {f.name for f in FAMILIES}


TESTED_BELOW = {"annual", "guangdong", "years", "column", "json", "script", "calendar"}


def test_guangdong_lists_and_their_pager():
    page = read_index((PAGES / "guangdong_list.html").read_bytes(), "http://www.hp.gov.cn/xxgk/nb/index.html")
    assert [(r.url, r.title.year, r.published_on) for r in page.reports] == [
        ("http://www.hp.gov.cn/xxgk/nb/content/post_8075401.html", 2021, "2022-03-30"),
        ("http://www.hp.gov.cn/xxgk/nb/content/mpost_7038677.html", 2020, "2021-03-29"),
    ]
    assert page.pages == ["http://www.hp.gov.cn/xxgk/nb/index_2.html", "http://www.hp.gov.cn/xxgk/nb/index_3.html"]
    assert stated(page) == {3}


ANNUAL = "/module/xxgk/xxgkAnnualReport.jsp?area=001008003001001"


def test_the_years_of_an_annual_report_page_are_addresses_and_the_one_shown_is_among_them():
    page = read("annual_jsp.html", ANNUAL)
    assert years(page) == [(f"{ANNUAL}&fbtime={y}", y) for y in (2021, 2020, 2019)]
    assert page.reports == []


def test_a_year_shown_at_its_own_address_is_a_report_and_a_year_without_one_is_none():
    shown = read("annual_jsp_2020.html", f"{ANNUAL}&fbtime=2020")
    assert [(r.url.removeprefix(HOST), r.title.year) for r in shown.reports] == [(f"{ANNUAL}&fbtime=2020", 2020)]
    assert 2020 in shown.years_named
    none = read("annual_jsp_none.html", f"{ANNUAL}&fbtime=2019")
    assert none.reports == []
    assert 2019 not in none.years_named


def test_links_to_annual_report_pages_from_elsewhere_keep_all_their_parameters():
    html = f'<a href="{ANNUAL}&amp;fbtime=2021&amp;showType=2&amp;artid=61818">2021</a><a href="{ANNUAL}&amp;fbtime=x">?</a>'
    assert years(read_index(html.encode(), f"{HOST}/x.html")) == [(f"{ANNUAL}&fbtime=2021&showType=2&artid=61818", 2021)]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("years_select.html", [("/xxgk/nb/2022/index.html", 2022), ("/xxgk/nb/2021/index.html", 2021)]),
        (
            "years_form.html",
            [("/nb/list.jsp?unit=%E5%BA%9C%E5%8A%9E&year=2022", 2022), ("/nb/list.jsp?unit=%E5%BA%9C%E5%8A%9E&year=2021", 2021)],
        ),
        ("years_script.html", [("/nb/nb_2022.shtml", 2022), ("/nb/nb_2021.shtml", 2021)]),
        ("years_tabs.html", [("/nb/?year=2022", 2022), ("/nb/?year=2021", 2021), ("/nb/?year=2020", 2020)]),
    ],
)
def test_drop_downs_and_tabs_of_years(name, found):
    page = read(name, "/nb/")
    assert years(page) == found
    assert page.reports == []
    assert page.script is None


def test_a_drop_down_that_no_link_could_follow_is_told_of_but_not_above_a_whole_list():
    select = '<select onchange="load(this.value)"><option value="2021">2021年</option></select>'
    head = "<title>政府信息公开年报</title>"
    (notice,) = read_index((head + select).encode(), HOST).notices
    assert (notice.kind, notice.severity) == ("script_listing", "failure")
    items = "".join(f'<li><a href="{y}.html">某局{y}年政府信息公开工作年度报告</a></li>' for y in (2020, 2021))
    assert read_index((head + select + items).encode(), HOST).notices == []


def test_years_on_other_pages_are_no_listings_of_reports():
    html = '<title>工作要点</title><a href="2021/">2021年</a>'
    assert years(read_index(html.encode(), HOST)) == []


def test_a_column_that_is_the_report():
    page = read("column.html", "/zfnbhz/srmzfbgs")
    assert [(r.url, r.title.year) for r in page.reports] == [(f"{HOST}/zfnbhz/srmzfbgs", 2025)]
    assert page.script is None


def test_links_to_parts_of_a_site_do_not_make_a_report():
    menu = "".join(f'<a href="{n}">{t}</a>' for n, t in enumerate(("总体情况", "主动公开", "依申请公开", "行政复议", "收费")))
    assert read_index(menu.encode(), HOST).reports == []


def test_a_page_names_the_json_its_script_asks_for():
    page = read("json_page.html", "/nb/")
    assert [u.removeprefix(HOST) for u in page.guesses] == ["/xxgk/api/list?channelId=12&pageNo=1"]
    assert page.script is not None
    assert "/xxgk/api/list" in page.script


def test_a_listing_that_a_script_draws():
    page = read("script_only.html", "/nb/")
    assert (page.reports, page.pages, page.guesses) == ([], [], [])
    assert page.script.startswith("new Vue(")


def test_a_calendar_is_not_followed_and_told_of_once():
    page = read("calendar.html", "/nb/")
    assert [r.title.year for r in page.reports] == [2021]
    assert page.pages == []
    assert [(n.kind, n.severity) for n in page.notices] == [("trap", "warning")]


@pytest.mark.parametrize(
    "html",
    [
        '<script>createPageHTML(2, 0, "../../x", "html")</script>',
        '<script>createPageHTML(2, 0, "index", "exe")</script>',
        "<script>createPageHTML(0, 0, 'index', 'html')</script>",
        "<script>createPageHTML(1, 0, 'index', 'html')</script>",
        "<script>$('#1').jpage({totalRecord:99,perPage:0,proxyUrl:'/module/web/jpage/dataproxy.jsp'})</script>",
        "<script>$('#1').jpage({totalRecord:99,perPage:10,proxyUrl:'/steal.jsp'})</script>",
        "<script>$('#1').jpage({totalRecord:99,perPage:10,proxyUrl:'/module/web/jpage/dataproxy.jsp'</script>",
        "<script>window._CONFIG={SID:'1',TREE:[{\"id\":</script>",
        '{"total": 99, "articles": [{"title": 3, "url": null}]}',
        '{"total": 99, "articles": "none"}',
        "[[[[[[[[[[[[[]]]]]]]]]]]]]",
        "[" * 100_000,
        "<select><option value='javascript:x()'>2021年</option></select>",
    ],
)
def test_hostile_variants_lead_nowhere(html):
    page = read_index(html.encode(), f"{HOST}/nb/index.html")
    assert page.reports == []
    assert further(page) == []
    assert years(page) == []


def test_a_pager_that_states_a_million_pages_does_not_make_a_million_addresses():
    html = "<script>$('#1').jpage({totalRecord:9999999,perPage:1,proxyUrl:'/module/web/jpage/dataproxy.jsp'})</script>"
    page = read_index(html.encode(), HOST)
    assert len(further(page)) <= 1000


def test_a_pager_by_a_call_that_cannot_be_read_is_told_of():
    (notice,) = read_index(b"<script>createPageHTML(120, 2, 15);</script>", HOST).notices
    assert (notice.kind, notice.severity) == ("script_listing", "failure")


def test_pages_of_one_listing_have_one_key():
    same = ["/nb/", "/nb/index.html", "/nb/index_1.html", "/nb/index.html?page=2", "/nb/?pageNo=3&_=99"]
    assert len({listing_key(HOST + url) for url in same}) == 1
    other = ["/nb/list.html", "/nb/?unit=2", "/zn/"]
    assert len({listing_key(HOST + url) for url in [*same, *other]}) == 1 + len(other)


def test_a_session_in_the_address_makes_no_other_listing():
    one = read_index(b'<a href="a.jsp;jsessionid=1?x=1&t=5">a</a>', HOST)
    two = read_index(b'<a href="a.jsp;jsessionid=2?x=1&t=6">a</a>', HOST)
    assert one.signature == two.signature
    assert not read_index(
        b'<a href="list.jsp;jsessionid=7">x</a><a rel="next" href="list.jsp;jsessionid=8">y</a>', f"{HOST}/list.jsp"
    ).pages
    assert steady(f"{HOST}/a?id=1&id=2") == f"{HOST}/a?id=1&id=2"


@pytest.mark.parametrize(
    ("twin", "plain"),
    [
        ("http://www.fujian.gov.cn:82/gate/big5/www.lucheng.gov.cn/nb/1.htm", f"{HOST}/nb/1.htm"),
        (f"{HOST}/nb/t20220117_1_app.html", f"{HOST}/nb/t20220117_1.html"),
        (f"{HOST}/nb/t20220117_1_wap.shtml", f"{HOST}/nb/t20220117_1.shtml"),
    ],
)
def test_another_face_of_a_page_is_no_other_report(twin, plain):
    text = "某局2021年政府信息公开工作年度报告"
    for order in ((twin, plain), (plain, twin)):
        html = "".join(f'<li><a href="{url}">{text}</a></li>' for url in order)
        assert [r.url for r in read_index(html.encode(), HOST).reports] == [plain]
    alone = read_index(f'<li><a href="{twin}">{text}</a></li>'.encode(), HOST)
    assert [r.url for r in alone.reports] == [twin]


@given(st.sampled_from(sorted(p.name for p in PAGES.iterdir())), st.data())
def test_a_damaged_page_is_read_as_far_as_it_goes(name, data):
    body = (PAGES / name).read_bytes()
    at = data.draw(st.integers(0, len(body)))
    junk = data.draw(st.binary(max_size=12))
    page = read_index(body[:at] + junk + body[at + data.draw(st.integers(0, 40)) :], f"{HOST}/nb/index.html")
    for url in [*further(page), *(y.url for y in page.years), *(r.url for r in page.reports)]:
        assert url.startswith(("http://", "https://", "/"))


@given(st.text(max_size=30), st.integers(0, 9999))
def test_parameters_are_set_and_the_others_stay(value, number):
    url = with_parameters(f"{HOST}/a.jsp?page=1&x=%E4%B8%AD", page=number, name=value)
    assert url.startswith(f"{HOST}/a.jsp?page={number}&x=%E4%B8%AD&name=")
