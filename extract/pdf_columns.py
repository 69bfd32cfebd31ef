"""Columns of a table without upright rules: from the figures of its rows, the heads above them and the gaps between labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import mean

from extract.pdf_places import WIDE, Rules, Table, UnsureError, figures_of
from extract.pdf_words import Line, Word


def clusters(rows: Sequence[Line]) -> list[tuple[float, float]]:
    """Extents of the columns of figures. Raises UnsureError where two figures of one row share a column."""
    most = max(len(figures_of(row)) for row in rows)
    for chosen in (rows, [row for row in rows if len(figures_of(row)) == most]):
        spans = _merged((w.x0, w.x1) for row in chosen for w in figures_of(row))
        if all(len({_span_of(w, spans) for w in figures_of(row)}) == len(figures_of(row)) for row in chosen):
            return spans
    raise UnsureError("two figures of one row stand in one column")


def _span_of(word: Word, spans: list[tuple[float, float]]) -> int:
    return next((i for i, (x0, x1) in enumerate(spans) if x0 <= word.x0 and word.x1 <= x1), -1)


def _merged(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for x0, x1 in sorted(intervals):
        if out and x0 < out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], x1)
        else:
            out.append((x0, x1))
    return out


def header_words(table: Table, first: float) -> Line:
    """Words above figures that are no figures themselves, right of where the first figure starts."""
    rows = {id(w) for row in table.rows for w in row}
    return [w for w in table.words if id(w) not in rows and w.x1 > first]


def with_blank_columns(spans: list[tuple[float, float]], header: Line) -> list[tuple[float, float]]:
    """Columns without a figure that have a head of their own: in a wide table, with no other head under it."""
    if len(spans) < WIDE:
        return spans
    heads = [w for w in header if w.x0 > spans[0][0] and not any(w.x0 < x1 and x0 < w.x1 for x0, x1 in spans)]
    lone = [(w.x0, w.x1) for w in heads if not any(o.mid > w.mid and o.x0 < w.x1 and w.x0 < o.x1 and o not in heads for o in header)]
    return sorted([*spans, *_merged(lone)])


def _leaf_heads(header: Line) -> Line:
    """Heads that stand over no two others."""
    above: Line = []
    for word in sorted(header, key=lambda w: -w.mid):
        under = [w for w in header if w.mid > word.mid + word.size / 2 and w.x0 < word.x1 and word.x0 < w.x1]
        if any(w in above for w in under) or any(a.x1 < b.x0 for a in under for b in under):
            above.append(word)
    return [w for w in header if w not in above]


def columns_of(table: Table, spans: list[tuple[float, float]], labels: Line, header: Line, size: float) -> tuple[list[float], int]:
    """Edges of all columns, and how many of them are columns of labels."""
    words = table.words
    heads = [w for w in _leaf_heads(header) if sum(w.x0 < x1 and x0 < w.x1 for x0, x1 in spans) == 1]
    left = min([w.x0 for w in words] + [x0 for x0, _, _ in table.rules.horizontal]) - size / 2
    right = max([w.x1 for w in words] + [x1 for _, x1, _ in table.rules.horizontal]) + size / 2
    if table.header_edges and not header and not table.rules.horizontal:
        left, right = min(left, table.header_edges[0]), max(right, table.header_edges[-1])
    bound = max((w.x1 for w in labels), default=None)
    edges = [left]
    if bound is not None:
        edges += _label_edges(labels, table.rules, size)
        edges.append(_valley(bound, spans[0][0], heads, table))
    n_labels = len(edges) - 1
    edges += [_valley(a, b, heads, table) for (_, a), (b, _) in pairwise(spans)]
    if table.header_edges and len(table.header_edges) > len(spans) and not header:
        edges = _adopted(table.header_edges, edges, spans)
    edges.append(right)
    if any(b - a < size / 3 for a, b in pairwise(edges)):
        raise UnsureError("columns are too narrow")
    return edges, n_labels


def _adopted(known: list[float], edges: list[float], spans: list[tuple[float, float]]) -> list[float]:
    """The edges of the figures of the page before, where every column of this page fits between two of them."""
    inner = known[-len(spans) - 1 : -1]
    fits = all(inner[i] <= x0 and (i + 1 == len(spans) or x1 <= inner[i + 1]) for i, (x0, x1) in enumerate(spans))
    return [*edges[: 1 - len(spans)], *inner[1:]] if fits and len(edges) > len(spans) else edges


def _valley(left: float, right: float, words: Line, table: Table) -> float:
    """Where between two columns a rule belongs: on a rule that is there, else in the middle of the widest gap that fewest words cross."""
    top, bottom = table.lines[0][0].top, table.lines[-1][0].bottom
    ruled = table.rules.down(left - 1, right + 1, top, bottom)
    if ruled and max(ruled) - min(ruled) <= 4:
        return mean(ruled)
    if right - left < 1:
        raise UnsureError("figures of two columns touch")
    cuts = sorted({left, right, *(x for w in words for x in (w.x0, w.x1) if left < x < right)})
    gaps = [(sum(w.x0 < (a + b) / 2 < w.x1 for w in words), a - b, (a + b) / 2) for a, b in pairwise(cuts)]
    return min(gaps)[2]


def _label_edges(labels: Line, rules: Rules, size: float) -> list[float]:
    """Where columns of labels part: in the gaps between labels that stand side by side."""
    gaps = [(a.x1, b.x0) for a in labels for b in labels if a.x1 + 1 < b.x0 and min(a.bottom, b.bottom) - max(a.top, b.top) > 0.3 * size]
    edges: list[float] = []
    for left, right in sorted(gaps, key=lambda g: g[1]):
        if not any(left <= x <= right for x in edges):
            shared = max(a for a, b in gaps if a < right <= b)
            ruled = rules.down(shared, right + 1, min(w.top for w in labels), max(w.bottom for w in labels))
            start = min([right, *(w.x0 for w in labels if w.x0 > shared + 1)])
            edges.append(ruled[-1] if ruled else (shared + start) / 2)
    return sorted(edges)
