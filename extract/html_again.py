"""The second, independent reading of a web page: another parser (Lexbor, as browsers parse HTML5), decoding and table layout."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from extract.grid import PICTURE, Cell, Document, Grid, Text

METHOD = "html-again"
MAX_SPAN, MAX_AREA = 1000, 2_000_000

_DECLARED = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
#: Encoding Standard, 4.2: what browsers take these labels for.
_LABELS = {"gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs", "utf-8": "utf-8", "utf8": "utf-8"}
_NOT_SHOWN = frozenset(["script", "style", "noscript", "template", "head", "title", "iframe", "-comment"])
_FIELDS = frozenset(["select", "textarea"])
#: Elements that do not end a line of text; every other one does.
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "input", "img", "ins", "label"}
    | {"mark", "nobr", "q", "small", "span", "strong", "tt", "u", "wbr"}
)
_APART = frozenset(["sup", "sub", "s", "strike", "del"])
_PICTURES = "img, svg, canvas, object, embed"
_GAPS = re.compile(r"[ \t\r\f\v\u00a0\u3000\u200b\ufeff]+")
#: Stands for the edge of a block element while a cell's text is put together.
_EDGE = "\n"


def read_html_again(data: bytes) -> Document:
    """Read a page's text and its innermost tables once more; a table with tables inside is text here.

    Nothing is raised: what this reading can't make sense of is not in it, and so confirms nothing.
    """
    body = LexborHTMLParser(_decoded(data).replace("\x00", "")).body
    return Document("html", [] if body is None else list(_blocks(body)))


def _decoded(data: bytes) -> str:
    """The declared encoding where it fits the bytes, else whichever does."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    found = _DECLARED.search(data[:4096])
    declared = _LABELS.get(found.group(1).decode("ascii", "replace").lower(), "utf-8") if found else "utf-8"
    for encoding in dict.fromkeys((declared, "utf-8", "gb18030")):
        try:
            return data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    return data.decode(declared, errors="replace")


def _blocks(body: LexborNode) -> Iterator[Text | Grid]:
    line: list[str] = []
    stack: list[LexborNode | str] = [body]
    while stack:
        item = stack.pop()
        if isinstance(item, LexborNode) and _is_innermost_table(item):
            yield from _lines(line)
            if grid := _grid(item):
                yield grid
        elif isinstance(item, LexborNode):
            stack.extend(reversed(_opened(item, fields=False)))
        elif item == _EDGE:
            yield from _lines(line)
        else:
            line.append(item)
    yield from _lines(line)


def _is_innermost_table(node: LexborNode) -> bool:
    return node.tag == "table" and len(node.css("table")) == 1


def _lines(line: list[str]) -> Iterator[Text]:
    text = _GAPS.sub(" ", "".join(line)).strip()
    line.clear()
    if text:
        yield Text(text)


def _opened(node: LexborNode, fields: bool) -> list[LexborNode | str]:
    """A node's content between its edges; text of the source is one line, whatever its line breaks."""
    tag = node.tag or ""
    if tag == "-text":
        return [node.text(deep=False).replace("\n", " ")]
    if tag == "br":
        return [_EDGE]
    if tag in _NOT_SHOWN or (tag in _FIELDS and not fields) or (fields and _is_hidden(node)):
        return []
    if tag == "input":
        return [_value(node)] if fields else []
    edge = "" if tag in _INLINE else " " if tag in _APART else _EDGE
    return [edge, *node.iter(include_text=True), edge]


def _value(node: LexborNode) -> str:
    kind = (node.attributes.get("type") or "text").lower()
    return node.attributes.get("value") or "" if kind in ("text", "number") else ""


def _is_hidden(node: LexborNode) -> bool:
    style = re.sub(r"\s", "", node.attributes.get("style") or "").lower()
    return "hidden" in node.attributes or "display:none" in style


# --- tables


def _grid(table: LexborNode) -> Grid | None:
    """Cells row by row, each at the first column that no cell above reaches into; None for a table too large."""
    cells: list[Cell] = []
    width, row = 0, 0
    for group in _groups(table):
        reach: list[int] = []  # the row down to which each column is taken
        for i, line in enumerate(group):
            for cell in _row(line, row + i, row + len(group), reach):
                cells.append(cell)
                width = max(width, cell.col_end)
        row += len(group)
        if width * row > MAX_AREA:
            return None
    return Grid(cells, row, width, METHOD)


def _groups(table: LexborNode) -> list[list[LexborNode]]:
    """Shown rows by their parent (thead, tbody, tfoot): a cell never reaches out of it."""
    groups: dict[int, list[LexborNode]] = {}
    for line in table.css("tr"):
        if not _is_hidden(line) and line.parent is not None and not _is_hidden(line.parent):
            groups.setdefault(line.parent.mem_id, []).append(line)
    return list(groups.values())


def _row(line: LexborNode, row: int, end: int, reach: list[int]) -> Iterator[Cell]:
    col = 0
    for node in line.iter():
        if node.tag not in ("td", "th") or _is_hidden(node):
            continue
        while col < len(reach) and reach[col] > row:
            col += 1
        wide, high = _number(node, "colspan") or 1, _number(node, "rowspan") or end
        high = min(high, end - row)
        reach.extend([0] * (col + wide - len(reach)))
        reach[col : col + wide] = [max(taken, row + high) for taken in reach[col : col + wide]]
        yield Cell(_text(node), row, col, high, wide)
        col += wide


def _number(node: LexborNode, name: str) -> int:
    """HTML Living Standard, rules for parsing non-negative integers; one where there is none."""
    found = re.match(r"[ \t\n\f\r]*\+?([0-9]+)", node.attributes.get(name) or "")
    return min(int(found.group(1)[:6]), MAX_SPAN) if found else 1


def _text(cell: LexborNode) -> str:
    """Text of a cell as shown, lines apart; PICTURE for one with nothing but a picture."""
    parts: list[str] = []
    stack: list[LexborNode | str] = list(reversed(list(cell.iter(include_text=True))))
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
        else:
            stack.extend(reversed(_opened(item, fields=True)))
    lines = (_GAPS.sub(" ", line).strip() for line in "".join(parts).split(_EDGE))
    text = "\n".join(line for line in lines if line)
    return PICTURE if not text and cell.css_first(_PICTURES) is not None else text
