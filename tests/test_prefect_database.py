"""The database that a new home begins with: a sound copy, or none at all."""

from __future__ import annotations

import sqlite3

import pytest

from flows import prefect_database as database


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def home(tmp_path):
    """A function that makes a home of a name."""

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        return folder

    return make


def tables(home):
    with sqlite3.connect(home / "prefect.db") as con:
        return [name for (name,) in con.execute("SELECT name FROM sqlite_master")]


def test_a_second_new_home_gets_what_the_first_one_made(home):
    first, second = home("first"), home("second")
    assert database.begin(first)
    with sqlite3.connect(first / "prefect.db") as con:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute("CREATE TABLE flow_run (id)")
    database.keep(first)
    assert not database.begin(second)
    assert tables(second) == ["flow_run"]
    assert [path.name for path in second.iterdir() if path.name.startswith(".")] == []


def test_a_database_that_is_there_is_left_alone(home):
    own = home("own")
    (own / "prefect.db").write_bytes(b"anything")
    assert not database.begin(own)
    assert (own / "prefect.db").read_bytes() == b"anything"


def test_a_damaged_template_is_not_taken(home):
    new = home("new")
    database.template().parent.mkdir(parents=True)
    database.template().write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    assert database.begin(new)
    assert list(new.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_no_failure(home, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    first = home("first")
    sqlite3.connect(first / "prefect.db").close()
    database.keep(first)
    assert database.begin(home("second"))
