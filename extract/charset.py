"""The bytes of a web page as text: the bytes decide, never the declaration alone."""

from __future__ import annotations

import re

from extract.problem import Problem

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_LOST = "\ufffd".encode()
_BIG5 = re.compile(rb"charset\s*=\s*[\"']?\s*big5", re.I)
_CHINESE = re.compile("[\u4e00-\u9fff]")
#: Frequent in every report, alike in both scripts: text read in the wrong encoding has hardly any of them.
_FREQUENT = re.compile("[的年月日一二三四五六不公中人在有和本行政府信法律理申第其他提]")
#: Chinese characters that a page must have for each broken one, to be UTF-8 with broken places: chance gives none.
_MIN_WHOLE = 10


def decode(data: bytes) -> tuple[str, list[Problem]]:
    """Bytes of a page as text: a byte order mark, else UTF-8, else GB18030 or Big5, whichever reads as Chinese.

    Declared character sets are wrong too often, and lxml cuts the text silently at a byte that is not in the declared one; a declared Big5
    only breaks a tie. A page that no encoding reads without loss comes with a warning.
    """
    return _with_loss(*_read(data))


def read_text(data: bytes) -> tuple[str, str]:
    """Bytes of a page as text, and the encoding they were read in: what its addresses are percent-encoded with."""
    text, encoding, _ = _read(data)
    return text, encoding


def _read(data: bytes) -> tuple[str, str, int]:
    """The text, its encoding, and how many characters it lost."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data.decode(encoding, errors="replace")
            return text, "utf-8", text.count("\ufffd")
    unicode, lost = _as_utf8(data)
    # UTF-8 finds its place again after a broken byte, and bytes of another encoding make no long runs of its Chinese
    if not lost or len(_CHINESE.findall(unicode)) >= _MIN_WHOLE * lost:
        return unicode, "utf-8", lost
    # nearly every Big5 text also decodes as GB18030, to nonsense
    names = ("big5hkscs", "gb18030") if _BIG5.search(data[:4096]) else ("gb18030", "big5hkscs")
    readings = [(name, data.decode(name, errors="replace")) for name in names]
    encoding, text = max(readings, key=lambda r: _plausible(r[1]))
    other = text.count("\ufffd")
    return (unicode, "utf-8", lost) if lost < other else (text, encoding, other)


def _as_utf8(data: bytes) -> tuple[str, int]:
    try:
        return data.decode("utf-8"), data.count(_LOST)  # a page may print the sign itself
    except UnicodeDecodeError:
        text = data.decode("utf-8", errors="replace")
        return text, text.count("\ufffd")


def _plausible(text: str) -> int:
    return len(_FREQUENT.findall(text)) - 2 * text.count("\ufffd")


def _with_loss(text: str, encoding: str, lost: int) -> tuple[str, list[Problem]]:
    if not lost:
        return text, []
    message = f"no encoding reads the page whole; {encoding} loses {lost} characters"
    return text, [Problem("extract", "broken_document", message, severity="warning")]
