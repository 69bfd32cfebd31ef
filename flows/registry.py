"""The sources registry: YAML in, checked sources out, or every mistake at once with its file, line and entry."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, TypeAdapter, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails
from yaml.constructor import SafeConstructor

from flows import yaml_nodes

FIRST_YEAR = 2008  # the Regulations came into force on 1 May 2008
REQUIRED = ("id", "publisher", "district")

Kind = Literal["government", "office", "department", "township", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Scope = Literal["own", "level", "consolidated", "unknown"]

_HTTP_URL = TypeAdapter(HttpUrl)


def _http_url(text: str) -> str:
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).netloc or text != text.strip():
        raise ValueError("not an http or https address")
    _HTTP_URL.validate_python(text)
    return text


def _report_year(year: int) -> int:
    last = datetime.now(UTC).year + 1
    if not FIRST_YEAR <= year <= last:
        raise ValueError(f"not a year from {FIRST_YEAR} to {last}")
    return year


def _known_code(code: str, info: ValidationInfo) -> str:
    if code not in (info.context or {})["district_codes"]:
        raise ValueError("not a GB/T 2260 code that was in force at any time since 2008")
    return code


def _bare_host(host: str) -> str:
    """A host name or address, without scheme, port and path, in small letters."""
    if not host.isascii() or not host or host != urlsplit(f"//{host}").hostname:
        raise ValueError("not a host name in small letters, without scheme, port and path")
    _HTTP_URL.validate_python(f"http://{host}/")
    return host


def _crawled(value: object) -> object:
    if value is not False and (not isinstance(value, date) or isinstance(value, datetime)):
        raise ValueError("must be false (not crawled from here) or a date: 2026-11-23")
    return value


Url = Annotated[str, AfterValidator(_http_url)]
Host = Annotated[str, AfterValidator(_bare_host)]
Text = Annotated[str, Field(pattern=r"\S")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class KnownReport(_Strict):
    """A report whose address is known already."""

    year: Annotated[int, AfterValidator(_report_year)]
    url: Url


class TlsSetting(_Strict):
    """How an old server is to be spoken to, and why: `legacy` allows TLS 1.0 and weak keys, `unverified` any certificate."""

    mode: Literal["legacy", "unverified"]
    reason: Text


class Source(_Strict):
    """One publishing body: what it is, and where its reports are listed or lie.

    `hosts` are further hosts its pages may lead to; `evidence` says how its addresses are known; `crawled` is the day on which they were
    first crawled with success, False where they have not been crawled from here, None where nobody said.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    publisher: Text
    district: Annotated[str, Field(pattern=r"^[0-9]{6}$"), AfterValidator(_known_code)]
    kind: Kind = "other"
    scope: Scope | None = None
    index: list[Url] = []
    reports: list[KnownReport] = []
    hosts: list[Host] = []
    tls: TlsSetting | None = None
    evidence: Text | None = None
    crawled: Annotated[date | Literal[False] | None, BeforeValidator(_crawled)] = None

    def urls(self) -> list[str]:
        """Every address the registry names, in order."""
        return [*self.index, *(report.url for report in self.reports)]

    def all_hosts(self) -> list[str]:
        """Hosts of its addresses and the further ones it names, each once."""
        return list(dict.fromkeys([*(urlsplit(url).hostname or "" for url in self.urls()), *self.hosts]))


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One mistake: where it stands and what it is. `entry` is the id of the source, or its number in the file."""

    file: str
    line: int
    entry: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (f"{self.file}:{self.line}", self.entry, self.message) if part)


class RegistryError(ValueError):
    """The registry can't be used; `faults` has every mistake in it. Raised by load_registry, before the first request."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        count = f"{len(self.faults)} error{'s' if len(self.faults) > 1 else ''}"
        super().__init__("\n".join([f"sources registry: {count}", *(f"  {fault}" for fault in self.faults)]))


@dataclass(slots=True)
class Entry:
    """One item of a file's list, as YAML nodes, which know their lines."""

    file: str
    number: int
    node: yaml.Node
    source: Source | None = None

    @property
    def label(self) -> str:
        """How a fault calls it: its id, or its number in the file."""
        id_ = dict(yaml_nodes.scalars(self.node)).get("id")
        return f"entry {id_!r}" if id_ else f"entry number {self.number}"

    def fault(self, message: str, node: yaml.Node | None = None) -> Fault:
        """What is wrong with the entry, at the line of `node` or of the entry."""
        return Fault(self.file, yaml_nodes.line(node or self.node), self.label, message)

    def at(self, *path: int | str) -> yaml.Node:
        """The node at a path of keys and positions, or the last one on the way to it."""
        return yaml_nodes.find(self.node, path)


