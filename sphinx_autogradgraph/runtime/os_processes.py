"""Processes, most of it on Linux: parenthood, waiting, ending all that a program has started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import time
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

from sphinx_autogradgraph.runtime.patience import has_ended, is_running

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36

_MADV_COLLAPSE = 25
_HUGE = 2 << 20
"""Bytes of a huge page."""

CLEANERS = (
    b"multiprocessing.resource_tracker",
    b"multiprocessing/resource_tracker",
    b"torch_shm_manager",
)
"""Parts of the command lines of helper processes that remove a program's shared memory."""

CLEANING_TIME = 2.0
"""Seconds that those helpers have for it."""

LONGEST_CLEANING = 7.0
"""Seconds for one that is not waiting: on a busy machine its own start may take that long.

With the time of :func:`end_group` it is less than a program's supervisor has beyond its timeout.
"""

_ROUNDS = 20
"""Maximum number of searches that find other processes of a program, since they may fork."""


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (their «subreaper»)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Make the system kill this process when its parent ends, in whichever way."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    _libc().prctl(option, value, 0, 0, 0)


@cache
def _libc() -> ctypes.CDLL:
    """Return the system's library, which forks inherit: to make it again takes them longer."""
    return ctypes.CDLL(None)


def collapse_memory() -> None:
    """Ask the system to hold this process's memory in huge pages, so that forks take less time.

    It is advice: a system that has no such pages (Linux before 6.1) or no room ignores it.
    """
    begin = end = 0
    with contextlib.suppress(OSError, ValueError):  # another form of that listing: no advice
        for line in Path("/proc/self/smaps").read_text().splitlines():
            first, *words = line.split()
            if "-" in first:
                writable = words[0].startswith("rw") and words[4:] in ([], ["[heap]"])
                begin, end = (int(place, 16) for place in first.split("-")) if writable else (0, 0)
            elif first == "Anonymous:" and int(words[0]) * 1024 > (end - begin) // 2:
                start, stop = -(-begin // _HUGE) * _HUGE, end // _HUGE * _HUGE
                if stop > start:
                    area = ctypes.c_void_p(start), ctypes.c_size_t(stop - start)
                    _libc().madvise(*area, _MADV_COLLAPSE)


def children() -> list[int]:
    """Return the ids of the child processes of this one."""
    try:
        # Each thread has its own.
        listings = [
            Path(f"/proc/self/task/{task}/children") for task in os.listdir("/proc/self/task")
        ]
        return [int(pid) for listing in listings for pid in listing.read_text().split()]
    except OSError:  # a kernel without that file
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent = stat.read_text().rpartition(")")[2].split()[1]
                if int(parent) == os.getpid():
                    found.append(int(stat.parent.name))
        return found


def kill(pid: int) -> None:
    """Kill a process, if it still exists."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # another's by now
        os.kill(pid, signal.SIGKILL)


class Helpers:
    """Those of a program's processes that remove its shared memory, while they have time for it."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def among(self, found: Collection[int]) -> set[int]:
        """Return the helpers among processes; the time of each begins when it is first found."""
        now = time.monotonic()
        self._since = {pid: self._since.get(pid, now) for pid in found if cleans(pid)}
        return {pid for pid, since in self._since.items() if _has_time(pid, now - since)}


def _has_time(helper: int, seconds: float) -> bool:
    return seconds < CLEANING_TIME or (seconds < LONGEST_CLEANING and is_running(helper))


def end_descendants() -> None:
    """Kill all descendants of this process, and wait for them.

    This process is a subreaper: the children of a killed child become its own, even those that left
    the process group.  So killing children until there are none reaches all descendants.  Helpers
    that remove a program's shared memory get a moment, since they begin when all others have ended.
    """
    helpers = Helpers()
    while True:
        cleaning = kill_but_helpers(children(), helpers)
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG if cleaning else 0)
        except ChildProcessError:
            return
        if ended == 0:
            time.sleep(0.005)


def kill_but_helpers(found: Collection[int], helpers: Helpers) -> bool:
    """Kill processes, but no helpers that have time; return whether these alone are left."""
    spared = helpers.among(found)
    for pid in found:
        if pid not in spared:
            kill(pid)
    return bool(spared) and spared == set(found)


def cleans(pid: int) -> bool:
    """Whether a process is a helper that removes a program's shared memory, then ends."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return any(name in command for name in CLEANERS)


def end_group(group: int) -> None:
    """End the processes of a group.

    They are told to by a signal that Python's helpers ignore, which end by themselves when they
    have removed a program's shared memory.  Who is still there after a moment is killed, helpers
    last.
    """
    deadline = time.monotonic() + CLEANING_TIME
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: none but zombies
        while time.monotonic() < deadline:
            os.killpg(group, signal.SIGTERM)
            time.sleep(0.005)
        _end_where(lambda pid: _is_in_group(pid, group))
        os.killpg(group, signal.SIGKILL)


def end_marked(mark: str) -> None:
    """Kill the processes with a text in their environment, and those that they start meanwhile.

    That reaches processes which a program has put into another session, where no subreaper has
    adopted them.
    """
    needle = os.fsencode(mark)
    _end_where(lambda pid: _has_in_environment(pid, needle))


def _end_where(belongs: Callable[[int], bool]) -> None:
    """Kill the processes that belong to a program, and wait for their end.

    Helpers get a moment, as of :func:`end_descendants`.  A system without ``/proc`` does not tell
    what there is, and none are killed.
    """
    helpers = Helpers()
    killed: set[int] = set()
    rounds = 0
    deadline = time.monotonic() + CLEANING_TIME + LONGEST_CLEANING
    while rounds < _ROUNDS and time.monotonic() < deadline:
        found = {pid for pid in _processes() if pid != os.getpid() and belongs(pid)}
        if not found:
            return
        others = found - helpers.among(found) - killed
        for pid in others:
            kill(pid)
        killed |= others
        rounds += bool(others)
        time.sleep(0.005)


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _is_in_group(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group and not has_ended(pid)
    except OSError:
        return False


def _has_in_environment(pid: int, text: bytes) -> bool:
    try:
        return text in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # another user's, or it has ended
        return False


def await_end(pid: int, seconds: float) -> None:
    """Wait at most so many seconds for a child to end."""
    end = os.pidfd_open(pid)
    select.select([end], [], [], seconds)
    os.close(end)
