"""Atomic writing of files, for those that other processes may read meanwhile."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from functools import cache
from pathlib import Path

ABANDONED = 3600
"""Seconds after which a file that was written aside has no writer any more."""

_ASIDE = re.compile(r"\.autogradgraph-[0-9a-f]{16}\.part")


def write_aside(path: Path, data: bytes) -> None:
    """Write a file atomically: a reader sees the old content or the new, never a part.

    Missing directories are made.  Raises :exc:`OSError` if the file cannot be written; the old
    content then stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    aside = path.parent / f".autogradgraph-{secrets.token_hex(8)}.part"
    # Who may read it is for the umask to say, which mkstemp would not ask.
    handle = os.open(
        aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666
    )
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise


@cache
def _sweep(directory: Path) -> None:
    """Remove, once in a process, what writers have left in a directory that were killed.

    No writer takes as long as :data:`ABANDONED`.
    """
    before = time.time() - ABANDONED
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if _ASIDE.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_mtime < before:
                os.unlink(entry.path)
