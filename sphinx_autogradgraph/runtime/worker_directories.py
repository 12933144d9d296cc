"""Directories of the workers' sockets: one for a build, or one that lingers."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

PID_FILE = "pid"
"""Name of the file with the worker's process id."""


def pid_of(directory: str) -> int | None:
    """Return the process id of the worker of a directory, None before there is one."""
    try:
        return int(Path(directory, PID_FILE).read_text())
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def only_one(directory: str) -> Iterator[None]:
    """Exclude other processes that ask for the same directory, while the block runs."""
    import fcntl

    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def short_path(directory: str, name: str) -> Iterator[str]:
    """Return a short path of a file in a directory, however long the directory's path is.

    The address of a socket has room for some 100 characters.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # The system follows this link to the open directory, whose own path may be too long.
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)


def bind(directory: str, name: str) -> socket.socket:
    """Return a socket that listens under a name in a directory, replacing what is there."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(directory, name) as path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            listener.bind(path)
        listener.listen(4096)
    except BaseException:
        listener.close()
        raise
    return listener


def connect(directory: str, name: str) -> socket.socket:
    """Return a connection to the socket of that name; raise :exc:`OSError` where nobody listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(directory, name) as path:
            connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection
