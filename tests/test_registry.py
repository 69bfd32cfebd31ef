"""The sources registry: every mistake is named with its file, line and entry, and nothing is crawled."""

from datetime import UTC, date, datetime
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extract.crawl.job import Tls
from extract.home import Home
from flows.pipeline import crawl_jobs
from flows.registry import KnownReport, RegistryError, Source, TlsSetting, host_batches, load_registry
from flows.settings import Settings
from warehouse.districts import codes

CONTRACT = """\
    - id: lucheng-office
      publisher: 温州市鹿城区人民政府办公室
      district: "330302"
      kind: office
      scope: own
      index:
        - http://127.0.0.1:8000/lucheng/index.html
      reports:
        - {year: 2021, url: "http://127.0.0.1:8000/lucheng/2021.pdf"}
    """
GOOD = 'id: a\n  publisher: 甲\n  district: "330302"\n  index: [http://a.example/]\n'


@pytest.fixture
def load(tmp_path):
    def load(text, name="sources.yml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return load_registry(path, codes())

    return load


def faults(load, text):
    with pytest.raises(RegistryError) as caught:
        load(text)
    return caught.value.faults


def test_the_contracts_example(load):
    assert load(CONTRACT) == [
        Source.model_construct(
            id="lucheng-office",
            publisher="温州市鹿城区人民政府办公室",
            district="330302",
            kind="office",
            scope="own",
            index=["http://127.0.0.1:8000/lucheng/index.html"],
            reports=[KnownReport(year=2021, url="http://127.0.0.1:8000/lucheng/2021.pdf")],
        )
    ]


def test_what_may_be_left_out(load):
    (source,) = load(f"- {GOOD}")
    assert (source.kind, source.scope, source.reports) == ("other", None, [])
    assert (source.hosts, source.tls, source.evidence, source.crawled) == ([], None, None, None)


FURTHER = """\
  hosts: [files.example, 10.1.2.3]
  tls: {mode: legacy, reason: TLS 1.0 only}
  evidence: domain.md §5.3
  crawled: false
"""


def test_the_further_keys(load):
    (source,) = load(f"- {GOOD}{FURTHER}")
    assert (source.hosts, source.tls) == (["files.example", "10.1.2.3"], TlsSetting(mode="legacy", reason="TLS 1.0 only"))
    assert (source.evidence, source.crawled) == ("domain.md §5.3", False)
    assert source.all_hosts() == ["a.example", "files.example", "10.1.2.3"]
    (source,) = load(f"- {GOOD}{FURTHER}".replace("false", "2026-11-23"))
    assert source.crawled == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("files.example", "http://files.example/", 5, "hosts.1: 'http://files.example/': not a host name"),
        ("files.example", "files.example:8080", 5, "not a host name"),
        ("files.example", "Files.example", 5, "not a host name in small letters"),
        ("files.example", '""', 5, "not a host name"),
        ("10.1.2.3", "10.1.2.999", 5, "hosts.2"),
        ("legacy", "old", 6, "tls.mode: 'old': input should be 'legacy' or 'unverified'"),
        ("mode: legacy, ", "", 6, "required key 'mode' is missing"),
        (", reason: TLS 1.0 only", "", 6, "required key 'reason' is missing"),
        ("TLS 1.0 only", '" "', 6, "tls.reason: ' ': is empty"),
        ("mode: legacy", "mode: legacy, mode: legacy", 6, "key 'mode' stands twice"),
        ("reason:", "raeson: x, reason:", 6, "unknown key 'raeson'; did you mean 'reason'?"),
        ("domain.md §5.3", '""', 7, "evidence: '': is empty"),
        ("false", "true", 8, "crawled: 'true': must be false (not crawled from here) or a date"),
        ("false", '"2026-11-23"', 8, "must be false (not crawled from here) or a date"),
        ("false", "2026-11-23 10:00:00", 8, "must be false (not crawled from here) or a date"),
    ],
)
def test_one_mistake_in_the_further_keys(load, old, new, line, message):
    assert old in FURTHER
    (fault,) = faults(load, f"- {GOOD}{FURTHER.replace(old, new, 1)}")
    assert message in fault.message
    assert fault.line == line


def test_a_crawl_job_has_what_the_registry_says(load, tmp_path):
    text = f"- {GOOD}{FURTHER}- {GOOD}".replace("id: a", "id: b", 1)
    sources = load(text)
    (job,) = crawl_jobs(Home(tmp_path), "r1", sources, [], False, Settings(_env_file=None), [s.publisher for s in sources] + ["乙"])
    first, second = job.sources
    assert (first.hosts, first.tls, first.district, first.kind) == (
        ["files.example", "10.1.2.3"],
        Tls(mode="legacy", reason="TLS 1.0 only"),
        "330302",
        "other",
    )
    assert (second.hosts, second.tls) == ([], None)
    assert job.publishers == ["甲", "甲", "乙"]


def test_reports_alone_are_enough(load):
    (source,) = load('- {id: a, publisher: 甲, district: "330302", reports: [{year: 2009, url: "https://a.example/1.doc"}]}')
    assert (source.index, source.urls()) == ([], ["https://a.example/1.doc"])


def test_an_abolished_district_is_known(load):
    (source,) = load('- {id: a, publisher: 杭州市下城区人民政府, district: "330103", index: [http://a.example/]}')
    assert source.district == "330103"


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        (("index:\n", "indexes:\n"), 6, "unknown key 'indexes'; did you mean 'index'?"),
        (("year: 2021", "year: 2021, ulr: x"), 9, "unknown key 'ulr'; did you mean 'url'?"),
        (("scope: own", "colour: own"), 5, "unknown key 'colour'; known are id, publisher, district, kind, scope, index, reports"),
        (('"330302"', "330302"), 3, 'district must be text; put it in quotes: district: "330302"'),
        (('"330302"', "033030"), 3, "or YAML reads it as an octal number"),
        (('"330302"', '"330399"'), 3, "district: '330399': not a GB/T 2260 code that was in force at any time since 2008"),
        (('"330302"', '"33030"'), 3, "district: '33030': must be six digits"),
        (('"330302"', '"３３０３０２"'), 3, "must be six digits"),
        (("lucheng-office", "Lucheng_Office"), 1, "id: 'Lucheng_Office': may have small letters a-z, digits and '-' only"),
        (("lucheng-office", "yes"), 1, 'id must be text; put it in quotes: id: "yes"'),
        (("温州市鹿城区人民政府办公室", ""), 2, "publisher is empty"),
        (("温州市鹿城区人民政府办公室", '" "'), 2, "publisher: ' ': is empty"),
        (("kind: office", "kind: ministry"), 4, "kind: 'ministry': input should be 'government', 'office', 'department', 'township' or"),
        (("scope: own", "scope: all"), 5, "scope: 'all': input should be 'own', 'level', 'consolidated' or 'unknown'"),
        (("- http://", "- ftp://"), 7, "not an http or https address"),
        (("- http://127.0.0.1:8000", "- "), 7, "not an http or https address"),
        (("- http://127.0.0.1:8000", "- http://127.0.0.1:99999"), 7, "index.1"),
        (("year: 2021", "year: 2007"), 9, "reports.1.year: '2007': not a year from 2008 to"),
        (("year: 2021", f"year: {datetime.now(UTC).year + 2}"), 9, "not a year from 2008 to"),
        (("year: 2021", 'year: "2021"'), 9, "reports.1.year: '2021': input should be a valid integer"),
        (("year: 2021, ", ""), 9, "required key 'year' is missing"),
        (("kind: office", "publisher: 乙"), 4, "key 'publisher' stands twice"),
        (("{year: 2021,", "{year: 2021, year: 2022,"), 9, "key 'year' stands twice"),
        (("  index:\n    - http://127.0.0.1:8000/lucheng/index.html", "  index: http://a.example/"), 6, "input should be a valid list"),
    ],
)
def test_one_mistake(load, change, line, message):
    text = dedent(CONTRACT)
    assert change[0] in text
    (fault,) = faults(load, text.replace(*change))
    assert message in fault.message
    assert (Path(fault.file).name, fault.line) == ("sources.yml", line)
    assert fault.entry.startswith("entry '")


@pytest.mark.parametrize("key", ["id", "publisher", "district"])
def test_missing_required_key(load, key):
    text = "".join(line for line in dedent(CONTRACT).replace("- id", "- kind: office\n  id").splitlines(True) if f" {key}:" not in line)
    text = text.replace("  kind: office\n", "", 1) if text.count("kind") > 1 else text
    (fault,) = faults(load, text)
    assert fault.message == f"required key '{key}' is missing"
    assert fault.entry == ("entry number 1" if key == "id" else "entry 'lucheng-office'")


@pytest.mark.parametrize("rest", ["", ", index: []", ", index: [], reports: []"])
def test_no_address_at_all(load, rest):
    (fault,) = faults(load, f'- {{id: a, publisher: 甲, district: "330302"{rest}}}')
    assert "needs 'index'" in fault.message


def test_a_report_twice(load):
    text = dedent(CONTRACT).rstrip() + '\n    - {year: 2020, url: "http://127.0.0.1:8000/lucheng/2021.pdf"}\n'
    assert [fault.line for fault in faults(load, text)] == [9, 10]


def test_every_mistake_is_listed_at_once(load):
    text = f"- {GOOD}  kindd: office\n- id: B\n  publisher: 乙\n  district: 330302\n  index: [x]\n- {GOOD}"
    found = faults(load, text)
    assert [(fault.line, fault.entry) for fault in found] == [
        (5, "entry 'a'"),
        (6, "entry 'B'"),
        (8, "entry 'B'"),
        (9, "entry 'B'"),
        (10, "entry 'a'"),
    ]
    with pytest.raises(RegistryError, match="sources registry: 5 errors") as caught:
        load(text)
    assert all(str(fault) in str(caught.value) for fault in found)
    assert "sources.yml:10: entry 'a': id is taken already, at " in str(caught.value)
    assert str(caught.value).count("sources.yml:1") == 2


def test_an_id_repeated_over_files_names_both_places(tmp_path):
    (tmp_path / "a.yml").write_text(f"- {GOOD}", encoding="utf-8")
    (tmp_path / "b.yaml").write_text(f"# note\n- {GOOD}", encoding="utf-8")
    with pytest.raises(RegistryError) as caught:
        load_registry(tmp_path, codes())
    (fault,) = caught.value.faults
    assert (Path(fault.file).name, fault.line) == ("b.yaml", 2)
    assert f"{tmp_path / 'a.yml'}:1" in fault.message


def test_a_folder_is_read_in_order_of_names(tmp_path):
    (tmp_path / "zhejiang").mkdir()
    for name, id_ in (("b.yml", "b"), ("a.yaml", "a"), ("zhejiang/c.yml", "c"), (".hidden.yml", "d"), ("note.txt", "e")):
        (tmp_path / name).write_text(f"- {GOOD}".replace("id: a", f"id: {id_}"), encoding="utf-8")
    assert [source.id for source in load_registry(tmp_path, codes())] == ["a", "b", "c"]


def test_a_package_below_the_folder_is_no_registry(tmp_path):
    (tmp_path / "sample").mkdir()
    (tmp_path / "__init__.py").touch()
    (tmp_path / "33-zhejiang.yml").write_text(f"- {GOOD}", encoding="utf-8")
    (tmp_path / "sample" / "figures.yml").write_text("not: a registry", encoding="utf-8")
    with pytest.raises(RegistryError, match="must be a list of sources"):
        load_registry(tmp_path, codes())
    (tmp_path / "sample" / "__init__.py").touch()
    assert [source.id for source in load_registry(tmp_path, codes())] == ["a"]


