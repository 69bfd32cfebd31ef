"""The shipped registry of real publishers, the rules it is checked by, and proposals from live index pages."""

import re
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest
import yaml
from site_server import Page, Site
from typer.testing import CliRunner

from extract.crawl.page import Page as CrawledPage
from flows.cli import app
from flows.cli_sources import shipped
from flows.propose import best, codes_named
from flows.registry import load_registry
from flows.registry_rules import CLONES, check_registry, forbidden, forbidden_address
from warehouse.districts import codes, read_districts

SHIPPED, FAULTS = check_registry(shipped(), codes())
DISTRICTS = {district.district_code: district for district in read_districts()}
#: Bare IP addresses on which bodies publish, named in domain.md §5 and §6.
KNOWN_IPS = {"61.150.65.235", "180.76.149.248", "58.18.7.203", "122.137.242.24", "124.93.205.130"}


# --- the shipped registry


def test_the_shipped_registry_has_no_fault_and_is_what_a_run_reads():
    assert [str(fault) for fault in FAULTS] == []
    assert load_registry(shipped(), codes()) == SHIPPED
    assert len(SHIPPED) >= 60
    assert not any("127.0.0.1" in url for source in SHIPPED for url in source.urls())  # the sample portal is no part of it


@pytest.mark.parametrize("source", SHIPPED, ids=lambda source: source.id)
def test_shipped_entry(source):
    for host in source.all_hosts():
        assert host.endswith(".gov.cn") or (host in KNOWN_IPS and host in source.hosts)
    assert source.evidence
    assert source.crawled is False  # nobody has crawled it from here yet
    district = DISTRICTS[source.district]
    stem = district.name if len(district.name) < 3 else re.sub(r"(自治县|自治州|自治区|[省市县区盟旗])$", "", district.name)
    assert stem in source.publisher
    assert district.valid_to is None
    endings = {
        "government": rf"{district.name}人民政府$",
        "office": r"人民政府办公[室厅]$",
        "township": r"(街道办事处|[镇乡]人民政府)$",
        "department": r"(局|委员会|中心|分局)$",
        "other": r"(管理委员会|办公室|办事处)$",
    }
    assert re.search(endings[source.kind], source.publisher)
    if source.kind == "government":
        assert not re.search(r"(镇|乡|街道)人民政府$", source.publisher)


def test_what_was_not_seen_is_said_and_rare():
    derived = [source.id for source in SHIPPED if "not seen" in (source.evidence or "")]
    assert len(derived) <= len(SHIPPED) * 0.05
    assert all("derived" in source.evidence for source in SHIPPED if source.id in derived)


def test_files_are_named_for_their_provinces():
    files = sorted(path.name for path in shipped().glob("*.yml"))
    assert len(files) >= 20
    assert all(re.fullmatch(r"\d\d-[a-z]+(-[a-z]+)*\.yml", name) for name in files)


# --- the rules

ENTRY = """\
    - id: lucheng-office
      publisher: 温州市鹿城区人民政府办公室
      district: "330302"
      kind: office
      index: ["http://www.lucheng.gov.cn/col/col1/index.html"]
      reports:
        - {year: 2021, url: "http://www.lucheng.gov.cn/art/2022/1.html"}
      evidence: seen
      crawled: false
"""


def messages(tmp_path, text, name="sources.yml"):
    path = tmp_path / name
    path.write_text(dedent(text), "utf-8")
    return [fault.message for fault in check_registry(path, codes())[1]]


