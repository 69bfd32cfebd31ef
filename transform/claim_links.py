"""Which printed figure a count of the text should equal (domain.md §1.7, R10), by the rules of claims.yml; a mismatch is a soft check.

Precision goes before recall: a count is linked only where its words leave one figure, of this year and of this report's scope. Where a
figure is counted several times and one count equals it, the others count something else and lose their link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from itertools import groupby

from pydantic import BaseModel, ConfigDict

from transform.check import Key, Result
from transform.claims import Claim, fold, settings
from transform.narrative import Section

_SPACE = re.compile(r"\s+")
_SUBHEADING = re.compile(r"^(\s*\([一二三四五六七八九十]{1,3}\))[^\n。:]{0,40}", re.MULTILINE)
_LEADING_STOPS = re.compile(r"^(?:\([^()]*\)|[，,、;:。()])+")
_YEAR = re.compile(r"(20\d\d)年")


class Rule(BaseModel):
    """A rule of claims.yml: the words of a count, and the figure or the sum of figures it should equal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    figure: list[str] = []
    sum: list[str] = []
    check: str | None = None
    applicant: str | None = None
    lead: str | None = None
    phrase: str | None = None
    then: str | None = None
    about: str | None = None
    never: str | None = None
    never_in_clause: str | None = None
    never_in_sentence: str | None = None
    new_only: bool = False
    only_if_zero: list[str] = []
    at_home: int | None = None
    units: list[str] = []


@dataclass(frozen=True, slots=True)
class Place:
    """The words around a count, without white space."""

    section_no: int
    unit: str | None
    lead: str  # since the number before, or the beginning of the sentence
    sentence: str  # before the number
    context: str  # headings and paragraph before the number
    rest: str  # of the sentence, behind the number


@dataclass(frozen=True, slots=True)
class Link:
    """A count with the figures it should equal. `indicator` is None where it is a sum of several; `printed` where one is not a number."""

    claim: Claim
    check: str
    indicator: str | None
    applicant: str | None
    printed: Decimal | None

    @property
    def agrees(self) -> bool | None:
        """Whether the printed figure is within what the text says; None where that can't be said."""
        if self.printed is None or self.claim.bound == "about":
            return None
        if self.claim.bound == "lower":
            return self.printed >= self.claim.value
        return self.printed <= self.claim.value if self.claim.bound == "upper" else self.printed == self.claim.value


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def rules() -> tuple[Rule, ...]:
    """The rules of claims.yml. Raises pydantic.ValidationError for an entry that is none."""
    return tuple(Rule.model_validate(r) for r in settings()["figures"])


def link(
    claims: Sequence[Claim], sections: Iterable[Section], figures: Mapping[Key, Decimal | None], year: int, scope: str
) -> dict[Claim, Link]:
    """The counts that should equal a figure of the report.

    `figures` are the report's figures by (indicator, applicant), None where no number is printed; `scope` is that of the report.
    """
    texts = {s.number: s for s in sections}
    found: list[Link] = []
    previous: Claim | None = None
    for claim in claims:
        since = previous.end if previous and previous.section_no == claim.section_no else 0
        place = _place(texts[claim.section_no], claim, since)
        previous = claim
        if _comparable(place, year, scope) and (match := _first(place, claim, figures, year)):
            found.append(match)
    return {x.claim: x for x in _settled(found)}


def _place(section: Section, claim: Claim, since: int) -> Place:
    text = fold(section.text)
    first = max(text.rfind(mark, 0, claim.begin) for mark in "。!?\n") + 1
    paragraph = text.rfind("\n", 0, claim.begin) + 1
    subheading = next((text[a : min(c, claim.begin)] for a, b, c in reversed(_subheadings(text)) if b <= claim.begin), "")
    end = min((i for mark in "。!?\n" if (i := text.find(mark, claim.end)) >= 0), default=len(text))
    headings = fold(section.heading or "") + "\n" + subheading + "\n"
    return Place(
        section.number,
        claim.unit,
        _LEADING_STOPS.sub("", _tight(text[max(first, since) : claim.begin])),
        _tight(text[first : claim.begin]),
        _tight(headings + text[paragraph : claim.begin]),
        _tight(text[claim.end : end]),
    )


@lru_cache(64)
def _subheadings(text: str) -> tuple[tuple[int, int, int], ...]:
    """Where the subheadings of a section begin, where their numeral and where they end."""
    return tuple((m.start(), m.end(1), m.end()) for m in _SUBHEADING.finditer(text))


def _tight(text: str) -> str:
    return _SPACE.sub("", text)


