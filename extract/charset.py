"""The bytes of a web page as text: the bytes decide, never the declaration alone."""

from __future__ import annotations

import re

from extract.problem import Problem

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
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
    return _with_loss(*read_text(data))


def read_text(data: bytes) -> tuple[str, str]:
    """Bytes of a page as text, and the encoding they were read in: what its addresses are percent-encoded with."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), "utf-8"
    unicode = data.decode("utf-8", errors="replace")
    lost = unicode.count("\ufffd")
    # UTF-8 finds its place again after a broken byte, and bytes of another encoding make no long runs of its Chinese
    if not lost or len(_CHINESE.findall(unicode)) >= _MIN_WHOLE * lost:
        return unicode, "utf-8"
    # nearly every Big5 text also decodes as GB18030, to nonsense
    names = ("big5hkscs", "gb18030") if _BIG5.search(data[:4096]) else ("gb18030", "big5hkscs")
    readings = [(name, data.decode(name, errors="replace")) for name in names]
    encoding, text = max(readings, key=lambda r: _plausible(r[1]))
    return (unicode, "utf-8") if lost < text.count("\ufffd") else (text, encoding)


def _plausible(text: str) -> int:
    return len(_FREQUENT.findall(text)) - 2 * text.count("\ufffd")


def _with_loss(text: str, encoding: str) -> tuple[str, list[Problem]]:
    lost = text.count("\ufffd")
    if not lost:
        return text, []
    message = f"no encoding reads the page whole; {encoding} loses {lost} characters"
    return text, [Problem("extract", "broken_document", message, severity="warning")]
