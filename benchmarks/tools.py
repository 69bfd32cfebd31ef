"""One tool that reads tables, in a process of its own: `python tools.py NAME`, asked and answering in lines of JSON.

Runs in the project's environment or in that of the rivals, so nothing of the project is imported at the top. A tool is two functions: `run`
does all of its work and is what is timed; `give` puts the result into plain cells `[x0, top, x1, bottom, text]` by table and page.
"""

from __future__ import annotations

import gc
import io
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: A table: its page, and its cells. Where a medium has no geometry, coordinates are positions in the grid.
RawTable = dict[str, Any]
DPI = 200


@dataclass(frozen=True, slots=True)
class Tool:
    """`run(path)` does the work; `give(result)` is what it found, for JSON: `tables`, `observations`, `words`."""

    run: Callable[[str], Any]
    give: Callable[[Any], dict[str, Any]]


def _nothing(_: Any) -> dict[str, Any]:
    return {}


# --- ours


def _read(path: str) -> Any:
    from extract.reader import read_document

    return read_document(Path(path).read_bytes())


def _ours(path: str) -> Any:
    from transform.tidy import Context, tidy

    return tidy(_read(path), Context("bench", "330302", "urn:bench", "00" * 32, "2026-01-01T00:00:00Z", "bench"))


def _observations(rows: Any) -> dict[str, Any]:
    names = ("section", "indicator", "applicant", "value_status")
    return {"observations": [[*(r[n] for n in names), None if r["value"] is None else str(r["value"])] for r in rows["observation"]]}


# --- PDF


def _floor(path: str) -> int:
    """What any reader on pdfium must at least ask for: the text of all pages, and the box of every path."""
    import pypdfium2 as pdfium
    from pypdfium2 import raw

    seen, pdf = 0, pdfium.PdfDocument(Path(path).read_bytes())
    for page in pdf:
        seen += len(page.get_textpage().get_text_range())
        seen += sum(1 for path_object in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH]) if path_object.get_bounds())
    pdf.close()
    return seen


def _camelot(path: str) -> Any:
    import camelot

    return camelot.read_pdf(path, pages="all")


def _camelot_vector(path: str) -> Any:
    import camelot

    return camelot.read_pdf(path, pages="all", flavor="lattice", engine="vector", layout_kwargs={"boxes_flow": None})


def _camelot_cells(tables: Any) -> dict[str, Any]:
    """Cells between which Camelot found no rule are one cell, with their texts."""
    return {"tables": [{"page": int(t.page), "cells": [*_merged(t.cells)]} for t in tables]}


def _merged(rows: list[list[Any]]) -> Iterable[list[Any]]:
    group = {(r, c): (r, c) for r, row in enumerate(rows) for c in range(len(row))}

    def root(at: tuple[int, int]) -> tuple[int, int]:
        while group[at] != at:
            at = group[at]
        return at

    for (r, c), cell in [((r, c), rows[r][c]) for r, c in group]:
        for beyond, open_side in (((r, c + 1), not cell.right), ((r + 1, c), not cell.bottom)):
            if open_side and beyond in group:
                group[root(beyond)] = root((r, c))
    members: dict[tuple[int, int], list[Any]] = {}
    for r, c in group:
        members.setdefault(root((r, c)), []).append(rows[r][c])
    for cells in members.values():
        text = "\n".join(x.text.strip() for x in cells if x.text.strip())
        yield [min(x.x1 for x in cells), -max(x.y2 for x in cells), max(x.x2 for x in cells), -min(x.y1 for x in cells), text]


def _pdfplumber(path: str) -> Any:
    import pdfplumber

    with pdfplumber.open(path) as pdf:
        return [(page.page_number, t.rows, t.extract()) for page in pdf.pages for t in page.find_tables()]


def _pymupdf(path: str, **options: Any) -> Any:
    import pymupdf

    with pymupdf.open(path) as pdf:
        return [(page.number + 1, t.rows, t.extract()) for page in pdf for t in page.find_tables(**options).tables]


