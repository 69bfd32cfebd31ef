"""The archive: valid WARC 1.1, every record readable by its offset, damage told apart from content."""

import errno
import gzip
import hashlib
import json
import os
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from extract.archive import (
    Answer,
    ArchiveError,
    Asked,
    BodyTooLarge,
    WarcArchive,
    decode_body,
    ingest_uri,
    read_body,
    read_record,
)

WARCIO = str(Path(sys.executable).parent / "warcio")
AT = datetime(2026, 11, 22, 18, 0, 0, tzinfo=UTC)
URL = "http://127.0.0.1/报告.html".replace("报告", "%E6%8A%A5")


def answer(body=b"<html>hello</html>", status=200, headers=(), **more):
    return Answer(URL, status, [("Content-Type", "text/html"), *headers], body, AT, **more)


def records(path):
    with path.open("rb") as file:
        for record in ArchiveIterator(file, check_digests="raise"):
            record.raw_stream.read()
            yield record


def is_valid(path):
    """warcio's own check, as `warcio check` runs it."""
    command = type("Arguments", (), {"inputs": [str(path)], "verbose": True})
    return Checker(command).process_all() == 0


def test_responses_are_read_back_by_offset(tmp_path):
    bodies = [b"first", b"", "年度报告".encode(), os.urandom(200_000)]
    with WarcArchive(tmp_path, "run", 0) as archive:
        places = [archive.write_response(answer(b)) for b in bodies]
    assert [read_body(tmp_path, p.archive_file, p.archive_offset) for p in places] == bodies
    path = tmp_path / places[0].archive_file
    assert is_valid(path)
    assert [r.rec_type for r in records(path)] == ["warcinfo", *["response"] * 4]


def test_a_record_says_what_was_received(tmp_path):
    with WarcArchive(tmp_path, "run", 0) as archive:
        place = archive.write_response(answer(status=404, headers=[("X-A", "1"), ("X-A", "2")], ip="127.0.0.1"))
    info, record = records(tmp_path / place.archive_file)
    assert info.rec_headers.get_header("WARC-Filename") == place.archive_file
    assert record.rec_headers.protocol == "WARC/1.1"
    assert record.rec_headers.get_header("WARC-Target-URI") == URL
    assert record.rec_headers.get_header("WARC-Date") == "2026-11-22T18:00:00Z"
    assert record.rec_headers.get_header("WARC-IP-Address") == "127.0.0.1"
    assert record.rec_headers.get_header("WARC-Payload-Digest").startswith("sha1:")
    assert record.http_headers.statusline == "404 Not Found"
    assert [v for k, v in record.http_headers.headers if k == "X-A"] == ["1", "2"]


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("gzip", lambda b: gzip.compress(b[:3]) + gzip.compress(b[3:])),
        ("deflate", zlib.compress),
        ("deflate", lambda b: zlib.compress(b, wbits=-15)),
        ("gzip", lambda b: b),
        ("zstd", lambda b: b),
        ("identity", lambda b: b),
    ],
)
def test_content_encoding_is_kept_in_the_record_and_undone_for_the_reader(tmp_path, coding, pack):
    plain = "年度报告".encode() * 100
    packed = pack(plain)
    with WarcArchive(tmp_path, "run", 0) as archive:
        place = archive.write_response(answer(packed, headers=[("Content-Encoding", coding)]))
    assert read_body(tmp_path, place.archive_file, place.archive_offset) == plain
    assert is_valid(tmp_path / place.archive_file)
    with (tmp_path / place.archive_file).open("rb") as file:
        file.seek(place.archive_offset)
        record = next(ArchiveIterator(file))
        assert record.raw_stream.read() == packed


@given(st.binary(max_size=5000), st.sampled_from(["gzip", "deflate", None]))
def test_decoding_undoes_packing(body, coding):
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, None: bytes}[coding](body)
    assert decode_body(packed, coding) == body


def test_a_bomb_is_not_unpacked():
    bomb = gzip.compress(bytes(10_000_000))
    with pytest.raises(BodyTooLarge):
        decode_body(bomb, "gzip", limit=1_000_000)
    assert len(decode_body(bomb, "gzip", limit=10_000_000)) == 10_000_000


