"""What departments deal with, as their names say it. Names that share no field are of different bodies; old and new names of one share one.

A reform that gave a body another name (工商局, 质监局 → 市场监督管理局; 安监局 → 应急管理局; 扶贫办 → 乡村振兴局 …) is a field in
common here. A field too many only makes the comparison say less.
"""

from __future__ import annotations

import re

FIELDS: dict[str, re.Pattern[str]] = {
    name: re.compile(words)
    for name, words in {
        "education": "教育|教体|教科|教文|招生|体育",
        "finance": "财政|财税|国资|国有资产|金融",
        "audit": "审计",
        "statistics": "统计",
        "justice": "司法|法制",
        "civil": "民政|老龄|社会工作|社会事务|退役|双拥",
        "police": "公安",
        "health": "卫生|卫健|卫计|计生|计划生育|疾控|疾病预防|中医|医疗保障|医保|食品药品|食药|老龄",
        "labour": "人力资源|人社|人力|社会保障|社会保险|社保|人事|劳动|就业|医疗保障|医保|社会事务",
        "building": "住房|住建|城乡建设|建设|建委|房产|房管|房屋|城建|规划|公积金|人防|人民防空|民防|国防动员|市政|园林|交通建设",
        "land": "自然资源|资规|自规|国土|规划|土地|林业|林草|海洋|测绘|矿|不动产",
        "transport": "交通|公路|港航|港口|运输|铁路|民航|邮政|运管|航运",
        "water": "水利|水务|水电|农水|河长|防汛|水文|移民",
        "farm": "农业|农村|农委|农办|农经|农水|农林|林业|林草|畜牧|扶贫|乡村振兴|农机|渔业|粮|供销|移民|农牧|农科",
        "commerce": "商务|经贸|外经|招商|投资促进|贸易|口岸|粮|供销|合作交流|经济合作|经合|商贸|商业",
        "planning": "发展和改革|发展改革|发展与改革|发改|计划|物价|粮|能源|数据|储备|经济发展|经发",
        "industry": "信息化|经信|工信|工业|经委|科技|科学技术|经济贸易|经贸|经济发展|经发|中小企业|数据|无线电|经科|教科|农科|商务|科工",
        "market": "市场监督|市场监管|市监|工商|质监|质量|食品药品|食药|药监|药品|知识产权|标准|计量",
        "safety": "应急|安监|安全生产|地震|消防|气象|安全监督",
        "environment": "环保|环境保护|生态环境",
        "city": "城管|城市管理|执法|市政|园林|绿化|市容|环卫|环境卫生|公用|城乡管理|城镇管理|城建",
        "culture": "文化|文旅|文广|旅游|体育|教体|教文|广电|广播|新闻出版|文物|版权|文体",
        "service": "政务|审批|数据|营商|公共资源|行政服务|信息中心|政管|办事|热线",
        "tax": "税务|国税|地税|财税",
        "logistics": "机关事务|机关后勤|接待",
        "petitions": "信访",
        "veterans": "退役|双拥|民政",
        "faith": "民族|宗教|民宗|侨|统战",
        "archives": "档案|史志|地方志|党史|方志",
        "disabled": "残联|残疾人",
        "customs": "海关",
    }.items()
}


def fields_of(text: str) -> frozenset[str]:
    """The fields a name speaks of; none where it says nothing that is known."""
    return frozenset(name for name, words in FIELDS.items() if words.search(text))
