"""The words of a report: preface and the prose of its six numbered parts, with numbers taken from its figures."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sources.sample.figures import Report

HEADINGS = (
    "一、总体情况",
    "二、主动公开政府信息情况",
    "三、收到和处理政府信息公开申请情况",
    "四、政府信息公开行政复议、行政诉讼情况",
    "五、存在的主要问题及改进情况",
    "六、其他需要报告的事项",
)

NOTICE = {2019: "国办公开办函〔2019〕60号", 2021: "国办公开办函〔2021〕30号"}

PERIOD = (
    "本报告所列数据的统计期限自{year}年1月1日起至{year}年12月31日止",
    "本报告所列数据的统计期限为 {year} 年 1 月 1 日至 12 月 31 日",
    "本报告中所列数据的统计期限自{year}年1月1日起，至{year}年12月31日止",
)

OVERVIEW = (
    (
        "（一）主动公开情况。围绕群众办事需要调整栏目，全年通过政府网站发布信息{published}条，配发解读材料{explained}篇，举行新闻发布会{press}场。",
        "（二）依申请公开情况。全年新收政府信息公开申请{new}件，上年结转{carried_in}件，办结{processed}件，结转下年{carried_out}件。",
        "（三）政府信息管理情况。对存量文件逐件核对有效性，网上公布的文件注明文号、成文日期和效力状态。",
        "（四）平台建设情况。在窗口和图书馆设查阅点{points}个，保留政务新媒体账号{accounts}个，其余账号合并或者注销。",
        "（五）监督保障情况。举办业务培训{trainings}次，公开工作列入年度考核，全年没有需要追究责任的情形。",
    ),
    (
        "（一）主动公开。把握发布、解读、回应三个环节，网站全年更新信息{published}条，解读稿件{explained}篇，负责人出席发布会{press}次。",
        "（二）依申请公开。收到新申请{new}件，加上上年结转的{carried_in}件，已答复{processed}件，另有{carried_out}件转入下一年办理。",
        "（三）政府信息管理。公文起草时同步确定公开属性，不公开的写明理由，每季度抽查一次。",
        "（四）平台建设。网站增加大字版和语音阅读，线下查阅点{points}处，政务新媒体账号{accounts}个。",
        "（五）监督保障。组织培训{trainings}次，邀请企业和居民代表评议，意见已逐条答复，未发生责任追究。",
    ),
    (
        "（一）主动公开方面：以重大项目、民生实事、财政资金为重点，发布信息{published}条，图文和视频解读{explained}篇，发布会{press}场。",
        "（二）依申请公开方面：新收{new}件，上年结转{carried_in}件；当年办结{processed}件，{carried_out}件按规定延期到次年。",
        "（三）政府信息管理方面：实行编辑、科室、分管领导三级审看，错链和过期内容按月清理。",
        "（四）平台建设方面：整合栏目入口，公布查阅点{points}个，运行政务新媒体账号{accounts}个。",
        "（五）监督保障方面：全年培训{trainings}次，测评结果在内部通报；没有因公开工作不当受到追责的情况。",
    ),
)

PROBLEMS = (
    "一年来的工作还有差距：解读形式偏少，个别栏目更新慢。下一步将增加图解和问答，明确每个栏目的责任人和更新时限。",
    "主要不足是答复文书说理不够充分，基层人员变动较多。将修订答复样本，安排新到岗人员跟班学习。",
    "存在的问题：公开内容与群众关心的事项还不够贴近。改进办法：按季度梳理来信来电，把问得多的事项列入主动公开目录。",
)

CLOSING = {
    2019: ("没有其他需要报告的事项。", "除上述情况外，无其他需要报告的事项。"),
    2021: (
        "本年度没有收取信息处理费，也没有其他需要报告的事项。",
        "依据《政府信息公开信息处理费管理办法》，本年度发出收费通知0件，收取信息处理费0元。",
    ),
}

SCOPES = {
    "本办": "报告由{name}编制，所列数据均为本办数据。",
    "本机关": "报告反映本机关履行政府信息公开职责的情况。",
    "我办": "现公布我办{year}年政府信息公开工作年度报告。",
}


@dataclass(frozen=True, slots=True)
class Prose:
    """The text of a report. Parts two to four have their table where the prose of the other parts stands."""

    preface: str
    overview: tuple[str, ...]
    problems: str
    closing: str


def prose(report: Report) -> Prose:
    """Words the report; the variant depends on publisher and year only."""
    pick = report.publisher.number + report.year
    closings = CLOSING[report.layout]
    return Prose(
        preface=_preface(report, PERIOD[pick % len(PERIOD)]),
        overview=tuple(line.format(**_numbers(report)) for line in OVERVIEW[pick % len(OVERVIEW)]),
        problems=PROBLEMS[(pick // 2) % len(PROBLEMS)],
        closing=closings[pick % len(closings)],
    )


def footer(report: Report) -> str:
    """Says whether the figures are the office's own or made up."""
    if report.real:
        return f"演示站点：{report.year}年度的表格数字为该办公室公布的数字，文字和版式为演示而作"
    return "示例数据：本文各项数字为软件演示而编，并非该机关公布的统计"


def _preface(report: Report, period: str) -> str:
    law = f"根据《中华人民共和国政府信息公开条例》和《政府信息公开工作年度报告格式》（{NOTICE[report.layout]}），编制本报告。"
    scope = SCOPES[report.publisher.own].format(name=report.publisher.name, year=report.year)
    return law + scope + period.format(year=report.year) + "。"


def _numbers(report: Report) -> dict[str, int | Decimal]:
    rows = {"new": "new_received", "carried_in": "carried_in", "processed": "processed_total", "carried_out": "carried_out"}
    totals = {name: report.number("requests", code, "total") or Decimal(0) for name, code in rows.items()}
    return {**report.narrative, **totals}
