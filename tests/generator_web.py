"""Reports as web pages and Word files, in the ways that real sites and programs write them."""

from __future__ import annotations

import io
import random
import re
import zipfile
from html import escape

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from forms import lay_out
from generator import P, Report, Sheet, column_shares, quirk

HTML, WORD = ("html",), ("docx", "export")


def _flag(name: str) -> None:
    def apply(rng: random.Random, report: Report) -> None:
        report.style.add(name)

    apply.__name__ = name
    quirk(4, media=HTML if name.startswith("html_") else WORD)(apply)


for _name in (
    "html_word_pasted",
    "html_layout_table",
    "html_nested_layout",
    "html_gb18030",
    "html_gb2312_undeclared",
    "html_utf8_declared_gbk",
    "html_big5_labels",
    "html_paragraphs",
    "html_sections",
    "html_unclosed",
    "html_comments",
    "html_spans_of_one",
    "html_upper_case",
    "html_inputs",
    "html_entities",
    "html_menu",
    "docx_runs",
    "docx_content_control",
    "docx_tracked",
    "docx_layout_table",
    "docx_grid_before",
    "docx_paragraphs",
    "docx_tabs",
):
    _flag(_name)


# --- HTML


def html(report: Report, seed: int) -> bytes:
    """The page's bytes."""
    rng = random.Random(f"html {seed}")
    style = report.style
    body = "\n".join(_html_block(b, rng, style) for b in report.blocks)
    if "html_layout_table" in style:
        body = f'<table width="980"><tr><td>&nbsp;</td><td colspan="2">{body}</td></tr></table>'
    if "html_nested_layout" in style:
        inner = f"<table><tr><td>当前位置：首页</td></tr><tr><td><div>{body}</div></td></tr></table>"
        body = f'<table><tr><td colspan="1200">{inner}</td></tr></table>'
    if "html_menu" in style:
        links = "".join(f'<li><a href="#">{t}</a></li>' for t in ("首页", "政府信息公开指南", "政府信息公开年报", "依申请公开"))
        body = f"<ul>{links}</ul>{body}<div>主办：{report.publisher}　ICP备12345678号</div>"
    charset = _charset(style)
    meta = {"utf-8": "utf-8", "gb18030": "gb2312", "big5": "big5"}[charset]
    if "html_utf8_declared_gbk" in style:
        meta = "gbk"
    declared = "" if "html_gb2312_undeclared" in style else f'<meta charset="{meta}">'
    page = f"<!DOCTYPE html><html><head>{declared}<title>{report.blocks[0]}</title></head><body>{body}</body></html>"
    if "html_upper_case" in style:
        page = re.sub(r"</?[a-z]+", lambda m: m.group().upper(), page)
    return page.encode(charset, errors="xmlcharrefreplace")


def _charset(style: set[str]) -> str:
    if "html_big5_labels" in style:
        return "big5"
    return "gb18030" if style & {"html_gb18030", "html_gb2312_undeclared"} else "utf-8"


def _html_block(block: str | Sheet, rng: random.Random, style: set[str]) -> str:
    if isinstance(block, Sheet):
        return _html_table(block, rng, style)
    return (
        f'<p class="MsoNormal"><span lang="EN-US">{escape(block)}</span></p>' if "html_word_pasted" in style else f"<p>{escape(block)}</p>"
    )


def _html_table(sheet: Sheet, rng: random.Random, style: set[str]) -> str:
    rows = [f"<tr>{''.join(_td(c, rng, style) for c in row)}{'' if 'html_unclosed' in style else '</tr>'}" for row in sheet.rows]
    if "html_sections" in style and sheet.section in ("requests", "litigation") and _closed(sheet, 3):
        rows = ["<thead>", *rows[:3], "</thead>", "<tbody>", *rows[3:], "</tbody>"]
    if "html_comments" in style:
        rows.insert(1, "<!--[if !supportMisalignedColumns]--><!--[endif]-->")
    opening = (
        '<table class="MsoNormalTable" border="1" style="border-collapse:collapse">'
        if "html_word_pasted" in style
        else '<table border="1">'
    )
    return opening + "\n".join(rows) + "</table>"


