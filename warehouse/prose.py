"""Sections of text go in by blocks, so that a phrase is looked for only where it can be.

A block is a run of sections of one number (一、总体情况 of many reports): as many rows as DuckDB reads at once. Beside it stands
which groups of three characters its text has, as a Bloom filter: one bit for each of 2^19 hash values. narrative_search asks it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

#: Rows that DuckDB reads and decompresses at once.
BLOCK = 2048
#: As in views/00_gram_bit.sql. A product and a sum wrap at 2^32; the top bits of it are the place.
FACTORS = (2654435761, 2246822519, 3266489917)
BITS = 19


def insert_sections(con: duckdb.DuckDBPyConnection, sections: str) -> int:
    """Insert the rows of a query (report_id, section_no, heading, text) into `narrative` and their blocks into `narrative_block`.

    All of it is in memory at once: about 10 KB a report. Returns the number of rows. Raises duckdb.Error for a value the schema refuses.
    """
    rows = con.sql(f"SELECT report_id, section_no, heading, text FROM ({sections}) ORDER BY section_no, report_id").to_arrow_table()
    blocks = list(_blocks(rows["section_no"].to_numpy()))
    first = _next_block(con)
    numbers = np.arange(first, first + len(blocks), dtype=np.uint32)
    grams = [bitmap(rows["text"].slice(block.start, len(block))) for block in blocks]
    _append(con, "narrative_block", pyarrow.table({"block_no": numbers, "grams": pyarrow.array(grams, pyarrow.binary())}))
    placed = pyarrow.array(np.repeat(numbers, [len(block) for block in blocks]))
    _append(con, "narrative", rows.append_column("block_no", placed))
    return len(rows)


def _append(con: duckdb.DuckDBPyConnection, table: str, rows: pyarrow.Table) -> None:
    con.register("sections", rows)
    con.execute(f"INSERT INTO {table} BY NAME FROM sections").fetchall()
    con.unregister("sections")


def drop_empty_blocks(con: duckdb.DuckDBPyConnection) -> None:
    """Remove blocks of which no section is left. Raises duckdb.Error."""
    con.execute("DELETE FROM narrative_block WHERE block_no NOT IN (SELECT block_no FROM narrative)")


def bitmap(texts: pyarrow.ChunkedArray) -> bytes:
    """The Bloom filter of some texts: 2^BITS bits, the first one highest in the first byte. Groups across two texts are in it too."""
    flags: NDArray[np.bool_] = np.zeros(1 << BITS, np.bool_)
    for chunk in texts.chunks:
        whole = pyarrow.compute.binary_join(pyarrow.ListArray.from_arrays([0, len(chunk)], chunk), "")[0].as_py()
        flags[places(np.frombuffer(whole.encode("utf-32-le"), np.uint32))] = True
    return np.packbits(flags).tobytes()


def places(points: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The bit of every three code points that follow each other."""
    a, b, c = (np.uint32(factor) for factor in FACTORS)
    if len(points) < 3:
        return np.empty(0, np.uint32)
    mixed = points[:-2] * a
    mixed += points[1:-1] * b
    mixed += points[2:] * c
    mixed >>= np.uint32(32 - BITS)
    return mixed


def _blocks(sections: NDArray[np.int32]) -> Iterator[range]:
    """Runs of rows of one section number, BLOCK rows at most."""
    starts = np.flatnonzero(np.diff(sections, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(sections)]):
        for first in range(start, end, BLOCK):
            yield range(first, min(first + BLOCK, end))


def _next_block(con: duckdb.DuckDBPyConnection) -> int:
    [(number,)] = con.execute("SELECT coalesce(max(block_no), 0) + 1 FROM narrative_block").fetchall()
    return int(number)