def _pymupdf_lines(path: str) -> Any:
    return _pymupdf(path, use_layout=False)


def _rows_of_boxes(found: Any) -> dict[str, Any]:
    """What pdfplumber and PyMuPDF give: a box for each cell, None where a merged cell covers the place."""
    tables = []
    for page, rows, texts in found:
        pairs = [(box, text) for row, line in zip(rows, texts, strict=True) for box, text in zip(row.cells, line, strict=True)]
        tables.append({"page": page, "cells": [[*box, text or ""] for box, text in pairs if box]})
    return {"tables": tables}


def _tablers(path: str) -> Any:
    import tablers

    with tablers.Document(path) as pdf:
        return [(page.page_idx + 1, t.cells) for page in pdf.pages() for t in tablers.find_tables(page, extract_text=True)]


def _tablers_cells(found: Any) -> dict[str, Any]:
    return {"tables": [{"page": page, "cells": [[*c.bbox, c.text or ""] for c in cells]} for page, cells in found]}


def _tabula(path: str) -> Any:
    """Page by page, because tabula's answer does not name the page of a table; with jpype all in one virtual machine."""
    import pypdfium2 as pdfium
    import tabula

    pages = len(pdfium.PdfDocument(path))
    found = ((n, tabula.read_pdf(path, pages=n, lattice=True, output_format="json", silent=True)) for n in range(1, pages + 1))
    return [(page, table) for page, tables in found for table in tables]


def _tabula_cells(found: Any) -> dict[str, Any]:
    return {"tables": [{"page": page, "cells": [*_boxes(table)]} for page, table in found]}


def _boxes(table: Any) -> Iterable[list[Any]]:
    for c in (c for row in table["data"] for c in row if c["width"] > 0):
        yield [c["left"], c["top"], c["left"] + c["width"], c["top"] + c["height"], c["text"]]


# --- HTML, DOCX


def _read_html(path: str) -> Any:
    import pandas as pd

    from extract.charset import decode

    text = decode(Path(path).read_bytes())[0]
    return pd.read_html(io.StringIO(text), thousands=None, keep_default_na=False)


def _frames(found: Any) -> dict[str, Any]:
    """pandas writes the text of a merged cell into every place that it covers, and some rows into the columns' names."""
    tables = []
    for frame in found:
        rows = [[str(v) for v in row] for row in frame.itertuples(index=False, name=None)]
        names = [c if isinstance(c, tuple) else (c,) for c in frame.columns]
        head = [[str(v) for v in row] for row in zip(*names, strict=True)] if isinstance(names[0][0], str) else []
        tables.append({"page": None, "cells": _repeated([*head, *rows])})
    return {"tables": tables}


def _repeated(rows: list[list[str]]) -> list[list[Any]]:
    """Equal words side by side or below each other are one cell; equal figures only where they share the cell above."""
    out: list[list[Any]] = []
    owner: dict[tuple[int, int], list[Any]] = {}
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            if (r, c) not in owner:
                cell = [c, r, *_extent_of(rows, owner, r, c), text]
                owner |= {(y, x): cell for y in range(r, cell[3]) for x in range(c, cell[2])}
                out.append(cell)
    return out


def _extent_of(rows: list[list[str]], owner: dict[tuple[int, int], list[Any]], r: int, c: int) -> tuple[int, int]:
    row, right, bottom = rows[r], c + 1, r + 1
    words = any("\u4e00" <= char <= "\u9fff" for char in row[c])
    while right < len(row) and row[right] == row[c] and (words or (r and owner[r - 1, right] is owner[r - 1, c])):
        right += 1
    while words and bottom < len(rows) and rows[bottom][c:right] == row[c:right]:
        bottom += 1
    return right, bottom


