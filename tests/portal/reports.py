"""Reports with known figures, as pages, PDF and DOCX, and the pages of the sites that list them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from forms import Rows, full, to_html

from sources.sample.as_docx import docx
from sources.sample.as_pdf import pdf
from sources.sample.figures import Report, load
from warehouse.districts import read_districts

PARTS = ("二、主动公开政府信息情况", "三、收到和处理政府信息公开申请情况", "四、政府信息公开行政复议、行政诉讼情况")
SECTIONS = ("proactive", "requests", "litigation")
Figures = dict[tuple[str, str | None], int]


@dataclass(frozen=True, slots=True)
class Body:
    """A publishing body: what the registry says of it."""

    id: str
    name: str
    district: str


@dataclass(frozen=True, slots=True)
class Printed:
    """A report: who, which year, and from which seed its figures are made."""

    body: Body
    year: int
    seed: int

    @property
    def form(self) -> int:
        return 2019 if self.year < 2021 else 2021

    @property
    def title(self) -> str:
        return f"{self.body.name}{self.year}年政府信息公开工作年度报告"

    @property
    def published(self) -> str:
        return f"{self.year + 1}-01-{10 + self.seed % 18:02d}"

    @property
    def figures(self) -> Figures:
        return _made(self.form, self.seed)[1]


@cache
def _made(form: int, seed: int) -> tuple[list[Rows], Figures]:
    return full(form, seed)  # type: ignore[return-value]


@cache
def counties() -> list[tuple[str, str]]:
    """Code and name of counties that are in force and whose name is no other one's."""
    rows = [d for d in read_districts() if d.level == "county" and d.valid_to is None and d.valid_from is None]
    names = [d.name for d in rows]
    return [(d.district_code, d.name) for d in rows if names.count(d.name) == 1 and d.name.endswith(("区", "县"))]


def body_of(id_: str, number: int) -> Body:
    """A made-up office of a real county, a different one for every number."""
    code, name = counties()[number * 7]
    return Body(id_, f"{name}人民政府办公室", code)


def page(report: Printed, extra: str = "", charset: str = "utf-8", head: str = "", title: str | None = None) -> str:
    """A report as a page of a content management system; `extra` stands at the end of the content."""
    title = title or report.title
    metas = f'<meta name="ArticleTitle" content="{title}"><meta name="PubDate" content="{report.published} 09:30">{head}'
    return _article(title, report.published, article(report) + extra, charset, metas)


def article(report: Printed) -> str:
    """The text and the tables of a report, without a page around them."""
    tables, _ = _made(report.form, report.seed)
    period = f"本报告所列数据的统计期限自{report.year}年1月1日起至{report.year}年12月31日止。"
    notice = "国办公开办函〔2019〕60号" if report.form == 2019 else "国办公开办函〔2021〕30号"
    preface = f"<p>根据《中华人民共和国政府信息公开条例》和{notice}要求，本机关编制{report.year}年度报告。{period}</p>"
    overview = "<p>一、总体情况</p><p>本机关认真落实条例，主动公开、依申请公开、平台建设、监督保障等工作有序推进。</p>"
    inner = "".join(f"<p>{p}</p>{to_html(t)}" for p, t in zip(PARTS, tables, strict=True))
    problems = "<p>五、存在的主要问题及改进情况</p><p>公开形式还不够丰富，将加强培训。</p>"
    closing = "<p>六、其他需要报告的事项</p><p>本年度未收取信息处理费。</p>"
    return preface + overview + inner + problems + closing


def story(title: str, *lines: str, published: str = "2022-01-20", extra: str = "") -> str:
    """An article that is no report."""
    return _article(title, published, "".join(f"<p>{line}</p>" for line in lines) + extra)


def _article(title: str, published: str, content: str, charset: str = "utf-8", metas: str = "") -> str:
    return (
        f'<!DOCTYPE html><html><head><meta charset="{charset}"><title>{title}</title>{metas}</head><body>'
        '<div class="header"><a href="/">首页</a> &gt; <a href="/zfxxgk/">政府信息公开</a></div>'
        f"<h1>{title}</h1><p class='info'>发布时间：{published}　来源：办公室</p>"
        f'<div class="content" id="zoom">{content}</div>'
        '<div class="footer"><a href="/about.html">关于我们</a> 备案号</div></body></html>'
    )


def items(links: Iterable[tuple[str, Printed | str]]) -> str:
    """Lines of an index: address and a report, or any other title."""
    return "".join(_item(url, what) for url, what in links)


def _item(url: str, what: Printed | str) -> str:
    title, day = (what, "2022-03-01") if isinstance(what, str) else (what.title, what.published)
    return f'<li><a href="{url}" title="{title}" target="_blank">{title}</a><span>{day}</span></li>\n'


def listing(links: Iterable[tuple[str, Printed | str]], after: str = "", charset: str = "utf-8", head: str = "", inside: str = "") -> str:
    """An index page; `inside` stands where the list does, `after` behind it."""
    return (
        f'<!DOCTYPE html><html><head><meta charset="{charset}"><title>政府信息公开年报</title>{head}</head><body>'
        '<div class="nav"><a href="/">首页</a><a href="/zfxxgk/">政府信息公开</a></div>'
        f'<div class="main"><ul class="list">{items(links)}</ul>{inside}</div><div class="page">{after}</div>'
        '<div class="footer"><a href="/about.html">网站地图</a></div></body></html>'
    )


@cache
def _samples() -> list[Report]:
    return load()


@cache
def _drawn(report: Printed, medium: str) -> bytes:
    sample = next(r for r in _samples() if r.layout == report.form and not r.truncated and not r.real)
    return {"pdf": pdf, "docx": docx}[medium](_as_sample(sample, report, medium))


def _as_sample(sample: Report, report: Printed, medium: str) -> Report:
    figures = report.figures
    cells = {key: str(figures[key[1:]]) for key in sample.cells}
    publisher = replace(sample.publisher, id=report.body.id, name=report.body.name, district=report.body.district)
    day = date.fromisoformat(report.published)
    made = replace(sample, publisher=publisher, year=report.year, title=report.title, published=day, medium=medium, cells=cells)
    return replace(made, own_error=None, cut_after=None, repeat_header=False, relabel={}, linked="page")


def as_pdf(report: Printed) -> bytes:
    """The report as a PDF."""
    return _drawn(report, "pdf")


def as_docx(report: Printed) -> bytes:
    """The report as a DOCX."""
    return _drawn(report, "docx")