def test_a_cut_packed_body_is_an_error_and_not_a_short_body():
    packed = gzip.compress(os.urandom(5000))
    with pytest.raises(ArchiveError):
        decode_body(packed[:2000], "gzip")
    with pytest.raises(ArchiveError):
        decode_body(packed[:1000] + b"\xff" * 50 + packed[1050:], "gzip")


def test_revisits_refer_to_the_record_that_holds_the_body(tmp_path):
    with WarcArchive(tmp_path, "run", 0) as archive:
        place = archive.write_response(answer())
        original = read_record(tmp_path, place.archive_file, place.archive_offset)
        same = archive.write_revisit(answer(), original, "identical-payload-digest")
        archive.write_revisit(answer(b"", 304), original, "server-not-modified")
    path = tmp_path / place.archive_file
    assert is_valid(path)
    _, response, identical, not_modified = records(path)
    assert identical.rec_headers.get_header("WARC-Profile").endswith("/1.1/revisit/identical-payload-digest")
    assert not_modified.rec_headers.get_header("WARC-Profile").endswith("/1.1/revisit/server-not-modified")
    for record in (identical, not_modified):
        assert record.rec_headers.get_header("WARC-Refers-To-Target-URI") == URL
        assert record.rec_headers.get_header("WARC-Refers-To-Date") == "2026-11-22T18:00:00Z"
        digest = record.rec_headers.get_header("WARC-Payload-Digest")
        assert digest == response.rec_headers.get_header("WARC-Payload-Digest")
    assert not_modified.http_headers.get_statuscode() == "304"
    with pytest.raises(ArchiveError, match="revisit"):
        read_body(tmp_path, same.archive_file, same.archive_offset)


def test_a_file_is_followed_by_the_next_at_the_limit(tmp_path):
    with WarcArchive(tmp_path, "run", "w1", size_limit=20_000) as archive:
        places = [archive.write_response(answer(os.urandom(9_000))) for _ in range(6)]
    names = sorted({p.archive_file for p in places})
    assert [n[:15] + n[-14:] for n in names] == ["gongkai-run-w1--00000.warc.gz", "gongkai-run-w1--00001.warc.gz"]
    assert all(is_valid(tmp_path / n) for n in names)
    assert len({read_body(tmp_path, p.archive_file, p.archive_offset) for p in places}) == 6


def test_a_second_try_never_writes_into_the_file_of_the_first(tmp_path):
    names = []
    for _ in range(2):
        with WarcArchive(tmp_path, "run", 0) as archive:
            names.append(archive.write_response(answer()).archive_file)
    assert len(set(names)) == 2


def test_no_file_without_a_record(tmp_path):
    with WarcArchive(tmp_path, "run", 0):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("lost", "readable"), [(1, True), (8, True), (300, False), (5000, False)])
