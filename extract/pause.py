"""The collector of reference cycles held back while a document is read: it would go over the same live objects dozens of times."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Cycles are left until the end, where what is due is collected; nothing changes where the collector is off already."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
