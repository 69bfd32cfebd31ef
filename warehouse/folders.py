"""A folder that takes the place of another: releases and sites are made beside the old one and renamed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def take_place(staging: Path, target: Path) -> None:
    """Rename `staging` to `target`; a folder there goes when the new one is in place. Raises OSError: the old one is then where it was."""
    old = target.with_name(f".{target.name}.old.{os.getpid()}")
    if not target.exists():
        staging.rename(target)
        return
    target.rename(old)
    try:
        staging.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