def load_registry(path: Path, district_codes: Collection[str]) -> list[Source]:
    """Sources of a YAML file, or of every .yml and .yaml file under a folder, in order of file name and line.

    The rules are those of the public contract, § Sources registry; a file named like 33-zhejiang.yml holds districts of province 33 only.
    Python packages below the folder are left out. Raises RegistryError, which lists every mistake.
    """
    entries, faults = read_entries(path, district_codes)
    if faults:
        raise RegistryError(faults)
    return [entry.source for entry in entries if entry.source]


def read_entries(path: Path, district_codes: Collection[str]) -> tuple[list[Entry], list[Fault]]:
    """Every entry of the files at `path`, with its source where it has no fault, and every fault."""
    faults: list[Fault] = []
    entries = [entry for file in _files(path, faults) for entry in _read(file, faults)]
    for entry in entries:
        faults.extend(_check(entry, district_codes))
    faults.extend(_repeated(entries))
    return entries, faults


def host_batches(sources: Sequence[Source], size: int) -> list[list[Source]]:
    """Batches of about `size` sources in which every source of a host is in the same batch.

    A group of sources that share hosts is never split, so a batch can be larger than `size`. The same sources give the same batches.
    """
    batches: list[list[Source]] = []
    for group in _sharing_hosts(sources):
        if batches and len(batches[-1]) + len(group) <= size:
            batches[-1].extend(group)
        else:
            batches.append(group)
    return batches


def _sharing_hosts(sources: Sequence[Source]) -> list[list[Source]]:
    """Sources in groups linked by hosts, directly or through another source; in the order of their first source."""
    leader: dict[str, str] = {}

    def find(host: str) -> str:
        while leader.setdefault(host, host) != host:
            host = leader[host]
        return host

    for source in sources:
        first, *others = source.all_hosts()
        for host in others:
            leader[find(host)] = find(first)
    groups: defaultdict[str, list[Source]] = defaultdict(list)
    for source in sources:
        groups[find(source.all_hosts()[0])].append(source)
    return list(groups.values())