def _closed(sheet: Sheet, at: int) -> bool:
    return all(r + c.rows <= at for r, row in enumerate(sheet.rows[:at]) for c in row)


def _td(cell: P, rng: random.Random, style: set[str]) -> str:
    always = "html_spans_of_one" in style
    spans = (f' rowspan="{cell.rows}"' if cell.rows > 1 or always else "") + (f' colspan="{cell.cols}"' if cell.cols > 1 or always else "")
    tag = "th" if cell.kind == "head" and "html_sections" in style else "td"
    closing = "" if "html_unclosed" in style else f"</{tag}>"
    return f"<{tag}{spans}>{_td_text(cell, rng, style)}{closing}"


def _td_text(cell: P, rng: random.Random, style: set[str]) -> str:
    text = cell.text
    if "html_inputs" in style and cell.key and "\n" not in text:
        return f'<input type="text" value="{escape(text)}">'
    lines = [escape(line) for line in text.split("\n")]
    if "html_entities" in style:
        lines = ["".join(f"&#{ord(c)};" if rng.random() < 0.3 and c not in "&;#" else c for c in line) for line in text.split("\n")]
    if "html_word_pasted" in style:
        lines = [_word_spans(line, rng) for line in lines]
        return "".join(f'<p class="MsoNormal" align="center">{line or "&nbsp;"}<o:p></o:p></p>' for line in lines)
    if "html_paragraphs" in style:
        return "".join(f"\n  <p>\n    {line}\n  </p>\n" for line in lines)
    return "<br>".join(lines)


def _word_spans(line: str, rng: random.Random) -> str:
    """Runs as Word exports them: a change of font in the middle of a word, or of a number, breaks the source but not the line."""
    if "&" in line or len(line) < 2 or rng.random() < 0.5:
        return f"<span>{line}</span>"
    at = rng.randint(1, len(line) - 1)
    return f'<span style="font-family:宋体">{line[:at]}</span><span lang="EN-US">{line[at:]}</span>'


# --- DOCX


def word(report: Report, seed: int) -> bytes:
    """The Word file's bytes."""
    rng = random.Random(f"docx {seed}")
    document = docx.Document()
    body = document.element.body
    for block in report.blocks:
        xml = _w_table(block, rng, report.style) if isinstance(block, Sheet) else _w_paragraph(block, rng, report.style)
        body.insert(len(body) - 1, parse_xml(f"<w:body {_NS}>{xml}</w:body>")[0])
        if isinstance(block, Sheet) and not _next_is_glued(report, block):
            body.insert(len(body) - 1, parse_xml(f"<w:p {_NS}/>"))
    if "docx_layout_table" in report.style:
        _wrap(body)
    if "landscape" in report.style:
        section = document.sections[0]
        section.page_width, section.page_height = section.page_height, section.page_width
    return _saved(document)


_NS = nsdecls("w")
#: In twentieths of a point.
_TABLE_WIDTH = 9200
_MARGINS = '<w:tblCellMar><w:left w:w="20" w:type="dxa"/><w:right w:w="20" w:type="dxa"/></w:tblCellMar>'


def _next_is_glued(report: Report, sheet: Sheet) -> bool:
    place = report.place(sheet)
    after = report.blocks[place + 1] if place + 1 < len(report.blocks) else None
    return isinstance(after, Sheet) and after.glued


def _wrap(body: object) -> None:
    """Everything in the one cell of a table, as web exports do."""
    inner = list(body)[:-1]  # type: ignore[call-overload]
    table = parse_xml(f"<w:tbl {_NS}><w:tblPr/><w:tblGrid><w:gridCol/></w:tblGrid><w:tr><w:tc><w:tcPr/></w:tc></w:tr></w:tbl>")
    cell = table.find(f".//{{{table.nsmap['w']}}}tc")
    for element in inner:
        cell.append(element)
    cell.append(parse_xml(f"<w:p {_NS}/>"))
    body.insert(0, table)  # type: ignore[attr-defined]


def _saved(document: object) -> bytes:
    """The package with fixed times: the same report gives the same bytes."""
    made, out = io.BytesIO(), io.BytesIO()
    document.save(made)  # type: ignore[attr-defined]
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), source.read(name))
    return out.getvalue()