def test_a_record_cut_off_by_a_crash_is_told(tmp_path, lost, readable):
    """Without the checksum of the gzip member the body can still be verified by its digest."""
    body = os.urandom(5000)
    with WarcArchive(tmp_path, "run", 0) as archive:
        good = archive.write_response(answer(b"good"))
        torn = archive.write_response(answer(body))
    path = tmp_path / torn.archive_file
    path.write_bytes(path.read_bytes()[:-lost])
    assert read_body(tmp_path, good.archive_file, good.archive_offset) == b"good"
    if readable:
        assert read_body(tmp_path, torn.archive_file, torn.archive_offset) == body
    else:
        with pytest.raises(ArchiveError):
            read_body(tmp_path, torn.archive_file, torn.archive_offset)
    with WarcArchive(tmp_path, "next", 0) as archive:
        fresh = archive.write_response(answer(b"fresh"))
    assert read_body(tmp_path, fresh.archive_file, fresh.archive_offset) == b"fresh"


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path):
    with WarcArchive(tmp_path, "run", 0) as archive:
        place = archive.write_response(answer(b"figures 58 and 54" * 20))
    path = tmp_path / place.archive_file
    whole = path.read_bytes()
    expected = read_body(tmp_path, place.archive_file, place.archive_offset)
    noticed = 0
    for position in range(place.archive_offset, len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            assert read_body(tmp_path, place.archive_file, place.archive_offset) == expected
        except ArchiveError:
            noticed += 1
    assert noticed > (len(whole) - place.archive_offset) * 0.8


FIRST = "gongkai-run-0-00000.warc.gz"


@pytest.mark.parametrize(("name", "offset"), [("missing.warc.gz", 0), ("../x", 0), ("", 0), (FIRST, 5), (FIRST, 10**9)])
def test_no_record_there(tmp_path, name, offset):
    with WarcArchive(tmp_path, "run", 0) as archive:
        archive.write_response(answer())
    with pytest.raises(ArchiveError):
        read_body(tmp_path, name, offset)


def test_the_warcinfo_record_has_no_body(tmp_path):
    with WarcArchive(tmp_path, "run", 0) as archive:
        place = archive.write_response(answer())
    with pytest.raises(ArchiveError, match="warcinfo"):
        read_body(tmp_path, place.archive_file, 0)


def test_local_files(tmp_path):
    source = tmp_path / "secret folder" / "2021 年报.pdf"
    source.parent.mkdir()
    source.write_bytes(b"%PDF-1.4 local")
    with WarcArchive(tmp_path / "archive", "run", 0) as archive:
        uri, sha256, place = archive.write_local_file(source, AT)
    assert sha256 == hashlib.sha256(b"%PDF-1.4 local").hexdigest()
    assert uri == ingest_uri(sha256, "2021 年报.pdf") == f"urn:gongkai:ingest:{sha256}/2021%20%E5%B9%B4%E6%8A%A5.pdf"
    stored = read_record(tmp_path / "archive", place.archive_file, place.archive_offset)
    assert (stored.kind, stored.url, stored.body) == ("resource", uri, b"%PDF-1.4 local")
    path = tmp_path / "archive" / place.archive_file
    assert is_valid(path)
    assert b"secret" not in b"".join(gzip.decompress(path.read_bytes()).split(b"\n"))


def test_a_full_disk_leaves_no_torn_record(tmp_path, monkeypatch):
    class FullDisk:
        """A file that takes part of a record and then has no room."""

        def __init__(self, file):
            self.file = file

        def write(self, data):
            self.file.write(bytes(data)[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

        def __getattr__(self, name):
            return getattr(self.file, name)

    with WarcArchive(tmp_path, "run", 0) as archive:
        first = archive.write_response(answer(b"first"))
        real = archive._file
        archive._file = FullDisk(real)
        with pytest.raises(OSError, match="No space"):
            archive.write_response(answer(b"lost"))
        archive._file = real
        second = archive.write_response(answer(b"second"))
    assert is_valid(tmp_path / first.archive_file)
    assert [read_body(tmp_path, p.archive_file, p.archive_offset) for p in (first, second)] == [b"first", b"second"]


def test_bytes_are_synced_before_the_place_is_known(tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(os.fstat(handle).st_size), real(handle))[1])
    with WarcArchive(tmp_path, "run", 0) as archive:
        place = archive.write_response(answer())
        assert synced[-1] == (tmp_path / place.archive_file).stat().st_size > place.archive_offset


def test_written_members_are_whole_gzip_members(tmp_path):
    with WarcArchive(tmp_path, "run", 0) as archive:
        place = archive.write_response(answer(b"x"))
    tail = (tmp_path / place.archive_file).read_bytes()[place.archive_offset :]
    assert gzip.GzipFile(fileobj=BytesIO(tail)).read().startswith(b"WARC/1.1\r\n")


def test_the_request_stands_beside_the_answer(tmp_path):
    asked = Asked("POST", [("User-Agent", "gongkai/1"), ("Content-Type", "application/json")], b'{"page": 2}')
    with WarcArchive(tmp_path, "run", 0, about={"robots": "obey", "operator": "mailto:web@example.org"}) as archive:
        place = archive.write_response(replace(answer(), url=URL + "?page=2", request=asked))
        original = read_record(tmp_path, place.archive_file, place.archive_offset)
        archive.write_revisit(replace(answer(b"", 304), request=Asked("GET", [("If-None-Match", '"1"')])), original, "server-not-modified")
    path = tmp_path / place.archive_file
    info, response, request, revisit, again = found = list(records(path))
    assert is_valid(path)
    assert [r.rec_type for r in found] == ["warcinfo", "response", "request", "revisit", "request"]
    for answered, question in ((response, request), (revisit, again)):
        assert question.rec_headers.get_header("WARC-Concurrent-To") == answered.rec_headers.get_header("WARC-Record-ID")
        assert question.rec_headers.get_header("WARC-Date") == answered.rec_headers.get_header("WARC-Date")
        assert question.http_headers.get_header("Host") == "127.0.0.1"
    assert (request.http_headers.protocol, request.http_headers.statusline) == ("POST", "/%E6%8A%A5.html?page=2 HTTP/1.1")
    assert again.http_headers.get_header("If-None-Match") == '"1"'
    assert revisit.rec_headers.get_header("WARC-Refers-To") == response.rec_headers.get_header("WARC-Record-ID") == original.record_id
    assert {r.rec_headers.get_header("WARC-Warcinfo-ID") for r in found[1:]} == {info.rec_headers.get_header("WARC-Record-ID")}


def test_warcinfo(tmp_path):
    with WarcArchive(tmp_path, "20261122T180000Z-3f2a", 0, about={"robots": "obey"}) as archive:
        place = archive.write_response(answer())
    with (tmp_path / place.archive_file).open("rb") as file:
        info = next(ArchiveIterator(file)).raw_stream.read().decode()
    assert "software: gongkai/" in info
    assert "conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n" in info
    assert "isPartOf: 20261122T180000Z-3f2a\r\n" in info
    assert "robots: obey\r\n" in info


def test_warcio_indexes_the_offsets_the_ledger_has(tmp_path):
    with WarcArchive(tmp_path, "run", 0) as archive:
        places = [archive.write_response(answer(os.urandom(n))) for n in (10, 100_000, 1)]
    out = subprocess.run([WARCIO, "index", str(tmp_path / places[0].archive_file)], capture_output=True, check=True, text=True).stdout
    index = [json.loads(line) for line in out.splitlines()]
    assert [int(i["offset"]) for i in index if i["warc-type"] == "response"] == [p.archive_offset for p in places]


def test_records_written_together_are_synced_once(tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    with WarcArchive(tmp_path, "run", 0) as archive:
        first = archive.write_response(answer(b"0"))
        monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(os.fstat(handle).st_size), real(handle))[1])
        places = [archive.write_response(answer(b"%d" % n), sync=False) for n in range(5)]
        assert synced == []
        archive.sync()
        archive.sync()
        assert synced == [(tmp_path / first.archive_file).stat().st_size]
        archive.write_response(answer(b"last"), sync=False)
    assert synced[1] == (tmp_path / first.archive_file).stat().st_size  # closing syncs what is left
    assert [read_body(tmp_path, p.archive_file, p.archive_offset) for p in places] == [b"0", b"1", b"2", b"3", b"4"]


def test_a_file_removed_under_its_writer_is_told(tmp_path):
    with WarcArchive(tmp_path, "run", 0) as archive:
        place = archive.write_response(answer())
        (tmp_path / place.archive_file).unlink()
        with pytest.raises(FileNotFoundError, match="removed"):
            archive.write_response(answer())


def test_a_folder_that_can_not_be_written(tmp_path, monkeypatch):
    real = Path.open

    def read_only(self, mode="r", *args, **more):
        if "x" in mode or "w" in mode:
            raise OSError(errno.EROFS, "Read-only file system", str(self))
        return real(self, mode, *args, **more)

    with WarcArchive(tmp_path, "run", 0) as archive:
        monkeypatch.setattr(Path, "open", read_only)
        with pytest.raises(OSError, match="Read-only"):
            archive.write_response(answer())
        monkeypatch.undo()
        place = archive.write_response(answer(b"after"))
    assert read_body(tmp_path, place.archive_file, place.archive_offset) == b"after"


def test_a_disk_that_is_full_from_the_start_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    with WarcArchive(tmp_path, "run", 0) as archive, pytest.raises(OSError, match="No space"):
        archive.write_response(answer())
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_disk_at_close_is_told(tmp_path, monkeypatch):
    archive = WarcArchive(tmp_path, "run", 0)
    archive.write_response(answer(), sync=False)
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(OSError, match="Input/output"):
        archive.close()
