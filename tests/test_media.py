"""Media types from bytes."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.media import sniff

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


def zipped(*names):
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 500)
    return out.getvalue()


def ole2(*streams):
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512) + b"".join(s.encode("utf-16-le") + bytes(20) for s in streams)


DOCX = zipped("[Content_Types].xml", "word/document.xml")
CASES = [
    (b"", "empty"),
    (b"%PDF-1.7\n...", "pdf"),
    (b"\xef\xbb\xbf%PDF-1.4", "pdf"),
    (b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n%PDF-1.5\n", "pdf"),
    (b"x" * 1019 + b"%PDF-", "pdf"),
    (b"x" * 1020 + b"%PDF-", "text"),
    (b"<html><body>%PDF-1.4 is a header</body></html>", "html"),
    (DOCX, "docx"),
    (DOCX[:-60], "docx"),
    (zipped("xl/workbook.xml"), "zip"),
    (zipped("OFD.xml"), "zip"),
    (zipped(), "zip"),
    (ole2("Root Entry", "WordDocument"), "doc"),
    (ole2("EncryptedPackage"), "doc"),
    (ole2("Workbook"), "unknown"),
    (b"\x89PNG\r\n\x1a\n....", "image"),
    (b"\xff\xd8\xff\xe0....", "image"),
    (b"GIF89a....", "image"),
    (b"II*\x00....", "image"),
    (b"MM\x00*....", "image"),
    (b"BM" + (100).to_bytes(4, "little") + bytes(4) + bytes(60), "image"),
    (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image"),
    (b"<!DOCTYPE html><html></html>", "html"),
    (b"\xef\xbb\xbf\r\n <HTML>", "html"),
    ("<div>年度报告</div>".encode("gb18030"), "html"),
    ("<html><body>年度报告".encode("utf-16"), "html"),
    (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>', "html"),
    (b'<?xml version="1.0"?><rss></rss>', "xml"),
    (b'{"a": 1}', "json"),
    (b"[1, 2]", "json"),
    (b"[not json", "text"),
    ("二〇二一年".encode(), "text"),
    ("报告".encode("gb18030"), "text"),
    (b"   ", "text"),
    (b"\x00\x01\x02\x03", "unknown"),
    (bytes(range(256)), "unknown"),
]


@pytest.mark.parametrize(("body", "media"), CASES)
def test_sniff(body, media):
    assert sniff(body) == media


@pytest.mark.parametrize("shift", range(4))
def test_head_cut_inside_a_character(shift):
    body = (b"a" * shift + "政".encode() * 3000) + b"tail"
    assert sniff(body) == "text"


@pytest.mark.parametrize(("name", "media"), [("huaian2024.pdf", "pdf"), ("lucheng2021.docx", "docx")])
def test_real_files(name, media):
    path = CORPUS / name
    if not path.exists():
        pytest.skip("corpus not beside the repository")
    assert sniff(path.read_bytes()) == media


@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<html>", b"{"]))
def test_any_bytes_have_a_type(tail, head):
    assert sniff(head + tail) in {"pdf", "html", "docx", "doc", "zip", "image", "xml", "json", "text", "empty", "unknown"}