def test_a_right_entry_has_no_fault(tmp_path):
    assert messages(tmp_path, ENTRY) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lucheng-office", "lucheng", "not of the style <place>-<body>"),
        ("lucheng-office", "lucheng--office", "not of the style <place>-<body>"),
        ("      evidence: seen\n", "", "needs 'evidence'"),
        ("      crawled: false\n", "", "needs 'crawled'"),
        ("www.lucheng.gov.cn/col", "www.lucheng.com/col", "index: www.lucheng.com is no government host"),
        ("www.lucheng.gov.cn/col", "lucheng.gov.cn.example.com/col", "is no government host"),
        ("www.lucheng.gov.cn/col", "xdaring.com/col", "xdaring.com is a copy of a government site"),
        ("www.lucheng.gov.cn/art", "m.xdaring.com/art", "reports: m.xdaring.com is a copy of a government site"),
        ("      crawled: false\n", "      crawled: false\n      hosts: [xdaring.com]\n", "hosts: xdaring.com is a copy"),
        ("www.lucheng.gov.cn/col", "122.137.242.24:8080/col", "122.137.242.24 is a bare IP address: name it under 'hosts'"),
    ],
)
def test_a_broken_rule_is_one_fault(tmp_path, old, new, message):
    assert old in ENTRY
    (found,) = messages(tmp_path, ENTRY.replace(old, new, 1))
    assert message in found


def test_an_ip_that_the_entry_names_is_allowed(tmp_path):
    text = ENTRY.replace("www.lucheng.gov.cn/col", "122.137.242.24:8080/col", 1) + "      hosts: [122.137.242.24]\n"
    assert messages(tmp_path, text) == []


def test_a_portal_on_loopback_needs_no_evidence(tmp_path):
    text = re.sub(r"www\.lucheng\.gov\.cn", "127.0.0.3:8000", ENTRY).replace("      evidence: seen\n      crawled: false\n", "")
    assert messages(tmp_path, text) == []


def second(**changes):
    text = ENTRY.replace("lucheng-office", "lucheng-second").replace("区人民政府办公室", "区统计局")
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new, 1)
    return text


OWN_REPORT = ("www.lucheng.gov.cn/art/2022/1.html", "www.lucheng.gov.cn/art/2022/2.html")


def test_a_shared_index_is_no_fault(tmp_path):
    assert messages(tmp_path, ENTRY + second(a=OWN_REPORT)) == []


@pytest.mark.parametrize("address", ["http://www.lucheng.gov.cn/art/2022/1.html", "https://lucheng.gov.cn/art/2022/1.html"])
def test_one_report_of_two_publishers_is_a_fault(tmp_path, address):
    (found,) = messages(tmp_path, ENTRY + second(a=("http://www.lucheng.gov.cn/art/2022/1.html", address)))
    assert "stands in entry 'lucheng-office'" in found


def test_an_index_that_is_the_report_of_another_is_a_fault(tmp_path):
    text = ENTRY + second(a=OWN_REPORT, b=("www.lucheng.gov.cn/col/col1/index.html", "www.lucheng.gov.cn/art/2022/1.html"))
    (found,) = messages(tmp_path, text)
    assert "is a report of entry 'lucheng-office'" in found


def test_one_body_under_two_ids_is_a_fault(tmp_path):
    (found,) = messages(tmp_path, ENTRY + second(a=OWN_REPORT, b=("区统计局", "区人民政府办公室")))
    assert found.startswith("publisher stands in entry 'lucheng-office'")


@pytest.mark.parametrize(("name", "faults"), [("33-zhejiang.yml", 0), ("32-jiangsu.yml", 1), ("zhejiang.yml", 0)])
def test_a_province_file_holds_its_own_districts_only(tmp_path, name, faults):
    found = messages(tmp_path, ENTRY, name)
    assert len(found) == faults
    assert all("does not lie in province 32" in message for message in found)


def test_forbidden_hosts():
    assert forbidden("www.gov.cn", []) is forbidden("127.0.0.2", []) is None
    assert forbidden("gov.cn.evil.com", []) and forbidden("evilgov.cn", []) and forbidden("8.8.8.8", [])
    assert all(forbidden(clone, [clone]) for clone in CLONES)
    assert all(forbidden_address(url) for url in ("ftp://a.gov.cn/", "a.gov.cn", "http://[::1", "http://www.xdaring.com/a"))
    assert not any(host.endswith("gov.cn") for host in CLONES)


# --- the command


def run(*arguments):
    return CliRunner().invoke(app, ["sources", *map(str, arguments)])


