"""Draws a report as a DOCX file with merged cells (gridSpan, vMerge), the same bytes for the same figures."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from sources.sample.figures import Report
from sources.sample.form import Form, forms
from sources.sample.prose import HEADINGS, footer, prose

# The oldest time that a ZIP record can hold.
EPOCH = (1980, 1, 1, 0, 0, 0)
WIDTHS = {"proactive": (4.4, 3.6, 3.6, 3.6), "requests": (1.0, 2.0, 4.6, *[1.1] * 7), "litigation": (1.02,) * 15}


def docx(report: Report) -> bytes:
    """The file's bytes. The header rows of table three repeat on every page where there are three of them."""
    document = Document()
    _page(document, report)
    text = prose(report)
    title = document.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.add_run(report.title).bold = True
    document.add_paragraph(text.preface)
    parts: tuple[tuple[str, ...] | Form, ...] = (text.overview, *forms(report), (text.problems,), (text.closing,))
    for heading, part in zip(HEADINGS, parts, strict=True):
        document.add_paragraph().add_run(heading).bold = True
        if isinstance(part, Form):
            _table(document, part)
        else:
            for line in part:
                document.add_paragraph(line)
    return _fixed(document)


def _page(document: Any, report: Report) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.8)
    section.footer.paragraphs[0].text = footer(report)
    style = document.styles["Normal"]
    style.font.name, style.font.size = "仿宋_GB2312", Pt(12)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "仿宋_GB2312")
    made = datetime(report.published.year, report.published.month, report.published.day, tzinfo=UTC)
    core = document.core_properties
    core.title, core.author, core.comments = report.title, report.publisher.name, footer(report)
    core.created = core.modified = made
    core.last_modified_by, core.revision = "", 1


def _table(document: Any, form: Form) -> None:
    table = document.add_table(form.n_rows, form.n_cols, style="Table Grid")
    table.autofit = False
    grid = [list(row.cells) for row in table.rows]
    for col, width in enumerate(WIDTHS[form.section]):
        table.columns[col].width = Cm(width)
    for box in form.boxes:
        cell = grid[box.row][box.col].merge(grid[box.last_row][box.last_col])
        paragraph = cell.paragraphs[0]
        paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if box.kind == "label" else WD_ALIGN_PARAGRAPH.CENTER
        paragraph.add_run(box.text).font.size = Pt(9)
    for row in table.rows[: form.n_header]:
        row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _fixed(document: Any) -> bytes:
    """The package with every record at one fixed time, so that only content makes a difference."""
    made = io.BytesIO()
    document.save(made)
    out = io.BytesIO()
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            target.writestr(zipfile.ZipInfo(name, EPOCH), source.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
