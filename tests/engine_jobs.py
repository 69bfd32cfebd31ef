"""Jobs for the process pool of test_engine.py: workers import this module."""

import os
import signal
import sys
import time
from pathlib import Path


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


def linger(path):
    Path(path).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(60)