def test_check_counts_and_exit_status(tmp_path):
    result = run("check")
    assert result.exit_code == 0
    assert f"{len(SHIPPED)} publishers" in result.output
    zhejiang = next(line for line in result.output.splitlines() if "浙江省" in line)
    assert zhejiang.split()[-1] == str(sum(source.district.startswith("33") for source in SHIPPED))
    path = tmp_path / "bad.yml"
    path.write_text(dedent(ENTRY).replace("evidence", "evidnce"), "utf-8")
    result = run("check", path)
    assert result.exit_code == 2
    assert "bad.yml:8" in result.output and "did you mean 'evidence'?" in result.output
    assert run("check", tmp_path / "none").exit_code == 2


def listing(body, years=(2024, 2023, 2022), site="", after=""):
    items = "".join(
        f'<li><a href="/zfxxgknb/t{year}.html">{body}{year}年政府信息公开工作年度报告</a><span>{year + 1}-01-18</span></li>'
        for year in years
    )
    meta = f'<meta name="SiteName" content="{site}">' if site else ""
    return Page(f"<html><head>{meta}<title>政府信息公开年报</title></head><body><ul>{items}</ul>{after}</body></html>")


@pytest.fixture
def served(monkeypatch):
    """Serves a page to `gongkai sources add` without a crawler process; returns its address."""

    def serve(page, path="/a/"):
        url = f"http://127.0.0.1:8000{path}"
        monkeypatch.setattr("flows.propose.fetch", lambda asked, _: CrawledPage(asked, page.payload))
        return url

    return serve


def entry_of(output):
    (entry,) = yaml.safe_load(output[output.index("#") :])
    return entry


def test_add_proposes_and_asks_for_the_index_only():
    page = listing("石家庄市桥西区人民政府办公室", site="石家庄市桥西区人民政府", after="冀ICP备14000001号")
    with Site({"/zfxxgknb/": page}) as site:
        result = run("add", site.url("/zfxxgknb/"))
    assert result.exit_code == 0, result.output
    assert entry_of(result.output) == {
        "id": "qiaoxi-office",
        "publisher": "石家庄市桥西区人民政府办公室",
        "district": "130104",
        "kind": "office",
        "index": [site.url("/zfxxgknb/")],
        "evidence": f"gongkai sources add, {datetime.now(UTC):%Y-%m-%d}",
        "crawled": datetime.now(UTC).date(),
    }
    assert "2022, 2023, 2024" in result.output and "plain" in result.output
    assert [asked.path for asked in site.asked()] == ["/zfxxgknb/"]
    assert site.log[0].path == "/robots.txt"


def test_add_takes_what_is_given_and_what_it_prints_can_be_run(tmp_path, served):
    out = tmp_path / "mine.yml"
    url = served(listing("区审计局", site="石家庄市桥西区人民政府"))
    arguments = ("add", url, "--publisher", "南京市鼓楼区审计局", "--kind", "other", "--out", out)
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    (source,) = load_registry(out, codes())
    assert (source.publisher, source.district, source.kind, source.index) == ("南京市鼓楼区审计局", "320106", "other", [url])
    before = out.read_bytes()
    again = run(*arguments)
    assert again.exit_code == 2
    assert "is taken already" in again.output
    assert out.read_bytes() == before


def test_add_appends_to_a_file_and_keeps_what_is_in_it(tmp_path, served):
    out = tmp_path / "33-zhejiang.yml"
    out.write_text("# ours\n" + dedent(ENTRY), "utf-8")
    assert run("add", served(listing("温州市龙湾区人民政府")), "--out", out).exit_code == 0
    assert out.read_text("utf-8").startswith("# ours\n" + dedent(ENTRY).rstrip())
    assert [source.id for source in load_registry(out, codes())] == ["lucheng-office", "longwan-government"]
    refused = run("add", served(listing("南京市鼓楼区人民政府")), "--out", out)
    assert refused.exit_code == 2
    assert "does not lie in province 33" in refused.output
    assert len(load_registry(out, codes())) == 2


