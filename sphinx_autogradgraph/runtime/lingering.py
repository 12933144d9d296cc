"""Workers that stay between the builds of a project: where they are, and how they are stopped.

Each has a directory for its sockets, in one that belongs to the user alone.  A file in it can be
reached by nobody else, as a socket with an abstract name could.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import stat
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx_autogradgraph.runtime.cache import versions
from sphinx_autogradgraph.runtime.worker_command import CONTROL, STOP
from sphinx_autogradgraph.runtime.worker_directories import connect, only_one

PROJECT_FILE, SCRATCH_FILE = "project", "scratch"
"""In the directory of a worker: whose it is, and where its programs have their files."""

STOPPING = 10.0
"""Seconds that a worker has to end when it is stopped; programs that run are not cut off."""

# What differs from one shell, or one call, to the next, and alters no program.
_OF_THE_SHELL = frozenset({"_", "SHLVL", "PWD", "OLDPWD", "COLUMNS", "LINES"})


@dataclass(frozen=True)
class Linger:
    """How long a worker stays after a build, and whose it is.

    ``project`` is the directory of the project.  ``settings`` is whatever else must be the same for
    a later build to have the same worker.
    """

    seconds: float
    project: str
    settings: Any = None


def own_directory() -> str:
    """The directory of the user's workers, which is made if need be.

    Raises :exc:`OSError` if it is not the user's alone.
    """
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base and _is_private(base):
        path = os.path.join(base, "autogradgraph")
    else:
        path = os.path.join(tempfile.gettempdir(), f"autogradgraph-{os.getuid()}")
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    if not _is_private(path):
        raise PermissionError(f"{path} is not yours alone")
    return path


def _is_private(path: str) -> bool:
    """Whether a directory belongs to the user, and nobody else may enter it; no link is one."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return mine and not status.st_mode & 0o077


def directory_of(linger: Linger, environment: Mapping[str, str]) -> str:
    """The directory of the worker that a build may use: its name says all that must be the same."""
    kept = {name: value for name, value in environment.items() if name not in _OF_THE_SHELL}
    data = [linger.settings, linger.seconds, sorted(kept.items()), _installed(), os.getuid()]
    key = hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()
    return os.path.join(own_directory(), f"{_project_key(linger.project)}-{key[:16]}")


def _project_key(project: str) -> str:
    return hashlib.sha256(os.path.realpath(project).encode()).hexdigest()[:16]


def _installed() -> list[object]:
    """What changes when Python, torch or another package does, or this package is edited."""
    found: list[object] = [sys.executable, sys.flags.optimize, *versions()]
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    with contextlib.suppress(ImportError, ValueError):
        torch = importlib.util.find_spec("torch")
        paths |= {torch.origin} if torch is not None and torch.origin else set()
    own = Path(__file__).parents[1].rglob("*.py")
    for path in [*sorted(paths), *sorted(map(str, own))]:
        with contextlib.suppress(OSError):
            found.append([path, os.stat(path).st_mtime_ns])
    return found


def others_of(directory: str) -> Iterator[str]:
    """The directories of the other workers of the same project."""
    name = os.path.basename(directory)
    for found in _directories(os.path.dirname(directory)):
        other = os.path.basename(found)
        if other != name and other.partition("-")[0] == name.partition("-")[0]:
            yield found


def _directories(parent: str) -> list[str]:
    try:
        return sorted(entry.path for entry in os.scandir(parent) if entry.is_dir())
    except OSError:
        return []


def stop(docs: str | None = None) -> int:
    """Tell workers to go, all of the user's or those of one project; how many there were."""
    try:
        found = _directories(own_directory())
    except OSError:
        return 0
    if docs is not None:
        found = _of_project(found, os.path.realpath(docs))
    return sum([tell_to_go(directory, STOPPING) for directory in found])


def _of_project(directories: Iterable[str], docs: str) -> list[str]:
    """Those of the project at ``docs``; else of what that is a part of, or has as a part."""
    projects = {}
    for directory in directories:
        with contextlib.suppress(OSError):
            projects[directory] = Path(directory, PROJECT_FILE).read_text("utf-8")
    same = [directory for directory, project in projects.items() if project == docs]
    return same or [
        directory
        for directory, project in projects.items()
        if os.path.commonpath([project, docs]) in (project, docs)
    ]


def tell_to_go(directory: str, seconds: float = 0) -> bool:
    """Tell one worker to go, and wait so long for its end; whether there was one."""
    try:
        control = connect(directory, CONTROL)
    except OSError:
        remove_what_is_left(directory)
        return False
    with control, contextlib.suppress(OSError):
        control.sendall(STOP)
        control.settimeout(seconds or 0.001)
        while control.recv(64):
            pass
    return True


def remove_what_is_left(directory: str) -> None:
    """Remove the files of a worker that was killed, if none has come in its place."""
    with contextlib.suppress(OSError), only_one(os.path.dirname(directory)):
        try:
            connect(directory, CONTROL).close()
        except OSError:
            discard(directory)


def discard(directory: str) -> None:
    """Remove the directory of a worker that is no more, and that of its programs' files."""
    with contextlib.suppress(OSError):
        scratch = Path(directory, SCRATCH_FILE).read_text("utf-8")
        if os.path.basename(scratch).startswith("autogradgraph-") and _is_private(scratch):
            shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
