"""What a document without the tables of a form is: a disclosure report in free prose, a report of another kind, or neither."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from extract.bodies import body_named, compare
from extract.grid import Document
from extract.titles import report_title
from transform.labels import compact
from transform.narrative import Section, split, title_lines

#: Least text of a report in prose; a page that only links its attachment has a title, a line or two, and no parts.
MIN_TEXT, MIN_PARTS = 200, 2

_OTHER = re.compile(
    r"人民政府工作报告|政府工作报告|预算|决算|法治政府|依法行政|统计公报|国民经济和社会发展|审计(?:结果|工作)?(?:报告|公告)|政府网站(?:工作)?年度"
    r"|工作总结|工作要点|年鉴|绩效|财政收支|环境状况公报|营商环境|行政执法(?:数据|统计|年度|情况)|巡[察视]|述职|质量报告|生态环境"
)
#: Parts of a disclosure report, whatever its form (domain.md §1.1, §1.3).
_OWN_PARTS = re.compile(r"主动公开|依申请公开|公开申请|不予公开|信息公开|政务公开|公开.*(?:行政复议|行政诉讼|收费)")
_PLAIN_PARTS = re.compile(
    r"^[^。；，,;]{0,20}(?:概述|总体情况|主动公开|依申请公开|收费及减免|行政复议|行政诉讼|主要问题|存在.{0,4}问题|改进措施)[^。；，,;]{0,20}$"
)
#: Parts that the forms since 2019 fill with a table: empty, the table is lost, and the rest is no prose report.
_TABLE_PARTS = re.compile(r"主动公开政府信息情况|收到和处理政府信息公开申请|行政复议、?(?:提起)?行政诉讼情况")


def other_report(document: Document) -> str | None:
    """The title of a report of another kind (政府工作报告, 预算, 法治政府建设 …); None where the document is none.

    Its own title decides, not that of the link; a document with two parts of a disclosure report is one, whatever its title.
    """
    texts = [t.text for t in document.texts()]
    titles = [t for t in (document.title, title_lines(texts)) if t]
    if any(report_title(t) for t in titles) or len(_headings(texts, _OWN_PARTS)) >= MIN_PARTS:
        return None
    return next((t for t in titles if _OTHER.search(compact(t))), None)


def other_body(document: Document, publisher: str) -> str | None:
    """The title of a report that surely is another body's than the publisher's; None where it is not, or can't be told.

    Only what the page calls itself and what the text prints count: the properties of a Word file are often those of the file it was made
    from.
    """
    titles = [document.title if document.media == "html" else None, compact(title_lines([t.text for t in document.texts()]))]
    named = [(title, body) for title in titles if title and report_title(title) and (body := body_named(title))]
    verdicts = {title: compare(body, publisher) for title, body in named}
    return None if "same" in verdicts.values() else next((title for title, verdict in verdicts.items() if verdict == "other"), None)


def is_prose_report(document: Document, link_title: str | None) -> bool:
    """Whether a document without tables is the text of a disclosure report: by its title, and by at least two parts with text.

    Not one are: an edition in pictures, a page that only links an attachment, a report whose parts for tables are empty, a document of
    which something could not be read.
    """
    if any(p.severity == "failure" for p in document.problems):
        return False
    texts = [t.text for t in document.texts()]
    titles = [found for t in (document.title, title_lines(texts), link_title) if t and (found := report_title(t))]
    if not titles or any(t.edition == "graphic" for t in titles):
        return False
    sections = split(texts)
    if any(s.heading and _TABLE_PARTS.search(compact(s.heading)) and not compact(s.text) for s in sections):
        return False
    parts = [s for s in sections if s.number and compact(s.text)]
    return _length(parts) >= MIN_TEXT and len(parts) >= MIN_PARTS if parts else _is_plain_prose(texts)


def _is_plain_prose(texts: Sequence[str]) -> bool:
    """Reports without numerals before their headings, as some were before 2014."""
    return len(_headings(texts, _PLAIN_PARTS)) > MIN_PARTS and sum(len(compact(t)) for t in texts) >= MIN_TEXT


def _headings(texts: Iterable[str], pattern: re.Pattern[str]) -> list[str]:
    short = [plain for t in texts if len(plain := compact(t)) <= 40 and not plain.endswith(("。", "；", ";"))]
    return [t for t in dict.fromkeys(short) if pattern.search(t) and not report_title(t)]


def _length(sections: Iterable[Section]) -> int:
    return sum(len(compact(s.text)) for s in sections)
