"""The district seed: what a registry's code is checked against and what every report hangs on."""

import re
from collections import Counter

import pytest

from warehouse.districts import codes, read_districts

DISTRICTS = {district.district_code: district for district in read_districts()}


def test_codes_are_six_digits_unique_and_sorted():
    every = [district.district_code for district in read_districts()]
    assert len(every) == len(set(every))
    assert every == sorted(every)
    assert all(re.fullmatch(r"[1-9]\d{5}", code) for code in every)
    assert codes() == set(every)


def test_counts_of_what_is_in_force():
    """31 provinces and three more; 333 prefectures and 2,846 counties at the end of 2024, less one by the change of 2025."""
    now = Counter(district.level for district in DISTRICTS.values() if district.valid_to is None)
    assert now == {"province": 34, "prefecture": 333, "county": 2845}


def test_counts_at_the_end_of_2007():
    then = Counter(district.level for district in DISTRICTS.values() if district.valid_from is None)
    assert then == {"province": 34, "prefecture": 333, "county": 2859}


def test_every_parent_exists_and_contains_the_child():
    for district in DISTRICTS.values():
        code = district.district_code
        assert DISTRICTS[district.province_code].level == "province"
        assert district.province_code == code[:2] + "0000"
        if district.prefecture_code:
            assert DISTRICTS[district.prefecture_code].level == "prefecture"
            assert district.prefecture_code == code[:4] + "00"


def test_levels_agree_with_the_code():
    for district in DISTRICTS.values():
        code = district.district_code
        level = "province" if code.endswith("0000") else "prefecture" if code.endswith("00") else "county"
        assert district.level == level


def test_only_municipalities_and_direct_counties_have_no_prefecture():
    without = {d.district_code[:4] for d in DISTRICTS.values() if d.level == "county" and d.prefecture_code is None}
    municipalities = {"1101", "1102", "1201", "1202", "3101", "3102", "5001", "5002"}
    direct = {"4190", "4290", "4690", "6590"}
    assert without == municipalities | direct


def test_validity_is_a_span_within_the_lists():
    for district in DISTRICTS.values():
        assert 2008 <= (district.valid_from or 2008) <= (district.valid_to or 2026) <= 2026


def test_functional_zones_are_left_out():
    assert not {"130171", "320571", "150172"} & codes()
    assert not {"110100", "429000", "469000", "659000"} & codes()


def test_names_in_english_are_ascii_and_capitalised():
    for district in DISTRICTS.values():
        assert re.fullmatch(r"[A-Z][A-Za-z',\- ]+", district.name_en), district
        assert re.fullmatch(r"[\u4e00-\u9fff]+", district.name), district


@pytest.mark.parametrize(
    ("code", "name", "english", "level", "prefecture"),
    [
        ("330302", "鹿城区", "Lucheng District", "county", "330300"),
        ("330300", "温州市", "Wenzhou City", "prefecture", "330300"),
        ("330000", "浙江省", "Zhejiang Province", "province", None),
        ("330383", "龙港市", "Longgang City", "county", "330300"),
        ("320800", "淮安市", "Huai'an City", "prefecture", "320800"),
        ("320813", "洪泽区", "Hongze District", "county", "320800"),
        ("371082", "荣成市", "Rongcheng City", "county", "371000"),
        ("341500", "六安市", "Lu'an City", "prefecture", "341500"),
        ("340300", "蚌埠市", "Bengbu City", "prefecture", "340300"),
        ("331000", "台州市", "Taizhou City", "prefecture", "331000"),
        ("331100", "丽水市", "Lishui City", "prefecture", "331100"),
        ("350200", "厦门市", "Xiamen City", "prefecture", "350200"),
        ("610000", "陕西省", "Shaanxi Province", "province", None),
        ("140000", "山西省", "Shanxi Province", "province", None),
        ("150000", "内蒙古自治区", "Inner Mongolia Autonomous Region", "province", None),
        ("650000", "新疆维吾尔自治区", "Xinjiang Uygur Autonomous Region", "province", None),
        ("810000", "香港特别行政区", "Hong Kong Special Administrative Region", "province", None),
        ("433100", "湘西土家族苗族自治州", "Xiangxi Tujia and Miao Autonomous Prefecture", "prefecture", "433100"),
        ("150723", "鄂伦春自治旗", "Oroqen Autonomous Banner", "county", "150700"),
        ("350427", "沙县", "Shaxian County", "county", "350400"),
        ("140109", "万柏林区", "Wanbailin District", "county", "140100"),
        ("441803", "清新区", "Qingxin District", "county", "441800"),
        ("120116", "滨海新区", "Binhai New Area", "county", None),
        ("429004", "仙桃市", "Xiantao City", "county", None),
        ("469025", "白沙黎族自治县", "Baisha Li Autonomous County", "county", None),
        ("110101", "东城区", "Dongcheng District", "county", None),
    ],
)
def test_known_districts(code, name, english, level, prefecture):
    district = DISTRICTS[code]
    assert (district.name, district.name_en, district.level, district.prefecture_code) == (name, english, level, prefecture)


@pytest.mark.parametrize(
    ("code", "began", "ended"),
    [
        ("330302", None, None),
        ("330103", None, 2021),  # 下城区, merged into 拱墅区 and 上城区
        ("330104", None, 2021),  # 江干区
        ("330113", 2021, None),  # 临平区
        ("371200", None, 2018),  # 莱芜市, merged into 济南市
        ("341400", None, 2011),  # 巢湖市 as a prefecture
        ("653228", 2024, None),  # 和康县
        ("500112", None, 2025),  # 渝北区
        ("500157", 2025, None),  # 两江新区
    ],
)
def test_validity_of_known_changes(code, began, ended):
    assert (DISTRICTS[code].valid_from, DISTRICTS[code].valid_to) == (began, ended)
