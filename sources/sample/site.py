"""Lays out the portal: addresses, report pages, attachments, notices, paged indexes, home pages and robots.txt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from posixpath import relpath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sources.sample.as_docx import docx
from sources.sample.as_html import body
from sources.sample.as_pdf import pdf
from sources.sample.figures import HERE, Publisher, Report
from sources.sample.notices import Notice, notices
from sources.sample.prose import footer

SITES = {"wenzhou": "温州市", "huaian": "淮安市", "weihai": "威海市"}
PER_PAGE = {"wenzhou": 7, "huaian": 8, "weihai": 5}
LONGEST_LINK = 24  # the second city's index cuts titles and keeps the whole one in the title attribute
DEMO = "示例数据：本站为软件演示而建，除另有说明外，各项数字均为编造"
ROBOTS = "User-agent: *\nDisallow: /admin/\nDisallow: /search\n"

Files = dict[str, bytes]
Draw = Callable[[Report], bytes]
DRAWN: dict[str, Draw] = {"pdf": pdf, "docx": docx}

TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
)


@dataclass(frozen=True, slots=True)
class Item:
    """A line of an index: where it leads (a path from the portal's root), its title and date."""

    path: str
    title: str
    published: date


def site(reports: Sequence[Report]) -> Files:
    """Every file of the portal by its path. Raises FontMissingError where the PDFs can't be made."""
    files: Files = {"robots.txt": ROBOTS.encode()}
    publishers: list[Publisher] = []
    for publisher, group in groupby(reports, key=lambda report: report.publisher):
        publishers.append(publisher)
        files |= _publisher(publisher, list(group))
    return files | dict(_homes(publishers))


def index_path(publisher: Publisher, page: int = 1) -> str:
    """Where a page of a publisher's index stands; the three sites number their pages differently."""
    name, number = {"wenzhou": ("col/zfxxgknb/index", page), "huaian": ("zfxxgknb/index", page - 1), "weihai": ("list", page)}[
        publisher.city
    ]
    suffix = "" if page == 1 else f"_{number}"
    return f"{_root(publisher)}/{name}{suffix}.html"


def _root(publisher: Publisher) -> str:
    return f"{publisher.city}/{publisher.folder}"


def article_path(publisher: Publisher, published: date, number: int) -> str:
    """Where a page stands, after the address habits of the three kinds of content management system."""
    root = _root(publisher)
    if publisher.city == "huaian":
        return f"{root}/zfxxgknb/{published:%Y%m}/t{published:%Y%m%d}_{number}.html"
    return f"{root}/art/{published.year}/{published.month}/{published.day}/art_{publisher.district}_{number}.html"


def attachment_path(report: Report, number: int) -> str:
    """Where the PDF or DOCX of a report stands."""
    publisher, day = report.publisher, report.published
    if publisher.city == "huaian":
        return f"{_root(publisher)}/zfxxgknb/{day:%Y%m}/P0{day:%Y%m%d}{number}.{report.medium}"
    return f"{_root(publisher)}/attach/0/{day:%y%m%d}{number}.{report.medium}"


def _publisher(publisher: Publisher, reports: Sequence[Report]) -> Files:
    files: Files = {}
    items = [_add_report(files, report, publisher.number * 1000 + 40000 + report.year) for report in reports]
    items += [_add_notice(files, publisher, notice, n) for n, notice in enumerate(notices(publisher), publisher.number * 1000 + 51000)]
    items.sort(key=lambda item: (item.published, item.path), reverse=True)
    return files | dict(_index(publisher, items))


def _add_report(files: Files, report: Report, number: int) -> Item:
    """Adds the files of a report; the item leads to its page, or straight to its PDF where the index links that."""
    path = article_path(report.publisher, report.published, number)
    if report.medium != "html":
        attachment = attachment_path(report, number)
        files[attachment] = DRAWN[report.medium](report)
        if report.linked == "index":
            return Item(attachment, report.title, report.published)
    content = body(report) if report.medium == "html" else _link(report, relpath(attachment, path.rpartition("/")[0]))
    template = "gbk" if report.look == "gbk" else report.publisher.city
    page = _article(template, path, report.publisher, report.title, report.published, number, content, footer(report))
    files[path] = page.encode("gb18030" if report.look == "gbk" else "utf-8")
    return Item(path, report.title, report.published)


def _link(report: Report, href: str) -> str:
    name = f"{report.title}.{report.medium}"
    words = "附件下载" if report.publisher.city == "huaian" else name
    return f'<p>{report.title}全文见附件。</p>\n<p class="attach">附件：<a href="{href}" title="{name}">{words}</a></p>'


def _add_notice(files: Files, publisher: Publisher, notice: Notice, number: int) -> Item:
    path = article_path(publisher, notice.published, number)
    content = "\n".join(f"<p>{line}</p>" for line in notice.lines)
    page = _article(publisher.city, path, publisher, notice.title, notice.published, number, content, DEMO)
    files[path] = page.encode()
    return Item(path, notice.title, notice.published)


def _article(template: str, path: str, publisher: Publisher, title: str, published: date, number: int, content: str, note: str) -> str:
    return _render(
        f"{template}-article",
        publisher=publisher,
        title=title,
        published=published,
        number=number,
        note=note,
        body=_Markup(content),
        home=f"/{publisher.city}/index.html",
        index=relpath(index_path(publisher), path.rpartition("/")[0]),
    )


def _render(name: str, **values: Any) -> str:
    return TEMPLATES.get_template(f"{name}.html.j2").render(**values)


class _Markup(str):
    """Text that is HTML already."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def _index(publisher: Publisher, items: Sequence[Item]) -> Iterator[tuple[str, bytes]]:
    size = PER_PAGE[publisher.city]
    pages = -(-len(items) // size)
    for page in range(1, pages + 1):
        shown = items[(page - 1) * size : page * size]
        yield index_path(publisher, page), _index_page(publisher, shown, page, pages).encode()


def _index_page(publisher: Publisher, items: Sequence[Item], page: int, pages: int) -> str:
    here = index_path(publisher, page).rpartition("/")[0]
    names = {number: relpath(index_path(publisher, number), here) for number in range(1, pages + 1)}
    return _render(
        f"{publisher.city}-list",
        publisher=publisher,
        items=[_line(item, here, number) for number, item in enumerate(items, 1)],
        page=page,
        pages=pages,
        links=[{"number": number, "href": name, "here": number == page} for number, name in names.items()],
        first=names[1],
        last=names[pages],
        previous=names.get(page - 1),
        next=names.get(page + 1),
        home=f"/{publisher.city}/index.html",
        note=DEMO,
    )


def _line(item: Item, here: str, number: int) -> dict[str, object]:
    short = item.title if len(item.title) <= LONGEST_LINK else item.title[:LONGEST_LINK] + "..."
    return {"href": relpath(item.path, here), "title": item.title, "short": short, "published": item.published, "number": number}


def _homes(publishers: Sequence[Publisher]) -> Iterator[tuple[str, bytes]]:
    cities = [{"href": f"/{city}/index.html", "title": name} for city, name in SITES.items()]
    yield "index.html", _render("home", title="gongkai 演示门户", links=cities, note=DEMO).encode()
    for city, name in SITES.items():
        links = [{"href": f"/{index_path(p)}", "title": p.name} for p in publishers if p.city == city]
        yield f"{city}/index.html", _render("home", title=f"{name}（演示站点）", links=links, note=DEMO).encode()