def _has(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None


def _comparable(place: Place, year: int, scope: str) -> bool:
    """Whether a count can be of this report's year and scope."""
    raw = settings()
    if any(_has(p, place.sentence) for p in raw["never"]):
        return False
    of_this_year = _has(raw["this_year"], place.sentence) or f"{year}年" in place.sentence
    if raw["running_total"] in place.sentence and not of_this_year:
        return False
    return not _has(raw["office"] if scope == "consolidated" else raw["area"], place.sentence)


def _first(place: Place, claim: Claim, figures: Mapping[Key, Decimal | None], year: int) -> Link | None:
    for number, rule in enumerate(rules()):
        if not _matches(number, rule, place, year) or any(figures.get((i, rule.applicant)) != 0 for i in rule.only_if_zero):
            continue
        if rule.sum:
            return _sum_link(rule, claim, figures)
        indicator = next((i for i in rule.figure if (i, rule.applicant) in figures), None)
        if indicator:
            return Link(claim, indicator, indicator, rule.applicant, figures[indicator, rule.applicant])
    return None


def _sum_link(rule: Rule, claim: Claim, figures: Mapping[Key, Decimal | None]) -> Link | None:
    keys = [(i, rule.applicant) for i in rule.sum]
    if rule.check is None or any(key not in figures for key in keys):
        return None
    values = [figures[key] for key in keys]
    total = None if None in values else sum((v for v in values if v is not None), Decimal(0))
    return Link(claim, rule.check, None, rule.applicant, total)


def _matches(number: int, rule: Rule, place: Place, year: int) -> bool:
    named = _words(number, place)
    if named is None or (rule.units and place.unit is not None and place.unit not in rule.units):
        return False
    if rule.about and place.section_no != rule.at_home and not _has(rule.about, place.context):
        return False
    clause = re.split("[,，;]", place.lead)[-1]
    forbidden = ((rule.never, place.lead), (rule.never_in_clause, clause), (rule.never_in_sentence, place.sentence))
    if any(pattern and _has(pattern, text) for pattern, text in forbidden):
        return False
    if rule.new_only and _has(settings()["with_carried_in"], place.rest):
        return False
    years = {int(y) for y in _YEAR.findall(place.sentence)} - ({year + 1} if named else set())
    return years <= {year} and (not named or int(named) == year + 1)


@cache
def _patterns() -> dict[int, tuple[tuple[re.Pattern[str], str], ...]]:
    """The patterns of each rule's words, by its place among the rules, and the words of a count that each is held against."""
    out: dict[int, tuple[tuple[re.Pattern[str], str], ...]] = {}
    for number, rule in enumerate(rules()):
        patterns = (
            (rule.lead, rf"(?:{rule.lead})$", "lead"),
            (rule.phrase, rf"(?:^|[,，:;(])(?:其中[,，:]?)?(?:\(?[一二三四五六七]\)|\d[.、])?(?:{rule.phrase})$", "lead"),
            (rule.then, rf"^(?:{rule.then})", "rest"),
        )
        out[number] = tuple((re.compile(pattern), where) for given, pattern, where in patterns if given is not None)
    return out


def _words(number: int, place: Place) -> str | None:
    """The year after this one where the words of a rule name it, "" where they fit without, None where they do not fit."""
    year = ""
    for pattern, where in _patterns()[number]:
        found = pattern.search(place.lead if where == "lead" else place.rest)
        if found is None:
            return None
        year = found.groupdict().get("next") or year
    return year


def _settled(links: list[Link]) -> list[Link]:
    """Of several exact counts of one figure, those that equal it; all where none does."""
    right = {(x.check, x.applicant) for x in links if x.claim.bound == "exact" and x.agrees}
    return [x for x in links if (x.check, x.applicant) not in right or x.claim.bound != "exact" or x.agrees]


def checks(links: Iterable[Link]) -> list[Result]:
    """One soft result (R10) for every figure that the text counts exactly: left the text, right the table.

    The text is no better witness than the table: the cause of a mismatch is unknown. A bound (余, 近) is no equation and gives none.
    """
    exact = sorted((x for x in links if x.claim.bound == "exact"), key=lambda x: (x.check, x.applicant or ""))
    return [_result(next(group)) for _, group in groupby(exact, key=lambda x: (x.check, x.applicant))]


def _result(match: Link) -> Result:
    left, right = match.claim.value, match.printed
    difference = None if right is None else left - right
    cause = "unknown" if difference else None
    return Result(f"R10.{match.check}", match.applicant, left, right, difference, match.agrees, cause, soft=True)


def claim_rows(report_id: str, claims: Sequence[Claim], links: Mapping[Claim, Link]) -> list[dict[str, object]]:
    """The rows of the `claim` frame, numbered in reading order."""
    return [_row(report_id, number, claim, links.get(claim)) for number, claim in enumerate(claims, 1)]


def _row(report_id: str, number: int, claim: Claim, match: Link | None) -> dict[str, object]:
    return {
        "report_id": report_id,
        "claim_no": number,
        "section_no": claim.section_no,
        "what": claim.what,
        "value": claim.value,
        "unit": claim.unit,
        "qualifier": claim.qualifier,
        "sentence": claim.sentence,
        "start": claim.start,
        "indicator": match.indicator if match else None,
        "applicant": match.applicant if match and match.indicator else None,
        "agrees": match.agrees if match else None,
    }
