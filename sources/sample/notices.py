"""Other notices that stand between the reports in the indexes; several have the words 年度报告 in their titles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sources.sample.figures import Publisher


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of the portal."""

    published: date
    title: str
    lines: tuple[str, ...]


def notices(publisher: Publisher) -> list[Notice]:
    """The notices of a publisher; dates differ from one to the next by a few days."""
    day = publisher.number + 3
    place, name = publisher.place, publisher.name
    return [
        Notice(date(2020, 6, day), f"{place}政府信息公开指南", ("公众可以通过政府网站、查阅点查询信息，也可以提出书面申请。",)),
        Notice(date(2021, 5, day), f"{place}2021年政务公开工作要点", ("一、突出重点领域公开。", "二、提高解读回应质量。")),
        Notice(date(2022, 2, day), f"{name}2022年部门预算公开", ("预算收支总表和“三公”经费情况另见财政栏目。",)),
        Notice(
            date(2021, 12, day),
            "关于做好2021年政府信息公开工作年度报告编制工作的通知",
            (f"{place}各部门、各乡镇（街道）：", "请于1月20日前报送年度报告，并在网站专栏公布。"),
        ),
        Notice(date(2023, 2, day), f"{place}2022年法治政府建设年度报告", ("现将2022年度法治政府建设情况报告如下。",)),
        Notice(date(2022, 1, day), f"{place}政府网站工作年度报表（2021年度）", ("网站年度访问量和发布总数见报表。",)),
        Notice(date(2020, 12, day), f"{place}政府信息公开申请办理流程图", ("登记、审查、答复、归档。",)),
        Notice(date(2023, 6, day), f"关于公开征集{place}2023年度重大行政决策事项的公告", ("意见可以寄送或者在线提交。",)),
    ]
