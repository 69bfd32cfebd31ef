"""The wordings of a form that is one long list, and what each may stand for: one row, or rows of one name under different parents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from transform.labels import Vocabulary, normalise, without_remarks

if TYPE_CHECKING:
    from transform.layout import Item

_OF_WHICH = re.compile(r"^\s*其中\s*[:：]?\s*")
#: Labels recur from report to report: what was found for so many texts is kept.
_KEPT = 2048


@dataclass(frozen=True, slots=True)
class Node:
    """A row of the list and its path: its place among those below the same row, from the top down."""

    path: tuple[int, ...]
    item: Item


class ListWords:
    """The wordings of the list and what each may stand for."""

    def __init__(self, rows: Sequence[tuple[tuple[int, ...], Item]]) -> None:
        self.nodes = [Node(path, item) for path, item in rows]
        meanings: dict[str, list[int]] = defaultdict(list)
        for i, node in enumerate(self.nodes):
            for wording in {f(_bare(text)) for text in node.item.label for f in (normalise, without_remarks)}:
                meanings[wording].append(i)
        self.meanings = {wording: tuple(found) for wording, found in meanings.items()}
        grouped: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for node in self.nodes:
            for text in map(_bare, node.item.label):
                grouped[self.meanings[normalise(text)]].append(text)
        self.words = Vocabulary(grouped)
        self._find = lru_cache(_KEPT)(self._look_up)

    def find(self, text: str) -> tuple[int, ...]:
        """What a label may stand for: one meaning, several under different parents, or none."""
        return self._find(text)

    def _look_up(self, text: str) -> tuple[int, ...]:
        bare = _bare(text)
        return self.meanings.get(normalise(bare)) or self.meanings.get(without_remarks(bare)) or ()

    def similar(self, text: str, taken: frozenset[int]) -> tuple[tuple[int, ...], str]:
        """What a misprinted label may stand for, with the wording it is like; () where it is like none, or like two."""
        hit = self.words.similar(_bare(text))
        return (hit.key, hit.wording) if hit and not taken.issuperset(hit.key) else ((), "")

    def under(self, meanings: Collection[int], path: tuple[int, ...], taken: set[int]) -> int | None:
        """The one of several meanings whose parent is open at `path`, the nearest first; one meaning needs no parent."""
        found = [i for i in meanings if i not in taken]
        if len(meanings) == 1:
            return found[0] if found else None
        parents = {i: self.nodes[i].path[:-1] for i in found}
        near = sorted((i for i, p in parents.items() if path[: len(p)] == p), key=lambda i: -len(parents[i]))
        return near[0] if near else None


def _bare(text: str) -> str:
    return _OF_WHICH.sub("", text)
