"""The supervisor of a program where forking is unsafe: the parent of the program's process.

A program may stop or kill its parent, which must not be Sphinx.  The supervisor runs nothing of the
program and imports little, since each program has one of its own.  It ends what the program leaves
running, and ends with the build.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence

from sphinx_autogradgraph.runtime.os_processes import end_group, end_marked, kill
from sphinx_autogradgraph.runtime.worker_command import TEMPORARY

LOOK_EVERY = 1.0
"""Seconds after which the supervisor checks that the build still exists."""


def supervise(build: int, scratch: str, command: Sequence[str]) -> None:
    """Run a command; write its process id to standard output, and in the end its exit status.

    Each is a line.  ``build`` is the process that waits for them.  When it is killed it cannot
    remove ``scratch``, the directory of the run, which is then removed here.
    """
    program = os.fork()
    if program == 0:
        _become(command)

    def end_with_the_build(*_: object) -> None:
        if os.getppid() != build:
            kill(program)

    signal.signal(signal.SIGALRM, end_with_the_build)
    signal.setitimer(signal.ITIMER_REAL, LOOK_EVERY, LOOK_EVERY)
    _, status = os.waitpid(program, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)  # the id may be another's by now
    end_group(program)
    end_marked(os.path.join(scratch, TEMPORARY))
    if os.getppid() != build:
        shutil.rmtree(scratch, ignore_errors=True)
        return
    _tell(os.waitstatus_to_exitcode(status))


def _become(command: Sequence[str]) -> None:
    """Become the command, in a session of its own: signals to its group reach none of ours."""
    try:
        os.setsid()
        _tell(os.getpid())  # before it can harm its parent
        os.dup2(2, 1)  # the null device: what the program prints is for nobody
        os.execv(command[0], list(command))  # noqa: S606
    finally:
        os._exit(127)


def _tell(number: int) -> None:
    os.write(1, b"%d\n" % number)
