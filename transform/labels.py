"""Labels as printed to labels that compare: white space, punctuation, ordinals and remarks in brackets do not count."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from rapidfuzz import fuzz, process

from transform.chinese import simplified

#: A label accepted by similarity must be this like the wording it stands for, and this much more like it than like any other.
MIN_SIMILARITY, MIN_LEAD = 80.0, 12.0
MIN_FUZZY_LENGTH = 5

_ORDINAL = re.compile(r"^(?:\(([一二三四五六七八九十]+)\)|([一二三四五六七八九十]+)[、.,]|(\d{1,2})[.、)]|(\d{1,2})(?=[\u4e00-\u9fff“\"]))")
#: What stands before an ordinal without belonging to the label: question marks of a broken encoding (domain.md Q-42), stars.
_LEADING = re.compile(r"^[?*\ufffd]+")
_BRACKETS = re.compile(r"\([^()]*\)")
_DROPPED = re.compile(r"[\s\u200b-\u200f\ufeff\W_]+")
_SPACES = re.compile(r"[\s\u200b-\u200f\ufeff]+")
#: Labels recur from report to report: what was found for so many texts is kept.
_KEPT = 2048
T = TypeVar("T")

_NUMERALS = {n: str(i) for i, n in enumerate("一二三四五六七八九十", 1)}


@lru_cache(16384)
def compact(text: str) -> str:
    """NFKC in simplified characters, without any white space."""
    return _SPACES.sub("", simplified(unicodedata.normalize("NFKC", text)))


def _label(text: str) -> str:
    return _LEADING.sub("", compact(text))


@lru_cache(16384)
def normalise(text: str) -> str:
    """The label without white space, its leading ordinal and all punctuation; brackets lose their marks, not their words.

    >>> normalise("（三） 不予 公开"), normalise("3.危及“三安全一稳定”")
    ('不予公开', '危及三安全一稳定')
    """
    return _DROPPED.sub("", _ORDINAL.sub("", _label(text), count=1))


@lru_cache(16384)
def without_remarks(text: str) -> str:
    """As `normalise`, without what stands in brackets (an ordinal in brackets is not a remark)."""
    return _DROPPED.sub("", _BRACKETS.sub("", _ORDINAL.sub("", _label(text), count=1)))


def ordinal(text: str) -> str | None:
    """The leading ordinal as digits: "三" and "3" are the same; None where there is none."""
    found = _ORDINAL.match(_label(text))
    if not found:
        return None
    number = next(g for g in found.groups() if g)
    return _NUMERALS.get(number, number)


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """A label found in a vocabulary; `exact` is False where only similarity led there."""

    key: T
    exact: bool
    wording: str


class Vocabulary(Generic[T]):
    """Wordings of a form, each standing for a key.

    `find(text)` is the key whose wording a text is, remarks in brackets aside; None where it is no wording of this form. `is_like(text)`:
    whether it is one, or much like one.
    """

    find: Callable[[str], T | None]
    is_like: Callable[[str], bool]

    def __init__(self, wordings: Mapping[T, Iterable[str]]) -> None:
        self._exact: dict[str, T] = {}
        self._official: dict[str, str] = {}
        for key, texts in wordings.items():
            for text in texts:
                for form in {normalise(text), without_remarks(text)}:
                    self._exact.setdefault(form, key)
                    self._official.setdefault(form, text)
        self._wordings = list(self._exact)
        self.find = lru_cache(_KEPT)(self._find)
        self.is_like = lru_cache(_KEPT)(self._is_like)
        self._nearest = lru_cache(_KEPT)(self._look_alike)

    def _find(self, text: str) -> T | None:
        return self._exact.get(normalise(text)) or self._exact.get(without_remarks(text))

    def _is_like(self, text: str) -> bool:
        return self.find(text) is not None or self.similar(text) is not None

    def similar(self, text: str, taken: frozenset[T] = frozenset()) -> Hit[T] | None:
        """The one wording this text is much like, for misprints. None where none is, two are, or the printed ordinals differ."""
        hit = self._nearest(text)
        return hit if hit and hit.key not in taken else None

    def _look_alike(self, text: str) -> Hit[T] | None:
        form = normalise(text)
        if len(form) < MIN_FUZZY_LENGTH:
            return None
        scores = process.extract(form, self._wordings, scorer=fuzz.ratio, limit=8, score_cutoff=MIN_SIMILARITY - MIN_LEAD)
        if not scores or scores[0][1] < MIN_SIMILARITY:
            return None
        best, score, _ = scores[0]
        key = self._exact[best]
        rival = next((s for other, s, _ in scores if self._exact[other] != key), 0.0)
        wording = self._official[best]
        ordinals = {o for o in (ordinal(text), ordinal(wording)) if o}
        if score - rival < MIN_LEAD or len(ordinals) > 1:
            return None
        return Hit(key, False, wording)
