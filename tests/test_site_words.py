"""Every word of the site in both languages: catalogue, definitions, reasons and problems in Chinese."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from site_world import data, one_of_everything, words_used
from warehouse_world import World

import warehouse.site as package
from flows.site import read_accuracy
from flows.site_forms import forms
from warehouse.query import connect
from warehouse.site import chinese
from warehouse.site.build import build
from warehouse.site.model import Accuracy
from warehouse.site.text import LANGUAGES, catalogue

PACKAGE = Path(package.__file__).parent
ACCURACY = Accuracy("2026-01-01", [("web page", 2, 10, 8, 2, 0)])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return one_of_everything(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def site(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site") / "out"
    build(world.published, target, forms=forms(), accuracy=ACCURACY)
    return target


def ask(world: World, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connect(world.published) as con:
        return con.execute(sql, values).fetchall()


def test_every_word_a_page_may_say_is_in_the_catalogue_and_no_other(world: World) -> None:
    whole, heads = words_used(PACKAGE / "assets", PACKAGE / "pages")
    known = set(catalogue())
    assert len(whole) > 150
    assert whole - {"key", "measure"} <= known, sorted(whole - known)
    assert {h for h in heads if not any(k.startswith(h) for k in known)} == set()
    assert {k for k in known - whole if not any(k.startswith(h) for h in heads)} == set()


def families(world: World) -> dict[str, set[str]]:
    """What the warehouse may bring -> the head of the keys that name it."""
    revision = (PACKAGE.parent / "views" / "25_revision.sql").read_text("utf-8")
    one = lambda sql: {row[0] for row in ask(world, sql)}  # noqa: E731
    return {
        "change.": set(re.findall(r"(?:THEN|ELSE) '(\w+)'", revision)),
        "unit.": one("SELECT DISTINCT unit FROM indicator") | {"unknown"},
        "break.": one("SELECT break_id FROM break_flag"),
        "identity.": one("SELECT string_split(check_id, '.')[1] FROM identity")
        | one("SELECT DISTINCT string_split(check_id, '.')[1] FROM cross_year_check"),
        "cell.": one("SELECT unnest(enum_range(NULL::value_status_enum))"),
        "table.": one("SELECT unnest(enum_range(NULL::section_enum))"),
        "severity.": one("SELECT unnest(enum_range(NULL::severity_enum))"),
        "ground.": one("SELECT indicator FROM indicator WHERE starts_with(indicator, 'denied_')"),
        "run.": {"running", "published", "nothing_new", "failed"},
        "medium.": {m[0] for m in accuracy().media},
    }


def test_every_kind_of_problem_has_words() -> None:
    text = (PACKAGE.parents[1] / "docs" / "architecture.md").read_text("utf-8")
    table = text[text.index("| kind | stage | when |") : text.index("A failed identity is not a problem")]
    kinds = {kind for row in re.findall(r"^\| ([a-z_, ]+) \|", table, re.M)[1:] for kind in row.split(", ")}
    assert len(kinds) > 40 and {f"problem.{kind}" for kind in kinds} <= set(catalogue())


# --- Chinese


#: Words in Latin letters that Chinese pages use too.
LATIN = re.compile(r"\b(?!(?:SQL|CSV|PDF|HTTP|Word|LibreOffice|Wilson|gongkai|n)\b)[A-Za-z]{2,}")


def test_definitions_are_there_in_chinese(site: Path) -> None:
    found = data(site, "definitions")
    assert len(found["indicators"]) > 120 and len(found["metrics"]) > 40
    for key, (zh, en) in found["indicators"].items():
        assert zh and zh.endswith("。") and not LATIN.search(zh), (key, zh)
        assert en[0].isupper() or en[0] > "\u2e7f", key
    for key, texts in found["metrics"].items():
        assert texts["note"][0] is not None, f"chinese.yml: no note for {key}: {texts['note'][1]}"
        assert not LATIN.search(texts["formula"][0] + texts["note"][0]), (key, texts)
    assert found["indicators"]["denied_internal_affairs"][0] == (
        "属于三类内部事务信息。人事管理、后勤管理、内部工作流程三类。依据：《政府信息公开条例》第十六条第一款、第三十六条第（三）项。"
    )
    assert found["metrics"]["disclosure_rate_broad"]["formula"][0] == "（予以公开＋部分公开） ÷ 办理结果总计"


@pytest.mark.parametrize(("number", "words"), [(1, "一"), (10, "十"), (14, "十四"), (20, "二十"), (51, "五十一")])
def test_numbers_of_articles(number: int, words: str) -> None:
    assert chinese.numeral(number) == words


def test_remarks_are_of_indicators_that_exist(world: World) -> None:
    known = {row[0] for row in ask(world, "SELECT indicator FROM indicator")}
    texts = yaml.safe_load((PACKAGE / "chinese.yml").read_text("utf-8"))
    assert set(texts["remarks"]) <= known and set(texts["notes"]) <= {
        chinese.plain(row[0]) for row in ask(world, "SELECT note FROM metric_definition")
    }


def test_every_reason_of_the_warehouse_has_its_chinese(world: World) -> None:
    """Reasons of metrics and of the coverage, and texts that the SQL of the views may make."""
    made = {row[0] for row in ask(world, "SELECT DISTINCT unnest([reason, caution]) FROM metric") if row[0]}
    made |= {row[0] for row in ask(world, "SELECT DISTINCT reason FROM coverage") if row[0]}
    sql = "".join(p.read_text("utf-8") for p in (PACKAGE.parent / "views").glob("[456]?_*.sql"))
    made |= set(re.findall(r"THEN '((?:denominator|numerator|scope is unknown:|the page|not the report)[^']*[^' ])'", sql))
    made |= {
        "granted: absent; 2021 granted: not_in_form",
        "HTTP 404 since 2026-11-22; last seen 2026-11-21",
        "identity_failed (2), no_tables (1)",
    }
    patterns = [re.compile(pattern) for pattern, _ in data_reasons()]
    assert len(made) > 10
    for part in {part for reason in made for part in reason.split("; ")}:
        assert any(p.fullmatch(part) for p in patterns), part


def data_reasons() -> list[list[str]]:
    found = chinese.reasons()
    for pattern, words in found:
        groups = re.compile(pattern).groups
        assert all(int(n) <= groups for n in re.findall(r"\$(\d)", words)) and not LATIN.search(words), words
    return found


def accuracy() -> Accuracy:
    found = read_accuracy()
    assert found is not None
    return found


def test_families_of_words_are_whole(world: World) -> None:
    for head, values in families(world).items():
        assert values and {head + v for v in values} <= set(catalogue()), head


def test_both_languages_are_there_and_differ() -> None:
    for key, words in catalogue().items():
        assert set(words) == set(LANGUAGES), key
        assert set(re.findall(r"\{\w+\}", words["zh"])) == set(re.findall(r"\{\w+\}", words["en"])), key


def test_accuracy_is_read_whole() -> None:
    text = (PACKAGE.parents[1] / "docs" / "accuracy.md").read_text("utf-8")
    media = accuracy().media
    assert sum(m[1] for m in media) == int(re.findall(r"^(\d+) documents made", text, re.M)[0])
    assert all(right + flagged + wrong == cells for _, _, cells, right, flagged, wrong in media)
