"""Which body a title names, and whether it is the publisher: never `other` for the publisher's own report, whatever it calls itself."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.bodies import BodyNames, body_named, compare, take_apart
from extract.grid import Document, Text
from extract.reader import read_document
from transform.kinds import other_body
from transform.tidy import Context, tidy
from warehouse.districts import read_districts

LUCHENG = "温州市鹿城区人民政府办公室"
CORPUS = Path(__file__).parents[2] / "shared" / "corpus"


def verdict(title, publisher, publishers=()):
    return BodyNames.of(publisher, tuple(publishers)).judge(title)


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("温州市鹿城区人民政府办公室2021年政府信息公开工作年度报告", "温州市鹿城区人民政府办公室"),
        ("2021年度区教育局政府信息公开工作年度报告", "区教育局"),
        ("鹿城区2021年度教育局政府信息公开年报", "鹿城区教育局"),
        ("关于鹿城区教育局2021年政府信息公开工作情况的报告", "鹿城区教育局"),
        ("鹿城区教育局关于2021年政府信息公开工作情况的报告", "鹿城区教育局"),
        ("《鹿城区教育局2021年政府信息公开工作年度报告》", "鹿城区教育局"),
        ("【图解】鹿城区教育局2021年政府信息公开工作年度报告", "鹿城区教育局"),
        ("一图读懂：鹿城区教育局2021年政府信息公开工作年度报告", "鹿城区教育局"),
        ("附件1：鹿城区教育局2021年政府信息公开工作年度报告.docx", "鹿城区教育局"),
        ("鹿城区人民政府信息公开年报（2021年）", "鹿城区人民政府"),
        ("鹿 城 区 教 育 局 2021 年 政 府 信 息 公 开 年 报", "鹿城区教育局"),
        ("鹿城区教育局二〇二一年政府信息公开年度报告", "鹿城区教育局"),
        ("首页>政府信息公开>鹿城区教育局2021年政府信息公开年报", "鹿城区教育局"),
        ("2021年政府信息公开工作年度报告_鹿城区人民政府", None),
        ("鹿城区人民政府 2021年政府信息公开工作年度报告", None),
        ("鹿城区人民政府门户网站2021年政府信息公开工作年度报告", None),
        ("2021年政府信息公开工作年度报告", None),
        ("我局2021年政府信息公开工作年度报告", None),
        ("本机关2021年政府信息公开工作年度报告", None),
        ("全区2021年政府信息公开工作年度报告", None),
        ("关于转发鹿城区2021年政府信息公开工作年度报告的通知", None),
        ("2021年政府工作报告", None),
        ("", None),
    ],
)
def test_the_body_a_title_names(title, body):
    assert body_named(title) == body


OWN = {
    LUCHENG: [
        "鹿城区人民政府办公室",
        "鹿城区政府办公室",
        "区人民政府办公室",
        "区府办",
        "鹿城区府办",
        "区政府办",
        "人民政府办公室",
        "鹿城区人民政府",
        "鹿城区人民政府（办公室）",
        "鹿城区",
        "温州市鹿城区",
        "温州市",
        "鹿城区人民政府及办公室",
        "区人民政府（区政府办）",
        "鹿城区本级政府",
    ],
    "温州市鹿城区人民政府": ["鹿城区", "鹿城区人民政府", "鹿城区人民政府办公室", "区政府", "温州市鹿城区人民政府办公室"],
    "永嘉县人民政府": ["永嘉县", "永嘉县政府", "县政府", "县府办", "永嘉县人民政府办公室", "永嘉"],
    "苏州市吴江区人民政府": ["吴江市", "吴江市人民政府", "吴江区"],
    "温州市鹿城区住房和城乡建设局": [
        "鹿城区住建局",
        "区住建局",
        "住建局",
        "鹿城区建设局",
        "鹿城区住房和城乡建设委员会",
        "温州市鹿城区住建局",
        "鹿城区规划建设局",
    ],
    "海宁市发展和改革局": ["海宁市发改局", "市发改委", "海宁市发展和改革委员会", "海宁市物价局", "海宁市发展改革局（粮食局）"],
    "鹿城区市场监督管理局": [
        "区市监局",
        "鹿城区市场监管局",
        "鹿城区工商行政管理局",
        "温州市工商行政管理局鹿城分局",
        "鹿城区质量技术监督局",
        "食品药品监督管理局",
    ],
    "鹿城区应急管理局": ["鹿城区安全生产监督管理局", "区安监局"],
    "鹿城区乡村振兴局": ["鹿城区扶贫开发办公室", "鹿城区扶贫办", "鹿城区农业农村局"],
    "鹿城区卫生健康局": ["鹿城区卫生局", "鹿城区卫计局", "鹿城区卫生和计划生育局", "区卫健委"],
    "鹿城区综合行政执法局": ["鹿城区城市管理局", "区城管局", "鹿城区综合行政执法局（城市管理局）"],
    "温州市自然资源和规划局鹿城分局": [
        "资规分局",
        "鹿城区自然资源和规划局",
        "鹿城资规分局",
        "温州市国土资源局鹿城分局",
        "温州市自然资源和规划局鹿城分局",
    ],
    "鹿城区自然资源和规划局": ["温州市自然资源和规划局鹿城分局", "区自规局", "鹿城区国土资源局", "鹿城区规划局"],
    "温州市公安局鹿城区分局": ["鹿城公安分局", "鹿城区公安分局", "温州市公安局鹿城分局", "温州市公安局"],
    "温州市鹿城区人民政府滨江街道办事处": ["滨江街道", "滨江街道办事处", "鹿城区滨江街道", "鹿城区人民政府滨江街道办事处", "滨江街道办"],
    "永嘉县界坑乡人民政府": ["界坑乡", "永嘉县界坑乡", "界坑乡政府", "界坑乡人民政府"],
    "威海市文登区审计局": ["区审计局", "文登区审计局", "文登市审计局", "威海市文登区审计局"],
    "汝州市城市管理局": ["汝州市城管局", "市城管局", "汝州市城市管理综合执法局", "汝州市城市管理局"],
    "沭阳县住房保障和房产管理局": ["沭阳县房产局", "县房管局", "沭阳县住房保障和房产管理局", "沭阳县住建局"],
    "温州经济技术开发区管理委员会": ["温州经开区管委会", "温州经济技术开发区", "开发区管委会", "温州经开区"],
    "景德镇市人民政府": ["景德镇市", "景德镇", "景德镇市人民政府办公室"],
    "阳泉市城区人民政府": ["阳泉市城区", "城区", "城区人民政府"],
    "萧县人民政府": ["萧县", "萧县人民政府办公室", "县政府"],
    "海南省人民政府": ["海南省", "海南省人民政府办公厅", "省政府"],
    "国家税务总局温州市鹿城区税务局": ["鹿城区税务局", "温州市鹿城区国家税务局", "鹿城税务", "国家税务总局温州市鹿城区税务局"],
    "鹿城区新居民服务中心": ["新居民服务中心", "鹿城区新居民服务管理局"],
    "内蒙古自治区人民政府": ["内蒙古自治区", "内蒙古", "自治区人民政府"],
    "阿坝藏族羌族自治州人民政府": ["阿坝州", "州政府", "阿坝藏族羌族自治州"],
}


@pytest.mark.parametrize(("publisher", "name"), [(p, n) for p, names in OWN.items() for n in names])
def test_a_publishers_own_report_is_never_anothers(publisher, name):
    for title in (f"{name}2021年政府信息公开工作年度报告", f"2021年{name}政府信息公开年报", f"{name}政府信息公开工作2021年度报告"):
        assert verdict(title, publisher) in ("same", "unknown"), (title, body_named(title), take_apart(name))


OTHER = {
    LUCHENG: [
        "鹿城区教育局",
        "区教育局",
        "教育局",
        "鹿城区滨江街道",
        "滨江街道办事处",
        "藤桥镇",
        "龙湾区人民政府",
        "龙湾区",
        "温州市人民政府",
        "区机关事务管理局",
    ],
    "温州市鹿城区人民政府": ["鹿城区财政局", "瓯海区人民政府", "温州市人民政府", "鹿城区山福镇人民政府"],
    "温州市人民政府": ["鹿城区人民政府", "温州市鹿城区人民政府", "永嘉县", "温州市教育局", "市审计局"],
    "温州市鹿城区教育局": ["龙湾区教育局", "鹿城区财政局", "滨江街道", "鹿城区人民政府", "鹿城区人民政府办公室", "区司法局", "市审计局"],
    "温州市教育局": ["温州市鹿城区教育局", "温州市财政局", "温州市人民政府"],
    "温州市自然资源和规划局": ["温州市自然资源和规划局鹿城分局"],
    "鹿城区滨江街道办事处": ["五马街道", "鹿城区五马街道办事处", "藤桥镇人民政府", "鹿城区教育局", "鹿城区人民政府"],
    "温州经济技术开发区管理委员会": ["温州市教育局"],
}


@pytest.mark.parametrize(("publisher", "name"), [(p, n) for p, names in OTHER.items() for n in names])
def test_what_surely_is_another_body(publisher, name):
    assert verdict(f"{name}2021年政府信息公开工作年度报告", publisher) == "other"


def test_a_body_of_the_registry_has_its_own_source():
    publishers = [LUCHENG, "温州市鹿城区人民政府", "温州市鹿城区教育局"]
    assert verdict("鹿城区教育局2021年政府信息公开年报", LUCHENG, publishers) == "registered"
    assert verdict("区教育局2021年政府信息公开年报", LUCHENG, publishers) == "registered"
    assert verdict("区财政局2021年政府信息公开年报", LUCHENG, publishers) == "other"
    # told apart from the publisher by nothing but its full name
    assert verdict("温州市鹿城区人民政府2021年政府信息公开年报", LUCHENG, publishers) == "registered"
    assert verdict("鹿城区2021年政府信息公开年报", LUCHENG, publishers) == "unknown"
    assert verdict(f"{LUCHENG}2021年政府信息公开年报", LUCHENG, publishers) == "same"


PLACES = [(d.name, d.level) for d in read_districts() if d.valid_to is None and not d.name.endswith(("市辖区", "县"))]
COUNTIES = sorted({name for name, level in PLACES if level == "county" and name.endswith("区") and len(name) > 2})
CITIES = sorted({name for name, level in PLACES if level == "prefecture" and name.endswith("市")})
UNITS = {
    "教育局": ["教育局", "教育体育局", "教育和科学技术局", "教体局"],
    "住房和城乡建设局": ["住建局", "建设局", "住房和城乡建设委员会"],
    "人力资源和社会保障局": ["人社局", "人力社保局", "人力资源和社会保障局"],
    "文化和广电旅游体育局": ["文旅局", "文广旅体局", "旅游局", "文化广电新闻出版局", "体育局"],
    "生态环境局": ["环保局", "环境保护局", "生态环境分局"],
    "人民政府办公室": ["政府办公室", "府办", "人民政府", "政府办", ""],
    "人民政府": ["人民政府", "政府", "", "人民政府办公室"],
    "农业农村局": ["农业局", "农业和农村工作办公室", "农业农村水利局", "农林局"],
    "政务服务管理局": ["行政审批局", "政务服务中心", "政务服务数据管理局", "大数据局"],
}


@given(st.sampled_from(CITIES), st.sampled_from(COUNTIES), st.sampled_from(sorted(UNITS)), st.data())
def test_no_spelling_of_a_publishers_name_is_anothers(city, county, unit, data):
    publisher = data.draw(st.sampled_from(["", city])) + county + unit
    alias = data.draw(st.sampled_from(UNITS[unit]))
    place = data.draw(st.sampled_from([city + county, county, "区", ""]))
    title = data.draw(
        st.sampled_from(
            [
                "{}2021年政府信息公开工作年度报告",
                "2021年{}政府信息公开年报",
                "{}政府信息公开年度报告（2021年）",
                "关于{}2021年政府信息公开工作情况的报告",
            ]
        )
    ).format(place + alias)
    assert verdict(title, publisher) in ("same", "unknown")


@given(st.sampled_from(COUNTIES), st.sampled_from(COUNTIES))
def test_governments_of_two_places_are_two(one, other):
    stems = [re.sub(r".$", "", name) for name in (one, other)]
    zones = ("新区", "开发区", "示范区", "管理区", "园区")
    told_apart = not any(a.endswith(b) or a in y for a, b, y in ((stems[0], stems[1], other), (stems[1], stems[0], one)))
    if told_apart and not one.endswith(zones) and not other.endswith(zones):
        assert compare(f"{one}人民政府", f"{other}人民政府") == "other"


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_text_is_answered(title, publisher):
    assert verdict(title, publisher) in ("same", "other", "registered", "unknown")
    assert compare(title, title) == "same"


def page(*lines, title=None, media="html"):
    return Document(media, [Text(line) for line in lines], title, [])


def test_a_documents_own_title_names_the_body():
    other = "鹿城区财政局2021年政府信息公开工作年度报告"
    assert other_body(page("温州市鹿城区财政局", "2021年政府信息公开工作年度报告"), LUCHENG) is not None
    assert other_body(page("第一段", title=other), LUCHENG) == other
    assert other_body(page(f"{LUCHENG}2021年政府信息公开工作年度报告", title=other), LUCHENG) is None
    assert other_body(page("2021年政府信息公开工作年度报告", title="财政局"), LUCHENG) is None
    # a Word file made from another office's keeps that one's properties
    assert other_body(page("2021年政府信息公开工作年度报告", title=other, media="docx"), LUCHENG) is None


CONTEXT = {
    "publisher_id": "p",
    "district_code": "330302",
    "url": "u",
    "sha256": "0" * 64,
    "fetched_at": "2026-11-22T18:00:00Z",
    "run_id": "r",
}


@pytest.mark.parametrize(
    ("name", "own", "other"),
    [
        ("lucheng2021.html", LUCHENG, "温州市鹿城区财政局"),
        ("ruzhou-cgj2020.html", "汝州市城市管理局", "汝州市人民政府办公室"),
        ("shuyang-fgj2021.html", "沭阳县发展和改革局", "沭阳县教育局"),
        ("huaian2024.pdf", "淮安市人民政府", "扬州市人民政府"),
        ("shanghai2024.docx", "上海市人民政府办公厅", "浙江省人民政府办公厅"),
    ],
)
def test_a_report_of_another_body_is_not_loaded_and_the_right_one_is(name, own, other):
    document = read_document((CORPUS / name).read_bytes(), None)
    mine = tidy(document, Context(**CONTEXT, publisher=own))
    assert len(mine["report"]) == 1
    assert not [p for p in mine["problem"] if p["kind"] == "other_publisher"]
    theirs = tidy(document, Context(**CONTEXT, publisher=other))
    assert theirs["report"] == theirs["observation"] == []
    assert [(p["kind"], p["severity"]) for p in theirs["problem"]] == [("other_publisher", "failure")]
    assert [p["outcome"] for p in theirs["parse"]] == ["failed"]
