"""Prose of a simulated panel: six parts of text per report, as long as those of real ones, and sentences that state its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from benchmarks.national_figures import ONE, Cell

HEADINGS = (
    "一、总体情况",
    "二、主动公开政府信息情况",
    "三、收到和处理政府信息公开申请情况",
    "四、政府信息公开行政复议、行政诉讼情况",
    "五、存在的主要问题及改进情况",
    "六、其他需要报告的事项",
)
#: Phrases of each part: about 1,500 characters of prose in all, as in the reports of the corpus (two to five printed pages with tables).
LENGTHS = (110, 0, 0, 0, 60, 12)
STATED = {
    "new_received": "新收政府信息公开申请",
    "carried_in": "上年结转",
    "processed_total": "当年办结",
    "carried_out": "结转下年度继续办理",
    "granted": "予以公开",
}
_VOCABULARY = """
本机关 全区 全县 各乡镇 各街道 各部门 认真 严格 持续 深入 全面 积极 进一步 切实 稳步 不断 落实 贯彻
推进 加强 规范 完善 健全 优化 拓展 强化 提升 做好 政府信息公开条例 政务公开 主动公开 依申请公开
基层政务公开标准化规范化 政府网站 政务新媒体 公开平台 公开目录 规范性文件 政策解读 回应关切 社会监督 工作机制
管理制度 审核程序 保密审查 培训学习 考核评议 答复文书 办理流程 群众需求 重点领域 财政预决算 公共服务 营商环境
民生保障 安全生产 食品药品 教育医疗 环境保护 征地拆迁 乡村振兴 项目建设 行政许可 行政处罚 工作水平 工作质量
及时性 准确性 透明度 公信力 知情权 参与权 监督权 有待提高 不够及时 存在差距 下一步 今年以来 按照要求
结合实际 围绕中心 服务大局 以公开促落实 以公开促规范 以公开促服务 的 了 和 对 并 等 较 更加 方面 情况
工作
"""
WORDS = _VOCABULARY.split()
MARKS = ("，", "，", "，", "。", "、")
FEE = ("本年度没有收取信息处理费。", "依据《政府信息公开信息处理费管理办法》，本年度发出收费通知0件，收取信息处理费0元。", "")


def prose(report_id: str, rng: np.random.Generator, stated: str) -> Iterator[dict[str, Any]]:
    """Rows of the frame `narrative`; the first part ends with the sentence that states figures."""
    for number, (heading, length) in enumerate(zip(HEADINGS, LENGTHS, strict=True), 1):
        text = _phrases(rng, length) if length else "（表格见附件）"
        extra = {1: stated, len(HEADINGS): FEE[int(rng.integers(len(FEE)))]}.get(number, "")
        yield {"report_id": report_id, "section_no": number, "heading": heading, "text": text + extra}


def _phrases(rng: np.random.Generator, length: int) -> str:
    words = rng.integers(len(WORDS), size=3 * length).tolist()
    marks = rng.integers(len(MARKS), size=length).tolist()
    return "".join(
        f"{WORDS[a]}{WORDS[b]}{WORDS[c]}{MARKS[mark]}" for a, b, c, mark in zip(words[::3], words[1::3], words[2::3], marks, strict=True)
    )


def stated_figures(figures: Mapping[Cell, int | None]) -> list[tuple[str, int]]:
    """(indicator, value) of the figures that a report's text states: totals of requests that are numbers."""
    found = [(name, figures.get((name, "total"))) for name in STATED]
    return [(name, value) for name, value in found if value is not None]


def sentence(stated: list[tuple[str, int]]) -> str:
    """The figures of `stated_figures` in one sentence."""
    return "，".join(f"{STATED[name]}{value // ONE}件" for name, value in stated) + "。"


def claims(report_id: str, stated: list[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    """Rows of the frame `claim`: what the sentence states is what the table says."""
    text = sentence(stated)
    for number, (name, value) in enumerate(stated, 1):
        place = {"section_no": 1, "sentence": text, "start": text.index(STATED[name]) + len(STATED[name])}
        figure = {"indicator": name, "applicant": "total", "agrees": True, "value": Decimal(value) / ONE, "unit": "件", "qualifier": None}
        yield {"report_id": report_id, "claim_no": number, "what": STATED[name], **place, **figure}
