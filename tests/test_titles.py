"""Titles as seen in real indexes: which are reports, of which year, in which edition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.titles import is_other_document, is_truncated, report_title

REPORTS = [
    ("温州市鹿城区人民政府办公室2021年政府信息公开工作年度报告", 2021),
    ("2021年度政府信息公开工作年度报告", 2021),
    ("鹿城区住建局2008年政府信息公开年度报告", 2008),
    ("瓯海区潘桥街道2023年政府信息公开年报", 2023),
    ("2020年度政府信息公开年报", 2020),
    ("关于2021年政府信息公开工作情况的报告", 2021),
    ("龙湾区2022年度政府信息公开工作报告", 2022),
    ("区教育局2019年信息公开工作年度报告", 2019),
    ("2017年信息公开年度报告", 2017),
    ("政府信息公开工作2021年度报告", 2021),
    ("平阳县财政局政府信息公开2020年年度报告", 2020),
    ("永嘉县界坑乡政府信息公开年度报告（2022年）", 2022),
    ("永嘉县界坑乡政府信息公开工作年度报告(2022年度)", 2022),
    ("２０２１年政府信息公开工作年度报告", 2021),
    ("二〇二一年政府信息公开工作年度报告", 2021),
    ("二○二一年政府信息公开年度报告", 2021),
    ("二〇一〇年度政府信息公开工作年度报告", 2010),
    ("二零二零年度政府信息公开年报", 2020),
    ("2021 年 政 府 信 息 公 开 工 作 年 度 报 告", 2021),
    ("2021年\u200b政府信息公开\xa0工作年度报告", 2021),
    ("2022-01-28 2021年政府信息公开工作年度报告", 2021),
    ("[2022/1/28]2021年政府信息公开工作年度报告", 2021),
    ("2021年政府信息公开工作年度报告（2022年1月28日）", 2021),
    ("关于公布2020年政府信息公开工作年度报告的公告", 2020),
    ("关于印发《2020年政府信息公开工作年度报告》的通知", 2020),
    ("2021年政府信息公开工作年度报告.pdf", 2021),
    ("附件：鹿城区2021年政府信息公开工作年度报告.docx", 2021),
    ("2021政府信息公开年报", 2021),
    ("宁波市人民政府2020年政府信息公开工作年度报告（超链版）", 2020),
    ("2018年度政府信息公开情况年度报告", 2018),
    ("2016年政府信息公开工作年报", 2016),
    ("政府信息公开工作年度报告", None),
    ("2008-2012年政府信息公开年度报告", None),
    ("2021年、2022年政府信息公开年度报告", None),
    ("2021年政府信息公开工作年度…", 2021),
    ("附件1 2021年政府信息公开工作年度报告", 2021),
    ("国办公开办函〔2021〕30号 2022年政府信息公开工作年度报告", 2022),
]

GRAPHIC = [
    "【图解】2021年政府信息公开工作年度报告",
    "鹿城区2022年政府信息公开工作年度报告（图解）",
    "一图读懂2021年政府信息公开工作年度报告",
    "宿州市2019年政府信息公开年度报告（图片版）",
    "《2021年政府信息公开工作年度报告》解读",
    "2023年政府信息公开年度报告图文解读",
]

OTHERS = [
    "政府信息公开指南",
    "2021年政府信息公开指南",
    "政府信息公开目录",
    "政府信息公开制度",
    "政府信息公开工作年度报告制度",
    "2021年政务公开工作要点",
    "2022年政务公开工作实施方案",
    "关于做好2021年度政府信息公开工作年度报告编制工作的通知",
    "关于做好2021年政府信息公开工作年度报告编制和发布工作的通知",
    "关于报送2020年政府信息公开年度报告的通知",
    "关于发布2021年度政府信息公开工作年度报告的通知",
    "2021年部门预算",
    "2020年度部门决算公开",
    "2021年法治政府建设年度报告",
    "2021年法治政府建设情况报告",
    "2022年政府工作报告",
    "2021年统计年报",
    "政府信息公开申请表",
    "依申请公开申请流程",
    "政府信息公开",
    "政府信息公开年报专栏",
    "历年政府信息公开年报",
    "2021年第三季度政府信息公开情况统计表",
    "2022年上半年政府信息公开工作情况报告",
    "2021年度政务公开第三方评估报告",
    "关于2021年度政府信息公开年度报告检查情况的通报",
    "2021年政府网站工作年度报表",
    "2021年度环境信息公开年度报告",
    "2021年政府信息公开…",
    "2021年政府信息公开指…",
    "关于召开会议的通知",
    "年度报告",
    "",
    " ",
]


@pytest.mark.parametrize(("text", "year"), REPORTS)
def test_reports(text, year):
    title = report_title(text)
    assert title is not None
    assert (title.year, title.edition) == (year, "text")


@pytest.mark.parametrize("text", GRAPHIC)
def test_parallel_editions(text):
    title = report_title(text)
    assert title is not None
    assert title.edition == "graphic"


@pytest.mark.parametrize("text", OTHERS)
def test_other_titles(text):
    assert report_title(text) is None


def test_kind():
    assert report_title("2021年政府信息公开年报").kind == "disclosure"
    assert report_title("2021年政务公开年报").kind == "affairs"
    assert report_title("2021年度政务公开工作年度报告").kind == "affairs"


@given(st.integers(2008, 2030), st.sampled_from(["温州市", "鹿城区人民政府办公室", "xx镇", ""]), st.sampled_from(["", "度"]))
def test_year_in_every_spelling(year, body, du):
    digits = "".join("〇一二三四五六七八九"[int(d)] for d in str(year))
    wide = "".join(chr(ord(d) + 0xFEE0) for d in str(year))
    for spelling in (str(year), digits, wide, digits.replace("〇", "○"), f" {year} "):
        title = report_title(f"{body}{spelling}年{du}政府信息公开工作年度报告")
        assert title is not None
        assert title.year == year


@given(st.text())
def test_any_text_is_answered(text):
    title = report_title(text)
    assert title is None or title.year is None or 2003 <= title.year <= 2099


@given(st.text(alphabet="年月日0123456789-/.政府信息公开工作年度报告 〇二", max_size=40))
def test_a_year_is_never_made_up(text):
    title = report_title(text)
    if title is not None and title.year is not None and "二" not in text:
        assert str(title.year) in text.replace(" ", "")


def test_truncation_and_other_documents():
    assert is_truncated("2021年政府信息公…")
    assert is_truncated("2021年政府信息公...")
    assert not is_truncated("2021年政府信息公开年报")
    assert is_other_document("政府信息公开指南.pdf")
    assert not is_other_document("附件1.pdf")
    assert not is_other_document("2021年政府信息公开工作年度报告.pdf")
