"""The archive on S3-compatible storage (moto's server): uploaded whole, read by range, and nothing lost when the store is not there."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import fsspec
import pytest
from archive_world import SITE, answer, crawl, new_run, warcs
from moto.server import ThreadedMotoServer
from pydantic import ValidationError
from test_archive_verify import BODIES, check, gongkai

from extract import archive_store
from extract.archive import Archive, ArchiveSettings, StoreUnreachable, read_body
from extract.archive_store import Store
from extract.home import Home
from extract.ledger import Ledger
from flows import pipeline

SECRET = "wJalrXUtnFEMI"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def options(endpoint: str, **more: object) -> str:
    return json.dumps({"key": "AKIAEXAMPLE", "secret": SECRET, "endpoint_url": endpoint, **more})


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket, and the settings that lead to it."""
    post(endpoint, "reset-auth", b"1000000000")
    post(endpoint, "reset")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("GONGKAI_ARCHIVE", "s3://warcs/gongkai")
    monkeypatch.setenv("GONGKAI_ARCHIVE_OPTIONS", options(endpoint))
    forget()
    files(endpoint).mkdir("warcs")
    yield endpoint
    forget()


def post(endpoint: str, action: str, data: bytes = b"") -> None:
    with urlopen(Request(f"{endpoint}/moto-api/{action}", data=data, method="POST", headers={"Content-Type": "text/plain"})):
        pass


def forget() -> None:
    """What a new process would not know."""
    archive_store._down.clear()
    archive_store._handle.cache_clear()


def files(endpoint: str) -> fsspec.AbstractFileSystem:
    return fsspec.filesystem("s3", **json.loads(options(endpoint)), use_listings_cache=False)


def nobody_there() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def home(tmp_path: Path, bucket: str) -> Home:
    """A crawled home whose files wait in the spool."""
    home = Home(tmp_path / "home")
    crawl(home, new_run(home), BODIES)
    return home


def bodies_of(home: Home) -> dict[str, bytes]:
    with Ledger(home.ledger) as ledger:
        rows = ledger.rows("document")
    return {r["url"].removeprefix(SITE): read_body(Archive.of(home), r["archive_file"], r["archive_offset"]) for r in rows}


def test_records_are_read_from_the_spool_and_then_from_the_store(home: Home, bucket: str) -> None:
    assert bodies_of(home) == BODIES
    (path,) = warcs(home.spool)
    whole = path.read_bytes()
    assert Archive.of(home).ship() == [path.name]
    assert list(home.spool.iterdir()) == list(home.archive.iterdir()) == []
    assert files(bucket).cat_file(f"warcs/gongkai/{path.name}") == whole
    assert bodies_of(home) == BODIES
    assert check(home) == []
    assert Archive.of(home).ship() == []


