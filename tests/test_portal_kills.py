"""Kill -9 at a random moment of a night: the next run ends with the archive and the warehouse of an undisturbed one.

GONGKAI_KILLS sets the number of trials (issue 6 asks for 200: `make faults`), GONGKAI_KILL_SEED the moments. Runs are forked from a process
that has imported the program, and share a Prefect server; every ninth trial is a command of its own with its own server, as a user's.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from portal.case import Case
from portal.kills import LONGEST, Content, Imported, Run, archived, begun, blows, build_small, loaded, relations, stages, start, strike
from portal.nights import surroundings, write_registry
from portal.server import Portal

from extract.home import Home
from flows.engine import embedded_api

KILLS = int(os.environ.get("GONGKAI_KILLS", "1"))
SEED = int(os.environ.get("GONGKAI_KILL_SEED", "20261123"))

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="process groups and /proc")]


@dataclass(slots=True)
class Undisturbed:
    """A run that nobody killed: how it ended, how long it took, and what it left."""

    sources: Path
    environment: dict[str, str]
    cases: dict[str, Case]
    imported: Imported
    status: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    archive: Content = field(default_factory=set)
    warehouse: dict[str, list[object]] = field(default_factory=dict)
    loaded: set[tuple[str, int]] = field(default_factory=set)

    def start(self, home: Path, *, alone: bool = False) -> Run:
        """A run into `home`; `alone`: in a process and with a Prefect server of its own, as a user's."""
        if alone:
            return start(self.sources, home, self.environment | {"PREFECT_API_URL": ""})
        return self.imported.start(self.sources, home)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with Portal() as portal:
        cases = build_small(portal)
        with surroundings(portal) as environment, embedded_api(folder / "prefect") as url:
            environment["PREFECT_API_URL"] = url
            imported = Imported(environment)
            run = Undisturbed(write_registry(folder / "sources.yml", cases), environment, cases, imported)
            process = run.start(folder / "home")
            begun(process, folder / "home")
            run.seconds = stages(process, Home(folder / "home"))
            run.status = process.wait(LONGEST)
            run.archive, run.warehouse, run.loaded = archived(folder / "home"), relations(folder / "home"), loaded(folder / "home")
            yield run
            imported.close()
            print("\nkilled in:", ", ".join(f"{what} {n}" for what, n in run.killed.most_common()))


def test_an_undisturbed_run_has_it_all(undisturbed: Undisturbed) -> None:
    """What the trials are measured against is itself right: every report is there, and one is a problem."""
    assert undisturbed.status == 3
    expected = {(case.id, report.year) for case in undisturbed.cases.values() for report in case.loaded}
    assert undisturbed.loaded == expected
    assert len(undisturbed.archive) > len(expected)


@pytest.mark.parametrize("trial", range(KILLS))
def test_the_run_after_a_kill_ends_like_an_undisturbed_one(undisturbed: Undisturbed, tmp_path: Path, trial: int) -> None:
    home, told = struck(undisturbed, tmp_path, trial)
    assert undisturbed.start(home, alone=alone(trial)).wait(LONGEST) == undisturbed.status, told
    assert archived(home) == undisturbed.archive, told
    found = relations(home)
    assert found.keys() == undisturbed.warehouse.keys(), told
    assert {n for n in found if found[n] != undisturbed.warehouse[n]} == set(), told


def alone(trial: int) -> bool:
    return trial % 9 == 8


def struck(undisturbed: Undisturbed, folder: Path, trial: int) -> tuple[Path, str]:
    """A home whose run was killed, and where; runs that were over before are not counted."""
    blow = blows(KILLS, SEED)[trial]
    for attempt in range(8):
        home = folder / f"home{attempt}"
        process = undisturbed.start(home, alone=alone(trial))
        begun(process, home)
        if doing := strike(process, Home(home), blow, undisturbed.seconds):
            undisturbed.killed[doing] += 1
            told = f"trial {trial} of seed {SEED}: {blow}, killed in {doing}"
            print(told, flush=True)
            return home, told
        blow = blow.sooner()
    raise AssertionError(f"no run lasted long enough for {blow}")
