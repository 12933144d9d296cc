"""How long to wait for a process that imports torch: a busy machine is no reason to give it up.

The import takes a few seconds of processor time.  On a machine that has much else to do these may
be minutes.  An import that waits forever uses no processor time, and one that runs forever has soon
used too much.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

SHARE = 0.01
"""Minimum share of the processor that a process has which gets on, slowly."""

ENOUGH = 30.0
"""Seconds of processor time that suffice for every import."""

MOST = 10
"""Maximum number of times that the deadline passes, before any process is given up."""


class Patience:
    """Decides when a process that imports torch is given up; begin with the process."""

    def __init__(self, pid: Callable[[], int | None]) -> None:
        self._pid = pid  # asked for again, since it may be known later
        self._since = time.monotonic()
        self._used = self._at_first = processor_time(pid()) or 0.0
        self._extended = 0

    def is_over(self, now: float, seconds: float) -> bool:
        """Whether the process had ``seconds``, and more where it has got on in them."""
        if now - self._since < seconds:
            return False
        used = processor_time(self._pid())
        if used is None or self._extended + 1 >= MOST:
            return True
        if used - self._used < SHARE * seconds or used - self._at_first >= ENOUGH:
            return True
        self._since, self._used = now, used
        self._extended += 1
        return False


def is_stopped(pid: int | None) -> bool:
    """Whether a process was stopped by a signal, as by a program: it would never answer."""
    fields = _status(pid)
    return bool(fields) and fields[0] in "Tt"


def is_running(pid: int | None) -> bool:
    """Whether a process runs, or would if it got a processor or its file from the disk."""
    fields = _status(pid)
    return bool(fields) and fields[0] in "RD"


def has_ended(pid: int | None) -> bool:
    """Whether a process has ended, though nobody may have taken note of it."""
    fields = _status(pid)
    return not fields or fields[0] in "ZX"


def processor_time(pid: int | None) -> float | None:
    """Return the seconds of processor time that a process has used; None if nobody can tell."""
    fields = _status(pid)
    if not fields:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid: int | None) -> list[str]:
    """Return the fields of a process's status, from its state on; none if nobody can tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended, or the system has no such file
        return []
