"""Query results as a table for people, CSV or JSON."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

Rows = Iterator[Sequence[Any]]
_WIDE = 10_000  # no terminal is this wide: what is not for a terminal is never folded


def plain(value: object) -> str:
    """A value as text: NULL empty, decimals without trailing zeros, times ISO 8601."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return _decimal(value)
        case datetime() | date() | time():
            return value.isoformat()
        case list() | tuple() | dict():
            return encode(value)
        case bytes():
            return value.hex()
    return str(value)


def _decimal(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def encode(value: object) -> str:
    """A value as JSON. Decimals keep every digit, which the standard encoder can't; what is no JSON number becomes null."""
    match value:
        case Decimal():
            return _decimal(value) if value.is_finite() else "null"
        case float():
            return json.dumps(value) if math.isfinite(value) else "null"
        case None | bool() | int():
            return json.dumps(value)
        case dict():
            return "{" + ", ".join(f"{json.dumps(str(k), ensure_ascii=False)}: {encode(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(encode, value)) + "]"
    return json.dumps(plain(value), ensure_ascii=False)


def write_csv(names: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO) -> int:
    """CSV as RFC 4180 has it, NULL as an empty field. Returns the number of rows."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for row in rows:
        writer.writerow([plain(value) for value in row])
        count += 1
    return count


def write_json(names: Sequence[str], rows: Iterable[Sequence[Any]], stream: TextIO) -> int:
    """An array of objects, one per line. Returns the number of rows."""
    stream.write("[")
    count = 0
    for row in rows:
        stream.write(",\n" if count else "\n")
        stream.write(encode(dict(zip(names, row, strict=True))))
        count += 1
    stream.write("\n]\n" if count else "]\n")
    return count


def write_table(names: Sequence[str], rows: Rows, stream: TextIO, limit: int) -> int:
    """The first `limit` rows as a table; where there are more, a line says how many. Returns the number of rows."""
    shown = [[plain(value) for value in row] for row in islice(rows, limit)]
    numeric = [all(_is_number(row[i]) for row in shown) for i in range(len(names))]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, right in zip(names, numeric, strict=True):
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    for row in shown:
        table.add_row(*map(Text, row))
    console = Console(file=stream, highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table)
    total = len(shown) + sum(1 for _ in rows)
    console.print(_footer(len(shown), total))
    return total


def _is_number(text: str) -> bool:
    return not text.strip("-+.0123456789e")


def _footer(shown: int, total: int) -> str:
    if shown < total:
        return f"({shown:,} of {total:,} rows shown; use --format csv for all)"
    return f"({total:,} row{'' if total == 1 else 's'})"
