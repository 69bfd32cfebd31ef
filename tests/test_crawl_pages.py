"""Reading index pages and report pages, without a network; and where a source may lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.charset import read_text
from extract.crawl.pages import is_document, read_index, read_report
from extract.crawl.policy import Scope

AT = "http://127.0.0.1/xxgk/nb/index.html"
TITLE = "鹿城区人民政府办公室2021年政府信息公开工作年度报告"


def index(html, url=AT):
    return read_index(html.encode(), url)


def links(html):
    return [(r.url, r.title.year, r.published_on) for r in index(html).reports]


@pytest.mark.parametrize(
    ("beside", "date"),
    [
        ("<span>2022-01-28</span>", "2022-01-28"),
        ("[2022/1/28]", "2022-01-28"),
        ("(2022.01.28)", "2022-01-28"),
        ("2022年1月28日", "2022-01-28"),
        ("2022年 1 月 28 日 10:30", "2022-01-28"),
        ("2024126日", None),
        ("2022128", None),
        ("2022-13-28", None),
        ("2022-02-30", None),
        ("2022-01-281", None),
        ("2022-01-28 2022-01-29", None),
        ("2022-01/28", None),
        ("<!-- 2022-01-28 -->", None),
        ("", None),
    ],
)
def test_the_date_of_a_list_item(beside, date):
    assert links(f'<ul><li><a href="a.html">{TITLE}</a>{beside}</li></ul>') == [("http://127.0.0.1/xxgk/nb/a.html", 2021, date)]


def test_a_title_cut_off_is_read_from_the_attribute_or_the_item():
    short = "鹿城区人民政府办公室2021年政府信…"
    assert links(f'<li><a href="a.html" title="{TITLE}">{short}</a></li>')[0][1] == 2021
    assert links(f'<li><a href="a.html">{short}</a><div>{TITLE}</div></li>')[0][1] == 2021
    assert links(f'<li><a href="a.html">{short}</a></li>') == []
    assert links(f'<li><a href="a.html"><img src="x.png" alt="{TITLE}"></a></li>')[0][1] == 2021


def test_other_links_are_not_reports():
    html = """<a href="zn.html">政府信息公开指南</a><a href="tz.html">关于做好2021年政府信息公开工作年度报告编制工作的通知</a>
    <nav><a href="/xxgk/nb/">政府信息公开年报</a></nav><a href="javascript:open()">2021年政府信息公开年报</a>
    <a href="mailto:a@b.c">2020年政府信息公开年报</a><a href="#top">2019年政府信息公开年报</a><a>2018年政府信息公开年报</a>
    <a href="http://[bad/">2017年政府信息公开年报</a>"""
    assert links(html) == []


def test_a_title_without_a_year_counts_only_with_a_date_or_on_a_document():
    assert links('<li><a href="a.html">政府信息公开年报</a></li>') == []
    assert links('<li><a href="a.html">政府信息公开年报</a> 2022-01-28</li>')[0][1:] == (None, "2022-01-28")
    assert links('<li><a href="a.pdf">政府信息公开年报</a></li>')[0][1] is None


def test_addresses_are_absolute_and_encoded_as_a_browser_does():
    html = f"""<base href="http://127.0.0.1/other/"><a href="../a b.html#x">{TITLE}</a><a href="%B1%A8.pdf">{TITLE}</a>
    <a href="报告.pdf?n=报">{TITLE}</a>"""
    found = [r.url for r in read_index(html.encode("gb18030"), AT).reports]
    assert found == [
        "http://127.0.0.1/a%20b.html",
        "http://127.0.0.1/other/%B1%A8.pdf",
        "http://127.0.0.1/other/%E6%8A%A5%E5%91%8A.pdf?n=%B1%A8",
    ]


@pytest.mark.parametrize(
    ("html", "pages"),
    [
        ('<a href="index_1.html">下一页</a>', ["index_1.html"]),
        ('<a href="?p=2">下页</a>', ["index.html?p=2"]),
        ('<a href="?p=2"> > </a>', ["index.html?p=2"]),
        ('<a href="?p=2">&raquo;</a>', ["index.html?p=2"]),
        ('<link rel="next" href="two.html">', ["two.html"]),
        ('<a rel="next" href="two.html">older</a>', ["two.html"]),
        ('<div class="pagination"><a href="a2">2</a><a href="a3">3</a></div>', ["a2", "a3"]),
        ('<div><a href="a1">上一页</a><a href="a2">2</a></div>', ["a2"]),
        ('<div><a href="a2">[2]</a> 共 3 页</div>', ["a2"]),
        ('<table><tr><td><a href="a2">2</a></td></tr></table>', []),
        ('<a href="index_3.html">x</a>', ["index_3.html"]),
        ('<a href="other_3.html">x</a>', []),
        ('<script>createPageHTML(3, 0, "index", "html");</script>', ["index_1.html", "index_2.html"]),
        ('<a href="http://127.0.0.9/next">下一页</a>', []),
        ('<a href="javascript:next()">下一页</a>', []),
        ('<a href="index.html">下一页</a>', []),
    ],
)
def test_further_pages(html, pages):
    page = index(html)
    assert [*page.pages, *(a for p in page.pagers for a in p.addresses)] == [f"http://127.0.0.1/xxgk/nb/{p}" for p in pages]


def test_a_listing_in_a_data_island_is_read():
    """Hanweb portals (Wenzhou) put the list items into <script type="text/xml">."""
    html = f"""<script type="text/xml"><datastore><nextgroup><![CDATA[<a rel="next" href="/page.jsp?n=2"></a>]]></nextgroup>
    <recordset><record><![CDATA[<li><a href="/a.html">{TITLE}</a><b>2022-01-28</b></li>]]></record></recordset></datastore></script>"""
    assert links(html) == [("http://127.0.0.1/a.html", 2021, "2022-01-28")]
    assert index(html).pages == ["http://127.0.0.1/page.jsp?n=2"]


def test_equal_listings_have_equal_signatures():
    one = index(f'<a href="a.html">{TITLE}</a><a href="index_1.html">下一页</a>')
    same = index(f'<p>x</p><a href="a.html">{TITLE}</a><a href="index_2.html">下一页</a>')
    other = index(f'<a href="b.html">{TITLE}</a>')
    assert one.signature == same.signature != other.signature


def report(content, url="http://127.0.0.1/2021.html"):
    return read_report(content.encode(), url)


@pytest.mark.parametrize(
    ("html", "names"),
    [
        ('<div class="content"><a href="a.pdf">下载</a></div>', ["a.pdf"]),
        ('<div id="zoom"><a href="get.jsp?file=a.docx">下载</a></div>', ["get.jsp?file=a.docx"]),
        ('<p><a href="down?id=7">附件：报告</a></p>', ["down?id=7"]),
        ('<p><a href="down?id=7">2021年政府信息公开工作年度报告.pdf</a></p>', ["down?id=7"]),
        ('<p><a href="down?id=7">2021年政府信息公开工作年度报告</a></p>', ["down?id=7"]),
        ('<a href="2020.html">2020年政府信息公开工作年度报告</a>', []),
        ('<div>上一篇：<a href="2020.pdf">2020年政府信息公开工作年度报告</a></div>', []),
        ('<footer><a href="a.pdf">手册</a></footer>', []),
        ('<div class="footer-content"><a href="a.pdf">手册</a></div>', []),
        ('<div class="leftMenu"><a href="a.pdf">手册</a></div>', []),
        ('<div class="main"><a href="a.pdf">政府信息公开指南</a></div>', []),
        ('<div class="nav-page"><div class="article"><a href="a.pdf">附件1</a></div></div>', ["a.pdf"]),
        ('<iframe src="a.pdf"></iframe>', ["a.pdf"]),
        ('<iframe src="viewer.html?file=%2Fb.pdf"></iframe>', ["b.pdf"]),
        ('<embed src="a.pdf">', ["a.pdf"]),
        ('<iframe src="map.html"></iframe>', []),
        ('<a href="a.pdf">x</a><a href="a.pdf">y</a>', ["a.pdf"]),
        ('<a href="2021.html">附件</a>', []),
    ],
)
def test_attachments(html, names):
    assert [a.url for a in report(html).attachments] == [f"http://127.0.0.1/{n}" for n in names]


@pytest.mark.parametrize(
    ("html", "date"),
    [
        ("<p>发布时间：2022-01-28 10:20</p>", "2022-01-28"),
        ("<p>发布日期:<span>2022年1月28日</span></p>", "2022-01-28"),
        ("<p>日期：2021-12-31</p><p>发布时间：2022-01-28</p>", "2022-01-28"),
        ("<p>时间： [2022/01/28]</p>", "2022-01-28"),
        ('<meta name="PubDate" content="2022-01-28 09:00">', "2022-01-28"),
        ('<meta name="PubDate" content="20220128"><p>发布时间：2023-01-01</p>', "2022-01-28"),
        ("<p>发布时间：2024126日</p>", None),
        ("<script>var t = '发布时间：2022-01-28'</script>", None),
        ("<p>自2021年1月1日起</p>", None),
    ],
)
def test_the_date_a_page_states(html, date):
    assert report(html).published_on == date


def test_a_pages_title():
    assert report(f"<title>门户</title><h1>栏目</h1><h2>{TITLE}</h2>").title == TITLE
    assert report(f'<title>门户</title><meta name="ArticleTitle" content="{TITLE}">').title == TITLE
    assert report("<title>门户</title>").title == "门户"
    assert report("").title is None


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        ("年报".encode(), "utf-8"),
        (b"\xef\xbb\xbf" + "年报".encode(), "utf-8"),
        ("年报".encode("gb18030"), "gb18030"),
        (b'<meta charset="gb2312">' + "年报镕".encode("gbk"), "gb18030"),
        (b'<meta charset="utf-8">' + "年报".encode("gb18030"), "gb18030"),
        (b'<meta charset="big5">' + "年報".encode("big5"), "big5hkscs"),
        (b'<meta charset="no-such">' + "年报".encode("gb18030"), "gb18030"),
        ("年报".encode("utf-16"), "utf-8"),
    ],
)
def test_decode(body, encoding):
    text, found = read_text(body)
    assert text.endswith(("年报", "年報", "年报镕"))
    assert found == encoding


@given(st.binary(max_size=400))
def test_any_bytes_can_be_read(body):
    page = read_index(b"<a href='" + body + b"'>" + TITLE.encode() + b"</a>" + body, AT)
    assert all(r.url.startswith("http") for r in page.reports)
    assert all(a.url.startswith("http") for a in read_report(body, AT).attachments)


def test_documents_by_name():
    assert is_document("http://127.0.0.1/a.PDF")
    assert is_document("http://127.0.0.1/d?f=%E6%8A%A5.docx&x=1")
    assert not is_document("http://127.0.0.1/a.pdf/index.html")


def test_scope():
    scope = Scope.of(["http://www.lucheng.gov.cn/index.html", "http://61.150.65.235/x"])
    assert scope.on_site("https://zfxxgk.lucheng.gov.cn/a")
    assert scope.on_site("http://61.150.65.235:8080/a")
    assert not scope.on_site("http://www.wenzhou.gov.cn/a")
    assert scope.allows("http://www.wenzhou.gov.cn/a")
    assert not scope.allows("ftp://www.wenzhou.gov.cn/a")
    assert not scope.allows("http://www.example.com/a")
    assert not scope.allows("http://evilgov.cn/a")
    assert not scope.allows("http://gov.cn.example.com/a")
    assert not scope.allows("http://127.0.0.1/a")
    assert not scope.allows("http://localhost:22/a")
    assert Scope.of(["http://127.0.0.1:8000/"]).allows("http://localhost:9000/a")
    assert not Scope.of(["http://127.0.0.1:8000/"]).allows("http://127.0.0.2:8000/a")
    assert Scope.of(["http://127.0.0.1:8000/"], ["127.0.0.2"]).allows("http://127.0.0.2:8000/a")
    assert Scope.of(["http://www.lucheng.gov.cn/"], ["Files.Example.com"]).on_site("http://files.example.com/a.pdf")


@pytest.mark.parametrize(
    "url",
    [
        "http://lucheng.gov.cn.evil.com/a",
        "http://www.lucheng.gov.cn@evil.com/a",
        "http://evil.com/www.lucheng.gov.cn/a",
        "http://xlucheng.gov.cn.example/a",
        "http://evil.com#.lucheng.gov.cn",
        "http://evil.com\\.lucheng.gov.cn/a",
        "http://sdi-network.com/module/xxgk/xxgkAnnualReport.jsp?area=001008003001083&fbtime=2018",
        "http://180.76.149.248:88/a",
        "http://[::1]/a",
        "http://lucheng.gov.cn./a",
    ],
)
def test_a_clone_is_never_on_the_site(url):
    """Q-61: copies on other domains, some of which contain the real one's name."""
    scope = Scope.of(["http://www.lucheng.gov.cn/index.html"])
    assert not scope.on_site(url)
    assert not scope.allows(url)
