"""Settings: file and environment, where each comes from, what is refused, and no secret in anything printed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from extract.archive_settings import ArchiveSettings
from flows.cli import app
from flows.schedule import Schedule, duration
from flows.settings import Settings, SettingsError, load_settings, origin

SECRET = "s3cr3t-T0ken"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GONGKAI_{name.upper()}", raising=False)
    monkeypatch.delenv("GONGKAI_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


def written(folder: Path, text: str) -> Path:
    path = folder / "gongkai.toml"
    path.write_text(text, "utf-8")
    return path


def gongkai(*words: object) -> Result:
    return CliRunner().invoke(app, [str(w) for w in words])


def shown(*words: object) -> dict[str, dict[str, object]]:
    result = gongkai("config", "--format", "json", *words)
    assert result.exit_code == 0, result.output
    return {row["name"]: row for row in json.loads(result.stdout)}


def test_environment_before_file_before_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "batch_size = 7\ncrawlers = 3\n")
    monkeypatch.setenv("GONGKAI_CONFIG", str(path))
    monkeypatch.setenv("GONGKAI_CRAWLERS", "5")
    found = load_settings()
    assert (found.batch_size, found.crawlers, found.max_failing) == (7, 5, 3)
    assert [origin(n) for n in ("batch_size", "crawlers", "max_failing")] == [str(path), "GONGKAI_CRAWLERS", "default"]


def test_the_file_of_the_home_is_read_by_every_command(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = written(home, 'batch_size = 7\nschedule = "30 1 * * *"\n')
    rows = shown("--home", home)
    assert (rows["batch_size"]["value"], rows["batch_size"]["origin"]) == (7, str(path))
    assert rows["schedule"]["value"] == "30 1 * * *"
    assert shown("--home", tmp_path)["batch_size"]["origin"] == "default", "the home of one command is no other's"


def test_the_archive_reads_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, f'warc_mb = 9\nworkers = 1\n[archive_options]\nkey = "{SECRET}"\n')
    monkeypatch.setenv("GONGKAI_CONFIG", str(path))
    assert ArchiveSettings().warc_mb == 9
    assert ArchiveSettings().store_options() == {"key": SECRET}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("workres = 3\n", "workres: no such setting; did you mean workers?"),
        ("[crawl]\nworkers = 3\n", "crawl: no such setting"),
        ("workers = 0\n", "workers: Input should be greater than or equal to 1"),
        ("workers = \n", "Invalid value (at line 1"),
        ('schedule = "every night"\n', "'every night' is no cron expression"),
        ('timezone = "Asia/Peking"\n', "timezone: 'Asia/Peking' is no time zone"),
        ('max_age = "a while"\n', "max_age: 'a while' is no length of time"),
        ('log = "xml"\n', "log: Input should be 'text' or 'json'"),
    ],
)
def test_a_faulty_file_names_file_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    path = written(tmp_path, text)
    monkeypatch.setenv("GONGKAI_CONFIG", str(path))
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_a_file_that_is_named_and_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load_settings()


@pytest.mark.parametrize("words", [("run",), ("serve",), ("config",), ("status", "--check")], ids=" ".join)
def test_bad_configuration_stops_with_status_2_before_anything_is_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    home = tmp_path / "home"
    home.mkdir()
    written(home, "workres = 3\n")
    result = gongkai(*words, "--home", home)
    assert (result.exit_code, [p.name for p in home.iterdir()]) == (2, ["gongkai.toml"])
    assert "workres: no such setting" in result.output.replace("\n", " ")


def test_an_address_that_apprise_does_not_know_stops_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_NOTIFY", f"nosuch://{SECRET}@host")
    for command in (["run", "--sources", tmp_path / "none.yml"], ["serve", "--sources", tmp_path / "none.yml"], ["config"]):
        result = gongkai(*command, "--home", tmp_path / "home")
        assert (result.exit_code, SECRET in result.output) == (2, False)
        assert "nosuch://" in result.output
    assert not (tmp_path / "home").exists()


def test_no_secret_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_NOTIFY", f"json://user:{SECRET}@127.0.0.1/hook mailtos://me:{SECRET}@example.org?to=a@b.cn,c@d.cn")
    monkeypatch.setenv("GONGKAI_ARCHIVE_OPTIONS", json.dumps({"secret": SECRET}))
    for words in (["config"], ["config", "--format", "json"]):
        result = gongkai(*words)
        assert result.exit_code == 0
        assert SECRET not in result.output
    assert len(Settings().notify) == 2
    assert SECRET not in repr(Settings())


def test_secrets_of_a_faulty_setting_are_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_ARCHIVE_OPTIONS", f"[{SECRET}")
    monkeypatch.setenv("GONGKAI_NOTIFY", f'["{SECRET}')
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert SECRET not in str(caught.value)
    assert {"GONGKAI_ARCHIVE_OPTIONS", "GONGKAI_NOTIFY"} <= {part.split(":")[0] for part in str(caught.value).split("; ")}


def test_every_setting_is_described_and_printed() -> None:
    rows = shown()
    assert set(rows) == set(Settings.model_fields)
    assert not [name for name, row in rows.items() if not row["description"]]
    text = gongkai("config").output
    assert all(f"{name} = " in text for name in rows)


def test_a_variable_that_is_no_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_WORKRES", "3")
    assert "GONGKAI_WORKRES is set, and no such setting exists" in gongkai("config").output


def test_a_process_of_the_run_reads_the_home_of_the_command(tmp_path: Path) -> None:
    """What a crawler or reader process sees: the option is in its environment."""
    from flows.options import environment

    written(tmp_path, "warc_mb = 9\n")
    code = "from extract.archive_settings import ArchiveSettings; print(ArchiveSettings().warc_mb)"
    with environment({"GONGKAI_HOME": str(tmp_path)}):
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "9\n"


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))
def test_due_times_are_two_in_the_morning_in_china(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    schedule = Schedule("0 2 * * *", "Asia/Shanghai")
    due, last = schedule.after(moment), schedule.before(moment)
    assert last < moment < due or moment in (last, due)
    assert due - last in (timedelta(days=1), timedelta(days=2))
    assert (due.hour, due.minute, last.hour) == (18, 0, 18)


@pytest.mark.parametrize(("text", "seconds"), [("36h", 129600), ("90m", 5400), ("1.5d", 129600), (" 30 s ", 30)])
def test_lengths_of_time(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "36", "h", "-3h", "0h", "1w", "3 h 5 m"])
def test_no_lengths_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="no length of time"):
        duration(text)
