"""Standard streams that are closed: a file that is opened later gets the number of one."""

from __future__ import annotations

import os
import sys


def open_closed_streams() -> None:
    """Open standard streams that are closed on the null device, since they are written to.

    Else a file that is opened later gets what is meant for the stream.
    """
    opened = os.open(os.devnull, os.O_RDWR)
    while opened <= 2:
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def above_streams(descriptor: int) -> int:
    """Return the descriptor, moved to a number above 2 if it has that of a standard stream."""
    if descriptor > 2:
        return descriptor
    import fcntl

    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(descriptor)
    return moved


def errors_are_heard() -> bool:
    """Whether the standard error stream is that with which Python began.

    Where it was closed then, another file may have its number by now.
    """
    try:
        os.fstat(2)
    except OSError:
        return False
    return sys.__stderr__ is not None
