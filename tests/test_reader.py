from __future__ import annotations

import io
import zipfile

import docx
import pytest
from forms import C
from hypothesis import given, settings
from hypothesis import strategies as st
from pdfs import Report

from extract.reader import read_document


def a_pdf() -> bytes:
    pdf = Report()
    for _ in range(5):
        pdf.text("年度报告 " * 5)
    return pdf.bytes()


def a_docx() -> bytes:
    out = io.BytesIO()
    package = docx.Document()
    package.add_paragraph("年度报告")
    package.save(out)
    return out.getvalue()


def a_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.txt", "x")
    return out.getvalue()


PAGE = "<html><body><p>年度报告</p></body></html>".encode()


@pytest.mark.parametrize(("data", "media"), [(a_pdf(), "pdf"), (PAGE, "html"), (a_docx(), "docx")], ids=["pdf", "html", "docx"])
@pytest.mark.parametrize("promised", [None, "pdf", "html", "docx"])
def test_the_bytes_decide_and_a_wrong_promise_is_a_warning(data: bytes, media: str, promised: str | None) -> None:
    document = read_document(data, promised)
    assert document.media == media
    assert "年度报告" in "".join(t.text for t in document.texts())
    expected = [("wrong_media", "warning")] if promised and promised != media else []
    assert [(p.kind, p.severity) for p in document.problems] == expected
    assert all(p.stage == "extract" for p in document.problems)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty_document"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 20, "broken_document"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 20, "broken_document"),
        (b"\x00\x01\x02" * 20, "wrong_media"),
        (b"{}", "wrong_media"),
        (b"just text", "wrong_media"),
        (a_zip(), "wrong_media"),
        (b"%PDF-1.7\n", "broken_document"),
        (b"\xef\xbb\xbf<!doctype html>", "broken_document"),
    ],
)
@pytest.mark.parametrize("promised", [None, "pdf"])
def test_what_can_not_be_read_is_one_failure(data: bytes, kind: str, promised: str | None) -> None:
    document = read_document(data, promised)
    assert document.blocks == []
    assert [p.kind for p in document.problems if p.severity == "failure"] == [kind]


def test_an_unknown_media_shows_how_it_starts() -> None:
    [problem] = read_document(b"\x00\x01abc").problems
    assert "abc" in problem.message


def test_pages_of_a_pdf_are_joined() -> None:
    pdf = Report()
    pdf.text("年度报告 " * 10)
    pdf.table([[C(str(i)) for i in range(4)]] * 2)
    pdf.new_page()
    pdf.table([[C(str(i)) for i in range(4)]] * 2)
    [grid] = read_document(pdf.bytes()).grids()
    assert grid.breaks == [2]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"", b"%PDF-1.7\n", b"PK\x03\x04", b"<html>", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe", b"<table>"]),
    st.binary(max_size=200),
)
def test_no_bytes_raise(head: bytes, tail: bytes) -> None:
    document = read_document(head + tail)
    assert document.blocks or document.problems or document.media == "html"
