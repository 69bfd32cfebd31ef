"""Word files, written element by element: merges, tracked changes, content controls, nested tables, damage."""

from __future__ import annotations

import io
import random
import zipfile

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from forms import Rows, full, lay_out
from hypothesis import given, settings
from hypothesis import strategies as st

from extract import docx_package as package
from extract.docx import DocxError, read_docx
from extract.grid import PICTURE, Grid
from extract.reader import read_document


def word(*parts: str) -> bytes:
    """A Word file whose body is these elements."""
    package = docx.Document()
    body = package.element.body
    for part in parts:
        body.insert(len(body) - 1, parse_xml(f"<w:x {nsdecls('w', 'wp', 'r')}>{part}</w:x>")[0])
    out = io.BytesIO()
    package.save(out)
    return out.getvalue()


def p(text: str) -> str:
    return f"<w:p><w:r><w:t xml:space='preserve'>{text}</w:t></w:r></w:p>"


def tc(content: str, props: str = "") -> str:
    inner = content if content.startswith("<") else p(content)
    return f"<w:tc><w:tcPr>{props}</w:tcPr>{inner}</w:tc>"


def tr(*cells: str, props: str = "") -> str:
    return f"<w:tr><w:trPr>{props}</w:trPr>{''.join(cells)}</w:tr>"


