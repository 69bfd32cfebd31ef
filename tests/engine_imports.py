"""Imported by the fork server of a pool, for test_engine.py: by which process."""

import os

BY = os.getpid()
