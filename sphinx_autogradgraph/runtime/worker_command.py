"""Start of a worker: its command, its environment, and what it and the client agree on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SOCKET, CONTROL = "worker", "control"
"""Names of the sockets in a worker's directory: for programs, and for :data:`PING`."""

PING, STOP = b"p", b"s"
"""Bytes sent on a control connection: to ask whether the worker is there, and to stop it."""

START_TIMEOUT = 60.0
"""Seconds for importing torch, in addition to a program's timeout."""

NO_LIFE = -1
"""Value in place of a pipe's descriptor for a worker that lingers."""

PROGRAM, ANSWER, DUMP = "program.json", "answer.json", "dump"
"""Names of files in the directory of a program's run; the dump is of its traceback."""

TEMPORARY = "t"
"""Name of the directory for the program's temporary files, in that directory.

It is short because the paths of sockets in it must not be long.
"""

TUNING = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "OPENBLAS_THREAD_TIMEOUT": "4"}
"""Environment of the forking worker alone: few large pages of memory, and threads that sleep.

A fork copies the table of pages; with many small ones that takes a process with torch longer than
many a program.  The threads that numpy starts at its import would first spin for a tenth of a
second, on a processor that the build needs; the number is the binary logarithm of their turns.
"""

MARK = "AUTOGRADGRAPH_WORKER"
"""Environment variable of the forking worker with its directory, by which what it leaves is found.
"""


class Terms(NamedTuple):
    """Terms of a forking worker: descriptors, how long it lives, how many programs it runs.

    ``listener`` and ``control`` are sockets that have their names in ``directory``; ``life`` is a
    pipe with whose end the worker ends, or :data:`NO_LIFE` for one that lingers so many seconds.
    """

    listener: int
    control: int
    life: int
    jobs: int
    linger: float
    directory: str

    def arguments(self) -> list[str]:
        """Return the terms as arguments of a command."""
        return list(map(str, self))

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Terms:
        """Read what :meth:`arguments` wrote."""
        *numbers, linger, directory = arguments
        listener, control, life, jobs = map(int, numbers)
        return cls(listener, control, life, jobs, float(linger), directory)


_PACKAGE = Path(__file__).parents[1]

# Our own package is found by its place.  A directory in PYTHONPATH would stand before the standard
# library, and that of the installed packages may hold anything of the same names.  The first entry
# of the path is the working directory, which nobody asked for.
_BEGIN = f"""
import importlib.util, sys
del sys.path[0]
spec = importlib.util.spec_from_file_location({_PACKAGE.name!r}, sys.argv[1])
package = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
from sphinx_autogradgraph.runtime.worker import main
main(sys.argv[2:])
"""


def command(arguments: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    """Return the command line of a worker, with options of Python."""
    return [sys.executable, *options, "-c", _BEGIN, str(_PACKAGE / "__init__.py"), *arguments]


def start_worker(
    terms: Terms, environment: Mapping[str, str], scratch: str, *, heard: bool
) -> subprocess.Popen[bytes]:
    """Start a forking worker in the directory ``scratch``; its errors are ``heard``, or lost."""
    life = [] if terms.life == NO_LIFE else [terms.life]
    return subprocess.Popen(
        command(["serve", *terms.arguments()]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=None if heard else subprocess.DEVNULL,
        env={**TUNING, **environment, MARK: terms.directory},
        cwd=scratch,  # empty: nothing in it can stand in front of torch
        pass_fds=[terms.listener, terms.control, *life],
        start_new_session=True,  # Ctrl-C reaches us; the server ends with us
    )


NEEDED = frozenset(
    """
    PATH HOME USER LOGNAME SHELL TZ TMPDIR TEMP TMP SYSTEMROOT COMSPEC PATHEXT USERPROFILE APPDATA
    LANG LANGUAGE LC_ALL LC_CTYPE LC_MESSAGES LC_NUMERIC LC_TIME LC_COLLATE LC_MONETARY
    VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV LD_LIBRARY_PATH
    DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH DYLD_FRAMEWORK_PATH
    PYTHONPATH PYTHONHOME PYTHONHASHSEED PYTHONOPTIMIZE PYTHONUTF8 PYTHONIOENCODING PYTHONUSERBASE
    PYTHONNOUSERSITE PYTHONPLATLIBDIR PYTHONWARNINGS
    OMP_NUM_THREADS MKL_NUM_THREADS MKL_THREADING_LAYER OPENBLAS_NUM_THREADS
    """.split()  # noqa: SIM905
)
"""Environment variables that programs always get: to find files, for language, for libraries.

They are listed by their whole names, since a pattern could let secrets pass.
"""


def environment(names: Sequence[str] | None) -> dict[str, str]:
    """Return the environment of the worker.

    It is that of this process, or only the needed variables and those of these names.  Variables
    that make programs run alike everywhere are added.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if names is None or name in names or name in NEEDED
    }
    return {
        **kept,
        "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "0"),
        "MPLBACKEND": "agg",
    }
