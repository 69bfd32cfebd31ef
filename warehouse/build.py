"""Build the next warehouse file beside the published one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from warehouse import codebook, corrections
from warehouse.corrections import CorrectionError
from warehouse.dictionary import load_dictionary
from warehouse.duck import OFFLINE, Limits, code_version, create_file, create_views, scripts, spill_of
from warehouse.migrate import pour, require, schema_version
from warehouse.mirror import COUNTS, BuildError, PublisherRow, load_publishers, load_seeds, mirror_ledger
from warehouse.parts import bring
from warehouse.population import PopulationError, fingerprint, load_population

__all__ = ["BuildError", "BuildResult", "Limits", "PublisherRow", "build", "discard"]

#: First line of a step that is run slice by slice of temp.slice, so that its joins fit into memory however many reports there are.
IN_SLICES = "-- In slices.\n"


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A built file that is not published yet.

    `brought` has the rows per table that came with the parts, `replaced` the (publisher_id, document_sha256) they belong to, `counts` the
    figures of this run as they stand in its row of `run`.
    """

    path: Path
    published: Path
    run_id: str
    brought: Mapping[str, int]
    replaced: frozenset[tuple[str, str]]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a build is made of; see `build`."""

    published: Path
    parts: Sequence[Path]
    ledger: Path
    publishers: Sequence[PublisherRow]
    run_id: str
    version: str
    registry_complete: bool
    population: Path | None
    corrections: Path | None
    reread: bool
    now: datetime
    limits: Limits


def build(
    published: Path,
    parts: Sequence[Path],
    ledger: Path,
    publishers: Sequence[PublisherRow],
    *,
    run_id: str,
    version: str,
    registry_complete: bool = True,
    population: Path | None = None,
    corrections: Path | None = None,
    reread: bool = False,
    now: datetime | None = None,
    limits: Limits | None = None,
) -> BuildResult:
    """Make `.build-*.duckdb` in the folder of `published` out of the published file (if there is one) and what is new.

    `parts` are folders of Parquet files with the columns of the tidy frames. With `registry_complete`, publishers that are not given and
    have no report are dropped. `population` is the user's file of population and area (warehouse/population.py),
    `corrections` a folder of corrections in the place of those that ship with the project (warehouse/corrections.py). Files of builds that
    died are removed first: one build at a time per folder. `reread`: every document was read again, so that a published file of an older
    schema may be gone on with. `now` is the moment the build counts as made at (what is due by then, default:
    the present). `limits`: what it may take of memory, cores and disk.
    Raises BuildError when an input is not what it should be; the published file is never touched and the build file is removed.
    """
    published.parent.mkdir(parents=True, exist_ok=True)
    for stale in published.parent.glob(".build-*"):
        discard(stale)
    path = published.parent / f".build-{run_id}-{os.getpid()}.duckdb"
    with ExitStack() as undo:
        undo.callback(discard, path)
        try:
            at = now or datetime.now(UTC)
            common = (published, parts, ledger, publishers, run_id, version, registry_complete, population, corrections, reread, at)
            inputs = Inputs(*common, limits or Limits())
            result = _build(path, inputs)
        except (duckdb.Error, OSError, PopulationError, CorrectionError) as error:
            raise BuildError(f"building {path.name}: {error}") from error
        undo.pop_all()
    return result


def _build(path: Path, inputs: Inputs) -> BuildResult:
    require(inputs.published, inputs.reread)
    _start(path, inputs.published, inputs.limits)
    with duckdb.connect(path, config=inputs.limits.config(spill_of(path))) as con:
        result = _fill(con, path, inputs)
        con.execute("CHECKPOINT")
    if path.with_name(path.name + ".wal").exists():
        raise BuildError(f"building {path.name}: its write-ahead log is still there after the checkpoint")
    return result


def discard(path: Path) -> None:
    """Remove a build file and what DuckDB put beside it."""
    for leftover in (path, path.with_name(path.name + ".wal"), spill_of(path)):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)


def _start(path: Path, published: Path, limits: Limits) -> None:
    """Copy the published file; one of another schema is poured into a new file, table by table."""
    if not published.exists():
        create_file(path)
        return
    shutil.copyfile(published, path)
    with duckdb.connect(path, config=OFFLINE, read_only=True) as con:
        same = _meta(con, "schema_version") == schema_version()
    if not same:
        discard(path)
        pour(path, published, limits)


def _fill(con: duckdb.DuckDBPyConnection, path: Path, inputs: Inputs) -> BuildResult:
    """Two transactions: what is brought is on the disk, and out of memory, before anything is derived from it."""
    con.execute("BEGIN")
    if _meta(con, "code_version") != code_version():
        _install(con)
    brought = bring(con, inputs.parts)
    load_publishers(con, inputs.publishers, inputs.registry_complete)
    mirror_ledger(con, inputs.ledger)
    load_population(con, inputs.population)
    corrections.insert_corrections(con, corrections.load_corrections(inputs.corrections))
    _write_meta(con, inputs)
    con.execute("COMMIT")
    con.execute("CHECKPOINT")
    con.execute("BEGIN")
    for step in scripts("steps"):
        _take(con, step)
    counts = _close_run(con, inputs.run_id, brought)
    con.execute("COMMIT")
    replaced = con.execute("SELECT publisher_id, document_sha256 FROM temp.replaced").fetchall()
    return BuildResult(path, inputs.published, inputs.run_id, brought, frozenset((str(p), str(d)) for p, d in replaced), counts)


def _take(con: duckdb.DuckDBPyConnection, step: str) -> None:
    """Run a step; one that is taken in slices once for every slice_no of temp.slice, which it finds in the variable `slice`."""
    if not step.startswith(IN_SLICES):
        con.execute(step)
        return
    for (number,) in con.execute("SELECT DISTINCT slice_no FROM temp.slice ORDER BY slice_no").fetchall():
        con.execute("SET VARIABLE slice = ?", [number])
        con.execute(step)


def _install(con: duckdb.DuckDBPyConnection) -> None:
    """Put in what ships with the code: views, seeds and, since a view made anew has none, comments."""
    create_views(con)
    load_seeds(con)
    con.execute("DELETE FROM report_figures")  # steps/60 makes it anew
    load_dictionary(con)
    for statement in list(codebook.comments(con)):
        con.execute(statement)


def _meta(con: duckdb.DuckDBPyConnection, key: str) -> str | None:
    row = con.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
    return str(row[0]) if row else None


def _write_meta(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    facts = {
        "schema_version": schema_version(),
        "code_version": code_version(),
        "built_at": inputs.now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "gongkai_version": inputs.version,
        "run_id": inputs.run_id,
        "duckdb_version": duckdb.__version__,
        "population_sha256": fingerprint(inputs.population),
        "corrections": corrections.fingerprint(inputs.corrections),
    }
    con.execute("DELETE FROM meta")
    con.execute("INSERT INTO meta SELECT unnest(?), unnest(?)", [list(facts), list(facts.values())])


def _close_run(con: duckdb.DuckDBPyConnection, run_id: str, brought: Mapping[str, int]) -> dict[str, int]:
    """The ledger still calls this run running; in the file that it publishes it is published."""
    fetched = con.execute("SELECT coalesce(sum(fetched), 0) FROM source_state WHERE last_run_id = ?", [run_id]).fetchone()
    problems = con.execute("SELECT count(*) FROM problem WHERE run_id = ?", [run_id]).fetchone()
    known = (fetched[0] if fetched else 0, brought["parse"], brought["report"], brought["observation"], problems[0] if problems else 0)
    assignments = ", ".join(f"{name} = coalesce({name}, ?)" for name in COUNTS)
    row = con.execute(
        f"""UPDATE run SET status = 'published', finished_at = coalesce(finished_at, now() AT TIME ZONE 'UTC'), {assignments}
        WHERE run_id = ? RETURNING {", ".join(COUNTS)}""",
        [*known, run_id],
    ).fetchone()
    if row is None:
        raise BuildError(f"the ledger has no run {run_id}")
    return dict(zip(COUNTS, row, strict=True))
