"""The district seed: what a registry's code is checked against and what every report hangs on."""

import re
from collections import Counter
from itertools import groupby, pairwise

import pytest

from warehouse.districts import codes, read_districts, read_names, read_successions
from warehouse.duck import ROOT, create_schema, scratch
from warehouse.gate import GATES
from warehouse.mirror import load_seeds

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


# --- history

NAMES = read_names()
SUCCESSIONS = read_successions()


def in_force(code: str, year: int) -> bool:
    """Whether the list of the end of a year has the code."""
    district = DISTRICTS[code]
    return (district.valid_from or 2007) <= year and (district.valid_to is None or district.valid_to > year)


def test_the_names_of_a_code_cover_its_time_without_gap_and_end_in_its_newest():
    spans = {code: list(rows) for code, rows in groupby(NAMES, key=lambda name: name.district_code)}
    assert spans.keys() == DISTRICTS.keys()
    for code, rows in spans.items():
        district = DISTRICTS[code]
        assert (rows[0].valid_from, rows[-1].valid_to, rows[-1].name) == (district.valid_from, district.valid_to, district.name)
        assert all(before.valid_to == after.valid_from and before.name != after.name for before, after in pairwise(rows))


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("420600", [("襄樊市", None, 2010), ("襄阳市", 2010, None)]),
        ("320803", [("楚州区", None, 2011), ("淮安区", 2011, None)]),
        ("500110", [("万盛区", None, 2011), ("綦江区", 2011, None)]),
        ("330302", [("鹿城区", None, None)]),
        ("330103", [("下城区", None, 2021)]),
    ],
)
def test_known_names(code, names):
    assert [(n.name, n.valid_from, n.valid_to) for n in NAMES if n.district_code == code] == names


def test_every_change_is_between_codes_in_force_before_and_after_it():
    for change in SUCCESSIONS:
        assert in_force(change.from_code, change.year - 1), change
        assert in_force(change.to_code, change.year), change
        assert change.from_code != change.to_code
        assert change.source


def test_every_retired_code_has_a_successor_in_the_year_it_went():
    gone = {(d.district_code, d.valid_to) for d in DISTRICTS.values() if d.valid_to is not None}
    assert gone <= {(change.from_code, change.year) for change in SUCCESSIONS}


def test_kinds_agree_with_the_rows_beside_them():
    targets = Counter((change.from_code, change.year) for change in SUCCESSIONS)
    origins = Counter((change.to_code, change.year) for change in SUCCESSIONS)
    for change in SUCCESSIONS:
        alone = targets[change.from_code, change.year] == 1 and not in_force(change.from_code, change.year)
        assert change.whole == alone == (change.kind != "split"), change
        if change.whole:
            merged = in_force(change.to_code, change.year - 1) or origins[change.to_code, change.year] > 1
            assert (change.kind == "merged") == merged, change


@pytest.mark.parametrize(
    ("old", "new", "year", "kind", "whole"),
    [
        ("330103", "330105", 2021, "merged", True),  # 下城区 into 拱墅区
        ("330104", "330102", 2021, "split", False),  # 江干区 into 上城区 and 钱塘区
        ("330110", "330113", 2021, "split", False),  # 余杭区 gives 临平区
        ("310108", "310106", 2015, "merged", True),  # 闸北区 into 静安区
        ("371202", "370116", 2018, "moved", True),  # 莱芜市莱城区 to 济南市
        ("320829", "320813", 2016, "upgraded", True),  # 洪泽县 to 洪泽区
        ("522222", "520621", 2011, "renamed_code", True),  # 江口县, with its prefecture
        ("542200", "540500", 2016, "upgraded", True),  # 山南地区 to 山南市
        ("341421", "340124", 2011, "moved", True),  # 庐江县 from 巢湖市 to 合肥市
        ("500112", "500157", 2025, "split", False),  # 渝北区 into 两江新区 and 北碚区
    ],
)
def test_known_changes(old, new, year, kind, whole):
    (found,) = [change for change in SUCCESSIONS if (change.from_code, change.to_code) == (old, new)]
    assert (found.year, found.kind, found.whole) == (year, kind, whole)