def test_one_record_of_a_large_file_is_one_range_request(home: Home, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Archive.of(home).writer(new_run(home), 0) as writer:
        places = [writer.write_response(answer(f"/big{i}", os.urandom(900_000)), sync=False) for i in range(12)]
    Archive.of(home).ship()
    asked: list[int] = []
    real = type(files(bucket))._call_s3

    async def counted(self: object, method: str, *args: object, **more: object) -> object:
        if method == "get_object":
            first, last = more["Range"].removeprefix("bytes=").split("-")
            asked.append(int(last) - int(first) + 1)
        return await real(self, method, *args, **more)

    monkeypatch.setattr(type(files(bucket)), "_call_s3", counted)
    read_body(Archive.of(home), places[6].archive_file, places[6].archive_offset)
    assert 1 <= len(asked) <= 2 and sum(asked) <= 2 * archive_store.BLOCK
    with Ledger(home.ledger) as ledger:
        row = ledger.document(SITE + "/0.html")
    asked.clear()
    bodies_of(home)  # small records side by side: one block
    assert len(asked) == 1 and row is not None


def test_size_limit(home: Home, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_WARC_MB", "1")
    with Archive.of(home).writer(new_run(home), 0) as writer:
        for i in range(5):
            writer.write_response(answer(f"/big{i}", os.urandom(500_000)), sync=False)
    assert len(warcs(home.spool)) == 1 + 2
    assert len(Archive.of(home).ship()) == 3


def test_a_finished_file_is_uploaded_while_the_next_is_written(home: Home, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_WARC_MB", "1")
    with Archive.of(home).writer(new_run(home), 0) as writer:
        places = [writer.write_response(answer(f"/big{i}", os.urandom(600_000)), sync=False) for i in range(3)]
        assert len(Archive.of(home).ship()) == 2
        assert [p.name for p in warcs(home.spool)] == [places[-1].archive_file]
        assert all(len(read_body(Archive.of(home), p.archive_file, p.archive_offset)) == 600_000 for p in places)


@pytest.mark.parametrize("step", ["before", "sent", "sealed"])
def test_an_interrupted_upload_is_finished_by_the_next_run(home: Home, bucket: str, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    (path,) = warcs(home.spool)
    put, calls = Store.put, []

    def dies(self: Store, file: Path) -> None:
        calls.append(file)
        if step == "before":
            raise KeyboardInterrupt
        put(self, file)
        if step == "sent" or len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Store, "put", dies)
        Archive.of(home).ship()
    assert path.exists()
    assert bodies_of(home) == BODIES
    assert Archive.of(home).ship() == [path.name]
    assert bodies_of(home) == BODIES
    assert (list(home.spool.iterdir()), check(home)) == ([], [])


def test_a_file_cut_short_in_the_store_is_sent_again(home: Home, bucket: str) -> None:
    (path,) = warcs(home.spool)
    files(bucket).pipe_file(f"warcs/gongkai/{path.name}", path.read_bytes()[:1000])
    Archive.of(home).ship()
    assert check(home) == []


def test_a_file_that_is_not_what_was_sent_stays_in_the_spool(home: Home, bucket: str) -> None:
    (path,) = warcs(home.spool)
    files(bucket).pipe_file(f"warcs/gongkai/{path.name}", bytes(path.stat().st_size))
    with pytest.raises(StoreUnreachable, match="not what was sent"):
        Archive.of(home).ship()
    assert path.exists()


def test_an_object_without_a_usable_etag_is_read_back(home: Home, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_store, "_etags", lambda path: ("", ""))
    Archive.of(home).ship()
    assert warcs(home.spool) == []
    assert bodies_of(home) == BODIES


def test_a_large_file_goes_in_parts(home: Home, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Archive.of(home).writer(new_run(home), 0) as writer:
        for i in range(11):
            writer.write_response(answer(f"/big{i}", os.urandom(10_000_000)), sync=False)
    monkeypatch.setattr(archive_store, "sha256_of", None)  # the ETag must do: reading back 110 MB is not needed
    Archive.of(home).ship()
    assert warcs(home.spool) == []


@pytest.mark.parametrize("fault", ["down", "no bucket", "wrong credentials"])
def test_a_store_that_fails_costs_nothing(home: Home, bucket: str, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    if fault == "down":
        monkeypatch.setenv("GONGKAI_ARCHIVE_OPTIONS", options(nobody_there(), config_kwargs={"retries": {"max_attempts": 0}}))
    elif fault == "no bucket":
        monkeypatch.setenv("GONGKAI_ARCHIVE", "s3://nowhere/gongkai")
    else:
        post(bucket, "reset-auth", b"0")
    run = new_run(home)
    pipeline.ship(home, run)
    with Ledger(home.ledger) as ledger:
        (problem,) = ledger.problems(run)
    assert (problem.kind, problem.severity, problem.stage) == ("archive_unreachable", "failure", "crawl")
    assert SECRET not in problem.message
    assert "1 file(s) wait" in problem.message
    assert bodies_of(home) == BODIES
    post(bucket, "reset-auth", b"1000000000")
    monkeypatch.setenv("GONGKAI_ARCHIVE", "s3://warcs/gongkai")
    monkeypatch.setenv("GONGKAI_ARCHIVE_OPTIONS", options(bucket))
    forget()
    run = new_run(home)
    pipeline.ship(home, run)
    with Ledger(home.ledger) as ledger:
        assert ledger.problems(run) == []
    assert bodies_of(home) == BODIES


def test_reading_from_a_store_that_is_down_is_told_from_damage(home: Home, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Archive.of(home).ship()
    forget()
    monkeypatch.setenv("GONGKAI_ARCHIVE_OPTIONS", options(nobody_there(), config_kwargs={"retries": {"max_attempts": 0}}))
    with pytest.raises(StoreUnreachable):
        bodies_of(home)
    result = gongkai("verify", "--home", home.root)
    assert result.exit_code == 1
    assert "could not be checked" in result.stderr


def test_credentials_from_the_usual_variables(home: Home, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GONGKAI_ARCHIVE_OPTIONS")
    for name, value in {"ACCESS_KEY_ID": "A", "SECRET_ACCESS_KEY": "S", "ENDPOINT_URL": bucket}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    Archive.of(home).ship()
    assert bodies_of(home) == BODIES


def test_verify_over_s3(home: Home, bucket: str) -> None:
    (path,) = warcs(home.spool)
    Archive.of(home).ship()
    assert gongkai("verify", "--home", home.root).exit_code == 0
    assert path.name in gongkai("list", "--home", home.root).output
    remote = f"warcs/gongkai/{path.name}"
    whole = bytearray(files(bucket).cat_file(remote))
    with Ledger(home.ledger) as ledger:
        place = ledger.document(SITE + "/2.html")
    whole[place.archive_offset + 50] ^= 1
    files(bucket).pipe_file(remote, bytes(whole))
    result = gongkai("verify", "--home", home.root)
    assert result.exit_code == 1
    assert f"{path.name}\t{place.archive_offset}\t{SITE}/2.html" in result.output
    files(bucket).rm(remote)
    assert len([f for f in check(home) if f.reason == "the file is missing"]) == len(BODIES)


def test_what_lay_in_the_folder_before_is_still_found(tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "home")
    monkeypatch.delenv("GONGKAI_ARCHIVE")
    crawl(home, new_run(home), {"/a": b"a"})
    monkeypatch.setenv("GONGKAI_ARCHIVE", "s3://warcs/gongkai")
    crawl(home, new_run(home), {"/b": b"b"})
    Archive.of(home).ship()
    assert bodies_of(home) == {"/a": b"a", "/b": b"b"}
    assert check(home) == []


def test_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_ARCHIVE", str(tmp_path / "warcs"))
    home = Home(tmp_path / "home")
    crawl(home, new_run(home), {"/a": b"a"})
    assert len(warcs(tmp_path / "warcs")) == 1
    assert bodies_of(home) == {"/a": b"a"}
    assert check(home) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARCHIVE", "nosuch://bucket/x"),
        ("ARCHIVE", "s3://"),
        ("ARCHIVE", "s3://key:secret@bucket/x"),
        ("ARCHIVE", ""),
        ("ARCHIVE_OPTIONS", "[1]"),
        ("ARCHIVE_OPTIONS", f"{{'secret': '{SECRET}'}}"),
        ("WARC_MB", "0"),
    ],
)
def test_settings_that_can_not_be_stop_before_the_first_request(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GONGKAI_{name}", value)
    with pytest.raises(ValidationError) as caught:
        ArchiveSettings()
    assert SECRET not in str(caught.value)
    result = gongkai("verify")
    assert result.exit_code == 2
    assert SECRET not in result.output


def test_options_are_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_ARCHIVE", "s3://warcs/gongkai")
    monkeypatch.setenv("GONGKAI_ARCHIVE_OPTIONS", options("http://127.0.0.1"))
    assert SECRET not in repr(ArchiveSettings()) + repr(Archive.of(Home(Path("x"))))
