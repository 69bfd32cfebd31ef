"""Legacy Word files (DOC, WPS Writer, RTF) by way of LibreOffice, and pages saved as one file (MHT)."""

from __future__ import annotations

import contextlib
import email
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import olefile

from extract.docx import read_docx
from extract.grid import Document, Grid
from extract.html import read_html

METHOD = "soffice+docx"
PROGRAM = "soffice"
#: What to install where the program is not there.
PACKAGE = "libreoffice-writer-nogui"
#: Seconds for one document; a reading worker has 60 in all.
TIME_LIMIT = 45.0

#: [MS-DOC] 2.5.2, FibBase: flags at offset 10, fEncrypted is bit 8, fObfuscated bit 15.
_FLAGS, _ENCRYPTED = 10, 0x8100
#: No macros, nothing fetched from outside.
_SECURITY = {"DisableMacrosExecution": "true", "MacroSecurityLevel": "3", "BlockUntrustedRefererLinks": "true"}
_ITEM = (
    '<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="{}" oor:op="fuse"><value>{}</value></prop></item>'
)
_SETTINGS = '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry">{}</oor:items>'


class OfficeError(Exception):
    """A document that can't be converted; `kind` is a problem kind: missing_program, encrypted, wrong_media, timeout or broken_document."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def read_office(data: bytes, media: str, time_limit: float = TIME_LIMIT) -> Document:
    """Read a legacy Word file (`media` doc or rtf): LibreOffice makes a DOCX of it, which is read as any other.

    Raises OfficeError, and DocxError where what LibreOffice made can't be read.
    """
    if media == "doc":
        _look_inside(data)
    document = read_docx(convert(data, media, time_limit))
    blocks = [replace(b, method=METHOD) if isinstance(b, Grid) else b for b in document.blocks]
    return replace(document, media=media, blocks=blocks, again=None)  # a second reading would stand on the same conversion


def _look_inside(data: bytes) -> None:
    """Raise OfficeError for an OLE2 file that is encrypted or no Word file."""
    try:
        with olefile.OleFileIO(BytesIO(data)) as ole:
            if ole.exists("EncryptedPackage"):
                raise OfficeError("encrypted", "the Word file needs a password")
            if not ole.exists("WordDocument"):
                raise OfficeError("wrong_media", f"an Office file without a Word document; it holds {ole.listdir()[:5]}")
            head = ole.openstream("WordDocument").read(_FLAGS + 2)
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise OfficeError("broken_document", f"not a readable Word file: {error!r}") from error
    if int.from_bytes(head[_FLAGS : _FLAGS + 2], "little") & _ENCRYPTED:
        raise OfficeError("encrypted", "the Word file needs a password")


def convert(data: bytes, media: str, time_limit: float = TIME_LIMIT) -> bytes:
    """The document as DOCX, made by LibreOffice in a profile of its own that is removed with all it wrote.

    Raises OfficeError: missing_program, timeout, or broken_document where LibreOffice makes nothing of it.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise OfficeError("missing_program", f"reading .{media} files needs LibreOffice: install the package {PACKAGE}")
    with tempfile.TemporaryDirectory(prefix="gongkai-office-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        source, made = folder / f"report.{media}", folder / "out" / "report.docx"
        source.write_bytes(data)
        _write_settings(folder / "profile")
        said = _run(_command(program, folder, source, time_limit), folder, time_limit)
        if not made.is_file():
            raise OfficeError("broken_document", f"LibreOffice makes nothing of it: {said[-300:]!r}")
        return made.read_bytes()


def _write_settings(profile: Path) -> None:
    items = "".join(_ITEM.format(name, value) for name, value in _SECURITY.items())
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_SETTINGS.format(items), "utf-8")


def _command(program: str, folder: Path, source: Path, time_limit: float) -> list[str]:
    """`timeout` ends LibreOffice even where the process that started it is gone."""
    guard = shutil.which("timeout")
    return [
        *([guard, "--signal=KILL", f"{time_limit + 1:.0f}"] if guard else []),
        program,
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        *("--headless", "--norestore", "--nolockcheck", "--convert-to", "docx:MS Word 2007 XML"),
        *("--outdir", str(folder / "out"), str(source)),
    ]


def _run(command: list[str], folder: Path, time_limit: float) -> str:
    """What the command said; it and all its children (they are of its process group) are gone afterwards."""
    environment = os.environ | {"HOME": str(folder), "SAL_USE_VCLPLUGIN": "svp"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, start_new_session=True
    ) as process:
        try:
            said, _ = process.communicate(timeout=time_limit)
        except subprocess.TimeoutExpired as error:
            raise OfficeError("timeout", f"LibreOffice took longer than {time_limit:g} s") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return said.decode("utf-8", "replace")


def read_mht(data: bytes) -> Document:
    """Read a page saved as one MIME file (Word's "single file web page"): its first HTML part.

    Raises ValueError where it has none.
    """
    message = email.message_from_bytes(data)
    for part in message.walk():
        body = part.get_payload(decode=True) if part.get_content_type() == "text/html" else None
        if isinstance(body, bytes):
            return read_html(body)
    raise ValueError("a MIME file without a web page")
