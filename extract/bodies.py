"""Which body a report's title names, and whether that is the publisher of a source.

The answer is `other` only where the names can't be those of one body: another place, another kind of body (a department, a street, a
government), or departments whose names share no field. Abbreviations, former names and names without a place are `unknown`, never `other`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from extract.body_fields import fields_of
from extract.titles import normalise

Verdict = Literal["same", "other", "unknown"]
Judgement = Literal["same", "other", "registered", "unknown"]
Kind = Literal["place", "government", "office", "township", "zone", "department", "unknown"]

_SUBJECT = re.compile(r"政府信息公开|信息公开|政务公开")
_REPORT = re.compile(r"年报|报告")
_YEARS = re.compile(r"20\d{2}(?:年度|年|度)?|年度")
_SEGMENT = re.compile(r"[|>»_—–〉→]|(?<!\d)-|[:：]")
_LEADING = re.compile(
    r"^(?:[\[【(（<《\"“'‘]*(?:图解|图文解读|一图读懂|一图看懂|图说|解读|图片版|最新|置顶|附件\d*)[\]】)）>》\"”'’]*|关于|印发|公布|发布|公开|[\[【《\"“'‘\s.、·])+"
)
_TRAILING = re.compile(r"(?:关于|的|本级|[\s《\"“'‘.、·,，])+$")
_NO_BODY = re.compile(r"网站|门户|网$|专栏|栏目|平台|频道|转发|首页|^[全各我本]|系统$")
_BRACKETS = re.compile(r"[(（\[【]([^()（）\[\]【】]*)[)）\]】]")
_PLACE = re.compile(
    r"^((?:(?!局|厅|委|办|政府|院|处|管理|中心|监督|公安(?!县)|国家|街道|人民).){2,12}?)"
    r"(特别行政区|(?:维吾尔|壮族|回族)?自治区|自治州|自治县|自治旗|省|地区|林区|特区|市(?!场|政|容)|州|盟|县|区|旗)"
)
_SHORT_PLACE = re.compile(r"^(?:([^全本我各市区县省])(县)(?!区)|([城郊矿])(区))")
_LEVEL = re.compile(r"^([省市区县旗州盟])(?!场|政(?!府)|容|域|委会)")
_TOWNSHIP = re.compile(
    r"^(?:人民政府|政府)?(.{1,8}?)(街道|镇|乡|苏木)(?:人民政府|政府|办事处|党工委办事处|党政(?:综合)?办(?:公室)?|综合办(?:公室)?|办)?$"
)
_NO_TOWNSHIP = re.compile(r"(?:城|乡|村|集)$")
_OFFICE = re.compile(r"^(?:人民)?政府[及和与、]?(?:其|本级)?(?:区|县|市)?(?:政府)?(?:办公[厅室]|府办|办)|^府办(?:公室)?|^办公厅$")
_GOVERNMENT = re.compile(r"^(?:人民)?政府$")
_ZONE = re.compile(r"管委会|管理委员会")
_ZONE_PLACE = re.compile(r"(?:开发|高新|园|新|产业|示范|管理|保税|度假|风景|集聚|试验|合作|经济|技术|工业|功能)区$")
_ORGAN = re.compile(r"(?:局|厅|委|委员会|办|办公室|中心|分局|支队|大队|总队|院|站|所|处|馆|署|联合会|海关|部|公司|银行)$")
_BRANCH = re.compile(r"局[^局]{2,6}(?:分局|支队|大队|所)$")
_SET_OFF = re.compile(r"政府[\s\u3000]+(?=\S)")
_SPACE = re.compile(r"[\s\u3000\u200b\ufeff]+")


@dataclass(frozen=True, slots=True)
class Body:
    """A body's name taken apart: places from the highest down (`鹿城区`), what it is, and what it deals with.

    `unit` is what is left of the name without its places; of a street or town only its own name (滨江).
    """

    name: str
    places: tuple[str, ...]
    kind: Kind
    unit: str
    fields: frozenset[str]

    @property
    def stems(self) -> tuple[str, ...]:
        """The places without what they are: 鹿城 of 鹿城区, so that a county that became a district keeps its name."""
        return tuple(_stem(place) for place in self.places)


def body_named(title: str) -> str | None:
    """The body a report's title names: what stands before 政府信息公开, without the year; None where it names none.

    Only the part of the title that is the report's counts, not the names of the site or the column around it; a government's name
    set off by a space may be that of the site.
    """
    segment = next(
        (s for s in _SEGMENT.split(unicodedata.normalize("NFKC", title)) if _SUBJECT.search(_joined(s)) and _REPORT.search(_joined(s))),
        None,
    )
    if segment is None:
        return None
    plain = normalise(segment)
    subject = _SUBJECT.search(plain)
    if subject is None:
        return None
    text = _YEARS.sub("", plain[: subject.start()])
    if text.endswith("人民") and plain[subject.start() :].startswith("政府"):
        text += "政府"
    text = _TRAILING.sub("", _LEADING.sub("", text))
    if len(text) < 2 or _NO_BODY.search(text) or (_SET_OFF.search(segment.strip()) and take_apart(text).kind == "government"):
        return None
    return text


def _joined(text: str) -> str:
    return _SPACE.sub("", text)


@lru_cache(maxsize=16384)
def take_apart(name: str) -> Body:
    """A body's name in its parts."""
    whole = _SPACE.sub("", unicodedata.normalize("NFKC", name))
    plain = _BRACKETS.sub("", whole)
    places: list[str] = []
    rest = plain
    while match := (_PLACE.match(rest) or _SHORT_PLACE.match(rest)):
        places.append(match[0])
        rest = rest[match.end() :]
    if places or len(rest) > 1:
        rest = _LEVEL.sub("", rest)
    fields = fields_of(_joined(_BRACKETS.sub(r"\1", whole))[sum(map(len, places)) :])
    kind, unit = _kind(rest, bool(places), fields)
    return Body(plain, tuple(places), kind, unit, fields if kind in ("department", "zone") else frozenset())


