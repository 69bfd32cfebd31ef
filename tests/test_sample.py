"""The sample portal: its figures keep the identities, its files are what the figures make, its server does what the crawler needs."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import re
import socket
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pypdfium2
import pytest
import yaml
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from sources.sample import as_pdf
from sources.sample.figures import HERE, Report, load, value_of
from sources.sample.layouts import APPLICANTS, LITIGATION, OUTCOMES, REQUESTS, RESULT_CODES, REVIEWS
from sources.sample.make import make
from sources.sample.server import PORTAL, registry, serve

REPORTS = load()
NAMES = [f"{report.publisher.folder}-{report.year}" for report in REPORTS]
BY_KEY = {(report.publisher.folder, report.year): report for report in REPORTS}
PAIRS = [(first, second) for first in REPORTS if (second := BY_KEY.get((first.publisher.folder, first.year + 1)))]
PAIR_NAMES = [f"{first.publisher.folder}-{first.year}" for first, _ in PAIRS]
ORGANISATIONS = list(APPLICANTS)[:-1]
needs_font = pytest.mark.skipif(
    not as_pdf.font_installed(), reason=f"the font of the Debian package {as_pdf.FONT_PACKAGE} is not installed"
)


@pytest.fixture(scope="module")
def portal() -> Iterator[str]:
    with serve(port=0) as base_url:
        yield base_url


# --- the figures


def broken_identities(report: Report) -> set[str]:
    """R1 to R4 over printed numbers; an empty cell counts as nothing in a sum, and an identity without numbers is left out."""
    return {*_by_column(report), *_by_row(report), *_by_review(report)}


def _by_column(report: Report) -> Iterator[str]:
    for applicant in APPLICANTS:
        rows = {code: report.number("requests", code, applicant) for code in REQUESTS[report.layout]}
        if any(value is None for value in rows.values()):
            continue
        if rows["new_received"] + rows["carried_in"] != rows["processed_total"] + rows["carried_out"]:
            yield f"R1 {applicant}"
        if rows["processed_total"] != sum(rows[code] for code in RESULT_CODES[report.layout][:-1]):
            yield f"R3 {applicant}"


def _by_row(report: Report) -> Iterator[str]:
    for code in REQUESTS[report.layout]:
        parts = [report.number("requests", code, applicant) or 0 for applicant in ORGANISATIONS]
        if sum(parts) != report.number("requests", code, "total"):
            yield f"R2 {code}"


def _by_review(report: Report) -> Iterator[str]:
    for review in REVIEWS:
        *parts, total = (report.number("litigation", f"{review}_{outcome}") for outcome in OUTCOMES)
        if total is not None and sum(part or 0 for part in parts) != total:
            yield f"R4 {review}"


@pytest.mark.parametrize("report", REPORTS, ids=NAMES)
def test_identities_hold_but_where_the_publisher_erred(report: Report) -> None:
    expected = {"R1 total", "R2 processed_total", "R3 total", "R4 reconsideration"} if report.own_error else set()
    assert broken_identities(report) == expected


def test_one_report_errs() -> None:
    assert [name for name, report in zip(NAMES, REPORTS, strict=True) if report.own_error] == ["qingjiangpu-2023"]


@pytest.mark.parametrize(("report", "after"), PAIRS, ids=PAIR_NAMES)
def test_pending_requests_are_carried_into_the_next_year(report: Report, after: Report) -> None:
    out = [report.number("requests", "carried_out", applicant) or 0 for applicant in APPLICANTS]
    assert out == [after.number("requests", "carried_in", applicant) or 0 for applicant in APPLICANTS]


@pytest.mark.parametrize(("before", "report"), PAIRS, ids=PAIR_NAMES)
def test_documents_in_force_roll_forward(before: Report, report: Report) -> None:
    stock = "normative_document_disclosed_total" if before.layout == 2019 else "normative_document_in_force"
    issued, repealed, in_force = (report.number("proactive", f"normative_document_{what}") for what in ("issued", "repealed", "in_force"))
    assert before.number("proactive", stock) + issued - repealed == in_force


def test_breadth_of_the_sample() -> None:
    years = Counter(report.publisher.district for report in REPORTS if not report.truncated)
    assert sum(count == 4 for count in years.values()) == 6
    assert len({district[:4] for district in years}) == 3
    assert {(report.year, report.layout) for report in REPORTS} == {(2020, 2019), (2021, 2021), (2022, 2021), (2023, 2021)}
    assert Counter(len(report.cells) for report in REPORTS) == {198: 7, 200: 24}


def test_lucheng_2021_is_the_real_report() -> None:
    report = BY_KEY["lucheng", 2021]
    assert report.real
    assert [other for other in REPORTS if other.real] == [report]
    assert report.number("requests", "new_received", "total") == 58
    assert [int(report.cells["requests", "processed_total", applicant]) for applicant in APPLICANTS] == [52, 2, 0, 0, 0, 0, 54]
    assert [int(report.cells["litigation", code, None]) for code in LITIGATION] == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 2, 0, 0, 0, 2]


@pytest.mark.parametrize(
    ("text", "value", "status"),
    [
        (None, None, "blank"),
        ("/", None, "not_applicable"),
        ("——", None, "not_applicable"),
        ("1,113", "1113", "reported"),
        ("388.6万元", "388.6", "reported"),
        ("251000元", "25.1", "reported"),
        ("8040", "8040", "reported"),
        ("-1", "-1", "reported"),
    ],
)
def test_value_of_what_is_printed(text: str | None, value: str | None, status: str) -> None:
    number, got = value_of(text)
    assert (None if number is None else f"{number.normalize():f}", got) == (value, status)


@given(st.text(alphabet="0123456789,./-—万元无 件", min_size=1, max_size=6))
def test_a_text_is_a_figure_or_an_error(text: str) -> None:
    try:
        number, status = value_of(text)
    except ValueError:
        assert not re.fullmatch(r"\d+", text)
    else:
        assert (number is None) == (status == "not_applicable")


def test_a_figure_of_another_layout_is_refused(tmp_path: Path) -> None:
    text = (HERE / "figures.yml").read_text(encoding="utf-8").replace("normative_document_made:", "normative_document_issued:", 1)
    (tmp_path / "figures.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="normative_document_issued"):
        load(tmp_path / "figures.yml")


# --- the made files


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("remade")
    make(folder, REPORTS)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    names = [*(folder / "portal").rglob("*"), folder / "sources.yml", folder / "truth.csv"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in names if path.is_file()}


def content(name: str, data: bytes) -> object:
    """What must be the same in a file whatever version of zlib and reportlab packed it."""
    if name.endswith(".docx"):
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return {part: package.read(part) for part in package.namelist()}
    if name.endswith(".pdf") and b"%%EOF" in data[-32:]:
        document = pypdfium2.PdfDocument(data)
        return [(page.get_textpage().get_text_bounded(), sum(1 for _ in page.get_objects())) for page in document]
    return len(data) > 10_000 if name.endswith(".pdf") else data


@needs_font
def test_committed_files_are_what_the_figures_make(remade: Path) -> None:
    committed, made = files(HERE), files(remade)
    assert committed.keys() == made.keys()
    assert [name for name in made if content(name, made[name]) != content(name, committed[name])] == []


@needs_font
def test_making_twice_gives_the_same_bytes(remade: Path, tmp_path: Path) -> None:
    make(tmp_path, REPORTS)
    assert files(tmp_path) == files(remade)


def test_a_missing_font_is_named_and_nothing_written(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sources.sample import as_pdf, make\n"
        "as_pdf.FONT_FILE = Path('/nowhere.ttc'); sys.exit(make.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--out", str(tmp_path)], cwd=HERE.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert as_pdf.FONT_PACKAGE in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_committed_size() -> None:
    assert sum(len(data) for data in files(HERE).values()) < 2_500_000


def pdfs() -> list[str]:
    return sorted(str(path.relative_to(PORTAL)) for path in PORTAL.rglob("*.pdf"))


def test_page_ends_inside_the_merged_cell() -> None:
    (name,) = (name for name in pdfs() if name.startswith("wenzhou/lucheng/"))
    texts = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(PORTAL / name)]
    (above,) = (n for n, text in enumerate(texts) if "（四）无" in text)
    assert "1.本机关不掌握相关政府信息" in texts[above]
    assert "法提供" not in texts[above]
    assert "法提供" in texts[above + 1]
    assert "2.没有现成信息需要另行制作" in texts[above + 1]


def test_one_pdf_is_broken_and_the_others_open() -> None:
    broken = []
    for name in pdfs():
        try:
            pypdfium2.PdfDocument(PORTAL / name).close()
        except pypdfium2.PdfiumError:
            broken.append(name)
    assert len(pdfs()) == 7
    assert [name.split("/")[1] for name in broken] == ["rongcheng"]


def test_docx_has_merged_cells_and_repeated_headers() -> None:
    documents = [Document(str(path)) for path in PORTAL.rglob("*.docx")]
    assert len(documents) == 4
    for document in documents:
        requests = document.tables[1]._tbl.xml
        assert requests.count("<w:tblHeader") == 3
        assert 'w:vMerge w:val="restart"' in requests
        assert 'w:gridSpan w:val="7"' in requests


def test_gb18030_page_says_gb2312() -> None:
    pages = [path.read_bytes() for path in PORTAL.rglob("*.html")]
    (page,) = (page for page in pages if b"charset=gb2312" in page)
    with pytest.raises(UnicodeDecodeError):
        page.decode("gb2312")
    assert "朱镕㙍" in page.decode("gb18030")


def rows_of(page: bytes, word: str) -> list[list[str]]:
    """The cells by row of the innermost table with that word, read by another library than the one that made it."""
    tree = html.fromstring(page.decode("gb18030" if b"gb2312" in page else "utf-8"))
    (table,) = (table for table in tree.xpath("//table[not(.//table)]") if word in "".join(table.itertext()))
    return [["".join(cell.itertext()).replace("\xa0", "").strip() for cell in row.xpath("td | th")] for row in table.xpath(".//tr")]


HTML_REPORTS = [report for report in REPORTS if report.medium == "html"]


@pytest.mark.parametrize("report", HTML_REPORTS, ids=[f"{report.publisher.folder}-{report.year}" for report in HTML_REPORTS])
def test_pages_print_the_figures(report: Report) -> None:
    page = (PORTAL / path_of(report)).read_bytes()
    printed = {key: text or "" for key, text in report.cells.items()}
    requests = [[printed["requests", code, applicant] for applicant in APPLICANTS] for code in REQUESTS[report.layout]]
    assert [row[-7:] for row in rows_of(page, "申请人情况")[3:]] == requests
    assert rows_of(page, "复议后起诉")[-1] == [printed["litigation", code, None] for code in LITIGATION]
    proactive = [cell for row in rows_of(page, "第二十条第（一）项") if len(row) > 1 and row[0] != "信息内容" for cell in row[1:]]
    assert proactive == [text for (section, _, _), text in printed.items() if section == "proactive"]
    assert ("示例数据" in page.decode("gb18030" if report.look == "gbk" else "utf-8")) is not report.real


def path_of(report: Report) -> str:
    folder = f"{report.publisher.city}/{report.publisher.folder}"
    number = report.publisher.number * 1000 + 40000 + report.year
    (path,) = (PORTAL / folder).rglob(f"*_{number}.html")
    return str(path.relative_to(PORTAL))


def test_truth_has_every_figure_of_the_readable_reports() -> None:
    with (HERE / "truth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    readable = [report for report in REPORTS if not report.truncated]
    assert len(rows) == sum(len(report.cells) for report in readable)
    cell = {(row["publisher_id"], row["year"], row["indicator"], row["applicant"]): (row["value"], row["value_status"]) for row in rows}
    assert cell["lucheng-office", "2021", "new_received", "total"] == ("58", "reported")
    assert cell["wendeng-office", "2020", "government_procurement_amount", ""] == ("388.6", "reported")
    assert cell["qingjiangpu-office", "2020", "government_procurement_amount", ""] == ("25.1", "reported")
    assert cell["rongcheng-office", "2023", "regulation_issued", ""] == ("", "not_applicable")
    assert cell["huaiyin-office", "2022", "new_received", "business"] == ("", "blank")
    assert cell["hongze-office", "2020", "administrative_license_decisions", ""] == ("1113", "reported")


# --- the server


def get(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request(method, parts.path or "/", headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_every_link_leads_somewhere_and_every_file_is_linked(portal: str) -> None:
    waiting, seen = [f"{portal}/index.html"], set()
    while waiting:
        url = waiting.pop()
        if url in seen or url.endswith("/admin/"):
            continue
        seen.add(url)
        status, headers, body = get(url)
        assert status == 200, url
        if headers["content-type"] == "text/html":
            waiting += [urljoin(url, href) for href in html.fromstring(body).xpath("//a/@href")]
    served = {urlsplit(url).path.lstrip("/") for url in seen}
    assert served == {str(path.relative_to(PORTAL)) for path in PORTAL.rglob("*") if path.is_file()} - {"robots.txt"}


def test_indexes_have_pages_and_list_every_report_once(portal: str) -> None:
    entries = yaml.safe_load(registry(portal))
    listed = {entry["id"]: index_titles(entry["index"][0]) for entry in entries}
    for report in REPORTS:
        assert listed[report.publisher.id].count(report.title) == 1
    assert not any("2020年" in title and "工作年度报告" in title for title in listed["huaiyin-office"])
    assert all(len(titles) >= 11 for titles in listed.values())


def index_titles(url: str) -> list[str]:
    titles, pages = [], 0
    while url:
        tree = html.fromstring(get(url)[2].decode())
        titles += [link.get("title") or link.text for link in tree.xpath("//li[span]/a | //td/a | //dd/a")]
        following = tree.xpath("//a[starts-with(text(), '下一页')]/@href")
        url, pages = (urljoin(url, following[0]) if following else ""), pages + 1
    assert pages >= 2
    return titles


def test_conditional_requests(portal: str) -> None:
    url = f"{portal}/wenzhou/index.html"
    status, headers, body = get(url)
    assert (status, headers["content-type"]) == (200, "text/html")
    assert body == (PORTAL / "wenzhou/index.html").read_bytes()
    for given_back in ({"If_None_Match": headers["etag"]}, {"If_Modified_Since": headers["last-modified"]}):
        again, _, empty = get(url, **given_back)
        assert (again, empty) == (304, b"")
    assert get(url, If_None_Match='"other"', If_Modified_Since=headers["last-modified"])[0] == 200
    assert get(url, If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT")[0] == 200
    assert get(url, If_Modified_Since="yesterday")[0] == 200


def test_gzip_only_where_accepted_and_only_html(portal: str) -> None:
    plain = get(f"{portal}/index.html")
    packed = get(f"{portal}/index.html", Accept_Encoding="gzip, deflate")
    assert "content-encoding" not in plain[1]
    assert packed[1]["content-encoding"] == "gzip"
    assert gzip.decompress(packed[2]) == plain[2]
    assert packed[1]["etag"] != plain[1]["etag"]
    pdf = get(f"{portal}/{pdfs()[0]}", Accept_Encoding="gzip")
    assert (pdf[1]["content-type"], "content-encoding" in pdf[1], pdf[2][:5]) == ("application/pdf", False, b"%PDF-")


def test_head_has_the_headers_of_get_and_no_body(portal: str) -> None:
    url = f"{portal}/index.html"
    status, headers, body = get(url, method="HEAD")
    assert (status, body) == (200, b"")
    assert headers["content-length"] == get(url)[1]["content-length"]


@pytest.mark.parametrize(
    "path", ["/wenzhou", "/wenzhou/lucheng/", "/admin/", "/../server.py", "/%2e%2e/figures.yml", "//etc/passwd", "/nothing.html"]
)
def test_what_is_not_there_is_404(portal: str, path: str) -> None:
    assert get(portal + path)[0] == 404


def test_robots(portal: str) -> None:
    assert b"Disallow: /admin/" in get(f"{portal}/robots.txt")[2]


def test_a_busy_port_gives_way_and_the_server_stops() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve(port=port) as base_url:
            assert base_url != f"http://127.0.0.1:{port}"
            assert get(f"{base_url}/robots.txt")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        get(f"{base_url}/robots.txt")


def test_registry_is_of_the_contract_and_on_the_given_address() -> None:
    entries = yaml.safe_load(registry("http://127.0.0.1:4711/"))
    assert len({entry["id"] for entry in entries}) == 8
    assert all(entry.keys() <= {"id", "publisher", "district", "kind", "scope", "index", "reports"} for entry in entries)
    assert all(entry["index"][0].startswith("http://127.0.0.1:4711/") for entry in entries)
    assert {entry["district"] for entry in entries} == {report.publisher.district for report in REPORTS}
