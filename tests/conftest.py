"""Where nothing may be skipped (GONGKAI_NO_SKIP=1, set by .ci/run), a skip is a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import extract  # noqa: F401 - before onnxruntime is imported by a test: it keeps it from reporting its use

pytest_plugins = ["faults"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.skipped and os.environ.get("GONGKAI_NO_SKIP") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be: {report.longrepr}"
    return report