def tbl(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/><w:tblGrid/>{''.join(rows)}</w:tbl>"


def span(n: int) -> str:
    return f"<w:gridSpan w:val='{n}'/>"


RESTART, GO_ON = "<w:vMerge w:val='restart'/>", "<w:vMerge/>"


def cells(*rows: str) -> list[tuple[int, int, int, int, str]]:
    [grid] = read_docx(word(tbl(*rows))).grids()
    return [(c.row, c.col, c.row_span, c.col_span, c.text) for c in grid.cells]


def cell(content: str) -> str:
    return cells(tr(tc(content)))[0][4]


def to_word(rows: Rows) -> str:
    """A table of the forms as Word writes it: a vertical merge goes on in a cell of its own in each row."""
    grid = lay_out(rows)
    out = []
    for r in range(grid.n_rows):
        parts = []
        for c in sorted((c for c in grid.cells if c.row <= r < c.row_end), key=lambda c: c.col):
            merge = "" if c.row_span == 1 else RESTART if c.row == r else GO_ON
            parts.append(tc(c.text if c.row == r else "", span(c.col_span) + merge))
        out.append(tr(*parts))
    return tbl(*out)


@pytest.mark.parametrize("number", [2019, 2021])
def test_the_forms_come_back_cell_by_cell(number: int) -> None:
    tables, _ = full(number)
    found = list(read_docx(word(*(x for rows in tables for x in (to_word(rows), p("x"))))).grids())
    for grid, rows in zip(found, tables, strict=True):
        made = lay_out(rows)
        assert [(c.row, c.col, c.row_span, c.col_span, c.text) for c in grid.cells] == [
            (c.row, c.col, c.row_span, c.col_span, c.text) for c in made.cells
        ]
        assert (grid.n_rows, grid.n_cols) == (made.n_rows, made.n_cols)


def test_grid_before_moves_the_cells() -> None:
    """17.4.15: a row that starts in a later column is not shifted to the left."""
    found = cells(tr(tc("a"), tc("b"), tc("c")), tr(tc("1"), tc("2"), props="<w:gridBefore w:val='1'/>"))
    assert found[3:] == [(1, 1, 1, 1, "1"), (1, 2, 1, 1, "2")]


def test_a_merge_that_goes_on_from_nothing_is_a_cell() -> None:
    assert cells(tr(tc("a", GO_ON), tc("1")), tr(tc("", GO_ON), tc("2")))[0] == (0, 0, 2, 1, "a")


def test_a_new_restart_ends_the_merge_above() -> None:
    assert cells(tr(tc("a", RESTART)), tr(tc("", GO_ON)), tr(tc("b", RESTART)), tr(tc("", GO_ON))) == [
        (0, 0, 2, 1, "a"),
        (2, 0, 2, 1, "b"),
    ]


def test_header_rows_that_repeat_are_one_row() -> None:
    assert len(cells(tr(tc("h"), props="<w:tblHeader/>"), tr(tc("1")))) == 2


def test_tracked_changes_are_read_as_if_accepted() -> None:
    insert = "<w:p><w:ins w:id='1'><w:r><w:t>7</w:t></w:r></w:ins><w:del w:id='2'><w:r><w:delText>4</w:delText></w:r></w:del></w:p>"
    assert cell(insert) == "7"
    assert (
        cell("<w:p><w:moveFrom w:id='1'><w:r><w:t>4</w:t></w:r></w:moveFrom><w:moveTo w:id='2'><w:r><w:t>5</w:t></w:r></w:moveTo></w:p>")
        == "5"
    )
    assert [c[4] for c in cells(tr(tc("1")), tr(tc("2"), props="<w:del w:id='3'/>"), tr(tc("3")))] == ["1", "3"]


def test_content_controls_are_seen_through() -> None:
    inner = f"<w:sdt><w:sdtContent>{p('5')}</w:sdtContent></w:sdt>"
    assert cell(inner) == "5"
    assert [c[4] for c in cells(tr(tc("1"), f"<w:sdt><w:sdtContent>{tc('2')}</w:sdtContent></w:sdt>"))] == ["1", "2"]
    row = f"<w:sdt><w:sdtContent>{tr(tc('3'))}</w:sdtContent></w:sdt>"
    assert [c[4] for c in cells(tr(tc("1")), row)] == ["1", "3"]
    assert len(list(read_docx(word(f"<w:sdt><w:sdtContent>{tbl(tr(tc('1')))}</w:sdtContent></w:sdt>")).grids())) == 1


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ("<w:r><w:t>1</w:t></w:r><w:r><w:t>2</w:t></w:r>", "12"),
        ("<w:r><w:t>1</w:t><w:br/><w:t>2</w:t></w:r>", "1\n2"),
        ("<w:r><w:t>1</w:t><w:tab/><w:t>2</w:t></w:r>", "1 2"),
        ("<w:r><w:noBreakHyphen/><w:t>2</w:t></w:r>", "-2"),
        ("<w:r><w:t>3</w:t></w:r><w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr><w:t>2</w:t></w:r>", "3 2"),
        ("<w:r><w:rPr><w:strike/></w:rPr><w:t>3</w:t></w:r><w:r><w:t>5</w:t></w:r>", "3 5"),
        ("<w:r><w:rPr><w:strike w:val='0'/></w:rPr><w:t>3</w:t></w:r><w:r><w:t>5</w:t></w:r>", "35"),
        ("<w:r><w:rPr><w:vanish/></w:rPr><w:t>9</w:t></w:r><w:r><w:t>5</w:t></w:r>", "5"),
        ("<w:hyperlink><w:r><w:t>5</w:t></w:r></w:hyperlink>", "5"),
        ("<w:fldSimple w:instr='=1+4'><w:r><w:t>5</w:t></w:r></w:fldSimple>", "5"),
        ("<w:r><w:fldChar w:fldCharType='begin'/><w:instrText>=1+4</w:instrText></w:r><w:r><w:t>5</w:t></w:r>", "5"),
        ("<w:r><w:drawing/></w:r>", PICTURE),
        ("<w:r><w:t>6</w:t><w:drawing/></w:r>", "6"),
        ("<w:r><w:t xml:space='preserve'>\u3000 \u00a0</w:t></w:r>", ""),
    ],
)
def test_text_of_a_cell(runs: str, text: str) -> None:
    assert cell(f"<w:p>{runs}</w:p>") == text


def test_two_paragraphs_in_a_cell_are_two_lines() -> None:
    assert cell(p("1") + p("2")) == "1\n2"