def _python_docx(path: str) -> Any:
    from docx import Document

    return [[[(cell._tc, cell.text) for cell in row.cells] for row in table.rows] for table in Document(path).tables]


def _same_cells(found: Any) -> dict[str, Any]:
    """python-docx gives a merged cell at every place that it covers: it is known by its element."""
    tables = []
    for rows in found:
        boxes: dict[Any, list[Any]] = {}
        for r, row in enumerate(rows):
            for c, (element, text) in enumerate(row):
                x0, top, x1, bottom, _ = boxes.get(element, [c, r, c + 1, r + 1, text])
                boxes[element] = [min(x0, c), top, max(x1, c + 1), max(bottom, r + 1), text]
        tables.append({"page": None, "cells": list(boxes.values())})
    return {"tables": tables}


# --- scans

_ENGINE: list[Any] = []


def _rapidocr(path: str) -> Any:
    """Every page at 200 dpi, detection and recognition of the whole page, words with their boxes."""
    import pypdfium2 as pdfium
    from rapidocr import RapidOCR

    if not _ENGINE:
        threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
        _ENGINE.append(RapidOCR(params={**threads, "Global.log_level": "error", "Global.return_word_box": True}))
    with pdfium.PdfDocument(path) as pdf:
        return [_ENGINE[0](page.render(scale=DPI / 72).to_numpy()) for page in pdf]


def _words(pages: Any) -> dict[str, Any]:
    """Words in points from the upper left corner with the number of their line, by page."""
    out = []
    for page in pages:
        lines = [line if isinstance(line[0], tuple | list) else [line] for line in page.word_results or ()]
        out.append([[*_extent(quad), text, n] for n, line in enumerate(lines) for text, _, quad in line if quad is not None])
    return {"words": out}


def _extent(quad: Any) -> list[float]:
    xs, ys = [float(x) * 72 / DPI for x, _ in quad], [float(y) * 72 / DPI for _, y in quad]
    return [min(xs), min(ys), max(xs), max(ys)]


TOOLS = {
    "gongkai": Tool(_ours, _observations),
    "gongkai-read": Tool(_read, _nothing),
    "floor": Tool(_floor, _nothing),
    "camelot": Tool(_camelot, _camelot_cells),
    "camelot-vector": Tool(_camelot_vector, _camelot_cells),
    "pdfplumber": Tool(_pdfplumber, _rows_of_boxes),
    "pymupdf": Tool(_pymupdf, _rows_of_boxes),
    "pymupdf-lines": Tool(_pymupdf_lines, _rows_of_boxes),
    "tablers": Tool(_tablers, _tablers_cells),
    "tabula": Tool(_tabula, _tabula_cells),
    "read_html": Tool(_read_html, _frames),
    "python-docx": Tool(_python_docx, _same_cells),
    "rapidocr": Tool(_rapidocr, _words),
}


def cpu() -> float:
    """CPU seconds of this process, all its threads, and the children it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def memory() -> dict[str, float]:
    """Peak and present resident MB of this process; the peak of its largest child where that is more."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak, now = (int(fields[name].split()[0]) / 1000 for name in ("VmHWM", "VmRSS"))
    return {"peak": max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000), "now": now}


def answer(tool: Tool, path: str, wanted: bool) -> dict[str, Any]:
    """Run a tool on one file: seconds, memory and, where `wanted`, what it found. A tool that raises answers with its error."""
    gc.collect()
    spent, begun = cpu(), time.perf_counter()
    try:
        result = tool.run(path)
        times = {"cpu": cpu() - spent, "wall": time.perf_counter() - begun}
        return times | memory() | (tool.give(result) if wanted else {})
    except Exception as error:  # noqa: BLE001 - the boundary of a process: whatever a tool raises is its answer
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def main() -> None:
    """Answer requests until the input ends. What a tool prints goes to standard error."""
    tool, answers = TOOLS[sys.argv[1]], os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(answer(tool, request["path"], request["wanted"])) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
