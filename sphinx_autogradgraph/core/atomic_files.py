"""Files that other processes may read while they are written."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


def write_aside(path: Path, data: bytes) -> None:
    """Write a file aside and rename it: nobody ever sees half of it.

    Its directory is made if need be.  Raises :exc:`OSError` if it cannot be written, and leaves
    what was there before.
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
    """The SHA-256 of a file's content, None for what is no file that can be read."""
    try:
        if not Path(path).is_file():  # a pipe would keep us waiting
            return None
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None
