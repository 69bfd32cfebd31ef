"""The pipeline from the archive: where a night's CPU goes, how it grows, a night with nothing new, two readers against one, memory."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.made import Place, fill
from benchmarks.night import TIMES
from extract.home import Home

ROOT = Path(__file__).parents[1]
MEDIA = {"pdf": "PDF", "html": "web pages", "docx": "Word files"}
#: What a second of CPU is spent for: the first is there without any orchestration, the last two once a run, however many documents.
KINDS = ("work", "orchestration", "start", "readers' start")
Step = Callable[[str], None]


class NightError(RuntimeError):
    """A night did not come to its end; the message is what it said last."""


@dataclass(slots=True)
class Night:
    """What a night told of itself, and a line of each document it read."""

    told: dict[str, Any]
    documents: list[dict[str, Any]] = field(default_factory=list)
    by_process: list[list[dict[str, Any]]] = field(default_factory=list)

    @property
    def wall(self) -> float:
        return float(self.told["wall"])

    def step_cpu(self, *names: str) -> float:
        return sum(float(self.told["cpu"].get(name, 0.0)) for name in names)

    def step_wall(self, name: str) -> float:
        return float(self.told["walls"].get(name, 0.0))


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a night with its CPU seconds. `kind`: one of KINDS."""

    name: str
    cpu: float
    kind: str


def night(place: Place, workers: int, times: Path) -> Night:
    """Run a night over what lies in the archive of a home, in a process of its own. Raises NightError."""
    times.mkdir(parents=True)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GONGKAI_", "PREFECT_"))}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # modules are compiled, as an installer leaves them: the first night here does it
    env |= {TIMES: str(times), "GONGKAI_WORKERS": str(workers), "PYTHONPYCACHEPREFIX": str(times.parent / "compiled")}
    command = [sys.executable, "-c", "from benchmarks.night import main; main()", str(place.home.root), str(place.registry)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT)
    if done.returncode or not done.stdout.strip():
        raise NightError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    found = [[json.loads(line) for line in path.read_text("utf-8").splitlines()] for path in sorted(times.glob("*.jsonl"))]
    return Night(json.loads(done.stdout.strip().splitlines()[-1]), [d for process in found for d in process], found)


def stages(night: Night) -> list[Stage]:
    """All CPU of a night, every second once; what the measuring itself takes in the readers is left out."""
    spent: defaultdict[str, float] = defaultdict(float)
    for d in night.documents:
        spent["archive"] += d.get("archive", 0.0)
        spent[f"reading {d['medium']}"] += d.get("reading", 0.0)
        spent["tidy"] += d.get("tidy", 0.0)
        spent["frames"] += d.get("frames", 0.0)
    readers_start = sum(process[0]["at"] for process in night.by_process) + night.step_cpu("readers' imports")
    whole = sum(d["whole"] for d in night.documents)
    server, parent = night.step_cpu("server"), float(night.told["parent"])
    bookkeeping = night.step_cpu("registry", "find work", "summary", "artifacts")
    work = night.step_cpu("frames", "parts", "anything new?", "build", "publish")
    imports = night.step_cpu("start of this process", "late imports")
    client = parent - imports - work - bookkeeping
    measuring = sum(d.get("measuring", 0.0) for d in night.documents)
    handed = float(night.told["children"]) - server - whole - readers_start - measuring
    return [
        Stage("archive: find and inflate the record", spent["archive"], "work"),
        *(Stage(f"reading {name}", spent[f"reading {m}"], "work") for m, name in MEDIA.items() if spent[f"reading {m}"]),
        Stage("tidy: labels, figures, identities, text", spent["tidy"], "work"),
        Stage("frames: types and rules", spent["frames"] + night.step_cpu("frames"), "work"),
        Stage("parts: Parquet", night.step_cpu("parts"), "work"),
        Stage("warehouse build", night.step_cpu("anything new?", "build"), "work"),
        Stage("gates and publish", night.step_cpu("publish"), "work"),
        Stage("Prefect's server while it runs", server - night.step_cpu("server start"), "orchestration"),
        Stage("Prefect's client, hand-over to the readers", max(client, 0.0), "orchestration"),
        Stage("hand-over in the readers", max(handed, 0.0), "orchestration"),
        Stage("bookkeeping: registry, ledger, summary", bookkeeping, "orchestration"),
        Stage("start of the run: imports, Prefect's server", imports + night.step_cpu("server start"), "start"),
        Stage("start of the readers: imports", readers_start, "readers' start"),
    ]


def share(found: Sequence[Stage], *kinds: str, of: Sequence[str] = KINDS) -> float:
    """Share of kinds of stages in the CPU of a night."""
    whole = sum(s.cpu for s in found if s.kind in of)
    return sum(s.cpu for s in found if s.kind in kinds) / whole if whole else 0.0


