"""Atomic writing of files, for those that other processes may read meanwhile."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


def write_aside(path: Path, data: bytes) -> None:
    """Write a file atomically: a reader sees the old content or the new, never a part.

    Missing directories are made.  Raises :exc:`OSError` if the file cannot be written; the old
    content then stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.parent / f".part-{secrets.token_hex(8)}"
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


def digest(path: str | os.PathLike[str]) -> str | None:
    """Return the SHA-256 of a file's content, or None if the file cannot be read."""
    try:
        if not Path(path).is_file():  # a pipe would keep us waiting
            return None
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None
