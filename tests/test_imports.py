"""What reading a report imports: not what only the frames, a Word file read again, a scan or a flow needs."""

from __future__ import annotations

import subprocess
import sys

from transform.frames import SCHEMAS
from transform.rows import FRAMES

SLOW = {"pandas", "pandera", "pyarrow", "camelot", "docx", "cn2an", "rapidocr", "prefect", "scrapy"}


def test_reading_imports_nothing_slow() -> None:
    program = "import sys, extract.reader, transform.tidy; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "transform.tidy" in told
    assert SLOW & set(told.split()) == set()


def test_the_rows_of_a_document_are_those_of_the_frames() -> None:
    assert tuple(SCHEMAS) == FRAMES
