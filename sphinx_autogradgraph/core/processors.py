"""Processors that this process may use."""

from __future__ import annotations

import os


def processors() -> int:
    """Return the number of processors that the system lets this process use, at least 1.

    A container or ``taskset`` may allow fewer than the machine has.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