def test_a_table_inside_a_cell_is_not_lost() -> None:
    """A table around tables is layout: its text is text, as in web pages."""
    blocks = read_docx(word(tbl(tr(tc(p("x") + tbl(tr(tc("1"), tc("2"))) + p("y")), tc("z"))))).blocks
    assert [[c.text for c in b.cells] if isinstance(b, Grid) else b.text for b in blocks] == ["x", ["1", "2"], "y", "z"]


def test_text_and_tables_come_in_order() -> None:
    blocks = read_docx(word(p("a"), tbl(tr(tc("1"))), p("b"), p(" "), p("c"))).blocks
    assert [b.cells[0].text if isinstance(b, Grid) else b.text for b in blocks] == ["a", "1", "b", "c"]


# --- damage


def test_every_cut_and_every_flipped_byte_is_a_problem_or_the_same_text() -> None:
    data = word(p("一、总体情况"), tbl(tr(tc("行政许可"), tc("12"))))
    whole = read_document(data).blocks
    for seed in range(150):
        rng, broken = random.Random(seed), bytearray(data)
        if seed % 2:
            del broken[rng.randrange(len(broken)) :]
        else:
            for _ in range(rng.choice([1, 5, 50])):
                broken[rng.randrange(len(broken))] = rng.randrange(256)
        document = read_document(bytes(broken))
        assert document.problems or document.blocks == whole or document.media != "docx", seed


def member(name: str, text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"", member("word/document.xml", "<x/>"), member("word/document.xml", "")])
def test_a_zip_that_is_no_word_file_is_a_docx_error(data: bytes) -> None:
    with pytest.raises(DocxError):
        read_docx(data)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_UNPACKED", 100_000)
    data = member("word/document.xml", " " * 1_000_000)
    assert len(data) < 2_000
    with pytest.raises(DocxError, match="unpacks to 1000000 bytes"):
        read_docx(data)
    monkeypatch.setattr(package, "_parse", lambda _: pytest.fail("unpacked"))
    [problem] = read_document(data).problems
    assert problem.kind == "broken_document"


def test_a_part_that_is_not_read_may_lack() -> None:
    """WPS writes relationships to a part called NULL."""
    data, out = word(p("x")), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            body = old.read(info)
            if info.filename == "word/_rels/document.xml.rels":
                body = body.replace(b'Target="styles.xml"', b'Target="NULL"')
                assert b"NULL" in body
            new.writestr(info.filename, body)
    assert read_docx(out.getvalue()).blocks == read_docx(data).blocks != []


def test_a_template_is_no_document() -> None:
    data, out = word(p("x")), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info).replace(b"wordprocessingml.document.main", b"wordprocessingml.template.main"))
    with pytest.raises(DocxError, match="not a Word document"):
        read_docx(out.getvalue())


def test_an_entity_bomb_does_not_grow() -> None:
    laughs = "<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    data = word(p("x"))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            body = old.read(info)
            if info.filename == "word/document.xml":
                body = (laughs + "]>").encode() + body.split(b"?>", 1)[1].replace(b">x<", b">&i;<")
            new.writestr(info, body)
    document = read_document(out.getvalue())
    assert sum(len(t.text) for t in document.texts()) < 100


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["", RESTART, GO_ON])), min_size=1, max_size=5), min_size=1, max_size=6)
)
def test_whatever_is_merged_no_text_is_lost_but_that_of_merged_cells(shape) -> None:
    rows = [tr(*(tc(f"{r}.{i}", span(w) + m) for i, (w, m) in enumerate(row))) for r, row in enumerate(shape)]
    found = cells(*rows)
    kept = {text for *_, text in found}
    assert {f"{r}.{i}" for r, row in enumerate(shape) for i, (_, m) in enumerate(row) if m != GO_ON} <= kept
    taken: set[tuple[int, int]] = set()
    for row, col, height, width, _ in found:
        area = {(y, x) for y in range(row, row + height) for x in range(col, col + width)}
        assert not area & taken
        taken |= area
