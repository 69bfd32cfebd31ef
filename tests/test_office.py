"""Legacy Word files by way of LibreOffice: read whole, or a problem that says what is wrong; nothing is left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from email.encoders import encode_base64
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from functools import cache
from pathlib import Path

import pytest
from forms import full
from test_docx_again import word_file
from test_html_quirks import article, page, tables

from extract import office
from extract.media import sniff
from extract.office import OfficeError, convert, read_mht
from extract.reader import read_document
from transform.tidy import Context, tidy

CONTEXT = Context("p", "330302", "http://127.0.0.1/x", "ab" * 32, "2026-01-01T00:00:00Z", "run")


@pytest.fixture
def soffice() -> str:
    found = shutil.which("soffice")
    if found is None:
        reason = f"LibreOffice is not installed ({office.PACKAGE})"
        pytest.fail(reason) if os.environ.get("GONGKAI_NO_SKIP") == "1" else pytest.skip(reason)
    return found


FILTERS = {"doc": "doc:MS Word 97", "rtf": "rtf:Rich Text Format"}


@cache
def legacy(kind: str) -> bytes:
    """A report as DOC or RTF, made by LibreOffice from a Word file made here."""
    rows, _ = full(2021)
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "a.docx"
        source.write_bytes(word_file(rows))
        profile = f"-env:UserInstallation={(Path(name) / 'p').as_uri()}"
        command = ["soffice", profile, "--headless", "--convert-to", FILTERS[kind], "--outdir", name, str(source)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return (Path(name) / f"a.{kind}").read_bytes()


@pytest.mark.parametrize("kind", ["doc", "rtf"])
def test_every_figure_of_a_legacy_file(soffice: str, kind: str) -> None:
    _, truth = full(2021)
    data = legacy(kind)
    assert sniff(data) == kind
    document = read_document(data)
    rows = tidy(document, CONTEXT)
    figures = {(r["indicator"], r["applicant"]): (r["value_status"], r["value"]) for r in rows["observation"]}
    assert figures == {k: ("reported", v) for k, v in truth.items()}
    assert not [p for p in rows["problem"] if p["severity"] == "failure"]
    assert {r["method"] for r in rows["observation"]} == {"soffice+docx"}
    assert {r["media"] for r in rows["report"]} == {kind}


def test_without_libreoffice_the_problem_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    [problem] = read_document(b"{\\rtf1 x}").problems
    assert (problem.kind, problem.severity) == ("missing_program", "failure")
    assert "libreoffice-writer-nogui" in problem.message


def _encrypted(data: bytes) -> bytes:
    """Set fEncrypted in the FIB: the first two bytes of the WordDocument stream are ECA5 (MS-DOC 2.5.2)."""
    at = data.index(b"\xec\xa5", 512)
    flags = int.from_bytes(data[at + 10 : at + 12], "little") | 0x0100
    return data[: at + 10] + flags.to_bytes(2, "little") + data[at + 12 :]


def test_a_file_with_a_password_is_named_so(soffice: str) -> None:
    [problem] = read_document(_encrypted(legacy("doc"))).problems
    assert (problem.kind, problem.severity) == ("encrypted", "failure")


@pytest.mark.parametrize("keep", [600, 4000, 0.5])
def test_a_damaged_file_is_a_problem(soffice: str, keep: float) -> None:
    data = legacy("doc")
    document = read_document(data[: int(keep if keep > 1 else len(data) * keep)])
    figures = tidy(document, CONTEXT)["observation"]
    assert document.problems or not figures


def test_an_office_file_that_is_no_word_file() -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
    [problem] = read_document(data).problems
    assert problem.kind in ("broken_document", "wrong_media")


# --- LibreOffice that misbehaves


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A soffice that does what the test says, and a temporary folder of its own."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))

    def install(script: str) -> Path:
        program = tmp_path / "bin" / "soffice"
        program.write_text(f"#!{sys.executable}\n{script}")
        program.chmod(0o755)
        return tmp_path

    return install


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


HANG = """
import os, subprocess, sys, time, pathlib
child = subprocess.Popen(["sleep", "60"])
pathlib.Path({pids!r}).write_text(f"{{os.getpid()}} {{child.pid}}")
time.sleep(60)
"""


def test_one_that_hangs_is_ended_with_its_children(fake, tmp_path: Path) -> None:
    fake(HANG.format(pids=str(tmp_path / "pids")))
    start = time.monotonic()
    with pytest.raises(OfficeError, match="longer than 1 s") as error:
        convert(b"x", "doc", time_limit=1)
    assert error.value.kind == "timeout"
    assert time.monotonic() - start < 8
    pids = [int(p) for p in (tmp_path / "pids").read_text().split()]
    deadline = time.monotonic() + 5
    while any(map(_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_alive, pids))
    assert not list((tmp_path / "tmp").iterdir()), "the temporary folder is gone"


@pytest.mark.parametrize("script", ["raise SystemExit(1)", "print('Error: source file could not be loaded')", "import os; os.abort()"])
def test_one_that_makes_nothing_is_a_broken_document(fake, tmp_path: Path, script: str) -> None:
    fake(script)
    with pytest.raises(OfficeError) as error:
        convert(b"x", "doc", time_limit=20)
    assert error.value.kind == "broken_document"
    assert not list((tmp_path / "tmp").iterdir())


BROKEN = """
import sys, pathlib
out = pathlib.Path(sys.argv[sys.argv.index("--outdir") + 1])
out.mkdir()
(out / "report.docx").write_text("x")
"""


def test_what_it_makes_may_be_broken_too(fake) -> None:
    fake(BROKEN)
    document = read_document(b"{\\rtf1 x}")
    assert [p.kind for p in document.problems] == ["broken_document"]


def test_it_runs_in_a_profile_of_its_own_without_macros_or_links(fake, tmp_path: Path) -> None:
    keep = tmp_path / "settings"
    fake(
        "import sys, pathlib, urllib.parse\n"
        "profile = urllib.parse.urlparse(sys.argv[1].partition('=')[2]).path\n"
        f"pathlib.Path({str(keep)!r}).write_text(pathlib.Path(profile, 'user/registrymodifications.xcu').read_text())"
    )
    with pytest.raises(OfficeError):
        convert(b"x", "doc", time_limit=20)
    assert "DisableMacrosExecution" in keep.read_text()
    assert "BlockUntrustedRefererLinks" in keep.read_text()


# --- one file with a page in it


def mht(charset: str) -> bytes:
    made, _, _ = tables()
    body = page(article(*made), charset).decode().encode("gb18030" if charset == "gb2312" else charset)
    html = MIMENonMultipart("text", "html", charset=charset)
    html.set_payload(body)
    encode_base64(html)
    message = MIMEMultipart("related")
    message["Subject"] = "report"
    message.attach(MIMEImage(b"\x89PNG\r\n\x1a\n", "png"))
    message.attach(html)
    return message.as_bytes()


@pytest.mark.parametrize("charset", ["gb2312", "utf-8"])
def test_a_page_saved_as_one_file(charset: str) -> None:
    _, _, truth = tables()
    data = mht(charset)
    assert sniff(data) == "mht"
    rows = tidy(read_document(data), CONTEXT)
    figures = {(r["indicator"], r["applicant"]): r["value"] for r in rows["observation"]}
    assert figures == truth
    assert not [p for p in rows["problem"] if p["severity"] == "failure"]


def test_a_message_without_a_page() -> None:
    with pytest.raises(ValueError, match="without a web page"):
        read_mht(b"MIME-Version: 1.0\nContent-Type: text/plain\n\nx")


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (b"{\\rtf1\\ansi x}", "rtf"),
        (b"From: <Saved by Blink>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\r\n", "mht"),
        (b"MIME-Version: 1.0\nContent-Type: text/html; charset=gb2312\n\n<html>", "mht"),
        (b"<html>MIME-Version: 1.0\nContent-Type: text/html</html>", "html"),
        (b"Subject: x\n\nplain text", "text"),
    ],
)
def test_media_of_rich_text_and_messages(data: bytes, media: str) -> None:
    assert sniff(data) == media


def test_a_web_page_named_doc_is_read_with_a_warning() -> None:
    """Word's "web page" saved as .doc."""
    made, _, truth = tables()
    document = read_document(page(article(*made)), "doc")
    assert [(p.kind, p.severity) for p in document.problems] == [("wrong_media", "warning")]
    assert len(tidy(document, CONTEXT)["observation"]) == len(truth)
