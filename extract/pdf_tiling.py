"""Printed cells where rules are missing: from the places of words to a tiling of the table by cells, or to the reason why there is none.

What is not certain raises UnsureError: figures that share a column or a row, a label that does not stand at the height of its figures, text
at a place of its own. Rules that are there decide before any guess. Coordinates are points from the upper left corner of the page as shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from extract.grid import BBox
from extract.pdf_columns import clusters, columns_of, header_words, with_blank_columns
from extract.pdf_places import LEADING, ORDINAL, WIDE, Rules, Table, UnsureError, figures_of
from extract.pdf_rows import Row, bands, rows_of
from extract.pdf_words import Line, Word


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


def tile(table: Table) -> Tiling:
    """The cells of a table. Raises UnsureError where they are not certain."""
    size = median(w.size for row in table.rows for w in row)
    spans = clusters(table.rows)
    if not all(map(figures_of, table.rows)):
        raise UnsureError("a label stands behind the figures of its row")
    header = header_words(table, spans[0][0])
    spans = with_blank_columns(spans, header)
    claimed = {id(w) for row in table.rows for w in figures_of(row)}
    labels = [w for w in table.words if w.x1 <= spans[0][0] and id(w) not in claimed]
    if not labels and len(table.rows) > 1:
        raise UnsureError("several rows of figures without a label")
    if any(w.x0 < spans[0][0] < w.x1 and id(w) not in claimed for row in table.rows for w in row):
        raise UnsureError("a label runs into the figures")
    xs, n_labels = columns_of(table, spans, labels, header, size)
    rows = rows_of(table, xs, n_labels, size)
    ys = bands(rows, table.rules, xs, size)
    owner = _owners(rows, xs, ys, n_labels, table.rules, size)
    return Tiling(xs, ys, owner, n_labels, [w for row in table.rows for w in figures_of(row)])


# --- cells


@dataclass(slots=True)
class _Block:
    """Words of one cell, and the rows and columns it covers (ends excluded)."""

    words: Line
    top: int
    bottom: int
    left: int
    right: int


def _owners(rows: list[Row], xs: list[float], ys: list[float], n_labels: int, rules: Rules, size: float) -> list[list[int]]:
    """The number of the cell at each place. Raises UnsureError where two cells want one place."""
    blocks: list[_Block] = []
    first = next(i for i, r in enumerate(rows) if r.figures)
    for r, row in enumerate(rows):
        for word in row.figures:
            left, right = _range(word, xs, size)
            if right - left > 1 and len(xs) - 1 - n_labels >= WIDE:
                raise UnsureError(f"{word.text!r} stands in two columns")
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
        if same and -size / 2 < word.top - last.bottom < reach * size and not ORDINAL.match(word.text):
            x = (max(word.x0, last.x0) + min(word.x1, last.x1)) / 2
            if not rules.across(x, last.mid, word.mid):
                block.words.append(word)
                block.bottom = new.bottom
                return
    blocks.append(new)


def _painted(blocks: list[_Block], rows: list[Row], n_cols: int) -> list[list[int]]:
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


def _spread(owner: list[list[int]], number: int, block: _Block, rows: list[Row]) -> None:
    """A head takes the blank places under and above it, up to the rows of figures."""
    columns = range(block.left, block.right)
    for start, step in ((block.bottom, 1), (block.top - 1, -1)):
        r = start
        while 0 <= r < len(rows) and not rows[block.top].figures and not rows[r].figures and all(owner[r][c] < 0 for c in columns):
            for c in columns:
                owner[r][c] = number
            r += step
