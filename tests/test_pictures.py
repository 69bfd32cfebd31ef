"""Report pages whose tables are pictures (domain.md Q-46): the crawler fetches them, the reader puts their tables into the page."""

from __future__ import annotations

import csv
import io

import pypdfium2
import pytest

from extract.crawl.pages import read_report
from extract.reader import read_document
from sources.sample.server import HERE, PORTAL
from transform.tidy import Context, tidy

PDF = PORTAL / "wenzhou/lucheng/attach/0/22011142021.pdf"
URL = "http://127.0.0.1/art/2022/1/11/art_1.html"
HEADINGS = "<p>二、主动公开政府信息情况</p>{}<p>三、收到和处理政府信息公开申请情况</p>{}<p>四、政府信息公开行政复议、行政诉讼情况</p>"
PAGE = (
    "<html><head><title>某区人民政府办公室2021年政府信息公开工作年度报告</title></head><body>"
    "<div class='header'><img src='/img/top.jpg'></div><div id='zoom'><h1>某区人民政府办公室2021年政府信息公开工作年度报告</h1>"
    "<p>本报告所列数据的统计期限自2021年1月1日起至2021年12月31日止。</p><p>一、总体情况</p>" + HEADINGS + "</div></body></html>"
)
TABLE = "<table>" + "<tr><td>规章</td><td>0</td><td>0</td></tr>" * 3 + "</table>"


def attachments(page: str) -> list[str]:
    return [a.url.removeprefix("http://127.0.0.1") for a in read_report(page.encode(), URL).attachments]


def test_pictures_in_the_content_are_attachments_where_the_page_has_no_table() -> None:
    page = PAGE.format("<img src='2.png'>", "<img src='/up/3.jpg' width='680'><img src='share_icon.gif'><img src='dot.gif' width='12'>")
    assert attachments(page) == ["/art/2022/1/11/2.png", "/up/3.jpg"]


@pytest.mark.parametrize("page", [PAGE.format(TABLE, "<img src='2.png'>"), "<html><body><img src='2.png'><p>通知</p></body></html>"])
def test_pictures_beside_tables_or_on_other_pages_are_not(page: str) -> None:
    assert attachments(page) == []


def picture_of(page: int) -> bytes:
    out = io.BytesIO()
    with pypdfium2.PdfDocument(PDF) as pdf:
        pdf[page - 1].render(scale=200 / 72).to_pil().convert("L").save(out, "PNG")
    return out.getvalue()


def pages_with_table_four() -> int:
    with pypdfium2.PdfDocument(PDF) as pdf:
        return next(i + 1 for i in range(len(pdf)) if "未经复议直接起诉" in pdf[i].get_textpage().get_text_range().replace("\r\n", ""))


def test_the_tables_of_pictures_are_the_tables_of_the_page() -> None:
    number = pages_with_table_four()
    logo = io.BytesIO()
    with pypdfium2.PdfDocument(PDF) as pdf:
        pdf[0].render(scale=0.2).to_pil().crop((0, 0, 60, 20)).save(logo, "PNG")
    document = read_document(PAGE.format("<img src='2.png'>", "").encode(), "html", [logo.getvalue(), picture_of(number)])
    rows = tidy(document, Context("p", "330302", URL, "ab" * 32, "2026-01-01T00:00:00Z", "run"))
    with (HERE / "truth.csv").open(encoding="utf-8") as lines:
        truth = {
            r["indicator"]: r["value"]
            for r in csv.DictReader(lines)
            if (r["publisher_id"], r["year"], r["section"]) == ("lucheng-office", "2021", "litigation")
        }
    got = {o["indicator"]: o for o in rows["observation"] if o["section"] == "litigation"}
    assert {i: str(o["value"]) for i, o in got.items()} == truth
    assert {o["page"] for o in got.values()} == {2}
    assert all("rapidocr" in o["method"] for o in got.values())
    assert rows["report"][0]["year"] == 2021


def test_pictures_are_not_asked_where_the_page_has_its_own_table() -> None:
    document = read_document(PAGE.format(TABLE, "").encode(), "html", [b"not even a picture"])
    assert [g.n_rows for g in document.grids()] == [3]
    assert not document.problems