def right_cells(place: Place) -> dict[str, int]:
    """Cells that the documents of a home print, and how many of them the published file has exactly so."""
    with duckdb.connect(place.home.warehouse, read_only=True) as con:
        row = con.execute(
            f"""SELECT count(*), count(*) FILTER (o.value_status::VARCHAR = t.value_status
                    AND o.value IS NOT DISTINCT FROM t.value::DECIMAL(18, 6))
            FROM read_parquet('{place.truth}') AS t
            LEFT JOIN report AS r ON r.publisher_id = t.publisher_id AND r.document_sha256 = t.sha256
            LEFT JOIN observation AS o ON o.report_id = r.report_id AND o.indicator = t.indicator
                AND o.applicant::VARCHAR IS NOT DISTINCT FROM t.applicant"""
        ).fetchone()
    assert row
    return {"cells": row[0], "right": row[1]}


def reader_memory(night: Night) -> dict[str, float]:
    """MB of the readers beyond what they had before their first document (peak), and growth from the second to the last tenth."""
    beyond, growth = [], []
    for process in (p for p in night.by_process if len(p) >= 20):
        tenth = len(process) // 10
        now = [d["after"]["now"] for d in process]
        beyond.append(max(d["after"]["peak"] for d in process) - process[0]["before"]["now"])
        growth.append(statistics.median(now[-tenth:]) - statistics.median(now[tenth : 2 * tenth]))
    base = max((p[0]["before"]["now"] for p in night.by_process), default=0.0)
    return {"base": base, "beyond": max(beyond, default=0.0), "growth": max(growth, default=0.0)}


# --- what is measured


def with_prefect(place: Place, seed: Path) -> Place:
    """A home in which Prefect's database exists, as after a first night: making it takes its server 7 s once."""
    shutil.copytree(seed / "state" / "prefect", place.home.state / "prefect")
    return place


def again(place: Place, root: Path) -> Place:
    """A copy of a home."""
    shutil.copytree(place.home.root, root)
    return Place(Home(root), root / place.registry.name, place.documents)


def measure(folder: Path, sizes: Sequence[int], pdfs: int, step: Step) -> dict[str, Any]:
    """Everything about the pipeline, as plain values. `folder` is filled with homes."""
    first = fill(folder / "first", 10, step=step)
    seed = night(first, 2, folder / "times-first")
    growth = []
    for size in sizes:
        place = with_prefect(fill(folder / str(size), size, step=step), first.home.root)
        step(f"a night of {size:,} documents")
        growth.append(_one_size(place, size, night(place, 2, folder / f"times-{size}")))
    step(f"nothing new among {sizes[-1]:,} documents")
    idle = night(place, 2, folder / "times-idle")
    return {
        "growth": growth,
        "first_night": {"server": seed.step_cpu("server"), "wall": seed.wall},
        "nothing_new": _idle(idle, sizes[-1]),
        "workers": _workers(folder, pdfs, first.home.root, step),
    }


def _one_size(place: Place, size: int, found: Night) -> dict[str, Any]:
    by_medium = {
        m: statistics.median(d["whole"] for d in found.documents if d["medium"] == m) * 1000 for m in MEDIA if m in place.documents
    }
    return {
        "documents": size,
        "media": place.documents,
        "status": found.told["status"],
        "wall": found.wall,
        "read_wall": found.step_wall("read all"),
        "build_wall": found.step_wall("build"),
        "publish_wall": found.step_wall("publish"),
        "stages": [asdict(s) for s in stages(found)],
        "median_ms": by_medium,
        "parent_peak": found.told["memory"]["peak"],
        "server_peak": found.step_wall("server memory"),
        "readers": reader_memory(found),
        **right_cells(place),
    }


def _idle(found: Night, size: int) -> dict[str, Any]:
    start, drain = found.step_wall("start"), found.step_wall("drain")
    return {
        "documents": size,
        "status": found.told["status"],
        "wall": found.wall,
        "start": start,
        "drain": drain,
        "between": found.wall - start - drain,
        "steps": {n: found.step_wall(n) for n in ("registry", "find work", "anything new?", "summary", "artifacts")},
        "cpu": float(found.told["parent"]) + float(found.told["children"]),
    }


def _workers(folder: Path, pdfs: int, seed: Path, step: Step) -> dict[str, Any]:
    """The reading of the same PDFs with one reader, then with two."""
    one = with_prefect(fill(folder / "one", pdfs, mix=("pdf",), step=step), seed)
    two = again(one, folder / "two")
    out: dict[str, Any] = {"documents": pdfs}
    for number, place in ((1, one), (2, two)):
        step(f"{pdfs:,} PDFs, readers: {number}")
        found = night(place, number, folder / f"times-workers-{number}")
        out[f"read_wall_{number}"] = found.step_wall("read all")
        out[f"wall_{number}"] = found.wall
        out[f"cpu_{number}"] = sum(d["whole"] for d in found.documents)
    out["speedup"] = out["read_wall_1"] / out["read_wall_2"]
    return out
