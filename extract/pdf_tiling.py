"""Printed cells where rules are missing: from the places of words to a tiling of the table by cells, or to the reason why there is none.

What is not certain raises UnsureError: figures that share a column or a row, a label that does not stand at the height of its figures, text
at a place of its own. Rules that are there decide before any guess. Coordinates are points from the upper left corner of the page as shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import mean, median

from extract.grid import BBox
from extract.pdf_words import Line, Word

#: Most a label may stand off the height of its figures, in ems; lines of one label are more than twice as far apart.
OFF = 0.45
#: Lines of one cell are at most this far apart, in ems from the bottom of the one to the top of the next.
LEADING = 0.5
#: Columns of figures from which on a table is taken to be a matrix, each column with a head of its own.
WIDE = 5
_ORDINAL = re.compile(r"[（(]?[一二三四五六七八九十]{1,3}[）)、]|\d{1,2}[.．、]|第.{1,4}条")


class UnsureError(Exception):
    """The reason why a table's cells can't be told with certainty."""


@dataclass(slots=True)
class Rules:
    """The rules of a page: horizontal ones as (x0, x1, y), upright ones as (x, top, bottom)."""

    horizontal: list[tuple[float, float, float]] = field(default_factory=list)
    upright: list[tuple[float, float, float]] = field(default_factory=list)

    def across(self, x: float, top: float, bottom: float) -> list[float]:
        """Heights at which a rule crosses the upright line x between top and bottom; the two lines of a double rule count once."""
        found = sorted(y for x0, x1, y in self.horizontal if x0 - 1 <= x <= x1 + 1 and top < y < bottom)
        return [y for i, y in enumerate(found) if i == 0 or y - found[i - 1] > 4]

    def down(self, left: float, right: float, top: float, bottom: float) -> list[float]:
        """Places of the upright rules between left and right that stand for a part of top..bottom."""
        return sorted(x for x, y0, y1 in self.upright if left < x < right and y0 < bottom and y1 > top)


@dataclass(slots=True)
class Table:
    """The words of a table by line, and which of the lines are rows of figures; `columns` are upper bounds known from an earlier page."""

    lines: list[Line]
    rows: list[Line]
    rules: Rules
    header_edges: list[float] | None = None

    @property
    def words(self) -> list[Word]:
        return [w for line in self.lines for w in line]


@dataclass(slots=True)
class Tiling:
    """Edges of columns and rows, and the number of the cell that owns each place between them."""

    xs: list[float]
    ys: list[float]
    owner: list[list[int]]
    n_labels: int
    figures: list[Word]

    def segments(self) -> list[BBox]:
        """Edges between cells as lines (x0, top, x1, bottom)."""
        out: list[BBox] = []
        n_rows, n_cols = len(self.owner), len(self.owner[0])
        for r in range(n_rows + 1):
            for c in range(n_cols):
                if r in (0, n_rows) or self.owner[r - 1][c] != self.owner[r][c]:
                    out.append((self.xs[c], self.ys[r], self.xs[c + 1], self.ys[r]))
        for c in range(n_cols + 1):
            for r in range(n_rows):
                if c in (0, n_cols) or self.owner[r][c - 1] != self.owner[r][c]:
                    out.append((self.xs[c], self.ys[r], self.xs[c], self.ys[r + 1]))
        return out


@dataclass(slots=True)
class _Row:
    """A row of the tiling: figures with their label, or one line of text (`figures` empty)."""

    mid: float
    figures: Line
    labels: Line = field(default_factory=list)
    texts: Line = field(default_factory=list)

    @property
    def words(self) -> Line:
        return [*self.figures, *self.labels, *self.texts]


def tile(table: Table) -> Tiling:
    """The cells of a table. Raises UnsureError where they are not certain."""
    size = median(w.size for row in table.rows for w in row)
    spans = _clusters(table.rows)
    if not all(map(_figures, table.rows)):
        raise UnsureError("a label stands behind the figures of its row")
    header = _header_words(table, spans[0][0])
    spans = _with_blank_columns(spans, header)
    claimed = {id(w) for row in table.rows for w in _figures(row)}
    labels = [w for w in table.words if w.x1 <= spans[0][0] and id(w) not in claimed]
    if not labels and len(table.rows) > 1:
        raise UnsureError("several rows of figures without a label")
    if any(w.x0 < spans[0][0] < w.x1 and id(w) not in claimed for row in table.rows for w in row):
        raise UnsureError("a label runs into the figures")
    xs, n_labels = _columns(table, spans, labels, header, size)
    rows = _rows(table, xs, n_labels, size)
    ys = _bands(rows, table.rules, xs, size)
    owner = _owners(rows, xs, ys, n_labels, table.rules, size)
    return Tiling(xs, ys, owner, n_labels, [w for row in table.rows for w in _figures(row)])


def _figures(row: Line) -> Line:
    """The figures of a row, from the first that has no label behind it."""
    last = max((i for i, w in enumerate(row) if not w.is_figure and not _is_remark(row, i)), default=-1)
    return [w for w in row[last + 1 :] if w.is_figure]


def _is_remark(row: Line, index: int) -> bool:
    return index > 0 and row[index].text[0] in "（(" and row[index - 1].is_figure


# --- columns


def _clusters(rows: Sequence[Line]) -> list[tuple[float, float]]:
    """Extents of the columns of figures. Raises UnsureError where two figures of one row share a column."""
    most = max(len(_figures(row)) for row in rows)
    for chosen in (rows, [row for row in rows if len(_figures(row)) == most]):
        spans = _merged((w.x0, w.x1) for row in chosen for w in _figures(row))
        if all(len({_span_of(w, spans) for w in _figures(row)}) == len(_figures(row)) for row in chosen):
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


def _header_words(table: Table, first: float) -> Line:
    """Words above figures that are no figures themselves, right of where the first figure starts."""
    rows = {id(w) for row in table.rows for w in row}
    return [w for w in table.words if id(w) not in rows and w.x1 > first]


def _with_blank_columns(spans: list[tuple[float, float]], header: Line) -> list[tuple[float, float]]:
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


def _columns(table: Table, spans: list[tuple[float, float]], labels: Line, header: Line, size: float) -> tuple[list[float], int]:
    """Edges of all columns, and how many of them are columns of labels."""
    words = table.words
    heads = [w for w in _leaf_heads(header) if sum(w.x0 < x1 and x0 < w.x1 for x0, x1 in spans) == 1]
    left = min([w.x0 for w in words] + [x0 for x0, _, _ in table.rules.horizontal]) - size / 2
    right = max([w.x1 for w in words] + [x1 for _, x1, _ in table.rules.horizontal]) + size / 2
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


# --- rows


def _rows(table: Table, xs: list[float], n_labels: int, size: float) -> list[_Row]:
    """Rows of figures with their labels, and lines of text between them, top to bottom."""
    rows = [_Row(median(w.mid for w in _figures(line)), [w for w in line if w.x0 >= xs[n_labels]]) for line in table.rows]
    claimed = {id(w) for row in rows for w in row.figures}
    rest = [[w for w in line if id(w) not in claimed] for line in table.lines]
    heads = [line for line in rest if any(w.x1 > xs[n_labels] + OFF * size for w in line)]
    if any(w.is_figure and w.x0 >= xs[n_labels] for line in rest for w in line):
        raise UnsureError("a figure stands outside of the rows of figures")
    if any(abs(w.mid - row.mid) < size and w.x0 >= xs[n_labels] for line in heads for w in line for row in rows):
        raise UnsureError("text stands between rows of figures")
    labels = [w for line in rest if line not in heads for w in line]
    leaves = _leaves(labels, rows, xs, n_labels, size) if n_labels else []
    if n_labels:
        _attach(leaves, rows, table.rules, heads, xs, size)
    owned = {id(w) for row in rows for w in row.labels}
    groups = [w for w in labels if id(w) not in owned]
    texts = [_Row(mean(w.mid for w in line), [], texts=line) for line in [*heads, *_text_lines(groups, rows, size)]]
    out = sorted([*rows, *texts], key=lambda r: r.mid)
    spread = {id(w) for row in texts for w in row.texts}
    for word in groups:
        if id(word) not in spread:
            min(rows, key=lambda r: abs(r.mid - word.mid)).texts.append(word)
    return out


def _text_lines(words: Line, rows: list[_Row], size: float) -> list[Line]:
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


def _between_close(word: Word, rows: list[_Row], size: float) -> bool:
    """Whether the rows above and below leave no room for a row of text."""
    above = max((max(w.bottom for w in r.words) for r in rows if r.mid < word.mid), default=None)
    below = min((min(w.top for w in r.words) for r in rows if r.mid > word.mid), default=None)
    return above is not None and below is not None and below - above < 1.4 * size


def _leaves(labels: Line, rows: list[_Row], xs: list[float], n_labels: int, size: float) -> Line:
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
    return not _ORDINAL.match(word.text) and any(
        w.x0 < last < w.x1 and abs(w.x0 - word.x0) < size / 4 and -0.2 * size < word.top - w.bottom < LEADING * size for w in leaves
    )


def _attach(leaves: Line, rows: list[_Row], rules: Rules, heads: list[Line], xs: list[float], size: float) -> None:
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


def _attach_between(lines: list[Line], rows: list[_Row], rules: Rules, x: float) -> None:
    """By the rules above and below each row."""
    for row in rows:
        above, below = rules.across(x, 0, row.mid), rules.across(x, row.mid, 1e6)
        top, bottom = above[-1] if above else -1.0, below[0] if below else 1e6
        row.labels = [w for line in lines for w in line if top < w.mid < bottom]


def _attach_by_height(lines: list[Line], rows: list[_Row], heads: list[float], size: float) -> None:
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
    lines: list[Line], rows: list[_Row], heads: list[float], anchor: Callable[[list[Line]], float], size: float
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
    return all(b[0].top - a[0].bottom < size and not _ORDINAL.match(b[0].text) for a, b in pairwise(lines))


def _bands(rows: list[_Row], rules: Rules, xs: list[float], size: float) -> list[float]:
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


# --- cells


@dataclass(slots=True)
class _Block:
    """Words of one cell, and the rows and columns it covers (ends excluded)."""

    words: Line
    top: int
    bottom: int
    left: int
    right: int


def _owners(rows: list[_Row], xs: list[float], ys: list[float], n_labels: int, rules: Rules, size: float) -> list[list[int]]:
    """The number of the cell at each place. Raises UnsureError where two cells want one place."""
    blocks: list[_Block] = []
    first = next(i for i, r in enumerate(rows) if r.figures)
    for r, row in enumerate(rows):
        for word in row.figures:
            left, right = _range(word, xs, size)
            _join(blocks, _Block([word], r, r + 1, left, right))
        if row.labels:
            left = min(_range(w, xs, size)[0] for w in row.labels)
            blocks.append(_Block(row.labels, r, r + 1, left, n_labels))
    loose = [(r, w) for r, row in enumerate(rows) for w in row.texts]
    for r, word in sorted(loose, key=lambda p: p[1].mid):
        left, right = _range(word, xs, size)
        if r < first and right <= n_labels:
            left, right = 0, n_labels
        _stack(
            blocks,
            _Block([word], _band(word.top + size / 4, ys), _band(word.bottom - size / 4, ys) + 1, left, right),
            rules,
            size,
            bool(rows[r].figures),
        )
    return _painted(blocks, rows, len(xs) - 1)


def _range(word: Word, xs: list[float], size: float) -> tuple[int, int]:
    """Columns that a word stands in; up to a quarter em over an edge does not count."""
    slack = min(size / 4, (word.x1 - word.x0) / 3)
    inside = [i for i in range(len(xs) - 1) if word.x0 + slack < xs[i + 1] and word.x1 - slack > xs[i]]
    return inside[0], inside[-1] + 1


def _band(y: float, ys: list[float]) -> int:
    return max(i for i in range(len(ys) - 1) if i == 0 or ys[i] <= y)


def _join(blocks: list[_Block], new: _Block) -> None:
    """A remark behind a figure belongs to its cell; two figures in one cell are not certain."""
    for block in blocks:
        if (block.top, block.left, block.right) == (new.top, new.left, new.right):
            if new.words[0].is_figure:
                raise UnsureError("two figures stand in one cell")
            block.words += new.words
            return
    blocks.append(new)


def _stack(blocks: list[_Block], new: _Block, rules: Rules, size: float, body: bool) -> None:
    """Put a line of text under the lines of its cell, where it goes on there."""
    word = new.words[0]
    for block in reversed(blocks):
        last = block.words[-1]
        same = (block.left, block.right) == (new.left, new.right) and not last.is_figure
        reach = 1.0 if body else LEADING
        if same and -size / 2 < word.top - last.bottom < reach * size and not _ORDINAL.match(word.text):
            x = (max(word.x0, last.x0) + min(word.x1, last.x1)) / 2
            if not rules.across(x, last.mid, word.mid):
                block.words.append(word)
                block.bottom = new.bottom
                return
    blocks.append(new)


def _painted(blocks: list[_Block], rows: list[_Row], n_cols: int) -> list[list[int]]:
    owner = [[-1] * n_cols for _ in rows]
    for number, block in enumerate(blocks):
        for r in range(block.top, block.bottom):
            for c in range(block.left, block.right):
                if owner[r][c] >= 0:
                    texts = ["".join(w.text for w in b.words) for b in (blocks[owner[r][c]], block)]
                    raise UnsureError(f"{texts[0]!r} and {texts[1]!r} stand in one place")
                owner[r][c] = number
    for block_number, block in enumerate(blocks):
        _spread(owner, block_number, block, rows)
    blank = len(blocks)
    for row in owner:
        for c, value in enumerate(row):
            if value < 0:
                row[c] = blank
                blank += 1
    return owner


def _spread(owner: list[list[int]], number: int, block: _Block, rows: list[_Row]) -> None:
    """A head takes the blank places under and above it, up to the rows of figures."""
    columns = range(block.left, block.right)
    for start, step in ((block.bottom, 1), (block.top - 1, -1)):
        r = start
        while 0 <= r < len(rows) and not rows[block.top].figures and not rows[r].figures and all(owner[r][c] < 0 for c in columns):
            for c in columns:
                owner[r][c] = number
            r += step
