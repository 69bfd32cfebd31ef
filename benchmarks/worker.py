"""A tool in a process of its own, asked for one document at a time; and the environment that holds the rivals."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
#: Rivals never share an environment with the project: its pinned versions stay as they are.
VENV = ROOT / "build" / "bench" / "venv"
GROUP = "bench"
TIMEOUT = 180.0


class Worker:
    """A process that runs one tool of `benchmarks/tools.py`; use it in a `with` block."""

    def __init__(self, tool: str, python: Path | str = sys.executable) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        command = [str(python), "-P", str(HERE / "tools.py"), tool]  # -P: modules of this folder shadow nothing
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            self._process.kill()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def ask(self, path: Path, wanted: bool = False, timeout: float = TIMEOUT) -> dict[str, Any]:
        """What the tool answers on a file: `cpu`, `wall` (seconds), `peak`, `now` (MB), with `wanted` also what it found; or `error`.

        A tool that takes longer than `timeout` seconds is ended.
        """
        assert self._process.stdin
        assert self._process.stdout
        timer = threading.Timer(timeout, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps({"path": str(path), "wanted": wanted}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if line:
            found: dict[str, Any] = json.loads(line)
            return found
        return {"error": f"its process ended ({self._process.wait()}): {self._last_words()}"}

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "no message"


def requirements() -> list[str]:
    """The rivals' packages with their versions: the dependency group `bench` of pyproject.toml; empty where there is none."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")).get("dependency-groups", {})
    return list(groups.get(GROUP, []))


def rivals_python() -> tuple[Path, str | None]:
    """The interpreter of the rivals' environment, made and filled where need be; and why that failed, None where it did not."""
    python, wanted = VENV / "bin" / "python", requirements()
    if not wanted:
        return python, f"pyproject.toml has no dependency group {GROUP!r}"
    uv = [str(Path(sys.executable).with_name("uv")), *(["--quiet"])]
    steps = [] if python.exists() else [[*uv, "venv", "--python", sys.executable, str(VENV)]]
    steps.append([*uv, "pip", "install", "--python", str(python), *wanted])
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, timeout=900)
        except (OSError, subprocess.TimeoutExpired) as error:
            return python, f"{type(error).__name__}: {error}"
        if done.returncode:
            return python, (done.stderr.strip().splitlines() or ["uv failed"])[-1][:200]
    return python, None


def versions(python: Path | str, names: list[str]) -> dict[str, str]:
    """Installed versions of packages in an environment; those that are not there are left out."""
    code = (
        "import sys, json; from importlib.metadata import version, PackageNotFoundError\nout = {}\nfor n in sys.argv[1:]:\n"
        "    try: out[n] = version(n)\n    except PackageNotFoundError: pass\nprint(json.dumps(out))"
    )
    try:
        told = subprocess.run([str(python), "-c", code, *names], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    found: dict[str, str] = json.loads(told)
    return found