def test_a_file_named_for_a_province_holds_its_districts_only(load):
    assert load(f"- {GOOD}", "33-zhejiang.yml")
    assert load(f"- {GOOD}", "330302.yml")
    with pytest.raises(RegistryError) as caught:
        load(f"- {GOOD}", "32-jiangsu.yml")
    (fault,) = caught.value.faults
    assert (fault.line, "does not lie in province 32" in fault.message) == (3, True)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "no sources in this file"),
        ("# nothing yet\n", 1, "no sources in this file"),
        ("[]", 1, "no sources in this file"),
        ("sources:\n  - id: a\n", 1, "must be a list of sources"),
        ("- a\n", 1, "must be keys and values"),
        ("- id: a\n  index: [http://a.example/\n", 3, "not YAML"),
        ("- id: a\n\tpublisher: b\n", 2, "not YAML"),
        ("- id: a\n---\n- id: b\n", 2, "not YAML"),
        (b"- id: a\n  publisher: \xbc\xd7\n", 2, "not UTF-8"),
        ("- id: a\n  x: !!python/object:os.system {}\n", 1, "not YAML"),
        ("- id: a\n  x: 2021-13-45\n", 1, "not YAML"),
        ("- &a\n  id: a\n  index: [*a]\n", 1, "index.1: input should be a valid string"),
        ("[" * 3000, 1, "not YAML"),
    ],
)
def test_what_is_no_registry(load, text, line, message):
    found = faults(load, text)
    assert message in found[0].message
    assert found[0].line == line


def test_no_such_place(tmp_path):
    with pytest.raises(RegistryError, match="no such file or folder"):
        load_registry(tmp_path / "none.yml", codes())
    with pytest.raises(RegistryError, match=r"no \.yml or \.yaml file"):
        load_registry(tmp_path, codes())


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
REPORTS = st.lists(st.dictionaries(st.sampled_from(["year", "url", "x"]), SCALARS, max_size=2) | SCALARS, max_size=2)
KEYS = st.sampled_from(["id", "publisher", "district", "kind", "scope", "index", "reports", "hosts", "tls", "crawled", "<<", "x"])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(KEYS, SCALARS | REPORTS, max_size=5) | SCALARS, max_size=3))
def test_any_yaml_gives_sources_or_faults(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("registry") / "any.yml"
    path.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    with pytest.raises(RegistryError) as caught:  # no made entry names an existing district
        load_registry(path, codes())
    assert all(fault.line >= 1 and fault.message for fault in caught.value.faults)


def source(id_, *urls):
    return Source.model_construct(id=id_, index=list(urls), reports=[], hosts=[])


def test_one_host_is_in_one_batch():
    sources = [source(f"s{number}", f"http://h{number % 7}.example:80/{number}") for number in range(40)]
    batches = host_batches(sources, 10)
    hosts = [{host for one in batch for host in one.all_hosts()} for batch in batches]
    assert sum(len(host) for host in hosts) == 7
    assert sorted(one.id for batch in batches for one in batch) == sorted(one.id for one in sources)
    assert batches == host_batches(sources, 10)


def test_a_source_on_two_hosts_links_them():
    sources = [source("a", "http://x.example/"), source("b", "http://y.example/"), source("c", "https://Y.example/", "http://x.example/")]
    assert [[one.id for one in batch] for batch in host_batches(sources, 1)] == [["a", "b", "c"]]


def test_a_named_host_links_sources_too():
    named = Source.model_construct(id="c", index=["http://z.example/"], reports=[], hosts=["x.example"])
    sources = [source("a", "http://x.example/"), source("b", "http://y.example/"), named]
    assert [[one.id for one in batch] for batch in host_batches(sources, 1)] == [["a", "c"], ["b"]]


def test_batches_fill_up_to_their_size():
    sources = [source(f"s{number}", f"http://h{number}.example/") for number in range(7)]
    assert [len(batch) for batch in host_batches(sources, 3)] == [3, 3, 1]
    assert host_batches([], 3) == []
