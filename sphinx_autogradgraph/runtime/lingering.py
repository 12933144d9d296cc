"""Directories of workers that stay between the builds of a project, and how to stop them.

Each worker has a directory for its sockets, within one that is private to the user.  Nobody else
can reach a socket file there, as they could one with an abstract name.
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

from sphinx_autogradgraph.program.installed import versions
from sphinx_autogradgraph.runtime.os_processes import kill
from sphinx_autogradgraph.runtime.patience import is_stopped
from sphinx_autogradgraph.runtime.worker_command import CONTROL, STOP
from sphinx_autogradgraph.runtime.worker_directories import connect, only_one, pid_of

PROJECT_FILE, SCRATCH_FILE = "project", "scratch"
"""Files in a worker's directory that name its project and the directory of its programs' files."""

STOPPING = 10.0
"""Seconds that a stopped worker has to end; programs that run are not cut off."""

# What differs from one shell, or one call, to the next, and alters no program.
_OF_THE_SHELL = frozenset({"_", "SHLVL", "PWD", "OLDPWD", "COLUMNS", "LINES"})


@dataclass(frozen=True)
class Linger:
    """The terms on which a worker stays after a build.

    ``project`` is the directory of the project.  ``settings`` is whatever else must be equal for
    a later build to use the same worker.
    """

    seconds: float
    project: str
    settings: Any = None


def own_directory() -> str:
    """Return the private directory of the user's workers, made if it is missing.

    Raises :exc:`OSError` if others can enter it.
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
    """Whether a directory, and no link, belongs to the user and nobody else may enter it."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return mine and not status.st_mode & 0o077


def directory_of(linger: Linger, environment: Mapping[str, str]) -> str:
    """Return the directory of a build's worker, named by a digest of what must be equal."""
    kept = {name: value for name, value in environment.items() if name not in _OF_THE_SHELL}
    data = [linger.settings, linger.seconds, sorted(kept.items()), _installed(), os.getuid()]
    key = hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()
    return os.path.join(own_directory(), f"{_project_key(linger.project)}-{key[:16]}")


def _project_key(project: str) -> str:
    return hashlib.sha256(os.path.realpath(project).encode()).hexdigest()[:16]


def _installed() -> list[object]:
    """Return data that differ when Python, torch, another package or this one changed."""
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
    """Return the directories of other workers of the same project."""
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
    """Stop the workers of the user, or of one project, and return how many there were."""
    try:
        found = _directories(own_directory())
    except OSError:
        return 0
    if docs is not None:
        found = _of_project(found, os.path.realpath(docs))
    return sum([tell_to_go(directory, STOPPING) for directory in found])


def _of_project(directories: Iterable[str], docs: str) -> list[str]:
    """Return the workers of the project at ``docs``, else of projects around or below it."""
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
    """Stop one worker and wait at most so many seconds for its end; return whether it existed."""
    try:
        control = connect(directory, CONTROL)
    except OSError:
        remove_what_is_left(directory)
        return False
    pid = pid_of(directory)
    with control, contextlib.suppress(OSError):
        control.sendall(STOP)
        control.settimeout(seconds or 0.001)
        while control.recv(64):
            pass
    if pid is not None and is_stopped(pid):  # by a program: it would never end
        kill(pid)
        remove_what_is_left(directory)
    return True


def remove_what_is_left(directory: str) -> None:
    """Remove the files of a worker that was killed, unless another has taken its place."""
    with contextlib.suppress(OSError), only_one(os.path.dirname(directory)):
        try:
            connect(directory, CONTROL).close()
        except OSError:
            discard(directory)


def discard(directory: str) -> None:
    """Remove the directory of a worker that has ended, and that of its programs' files."""
    with contextlib.suppress(OSError):
        scratch = Path(directory, SCRATCH_FILE).read_text("utf-8")
        if os.path.basename(scratch).startswith("autogradgraph-") and _is_private(scratch):
            shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
