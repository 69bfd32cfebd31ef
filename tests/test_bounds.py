"""A document that eats time or memory, or has 800 pages, costs itself only: one problem each, and its neighbours are read."""

from __future__ import annotations

import io
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pyarrow.parquet
import pytest
from forms import full, to_html

from extract.archive import WarcArchive
from extract.home import Home
from flows import pipeline
from flows.engine import GIB
from flows.pipeline import Job
from transform.tidy import Context


def pdf(content: bytes, pages: int = 1) -> bytes:
    """A PDF whose pages all draw the same compressed content."""
    out = io.BytesIO()
    with pikepdf.new() as document:
        stream = pikepdf.Stream(document, b"")
        stream.write(zlib.compress(content), filter=pikepdf.Name.FlateDecode)
        for _ in range(pages):
            document.add_blank_page(page_size=(595, 842))
            document.pages[-1].Contents = stream
        document.save(out)
    return out.getvalue()


def page(seed: int) -> bytes:
    tables, _ = full(2021, seed)
    text = "某办2021年政府信息公开工作年度报告。统计期限自2021年1月1日起至2021年12月31日止。"
    return f"<html><body><p>{text}</p>{'<p>x</p>'.join(to_html(t) for t in tables)}</body></html>".encode()


FILES = {
    "first.html": page(1),
    "paths.pdf": pdf(b"0 0 m 500 500 l S\n" * 4_000_000),
    "memory.pdf": pdf(b"(" + b"A" * 700_000_000 + b") Tj"),
    "pages.pdf": pdf(b"0 0 m 5 5 l S\n", 800),
    "last.html": page(2),
}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict]]:
    home = Home(tmp_path_factory.mktemp("home")).create()
    jobs = []
    with WarcArchive(home.archive, "run", "test") as archive:
        for name, data in FILES.items():
            path = Path(tmp_path_factory.mktemp("files")) / name
            path.write_bytes(data)
            url, sha256, place = archive.write_local_file(path, datetime.now(UTC))
            context = Context("p", "330302", url, sha256, "2026-01-01T00:00:00Z", "run", title=name)
            jobs.append(Job(home.archive, place.archive_file, place.archive_offset, None, context))
    with pipeline.readers(1, GIB // 2) as pool:
        batch = pipeline.read_batch(home, jobs, pool, 8, lambda _: None)
    return {name: pyarrow.parquet.read_table(batch.part / f"{name}.parquet").to_pylist() for name in ("problem", "parse", "observation")}


def test_each_bad_document_is_one_problem_and_the_others_are_read(read: dict[str, list[dict]]) -> None:
    outcomes = {p["url"].rpartition("/")[2]: p["outcome"] for p in read["parse"]}
    assert outcomes == {name: "loaded" if name.endswith(".html") else "failed" for name in FILES}
    assert len(read["observation"]) == 400
    kinds = {p["url"].rpartition("/")[2]: p["kind"] for p in read["problem"] if p["severity"] == "failure"}
    assert set(kinds) == {"paths.pdf", "memory.pdf", "pages.pdf"}
    assert kinds["paths.pdf"] in ("timeout", "reader_died")
    assert kinds["memory.pdf"] in ("reader_died", "timeout", "broken_document", "needs_ocr")