@pytest.fixture(scope="module")
def lineage():
    """{(code, first year, last year): {current code: (share known, main, merged)}} of the view."""
    with scratch() as con:
        create_schema(con)
        load_seeds(con)
        con.execute((ROOT / "views" / "05_district_lineage.sql").read_text("utf-8"))
        rows = con.execute("SELECT * FROM district_lineage").fetchall()
    found: dict[tuple, dict] = {}
    for code, first, last, current, *facts in rows:
        found.setdefault((code, first, last), {})[current] = tuple(facts)
    return found


def test_every_code_leads_to_codes_in_force_in_every_year(lineage):
    for (code, first, last), currents in lineage.items():
        assert all(current and DISTRICTS[current].valid_to is None for current in currents), code
        assert any(share for share, _, _ in currents.values()) == (len(currents) == 1), (code, first, last)
    for code, district in DISTRICTS.items():
        spans = sorted((first or 2007, last or 2026) for (of, first, last) in lineage if of == code)
        assert all(before[1] + 1 == after[0] for before, after in pairwise(spans)), code
        assert (spans[0][0], spans[-1][1]) == (2007, 2026 if district.valid_to is None else district.valid_to - 1), code


def test_a_code_in_force_leads_to_itself_today(lineage):
    for code, district in DISTRICTS.items():
        if district.valid_to is None:
            (now,) = [currents for (of, _, last), currents in lineage.items() if of == code and last is None]
            assert now == {code: (True, True, False)}


@pytest.mark.parametrize(
    ("span", "leads"),
    [
        (("330103", None, 2020), {"330105": (True, True, True)}),
        (("330104", None, 2020), {"330102": (False, False, True), "330114": (False, False, True)}),
        (("330102", None, 2020), {"330102": (True, True, True)}),  # 上城区 got a part of 江干区: not what it was
        (("330102", 2021, None), {"330102": (True, True, False)}),
        (("330110", None, 2020), {"330110": (False, True, False), "330113": (False, False, False)}),
        (("420321", None, 2013), {"420304": (True, True, False)}),
        (("632121", None, 2012), {"630203": (True, True, False)}),  # 平安县: two steps, renumbered 2013, district 2015
        (("500110", None, 2010), {"500110": (True, True, True)}),  # 万盛区, now a part of 綦江区 under the same code
        (("341424", None, 2010), {"340523": (False, True, False), "340207": (False, False, True)}),
    ],
)
def test_known_lineage(lineage, span, leads):
    assert lineage[span] == leads


# --- in the warehouse


@pytest.fixture
def seeded():
    with scratch() as con:
        create_schema(con)
        load_seeds(con)
        yield con


GATE = next(gate for gate in GATES if gate.name == "district_history")


def test_the_seeds_arrive_whole_and_pass_the_gate(seeded):
    (names,) = seeded.execute("SELECT count(*) FROM district_name").fetchone()
    (changes,) = seeded.execute("SELECT count(*) FROM district_succession").fetchone()
    assert (names, changes) == (len(NAMES), len(SUCCESSIONS))
    assert seeded.execute(GATE.sql).fetchall() == []


@pytest.mark.parametrize(
    ("spoil", "relation"),
    [
        ("INSERT INTO district_name VALUES ('999999', '某区', NULL, NULL)", "district_name"),
        ("DELETE FROM district_name WHERE district_code = '330302'", "district"),
        ("UPDATE district_succession SET to_code = '999999' WHERE from_code = '330103'", "district_succession"),
        ("UPDATE district_succession SET from_code = '999999' WHERE from_code = '330103'", "district_succession"),
        ("UPDATE district_succession SET year = 2022 WHERE from_code = '330103'", "district_succession"),  # it went in 2021
        ("UPDATE district_succession SET year = 2020 WHERE to_code = '330113'", "district_succession"),  # it came in 2021
    ],
)
def test_the_gate_is_red_for_a_code_that_is_not_there_or_not_in_force(seeded, spoil, relation):
    seeded.execute(spoil)
    assert [row[0] for row in seeded.execute(GATE.sql).fetchall()] == [relation]
