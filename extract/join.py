"""Tables that go on on the next page become one grid; every cell keeps its own page and box."""

from __future__ import annotations

from dataclasses import replace

from extract.grid import Cell, Document, Grid, Text

#: Rules of one printed column differ by up to this many points between pages.
TOLERANCE = 3.5
#: Pages of a scan do not lie alike: their tables may be shifted by up to this many points against each other, and their rules by more.
SCAN_SHIFT, SCAN_TOLERANCE = 40.0, 8.0
#: How the method of a grid read from a picture starts (extract.scan.METHOD).
SCAN = "rapidocr"


def join_pages(document: Document) -> Document:
    """Join a grid with the grid that follows it on the next page with nothing printed between.

    Columns are matched by the x-coordinates of their rules, not by their number: a fragment may lack rules that its rows do not need.
    Fragments whose outer rules differ stay apart.
    """
    blocks: list[Text | Grid] = []
    for block in document.blocks:
        last = blocks[-1] if blocks else None
        if isinstance(block, Grid) and isinstance(last, Grid) and _continues(last, block):
            blocks[-1] = _joined(last, block)
        else:
            blocks.append(block)
    return replace(document, blocks=blocks)


def _continues(above: Grid, below: Grid) -> bool:
    if not above.col_edges or not below.col_edges:
        return False
    last_page, first_page = above.cells[-1].page, below.cells[0].page
    if last_page is None or first_page is None or first_page != last_page + 1:
        return False
    left, right = (below.col_edges[i] - above.col_edges[i] for i in (0, -1))
    shift = _shift(above, below)
    return abs(left - shift) <= _tolerance(above) and abs(right - shift) <= _tolerance(above)


def _tolerance(grid: Grid) -> float:
    return SCAN_TOLERANCE if grid.method.startswith(SCAN) else TOLERANCE


def _shift(above: Grid, below: Grid) -> float:
    """How far the lower fragment of a scan lies to the right of the upper one; 0 for what is not a scan."""
    if not (above.col_edges and below.col_edges and above.method.startswith(SCAN) and below.method.startswith(SCAN)):
        return 0.0
    shift = (below.col_edges[0] + below.col_edges[-1] - above.col_edges[0] - above.col_edges[-1]) / 2
    return shift if abs(shift) <= SCAN_SHIFT else 0.0


def _joined(above: Grid, below: Grid) -> Grid:
    shift = _shift(above, below)
    lower_edges = [x - shift for x in below.col_edges or []]
    edges = _merged_edges(above.col_edges or [], lower_edges, _tolerance(above))
    upper_places = [_nearest(x, edges) for x in above.col_edges or []]
    lower_places = [_nearest(x, edges) for x in lower_edges]
    upper = [_refitted(c, upper_places, 0) for c in above.cells]
    lower = [_refitted(c, lower_places, above.n_rows) for c in below.cells]
    return Grid(
        upper + lower,
        above.n_rows + below.n_rows,
        len(edges) - 1,
        above.method,
        [*above.breaks, above.n_rows],
        edges,
    )


def _merged_edges(first: list[float], second: list[float], tolerance: float) -> list[float]:
    """All rules of both fragments; rules closer than the tolerance are one."""
    edges = list(first)
    edges.extend(x for x in second if all(abs(x - e) > tolerance for e in first))
    return sorted(edges)


def _refitted(cell: Cell, places: list[int], rows: int) -> Cell:
    """The cell at its place among the new rules, `rows` further down; `places` are those of the old rules."""
    left, right = places[cell.col], places[cell.col_end]
    span = max(right - left, 1)
    if (rows, left, span) == (0, cell.col, cell.col_span):
        return cell
    return Cell(cell.text, cell.row + rows, left, cell.row_span, span, cell.page, cell.bbox, cell.second, cell.certainty)


def _nearest(x: float, edges: list[float]) -> int:
    return min(range(len(edges)), key=lambda i: abs(edges[i] - x))
