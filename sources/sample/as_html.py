"""Draws a report as the body of a web page, in the ways that real content management systems and Word leave it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from sources.sample.figures import Report
from sources.sample.form import Box, Form, forms
from sources.sample.prose import HEADINGS, prose

# Where pages break header words into lines.
BROKEN = {
    "商业企业": ("商业", "企业"),
    "科研机构": ("科研", "机构"),
    "社会公益组织": ("社会公", "益组织"),
    "法律服务机构": ("法律服", "务机构"),
    "自然人": ("自然", "人"),
    "结果维持": ("结果", "维持"),
    "结果纠正": ("结果", "纠正"),
    "其他结果": ("其他", "结果"),
    "尚未审结": ("尚未", "审结"),
    "本年新制作数量": ("本年新", "制作数量"),
    "本年新公开数量": ("本年新", "公开数量"),
    "对外公开总数量": ("对外公开", "总数量"),
    "上一年项目数量": ("上一年", "项目数量"),
    "处理决定数量": ("处理决定", "数量"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a page writes paragraphs, headings, tables and cells. `{}` takes the text."""

    paragraph: str
    heading: str
    table: str
    cell: str
    header: str | None = None
    empty: str = ""
    line_break: str = ""
    upper: bool = False
    wrap: str = "{}"


SPAN_14 = '<span style="font-size:14px">{}</span>'
SPAN_18 = '<span style="font-family: 仿宋, 仿宋_GB2312; font-size: 18px;">{}</span>'
WORD_RUN = "<span style='font-size:{}.0pt;font-family:仿宋_GB2312'>{{}}<span lang=EN-US><o:p></o:p></span></span>"
WORD_PARAGRAPH = "<p class=MsoNormal style='text-indent:32.0pt;line-height:28.0pt'>" + WORD_RUN.format(16) + "</p>"

LOOKS = {
    "clean": Look(
        paragraph="<p>{}</p>",
        heading="<h3>{}</h3>",
        table='<table class="report" border="1">',
        cell="<td{0}>{1}</td>",
        header="<th{0}>{1}</th>",
    ),
    "hanweb": Look(
        paragraph=f'<p style="text-indent: 2em; line-height: 2em;">{SPAN_18}</p>',
        heading=f'<p style="text-indent: 2em;"><strong>{SPAN_18}</strong></p>',
        table='<table cellspacing="0" cellpadding="0" style="border-collapse:collapse;" width="100%">',
        cell=f'<td style="border:1px solid"{{0}}><p style="text-align:center">{SPAN_14.replace("{}", "{1}")}</p></td>',
        line_break="<br/>",
    ),
    "word": Look(
        paragraph=WORD_PARAGRAPH,
        heading=WORD_PARAGRAPH.replace("仿宋_GB2312", "黑体"),
        table="<table class=MsoNormalTable border=1 cellspacing=0 cellpadding=0 style='border-collapse:collapse;border:none'>",
        cell="<td{0} style='border:solid 1.0pt'>"
        "<p class=MsoNormal align=center><span style='font-size:9.0pt'>{1}<o:p></o:p></span></p></td>",
        empty="&nbsp;",
        wrap='<table class="layout" width="100%" border="0"><tr><td valign="top">{}</td></tr></table>',
    ),
    "nbsp": Look(
        paragraph="<p>&nbsp;&nbsp;&nbsp;&nbsp;{}</p>",
        heading="<p><b>&nbsp;&nbsp;&nbsp;&nbsp;{}</b></p>",
        table='<table class="MsoTableGrid" border="1" width="100%">',
        cell="<td{0}><p>&nbsp;{1}&nbsp;</p></td>",
        empty="&nbsp;",
        line_break="<br>",
    ),
    "gbk": Look(
        paragraph="<p>　　{}</p>",
        heading="<p><font face=黑体>　　{}</font></p>",
        table="<table border=1 cellspacing=0 width=640 align=center>",
        cell="<td{0} align=center><font size=2>{1}</font></td>",
        line_break="<br>\n",
        upper=True,
    ),
}


def body(report: Report) -> str:
    """The article of a report's page: preface, six parts and three tables, without the site around it."""
    look = LOOKS[report.look]
    text = prose(report)
    two, three, four = forms(report)
    parts: tuple[Iterator[str], ...] = (
        _paragraphs(look, *text.overview),
        _table(look, two),
        _table(look, three),
        _table(look, four),
        _paragraphs(look, text.problems),
        _paragraphs(look, text.closing),
    )
    lines = [*_paragraphs(look, text.preface)]
    for heading, part in zip(HEADINGS, parts, strict=True):
        lines.append(look.heading.format(escape(heading, quote=False)))
        lines.extend(part)
    return look.wrap.format("\n".join(lines))


def _paragraphs(look: Look, *texts: str) -> Iterator[str]:
    for text in texts:
        yield look.paragraph.format(escape(text, quote=False))


def _table(look: Look, form: Form) -> Iterator[str]:
    tag = str.upper if look.upper else str
    yield tag(look.table)
    for row in form.by_row():
        yield tag("<tr>") + "".join(_cell(look, box) for box in row) + tag("</tr>")
    yield tag("</table>")


def _cell(look: Look, box: Box) -> str:
    spans = _span("rowspan", box.rows) + _span("colspan", box.cols)
    template = look.header if look.header and box.kind == "header" else look.cell
    text = template.format(spans, _text(look, box))
    return text.replace("<td", "<TD").replace("</td>", "</TD>") if look.upper else text


def _span(name: str, count: int) -> str:
    return f' {name}="{count}"' if count > 1 else ""


def _text(look: Look, box: Box) -> str:
    if not box.text:
        return look.empty
    if box.kind == "header" and look.line_break and box.text in BROKEN:
        return look.line_break.join(BROKEN[box.text])
    return escape(box.text, quote=False)
