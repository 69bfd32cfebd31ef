"""Drafted `figures.yml`: plausible figures that keep the identities within a report and roll forward from year to year.

`python -m sources.sample.invent` prints a draft, always the same one. The committed file started as this draft and was then edited by
hand (the real report of 鹿城区 for 2021, and every oddity); it, not this script, is the truth.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sources.sample.layouts import APPLICANTS, LITIGATION, RESULT_CODES, REVIEWS

SEED = 20201231
YEARS = (2020, 2021, 2022, 2023)
Row = list[int]

# Shares of applicants and of results, after the totals that provinces publish: natural persons about nine in ten.
WHO = {"natural_person": 88, "business": 8, "research_institution": 0.5, "public_interest_organization": 0.5, "legal_service": 2}
WHO_REST = {"other_organization": 1}
RESULT_WEIGHTS = {
    "granted": 34,
    "partially_granted": 14,
    "denied_state_secret": 0.3,
    "denied_prohibited_by_law": 0.7,
    "denied_security_stability": 0.2,
    "denied_third_party": 2,
    "denied_internal_affairs": 3,
    "denied_process": 3,
    "denied_enforcement_file": 2,
    "denied_administrative_query": 2,
    "unavailable_not_held": 24,
    "unavailable_needs_creation": 3,
    "unavailable_unclear": 1.5,
    "not_processed_petition": 3,
    "not_processed_repeat": 2,
    "not_processed_publication": 0.3,
    "not_processed_excessive": 0.3,
    "not_processed_confirmation": 0.5,
    "other_total": 3,
    "other_no_correction": 2,
    "other_fee_unpaid": 0.2,
    "other_other": 1.5,
}


@dataclass(frozen=True)
class Plan:
    """A publisher: where it stands, how many requests a year it gets, and medium, look and way of linking by year."""

    id: str
    name: str
    place: str
    district: str
    city: str
    own: str
    size: int
    media: Mapping[int, str]
    title: str = "{name}{year}年政府信息公开工作年度报告"


def _plan(slug: str, name: str, district: str, city: str, own: str, size: int, media: str, title: str = Plan.title) -> Plan:
    place = name[3:] or name
    by_year = {int(word[:4]): word[5:] for word in media.split()}
    return Plan(f"{slug}-office", f"{name}人民政府办公室", place, district, city, own, size, by_year, title)


SHORT_TITLE = "{place}人民政府办公室{year}年度政府信息公开工作年度报告"
PLANS = (
    _plan("lucheng", "温州市鹿城区", "330302", "wenzhou", "本办", 62,
          "2020:html/hanweb 2021:pdf/hanweb 2022:html/hanweb 2023:docx/hanweb"),
    _plan("longwan", "温州市龙湾区", "330303", "wenzhou", "本机关", 34,
          "2020:html/hanweb 2021:html/hanweb 2022:pdf/hanweb 2023:html/nbsp"),
    _plan("ouhai", "温州市瓯海区", "330304", "wenzhou", "我办", 48,
          "2020:docx/hanweb 2021:html/clean 2022:html/hanweb 2023:pdf/hanweb", SHORT_TITLE),
    _plan("hongze", "淮安市洪泽区", "320813", "huaian", "本机关", 27,
          "2020:pdf/clean 2021:html/word 2022:html/word 2023:html/word"),
    _plan("qingjiangpu", "淮安市清江浦区", "320812", "huaian", "本办", 71,
          "2020:html/gbk 2021:html/word 2022:docx/clean 2023:html/clean"),
    _plan("huaiyin", "淮安市淮阴区", "320804", "huaian", "本机关", 40,
          "2021:html/word 2022:html/nbsp 2023:pdf/clean"),
    _plan("wendeng", "威海市文登区", "371003", "weihai", "本机关", 22,
          "2020:html/clean 2021:html/clean 2022:pdf/clean/index 2023:html/nbsp"),
    _plan("rongcheng", "荣成市", "371082", "weihai", "本办", 30,
          "2020:html/nbsp 2021:docx/clean 2022:pdf/clean 2023:html/clean"),
)  # fmt: skip


def main() -> None:
    """Prints the draft."""
    rng = random.Random(SEED)
    print("publishers:")
    for plan in PLANS:
        print("\n".join(_publisher(rng, plan)))


def _publisher(rng: random.Random, plan: Plan) -> Iterator[str]:
    yield f"- id: {plan.id}"
    yield f"  name: {plan.name}"
    yield f"  place: {plan.place}"
    yield f'  district: "{plan.district}"'
    yield f"  city: {plan.city}"
    yield f"  folder: {plan.id.removesuffix('-office')}"
    yield f"  own: {plan.own}"
    yield "  reports:"
    carried = _split(rng, max(1, plan.size // 20))
    documents = rng.randint(90, 160)
    for year in YEARS:
        requests, carried = _requests(rng, plan.size + rng.randint(-8, 14), carried, year)
        proactive, documents = _proactive(rng, year, documents)
        if year in plan.media:
            yield from _report(rng, plan, year, proactive, requests)


def _report(rng: random.Random, plan: Plan, year: int, proactive: dict[str, str], requests: dict[str, Row]) -> Iterator[str]:
    medium, look, *linked = plan.media[year].split("/")
    yield f"  - year: {year}"
    yield f"    layout: {_layout(year)}"
    yield f"    medium: {medium}"
    yield f"    look: {look}"
    yield from (f"    linked: {where}" for where in linked)
    yield f"    published: {year + 1}-01-{rng.randint(8, 29):02d}"
    yield f"    title: {plan.title.format(name=plan.name, place=plan.place, year=year)}"
    yield f"    narrative: {_flow(_narrative(rng))}"
    yield f"    proactive: {_flow(proactive)}"
    yield "    requests:"
    yield from (f"      {code}: {row}" for code, row in requests.items() if any(row))
    yield f"    litigation: {_flow(_litigation(rng, requests['processed_total'][-1]))}"


def _layout(year: int) -> int:
    return 2019 if year < 2021 else 2021


def _flow(mapping: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in mapping.items()) + "}"


def _split(rng: random.Random, total: int) -> Row:
    """Spreads requests over the six kinds of applicant; the seventh number is their sum."""
    weights = {**WHO, **WHO_REST}
    drawn = rng.choices(list(weights), weights=list(weights.values()), k=total)
    row = [drawn.count(name) for name in list(APPLICANTS)[:-1]]
    return [*row, sum(row)]


def _requests(rng: random.Random, size: int, carried_in: Row, year: int) -> tuple[dict[str, Row], Row]:
    new = _split(rng, size)
    carried_out = _closed([rng.randint(0, max(1, (n + c) // 12)) if n + c else 0 for n, c in zip(new, carried_in, strict=True)])
    handled = [n + c - o for n, c, o in zip(new, carried_in, carried_out, strict=True)]
    codes = RESULT_CODES[_layout(year)][:-1]
    results = _results(rng, handled, codes)
    rows = {"new_received": new, "carried_in": carried_in, **results, "processed_total": handled, "carried_out": carried_out}
    return rows, carried_out


def _closed(row: Row) -> Row:
    return [*row[:-1], sum(row[:-1])]


def _results(rng: random.Random, handled: Row, codes: Sequence[str]) -> dict[str, Row]:
    weights = [RESULT_WEIGHTS[code] for code in codes]
    columns = [rng.choices(codes, weights=weights, k=count) for count in handled[:-1]]
    return {code: _closed([*(column.count(code) for column in columns), 0]) for code in codes}


def _proactive(rng: random.Random, year: int, documents: int) -> tuple[dict[str, str], int]:
    issued, repealed = rng.randint(4, 20), rng.randint(0, 18)
    documents += issued - repealed
    if _layout(year) == 2021:
        return {
            "normative_document_issued": str(issued),
            "normative_document_repealed": str(repealed),
            "normative_document_in_force": str(documents),
        }, documents
    items = {f"{stem}_items_previous": str(rng.randint(0, 9)) for stem in ("administrative_license", "other_external_service")}
    made = {
        "normative_document_made": str(issued),
        "normative_document_disclosed": str(issued),
        "normative_document_disclosed_total": str(documents),
    }
    return {**made, **items, "government_procurement_projects": str(rng.randint(0, 6))}, documents


def _litigation(rng: random.Random, handled: int) -> dict[str, int]:
    out: dict[str, int] = {}
    for review in REVIEWS:
        drawn = rng.choices(("upheld", "corrected", "other", "pending"), weights=(6, 1, 1.5, 1), k=rng.randint(0, handled // 14))
        row = {f"{review}_{outcome}": drawn.count(outcome) for outcome in sorted(set(drawn))}
        out |= {**row, f"{review}_total": len(drawn)} if drawn else {}
    return {code: out[code] for code in LITIGATION if code in out}


def _narrative(rng: random.Random) -> dict[str, int]:
    return {
        "published": rng.randint(180, 2600),
        "press": rng.randint(2, 12),
        "explained": rng.randint(10, 60),
        "accounts": rng.randint(9, 55),
        "points": rng.randint(4, 33),
        "trainings": rng.randint(1, 6),
    }


if __name__ == "__main__":
    main()
