"""The official forms as data: one file of `layouts/` per form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from transform.labels import Vocabulary
from transform.list_words import ListWords


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BlockRow(_Model):
    """A row of a stacked block: its wordings, and the indicator in each column."""

    label: list[str]
    cells: dict[str, str]


class Block(_Model):
    """A block of table two: the item of Article 20 it reports on, and its rows."""

    heading: str
    rows: list[BlockRow]


class MatrixRow(_Model):
    """A row of table three: its indicator, wordings, and the group cell beside it."""

    indicator: str
    label: list[str]
    group: str | None = None


class Group(_Model):
    """A label that spans rows or columns; `prefix` starts the indicators below it (table four)."""

    label: list[str]
    prefix: str | None = None


class Item(_Model):
    """A row of a list: its wordings, its indicator (None for a heading) and the rows below it."""

    label: list[str]
    indicator: str | None = None
    items: list[Item] = []


class Table(_Model):
    """One table of a form.

    Shapes: `blocks` (rows under changing headers), `matrix` (rows by applicants), `columns` (one row of figures), `list` (one
    figure a row, rows nested by indentation).
    """

    section: Literal["proactive", "requests", "litigation", "legacy"]
    shape: Literal["blocks", "matrix", "columns", "list"]
    columns: dict[str, list[str]]
    furniture: list[str] = []
    groups: list[Group] = []
    rows: list[MatrixRow] = []
    blocks: list[Block] = []
    items: list[Item] = []

    @cached_property
    def content(self) -> str:
        """All there is of the table: the same for tables that are the same in several forms."""
        return self.model_dump_json()

    def indicators(self) -> dict[str, str]:
        """Every indicator of the table with its official label."""
        return self._indicators

    @cached_property
    def by_indicator(self) -> dict[str, MatrixRow]:
        """The rows of a matrix."""
        return {row.indicator: row for row in self.rows}

    @cached_property
    def subgroups(self) -> frozenset[str]:
        """The groups that stand beside rows of a matrix."""
        return frozenset(row.group for row in self.rows if row.group)

    @cached_property
    def block_cells(self) -> dict[str, dict[str, str]]:
        """Indicators by column of each row of the blocks, by its first wording."""
        return {row.label[0]: row.cells for block in self.blocks for row in block.rows}

    @cached_property
    def _indicators(self) -> dict[str, str]:
        match self.shape:
            case "matrix":
                return {r.indicator: r.label[0] for r in self.rows}
            case "blocks":
                return {
                    indicator: f"{row.label[0]}·{self.columns[column][0]}"
                    for block in self.blocks
                    for row in block.rows
                    for column, indicator in row.cells.items()
                }
            case "columns":
                return {f"{g.prefix}_{key}": f"{g.label[0]}·{words[0]}" for g in self.groups for key, words in self.columns.items()}
            case "list":
                return {item.indicator: item.label[0] for _, item in self.flat if item.indicator}

    @cached_property
    def flat(self) -> tuple[tuple[tuple[int, ...], Item], ...]:
        """The rows of a list in their order, each with its path: its place among those below the same row, from the top down."""
        return tuple(_walk(self.items, ()))

    @cached_property
    def list_words(self) -> ListWords:
        """Wordings of the rows of a list, headings among them."""
        return ListWords(self.flat)

    @cached_property
    def column_words(self) -> Vocabulary[str]:
        return _vocabulary(self.columns)

    @cached_property
    def group_words(self) -> Vocabulary[str]:
        headings = {item.label[0]: item.label for _, item in self.flat if not item.indicator}
        return _vocabulary({g.label[0]: g.label for g in self.groups} | headings)

    @cached_property
    def row_words(self) -> Vocabulary[str]:
        """Wordings of the rows; the key is the indicator (matrix, list) or the first wording (blocks)."""
        if self.shape == "list":
            return _vocabulary({item.indicator: item.label for _, item in self.flat if item.indicator})
        if self.shape == "matrix":
            return _vocabulary({r.indicator: r.label for r in self.rows})
        return _vocabulary({r.label[0]: r.label for b in self.blocks for r in b.rows})

    @cached_property
    def furniture_words(self) -> Vocabulary[str]:
        words = [*self.furniture, *FURNITURE, *(b.heading for b in self.blocks)]
        return _vocabulary({w: [w] for w in words})


def _vocabulary(wordings: Mapping[str, Sequence[str]]) -> Vocabulary[str]:
    return _one_of_each(tuple((key, tuple(texts)) for key, texts in wordings.items()))


@lru_cache(256)
def _one_of_each(wordings: tuple[tuple[str, tuple[str, ...]], ...]) -> Vocabulary[str]:
    """Forms with the same words share their vocabulary, and what was found in it."""
    return Vocabulary(dict(wordings))


def _walk(items: list[Item], above: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Item]]:
    for i, item in enumerate(items):
        yield (*above, i), item
        yield from _walk(item.items, (*above, i))


class Layout(_Model):
    """An official form: its format number (2014, 2019, 2021) and tables."""

    format: int
    tables: list[Table]


#: Printed in every table without being a figure or the label of one.
FURNITURE = (
    "信息内容",
    "二、主动公开政府信息情况",
    "三、收到和处理政府信息公开申请情况",
    "四、政府信息公开行政复议、行政诉讼情况",
    "单位：件",
    "单位：万元",
    "单位：件、万元",
    "四、因政府信息公开工作被申请行政复议、提起行政诉讼情况",
)


@cache
def layouts() -> tuple[Layout, ...]:
    """All forms, newest first. Raises pydantic.ValidationError for a file that is no layout."""
    folder = files("transform") / "layouts"
    loaded = [Layout.model_validate(yaml.safe_load(f.read_text("utf-8"))) for f in folder.iterdir() if f.name.endswith(".yml")]
    return tuple(sorted(loaded, key=lambda layout: -layout.format))