def test_add_without_out_writes_nothing(tmp_path, monkeypatch, served):
    monkeypatch.chdir(tmp_path)
    assert run("add", served(listing("温州市鹿城区人民政府"))).exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_several_districts_bear_is_a_question(served):
    url = served(listing("鼓楼区人民政府"))
    result = run("add", url)
    assert result.exit_code == 2
    offered = set(re.findall(r"--district (\d{6})", result.output))
    assert offered == {code for code, d in DISTRICTS.items() if d.name == "鼓楼区" and d.valid_to is None}
    assert "江苏省南京市鼓楼区" in result.output
    assert entry_of(run("add", url, "--district", "350102").output)["district"] == "350102"
    assert run("add", url, "--district", "999999").exit_code == 1


@pytest.mark.parametrize(
    ("body", "after", "district"),
    [
        ("鼓楼区人民政府", "网站标识码：3501020001", "350102"),
        ("鼓楼区统计局", "豫ICP备05000001号", "410204"),
        ("统计局", "网站标识码3303020001", "330302"),
    ],
)
def test_the_code_of_the_site_and_its_province_decide(served, body, after, district):
    assert entry_of(run("add", served(listing(body, after=after))).output)["district"] == district


def test_years_of_a_drop_down_are_reports(served):
    options = "".join(f'<option value="{year}">{year}年</option>' for year in (2024, 2023, 2022))
    body = f"<html><h1>温州市鹿城区人民政府办公室2024年政府信息公开工作年度报告</h1><select>{options}</select>正文</html>"
    result = run("add", served(Page(body), "/module/xxgk/xxgkAnnualReport.jsp?area=001008003001001&fbtime=2024"))
    assert result.exit_code == 0, result.output
    entry = entry_of(result.output)
    assert (entry["publisher"], entry["district"]) == ("温州市鹿城区人民政府办公室", "330302")
    assert "2022, 2023, 2024" in result.output and "annual_jsp" in result.output


@pytest.mark.parametrize(("page", "reason"), [(listing(""), "--publisher"), (listing("审计局"), "no district is named")])
def test_what_the_page_does_not_say_is_asked_for(served, page, reason):
    result = run("add", served(page))
    assert result.exit_code == 1
    assert reason in result.output


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ({"/a/": Page("<html><a href='b.html'>工作动态</a></html>")}, "lists no report"),
        ({}, "404"),
        ({"/a/": listing("温州市鹿城区人民政府"), "/robots.txt": Page("User-agent: *\nDisallow: /a/")}, "robots"),
    ],
)
def test_what_can_not_be_proposed_says_why(pages, reason):
    with Site(pages) as site:
        result = run("add", site.url("/a/"))
    assert result.exit_code == 1
    assert reason in result.output
    assert not any(asked.path == "/a/" for asked in site.log) or "robots" not in reason


@pytest.mark.parametrize("url", ["ftp://a.gov.cn/", "www.lucheng.gov.cn", "https://xdaring.com/col/", "http://example.com/zfxxgknb/"])
def test_addresses_that_can_not_be_sources_are_not_asked(url):
    result = run("add", url)
    assert result.exit_code == 2
    assert "copy" in result.output or "government host" in result.output or "not an http" in result.output


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("温州市鹿城区统计局", ["330302"]),
        ("义乌市上溪镇人民政府", ["330782"]),
        ("浙江省统计局", ["330000"]),
        ("襄樊市统计局", ["420600"]),  # a former name of a code in force
        ("伊犁哈萨克自治州伊宁县人民政府", ["654021"]),
        ("审计局", []),
    ],
)
def test_districts_named(text, expected):
    found = [d.district_code for d in best(codes_named(text), set(codes_named(text)))]
    assert found == expected


def test_every_host_of_the_registry_is_a_name_or_an_address():
    for source in SHIPPED:
        for url in source.urls():
            host = urlsplit(url).hostname or ""
            assert re.fullmatch(r"[a-z0-9.-]+", host) or ip_address(host)
    assert isinstance(shipped(), Path)
