"""The process that runs one program: its streams, limits and answer.

Either a fork of a supervisor, or a fresh process that imports torch for the program alone.
"""

from __future__ import annotations

import faulthandler
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from io import FileIO
from os import _exit  # held: a program may replace it
from pathlib import Path
from typing import Any, NoReturn

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.os_processes import die_with_parent
from sphinx_autogradgraph.runtime.publishable import Publisher
from sphinx_autogradgraph.runtime.result import Result
from sphinx_autogradgraph.runtime.torch_import import Execute, load
from sphinx_autogradgraph.runtime.worker_command import ANSWER, DUMP, PROGRAM, TEMPORARY

DUMP_SIGNAL = getattr(signal, "SIGUSR1", None)
"""Signal on which a child writes its traceback (see :mod:`faulthandler`) before it is killed."""


_DESCRIPTORS = 4096
"""Bound of the descriptors that are closed for the answer; some systems have no other."""


def answer_of(execute: Execute | Diagnostic, program: Program) -> bytes:
    """Run a program in this process and return its answer, as JSON."""
    publisher = Publisher(program)
    return publisher.encode(_outcome(execute, program))


def _outcome(execute: Execute | Diagnostic, program: Program) -> dict[str, Any]:
    if isinstance(execute, Diagnostic):
        return Result.of_diagnostic(execute, len(program.targets)).to_dict()
    try:
        return execute(program).to_dict()
    except BaseException:
        diagnostic = Diagnostic(
            "crash",
            "sphinx-autogradgraph itself failed; please report it with this traceback",
            detail=traceback.format_exc(),
        )
        return Result.of_diagnostic(diagnostic, len(program.targets)).to_dict()


def end_after(step: Callable[[], object]) -> None:
    """Run a function, then exit at once, without unwinding the stack copied from the parent."""
    try:
        step()
    except BaseException:
        traceback.print_exc()
    finally:
        _exit(0)


def run_forked(reader: int, execute: Execute | Diagnostic, scratch: str) -> None:
    """Run the program read from ``reader``, and write the answer to its directory."""
    put = _writer_of(os.path.join(scratch, ANSWER))
    die_with_parent()
    os.setsid()  # signals to the group of the program reach none of ours
    _silence()
    with open(reader, "rb") as pipe:
        body = pipe.read()[8:]
    if not body:
        return  # there will be none
    program = Program.from_dict(json.loads(body))
    _keep_temporary_files_in(scratch)
    trail = open(os.path.join(scratch, DUMP), "wb", buffering=0)  # noqa: SIM115
    faulthandler.enable(trail)
    if DUMP_SIGNAL is not None:
        faulthandler.register(DUMP_SIGNAL, trail)
    _tell_of_exits(trail)
    _limit_memory(program.memory)
    put(answer_of(execute, program))


def _writer_of(answer: str) -> Callable[[bytes], None]:
    """Return a function that writes the answer, made before a program can replace what it needs.

    Only this process can: a program may fork, and go on in both.
    """
    keep, rename, write, close_range = os.open, os.replace, os.write, os.closerange
    pid, own, rest = os.getpid, os.getpid(), faulthandler.cancel_dump_traceback_later
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

    def put(body: bytes) -> None:
        if pid() != own:
            return
        rest()  # its file is closed now
        close_range(3, _DESCRIPTORS)  # a program may hold all that there are
        file = keep(f"{answer}.part", flags, 0o600)
        while body:
            body = body[write(file, body) :]
        rename(f"{answer}.part", answer)  # only a complete answer has its name

    return put


def run_once(scratch: str) -> None:
    """Run the program in a directory, and write the answer to it.

    The standard input stays open as long as somebody waits for the answer.  When the program times
    out, its traceback is written to the directory, too.
    """
    put = _writer_of(os.path.join(scratch, ANSWER))
    reader = os.dup(sys.stdin.fileno())
    read, pid, own = os.read, os.getpid, os.getpid()

    def end_with_the_build() -> None:
        read(reader, 1)
        if pid() == own:  # what it forked may outlive it, until the answer has been read
            shutil.rmtree(scratch, ignore_errors=True)  # a build that was killed could not
        _exit(1)

    def watch() -> None:
        threading.Thread(target=end_with_the_build, daemon=True).start()

    watch()
    if hasattr(os, "register_at_fork"):  # what the program forks ends, too, also as a daemon
        os.register_at_fork(after_in_child=watch)
    program = Program.from_dict(json.loads(Path(scratch, PROGRAM).read_bytes()))
    _silence()
    _open_streams()
    execute = load()
    _keep_temporary_files_in(scratch)
    trail = open(os.path.join(scratch, DUMP), "wb", buffering=0)  # noqa: SIM115
    faulthandler.enable(trail)
    faulthandler.dump_traceback_later(program.timeout, exit=True, file=trail)
    _tell_of_exits(trail)
    _limit_memory(program.memory)
    end_after(lambda: put(answer_of(execute, program)))


def _silence() -> None:
    """Redirect the descriptors of all standard streams to the null device."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def _open_streams() -> None:
    """Open the standard streams anew, even those that were closed."""
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def _keep_temporary_files_in(scratch: str) -> None:
    """Direct the program's temporary files to a directory that is removed with its run."""
    directory = os.path.join(scratch, TEMPORARY)
    for name in ("TMPDIR", "TEMP", "TMP"):
        os.environ[name] = directory
    tempfile.tempdir = directory  # else it tries by a file whether it can write there


def _tell_of_exits(trail: FileIO) -> None:
    """Write the traceback when the program ends this process by :func:`os._exit`."""
    own = os.getpid()

    def exit_and_tell(status: int) -> NoReturn:
        if os.getpid() == own:  # what the program forked may end as it likes
            faulthandler.dump_traceback(trail, all_threads=False)
        _exit(status)

    os._exit = exit_and_tell


def _limit_memory(more: int | None) -> None:
    """Limit the memory of this process and its children to so many MiB more than it has now.

    None sets no limit, nor does a system that has no such limits.
    """
    if more is None:
        return
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    size = pages * resource.getpagesize() + more * 2**20
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        size = min(size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