def _files(path: Path, faults: list[Fault]) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        faults.append(Fault(str(path), 1, "", "no such file or folder"))
        return []
    found = [file for file in sorted(path.rglob("*")) if file.suffix in (".yml", ".yaml") and file.is_file()]
    found = [file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    found = [file for file in found if not _in_package(file, path)]
    if not found:
        faults.append(Fault(str(path), 1, "", "no .yml or .yaml file in this folder"))
    return found


def _in_package(file: Path, root: Path) -> bool:
    """Whether a file lies in a Python package below the folder: code, as sources/sample is, and no registry."""
    return any((folder / "__init__.py").is_file() for folder in file.parents if root in folder.parents)


def _read(file: Path, faults: list[Fault]) -> list[Entry]:
    """Entries of one file; what is no list of entries is a fault."""
    try:
        root = yaml_nodes.composed(file.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        faults.append(_unreadable(file, error))
        return []
    if not isinstance(root, yaml.SequenceNode) or not root.value:
        empty = root is None or isinstance(root, yaml.SequenceNode)
        message = "no sources in this file" if empty else "must be a list of sources, each beginning with '- id: …'"
        faults.append(Fault(str(file), yaml_nodes.line(root) if root else 1, "", message))
        return []
    return [Entry(str(file), number, node) for number, node in enumerate(root.value, 1)]


def _unreadable(file: Path, error: Exception) -> Fault:
    match error:
        case yaml.MarkedYAMLError(problem_mark=yaml.Mark() as mark):
            return Fault(str(file), mark.line + 1, "", f"not YAML: {error.problem or error.context}, column {mark.column + 1}")
        case UnicodeDecodeError():
            line = error.object[: error.start].count(b"\n") + 1
            return Fault(str(file), line, "", "not UTF-8")
        case RecursionError():
            return Fault(str(file), 1, "", "not YAML: nested too deeply")
        case _:
            return Fault(str(file), 1, "", f"can't be read: {error}")


def _check(entry: Entry, district_codes: Collection[str]) -> Iterator[Fault]:
    """Faults of one entry; sets its source where there are none."""
    if not isinstance(entry.node, yaml.MappingNode):
        yield entry.fault("must be keys and values, beginning with 'id: …'")
        return
    duplicates = [entry.fault(f"key {key.value!r} stands twice", key) for key in yaml_nodes.duplicate_keys(entry.node)]
    yield from duplicates
    try:
        value = SafeConstructor().construct_document(entry.node)
        source = Source.model_validate(value, context={"district_codes": district_codes})
    except ValidationError as error:
        yield from (_explain(entry, detail) for detail in error.errors())
        yield from _no_address(entry)
    except (yaml.YAMLError, ValueError) as error:
        yield entry.fault(f"not YAML: {error}")
    else:
        yield from _no_address(entry)
        yield from _repeated_reports(entry, source)
        yield from _other_province(entry, source)
        entry.source = source


def _no_address(entry: Entry) -> Iterator[Fault]:
    lists = [value for key, value in entry.node.value if key.value in ("index", "reports")]
    if not any(value.value for value in lists):
        yield entry.fault("needs 'index' (pages that list the reports) or 'reports' (known addresses)")


def _other_province(entry: Entry, source: Source) -> Iterator[Fault]:
    """A file whose name begins with a province's code (33-zhejiang.yml) holds its districts only."""
    named = re.match(r"(\d{2})-", Path(entry.file).name)
    if named and not source.district.startswith(named[1]):
        yield entry.fault(
            f"district: {source.district!r} does not lie in province {named[1]}, which the file is named for", entry.at("district")
        )


def _repeated_reports(entry: Entry, source: Source) -> Iterator[Fault]:
    counts = Counter(report.url for report in source.reports)
    for number, report in enumerate(source.reports):
        if counts[report.url] > 1:
            node = yaml_nodes.find(entry.node, ("reports", number))
            yield entry.fault(f"report {report.url} stands {counts[report.url]} times", node)


def _repeated(entries: list[Entry]) -> Iterator[Fault]:
    """Ids that stand more than once in all files together."""
    places: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        id_ = dict(yaml_nodes.scalars(entry.node)).get("id")
        if id_:
            places[id_].append(entry)
    for first, *others in places.values():
        where = f"{first.file}:{yaml_nodes.line(yaml_nodes.find(first.node, ('id',)))}"
        for entry in others:
            yield entry.fault(f"id is taken already, at {where}", yaml_nodes.find(entry.node, ("id",)))


def _explain(entry: Entry, detail: ErrorDetails) -> Fault:
    """One error of pydantic in the words of the registry, at the line of the key or value it is about."""
    path, node = detail["loc"], yaml_nodes.find(entry.node, detail["loc"])
    name = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
    shown = f"{name}: {node.value!r}" if isinstance(node, yaml.ScalarNode) else name
    match detail["type"]:
        case "missing":
            return entry.fault(f"required key {str(path[-1])!r} is missing", node)
        case "extra_forbidden":
            return entry.fault(_unknown_key(path), yaml_nodes.find_key(entry.node, path))
        case "string_type" if isinstance(node, yaml.ScalarNode) and node.value:
            octal = ", or YAML reads it as an octal number" if node.value.startswith("0") else ""
            return entry.fault(f'{name} must be text; put it in quotes{octal}: {path[-1]}: "{node.value}"', node)
        case "string_type" if isinstance(node, yaml.ScalarNode):
            return entry.fault(f"{name} is empty", node)
        case "string_pattern_mismatch":
            return entry.fault(f"{shown}: {_PATTERNS.get(str(path[-1]), detail['msg'])}", node)
        case "value_error":
            return entry.fault(f"{shown}: {detail['ctx']['error']}", node)
        case _:
            return entry.fault(f"{shown}: {detail['msg'][0].lower()}{detail['msg'][1:]}", node)


_PATTERNS = {
    "id": "may have small letters a-z, digits and '-' only",
    "publisher": "is empty",
    "reason": "is empty",
    "evidence": "is empty",
    "district": "must be six digits",
}


def _unknown_key(path: tuple[int | str, ...]) -> str:
    nested: dict[str, type[BaseModel]] = {"reports": KnownReport, "tls": TlsSetting}
    model = nested.get(str(path[0]), Source) if len(path) > 1 else Source
    known = model.model_fields
    close = get_close_matches(str(path[-1]), known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
    return f"unknown key {str(path[-1])!r}; {hint}"