_NAME = "WenQuanYi Micro Hei"
_FONTS = f'<w:rPr><w:rFonts w:ascii="{_NAME}" w:hAnsi="{_NAME}" w:eastAsia="{_NAME}"/><w:sz w:val="15"/></w:rPr>'


def _w_run(text: str) -> str:
    return f'<w:r>{_FONTS}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _w_paragraph(text: str, rng: random.Random, style: set[str]) -> str:
    lines = text.split("\n")
    runs = "<w:r><w:br/></w:r>".join(_w_runs(line, rng, style) for line in lines)
    return f"<w:p>{runs}</w:p>"


def _w_runs(line: str, rng: random.Random, style: set[str]) -> str:
    if "docx_tabs" in style and line and not line[0].isdigit() and rng.random() < 0.2:
        return f"<w:r><w:tab/></w:r>{_w_run(line)}"
    if "docx_runs" in style and len(line) > 1:
        at = rng.randint(1, len(line) - 1)
        return _w_run(line[:at]) + '<w:bookmarkStart w:id="1" w:name="x"/><w:bookmarkEnd w:id="1"/>' + _w_run(line[at:])
    if "docx_tracked" in style and line.isdigit() and rng.random() < 0.3:
        gone = f'<w:del w:id="7" w:author="x"><w:r><w:delText>{rng.randint(0, 99)}</w:delText></w:r></w:del>'
        return gone + f'<w:ins w:id="8" w:author="x">{_w_run(line)}</w:ins>'
    if "docx_content_control" in style and rng.random() < 0.2:
        return f"<w:sdt><w:sdtContent>{_w_run(line)}</w:sdtContent></w:sdt>"
    return _w_run(line)


def _w_table(sheet: Sheet, rng: random.Random, style: set[str]) -> str:
    grid = lay_out(sheet.rows)  # type: ignore[arg-type]
    shares = column_shares(grid)
    widths = [round(_TABLE_WIDTH * share / sum(shares)) for share in shares]
    by_row: list[list[tuple[int, str]]] = [[] for _ in range(grid.n_rows)]
    for cell in grid.cells:
        for r in range(cell.row, cell.row_end):
            merge = "" if cell.row_span == 1 else '<w:vMerge w:val="restart"/>' if r == cell.row else "<w:vMerge/>"
            width = f'<w:tcW w:w="{sum(widths[cell.col : cell.col_end])}" w:type="dxa"/>'
            span = f'<w:gridSpan w:val="{cell.col_span}"/>' if cell.col_span > 1 else ""
            text = _w_cell(cell.text if r == cell.row else "", rng, style)
            by_row[r].append((cell.col, f"<w:tc><w:tcPr>{width}{span}{merge}</w:tcPr>{text}</w:tc>"))
    rows = "".join(_w_row(r, cells, sheet, style) for r, cells in enumerate(by_row))
    columns = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
    edges = "".join(f'<w:{e} w:val="single" w:sz="4"/>' for e in ("top", "left", "bottom", "right", "insideH", "insideV"))
    layout = f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{edges}</w:tblBorders><w:tblLayout w:type="fixed"/>{_MARGINS}'
    return f"<w:tbl><w:tblPr>{layout}</w:tblPr><w:tblGrid>{columns}</w:tblGrid>{rows}</w:tbl>"


def _w_row(number: int, cells: list[tuple[int, str]], sheet: Sheet, style: set[str]) -> str:
    cells.sort(key=lambda c: c[0])
    texts = [xml for _, xml in cells]
    properties = "<w:trPr><w:tblHeader/></w:trPr>" if number < 3 and sheet.section == "requests" and sheet.repeat_header else ""
    if "docx_grid_before" in style and number > 4 and len(texts) > 1 and "<w:vMerge/>" in texts[0] and "gridSpan" not in texts[0]:
        properties, texts = '<w:trPr><w:gridBefore w:val="1"/></w:trPr>', texts[1:]
    return f"<w:tr>{properties}{''.join(texts)}</w:tr>"


def _w_cell(text: str, rng: random.Random, style: set[str]) -> str:
    if "docx_paragraphs" in style:
        return "".join(_w_paragraph(line, rng, style) for line in text.split("\n")) + ("<w:p/>" if rng.random() < 0.1 else "")
    return _w_paragraph(text, rng, style)
