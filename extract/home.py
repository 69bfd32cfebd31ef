"""Where things lie under a home directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds the archive, the state and the published warehouse."""

    root: Path

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def ledger(self) -> Path:
        return self.state / "ledger.sqlite"

    @property
    def spool(self) -> Path:
        """Where records wait for the object store, if there is one."""
        return self.state / "spool"

    @property
    def parts(self) -> Path:
        return self.state / "parts"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse" / "gongkai.duckdb"

    def create(self) -> Home:
        """Make the folders. Raises OSError where the place can't be written."""
        for folder in (self.archive, self.parts, self.warehouse.parent):
            folder.mkdir(parents=True, exist_ok=True)
        return self
