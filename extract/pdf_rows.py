"""Rows of a table without level rules: each row of figures gets the label that stands at its height."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import mean, median

from extract.pdf_places import LEADING, OFF, ORDINAL, WIDE, Rules, Table, UnsureError, figures_of
from extract.pdf_words import Line, Word


@dataclass(slots=True)
class Row:
    """A row of the tiling: figures with their label, or one line of text (`figures` empty)."""

    mid: float
    figures: Line
    labels: Line = field(default_factory=list)
    texts: Line = field(default_factory=list)

    @property
    def words(self) -> Line:
        return [*self.figures, *self.labels, *self.texts]


def rows_of(table: Table, xs: list[float], n_labels: int, size: float) -> list[Row]:
    """Rows of figures with their labels, and lines of text between them, top to bottom."""
    rows = [Row(median(w.mid for w in figures_of(line)), [w for w in line if w.x0 >= xs[n_labels]]) for line in table.rows]
    claimed = {id(w) for row in rows for w in row.figures}
    rest = [[w for w in line if id(w) not in claimed] for line in table.lines]
    heads = [line for line in rest if any(w.x1 > xs[n_labels] + OFF * size for w in line)]
    if any(w.is_figure and w.x0 >= xs[n_labels] for line in rest for w in line):
        raise UnsureError("a figure stands outside of the rows of figures")
    if any(abs(w.mid - row.mid) < size and w.x0 >= xs[n_labels] for line in heads for w in line for row in rows):
        raise UnsureError("text stands between rows of figures")
    if any(_may_go_on(a, b, len(xs) - 1 - n_labels, size) for a, b in pairwise(rows)):
        raise UnsureError("a number may go on in the line below")
    labels = [w for line in rest if line not in heads for w in line]
    leaves = _leaves(labels, rows, xs, n_labels, size) if n_labels else []
    if n_labels:
        _attach(leaves, rows, table.rules, heads, xs, size)
    owned = {id(w) for row in rows for w in row.labels}
    groups = [w for w in labels if id(w) not in owned]
    texts = [Row(mean(w.mid for w in line), [], texts=line) for line in [*heads, *_text_lines(groups, rows, size)]]
    out = sorted([*rows, *texts], key=lambda r: r.mid)
    spread = {id(w) for row in texts for w in row.texts}
    for word in groups:
        if id(word) not in spread:
            min(rows, key=lambda r: abs(r.mid - word.mid)).texts.append(word)
    return out


def _may_go_on(above: Row, below: Row, n_columns: int, size: float) -> bool:
    """Whether two rows of a wide table can be one whose figures are broken into two lines: close together, and one of them sparse."""
    near = min(w.top for w in below.figures) - max(w.bottom for w in above.figures) < LEADING * size
    return near and n_columns >= WIDE and 2 * min(len(above.figures), len(below.figures)) <= n_columns


def _text_lines(words: Line, rows: list[Row], size: float) -> list[Line]:
    """Labels that stand above the first row, or in between where no label of a figure can be: lines of their own."""
    top = min([rows[0].mid - size / 2, *(w.top for w in rows[0].labels)])
    lines: list[Line] = []
    for word in sorted(words, key=lambda w: w.mid):
        inside = any(abs(word.mid - r.mid) < size for r in rows) or _between_close(word, rows, size)
        if word.mid < top or not inside:
            if lines and word.mid - lines[-1][-1].mid < size / 4:
                lines[-1].append(word)
            else:
                lines.append([word])
    return lines


def _between_close(word: Word, rows: list[Row], size: float) -> bool:
    """Whether the rows above and below leave no room for a row of text."""
    above = max((max(w.bottom for w in r.words) for r in rows if r.mid < word.mid), default=None)
    below = min((min(w.top for w in r.words) for r in rows if r.mid > word.mid), default=None)
    return above is not None and below is not None and below - above < 1.4 * size


def _leaves(labels: Line, rows: list[Row], xs: list[float], n_labels: int, size: float) -> Line:
    """Lines of the labels next to the figures: those of the last column of labels, and those that have nothing there beside them."""
    last = xs[n_labels - 1]
    leaves = [w for w in labels if n_labels == 1 or w.x1 > last + size / 4]
    for word in labels:
        alone = all(abs(word.mid - other.mid) >= size for other in leaves)
        if not any(word is w for w in leaves) and alone and any(abs(word.mid - r.mid) < size / 4 for r in rows):
            leaves.append(word)
    for word in sorted(labels, key=lambda w: w.mid):
        if not any(word is w for w in leaves) and _goes_on(word, leaves, last, size):
            leaves.append(word)
    return sorted(leaves, key=lambda w: (w.mid, w.x0))


def _goes_on(word: Word, leaves: Line, last: float, size: float) -> bool:
    """Whether a word is a further line of a label that runs over several columns."""
    return not ORDINAL.match(word.text) and any(
        w.x0 < last < w.x1 and abs(w.x0 - word.x0) < size / 4 and -0.2 * size < word.top - w.bottom < LEADING * size for w in leaves
    )


def _attach(leaves: Line, rows: list[Row], rules: Rules, heads: list[Line], xs: list[float], size: float) -> None:
    """Give every row of figures its label. Raises UnsureError where that is not certain."""
    lines: list[Line] = []
    for word in leaves:
        if lines and abs(word.mid - lines[-1][0].mid) < size / 4:
            lines[-1].append(word)
        else:
            lines.append([word])
    x = (xs[-2] + xs[-1]) / 2
    cuts = [rules.across(x, a.mid, b.mid) for a, b in pairwise(rows)]
    if cuts and all(len(c) >= 1 for c in cuts):
        _attach_between(lines, rows, rules, x)
    else:
        _attach_by_height(lines, rows, [line[0].mid for line in heads], size)
    if any(not row.labels for row in rows):
        raise UnsureError("a row of figures has no label")


def _attach_between(lines: list[Line], rows: list[Row], rules: Rules, x: float) -> None:
    """By the rules above and below each row."""
    for row in rows:
        above, below = rules.across(x, 0, row.mid), rules.across(x, row.mid, 1e6)
        top, bottom = above[-1] if above else -1.0, below[0] if below else 1e6
        row.labels = [w for line in lines for w in line if top < w.mid < bottom]


def _attach_by_height(lines: list[Line], rows: list[Row], heads: list[float], size: float) -> None:
    """By the middle of the label, or by its first line, whichever fits all rows."""
    anchors: list[Callable[[list[Line]], float]] = [lambda g: mean(line[0].mid for line in g), lambda g: g[0][0].mid]
    best: tuple[float, list[list[Line]]] | None = None
    for anchor in anchors:
        groups = _partition(lines, rows, heads, anchor, size)
        if groups is not None:
            off = max(abs(anchor(g) - r.mid) for g, r in zip(groups, rows, strict=True))
            best = min(best, (off, groups), key=lambda b: b[0]) if best else (off, groups)
    if best is None or best[0] > OFF * size:
        raise UnsureError("labels do not stand at the height of their figures")
    for row, group in zip(rows, best[1], strict=True):
        row.labels = [w for line in group for w in line]


def _partition(
    lines: list[Line], rows: list[Row], heads: list[float], anchor: Callable[[list[Line]], float], size: float
) -> list[list[Line]] | None:
    """Consecutive lines to consecutive rows, so that they stand off the least; a line may be left out above, below, and beside heads."""

    def left_out(row: int) -> float:
        if row in (0, len(rows)):
            return 0.3 * size
        return size if any(rows[row - 1].mid < y < rows[row].mid for y in heads) else 1e6

    # best[i][j]: the least cost of i rows with the first j lines, and how many lines the last row took (0: line j is left out)
    best: list[list[tuple[float, int]]] = [[(1e9, 0)] * (len(lines) + 1) for _ in range(len(rows) + 1)]
    best[0][0] = (0.0, 0)
    for i in range(len(rows) + 1):
        for j in range(1, len(lines) + 1):
            options = [(best[i][j - 1][0] + left_out(i), 0)]
            if i:
                near = [n for n in range(1, min(j, 8) + 1) if _is_one_label(lines[j - n : j], size)]
                options += [(best[i - 1][j - n][0] + abs(anchor(lines[j - n : j]) - rows[i - 1].mid), n) for n in near]
            best[i][j] = min(options)
    if best[-1][-1][0] > 1e5:
        return None
    groups: list[list[Line]] = []
    i, j = len(rows), len(lines)
    while j:
        n = best[i][j][1]
        if n:
            groups.append(lines[j - n : j])
            i -= 1
        j -= n or 1
    return groups[::-1]


def _is_one_label(lines: list[Line], size: float) -> bool:
    return all(b[0].top - a[0].bottom < size and not ORDINAL.match(b[0].text) for a, b in pairwise(lines))


def bands(rows: list[Row], rules: Rules, xs: list[float], size: float) -> list[float]:
    """Edges between rows: on a rule where there is one, else in the middle between their words."""
    x = (xs[-2] + xs[-1]) / 2
    ys = [min(w.top for w in rows[0].words) - size / 2]
    for above, below in pairwise(rows):
        words = (*above.figures, *above.labels) or above.texts, (*below.figures, *below.labels) or below.texts
        low, high = max(w.bottom for w in words[0]), min(w.top for w in words[1])
        ruled = rules.across(x, above.mid, below.mid)
        middle = (low + high) / 2
        if ruled and (above.figures or below.figures):
            middle = min(ruled, key=lambda y: abs(y - middle))
        if (above.figures or below.figures) and not (low - size / 4 <= middle <= high + size / 4):
            raise UnsureError("rows run into each other")
        if middle <= ys[-1]:
            raise UnsureError("rows run into each other")
        ys.append(middle)
    ys.append(max(w.bottom for w in rows[-1].words) + size / 2)
    return ys