def _kind(rest: str, has_place: bool, fields: frozenset[str]) -> tuple[Kind, str]:
    if not rest:
        return ("place", "") if has_place else ("unknown", "")
    if _GOVERNMENT.match(rest):
        return "government", rest
    if _OFFICE.match(rest):
        return "office", rest
    if _ZONE.search(rest):
        return "zone", rest
    township = _TOWNSHIP.match(rest)
    if township and not _NO_TOWNSHIP.search(township[1]):
        return "township", township[1]
    if fields and _ORGAN.search(rest):
        return "department", rest
    return "unknown", rest


@lru_cache(maxsize=65536)
def compare(named: str, publisher: str) -> Verdict:
    """Whether a body named by a title is the publisher: `same`, surely `other`, or `unknown`."""
    a, b = take_apart(named), take_apart(publisher)
    if a.name == b.name or (len(a.name) > 2 and b.name.endswith(a.name) and a.kind == b.kind):
        return "same"
    if "unknown" in (a.kind, b.kind):
        return "unknown"
    if _places_differ(a, b):
        return "other"
    general = ("place", "government", "office")
    if a.kind in general and b.kind in general:
        return _compare_governments(a, b)
    if "zone" in (a.kind, b.kind):
        return "other" if a.kind == "department" and not a.fields & b.fields else "unknown"
    if a.kind == b.kind == "township":
        return "same" if _is_tail(a.unit, b.unit) else "other"
    if a.kind == b.kind == "department":
        return _compare_departments(a, b)
    return _compare_kinds(a, b)


def _compare_governments(a: Body, b: Body) -> Verdict:
    """A government and its office publish under each other's names (domain.md §5.1); only a higher place is another body."""
    if a.places and b.places and not _is_tail(a.stems[-1], b.stems[-1]):
        return "other" if a.kind != "place" else "unknown"
    return "same" if a.kind == b.kind and (a.places or a.kind != "place") else "unknown"


