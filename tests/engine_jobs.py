"""Jobs for the process pool of test_engine.py: workers import this module."""

import os
import signal
import sys
import time
from pathlib import Path

from flows.engine import WorkPool


class Awkward(Exception):  # noqa: N818
    """Can be pickled and not unpickled."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def square(number):
    return number * number


def job(order):
    match order:
        case "hang":
            time.sleep(60)
        case "hang in C":
            sum(range(10**12))
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "memory":
            return len(bytearray(4 << 30))
        case "raise":
            raise ValueError("no such cell")
        case "awkward":
            raise Awkward("this", "that")
        case "unpicklable":
            return lambda: None
        case "own timeout":
            raise TimeoutError("the reader's own")
    return order


def modules(_):
    return sorted(name for name in sys.modules if name.partition(".")[0] == "prefect")


def nap(seconds):
    time.sleep(seconds)
    return seconds


def variable(name):
    return os.environ.get(name)


def imported_by(_):
    """The process that imported `tests.engine_imports`, and this one's parent."""
    return sys.modules["tests.engine_imports"].BY, os.getppid()


def import_once():
    """Prints whether two processes, and one in the place of one that died, have what their pool imports from the process above them."""
    with WorkPool(2, prepare=None, imports=["tests.engine_imports"]) as pool:
        for order in ("good", "kill"):
            list(pool.map(job, [order], timeout=20))
            outcomes = list(pool.map(imported_by, range(2 if order == "good" else 1), timeout=20))
            print(*(by == parent for by, parent in (outcome.value for outcome in outcomes)))


def linger(path):
    Path(path).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(60)