def _compare_departments(a: Body, b: Body) -> Verdict:
    if _BRANCH.search(a.unit) and not _BRANCH.search(b.unit) and a.places and b.places and a.stems[-1] == b.stems[-1]:
        return "other"
    if a.fields & b.fields:
        return "same" if a.unit == b.unit and a.places and b.places and _is_tail(a.stems[-1], b.stems[-1]) else "unknown"
    return "unknown" if _abbreviates(a.unit, b.unit) or _abbreviates(b.unit, a.unit) else "other"


def _compare_kinds(a: Body, b: Body) -> Verdict:
    """Bodies of different kinds. A place alone may stand for anything in it; a town may be named like the district it lies in."""
    if "place" in (a.kind, b.kind):
        return "unknown" if a.kind == "place" else "other"
    for town, other in ((a, b), (b, a)):
        if town.kind == "township" and any(_is_tail(town.unit, stem) or town.name == stem for stem in other.stems):
            return "unknown"
    return "other"


def _places_differ(a: Body, b: Body) -> bool:
    """Whether the places exclude each other: the lowest of one stands nowhere in the other's name."""
    if not a.places or not b.places or any(_ZONE_PLACE.search(p) for p in (a.places[-1], b.places[-1])):
        return False
    if _is_tail(a.stems[-1], b.stems[-1]):
        return False
    if a.stems[-1] not in b.name:
        return b.stems[-1] not in a.name or len(a.places) > 1
    # its lowest place is one of the publisher's higher ones: the city of a district
    return False


def _is_tail(one: str, other: str) -> bool:
    """Whether names are the same but for a place in front: 温州鹿城 and 鹿城."""
    return one == other or (min(len(one), len(other)) > 1 and (one.endswith(other) or other.endswith(one)))


def _abbreviates(short: str, long: str) -> bool:
    """Whether the letters of a name stand in another in their order: 住建局 in 住房和城乡建设局, 发改委 in 发展和改革委员会."""
    letters = iter(long)
    return all(letter in letters for letter in re.sub(r"(?:局|委员会|委|办公室|办|厅|中心)$", "", short))


def _stem(place: str) -> str:
    match = _PLACE.match(place) or _SHORT_PLACE.match(place)
    return (match[1] or match[3]) if match and match.re is _SHORT_PLACE else match[1] if match else place


@dataclass(frozen=True)
class BodyNames:
    """A publisher among all those of the registry."""

    publisher: str
    publishers: tuple[str, ...]

    @staticmethod
    @lru_cache(maxsize=8192)
    def of(publisher: str, publishers: tuple[str, ...]) -> BodyNames:
        return BodyNames(publisher, publishers)

    def judge(self, title: str) -> Judgement:
        """Whether a report with this title is the publisher's.

        `other`: surely another body's, which the registry does not have; `registered`: that of another publisher of the registry, whose own
        source brings it. Also a body that can't be told apart from the publisher is `registered` where another one has just that name.
        """
        named = body_named(title)
        if named is None:
            return "unknown"
        verdict = compare(named, self.publisher)
        if verdict == "same":
            return "same"
        if take_apart(named).name in _by_name(self.publishers):
            return "registered"
        if verdict == "unknown":
            return "unknown"
        own = take_apart(self.publisher).stems
        near = take_apart(named).stems or own
        known = _by_place(self.publishers).get(near[-1] if near else "", ())
        return "registered" if any(compare(named, other) == "same" for other in known if other != self.publisher) else "other"


@lru_cache(maxsize=8)
def _by_name(publishers: tuple[str, ...]) -> frozenset[str]:
    return frozenset(take_apart(name).name for name in publishers)


@lru_cache(maxsize=8)
def _by_place(publishers: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in publishers:
        stems = take_apart(name).stems
        found[stems[-1] if stems else ""].append(name)
    return found
