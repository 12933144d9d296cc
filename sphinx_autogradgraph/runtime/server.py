"""The worker: the process that has torch.

Started as ``python -m sphinx_autogradgraph.runtime.server`` by the
:mod:`~sphinx_autogradgraph.runtime.client`, in one of two ways:

- ``serve``: imports torch, runs no operation that could start a thread, and forks for each program
  that somebody asks for on its socket.  (A fork after torch has run a parallel kernel hangs.)
  Each fork is a *supervisor*, which forks the *child* that runs the program and outlives whatever
  that does.  Both stand by before there is a program.  Where fork is safe, which is on Linux.
- ``once``: runs the one program given on its standard input and ends.  Everywhere else.

Neither outlives the processes of the build: the server ends when the pipe that they hold is
closed, a supervisor when its connection is.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from os import _exit  # held: a program may replace it
from pathlib import Path
from typing import Any, Literal

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.author_files import is_authors
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.crashes import Ended, lost
from sphinx_autogradgraph.runtime.protocol import encode, receive
from sphinx_autogradgraph.runtime.result import Result

Execute = Callable[[Program], Result]

DUMP_SIGNAL = getattr(signal, "SIGUSR1", None)
"""What makes a child write where it is (see :mod:`faulthandler`) before it is killed."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36

OLDEST_TORCH = (2, 4)
"""The oldest torch that has what we read of autograd; the metadata of the package says the same."""


def load() -> Execute | Diagnostic:
    """Import torch and with it what runs programs; a diagnostic if that cannot be done."""
    try:
        import torch

        found = tuple(int(part) for part in torch.__version__.split(".")[:2])
    except ModuleNotFoundError as error:
        if error.name != "torch":
            return _broken(error)
        return Diagnostic(
            "execution",
            "torch is not installed where the docs are built; install it with "
            "pip install 'sphinx-autogradgraph[torch]'",
            build_wide=True,
        )
    except BaseException as error:
        return _broken(error)
    if found < OLDEST_TORCH:
        return Diagnostic(
            "execution",
            "torch {version} is too old, {oldest} is needed; upgrade it with "
            "pip install --upgrade 'sphinx-autogradgraph[torch]'",
            {"version": torch.__version__, "oldest": ".".join(map(str, OLDEST_TORCH))},
            build_wide=True,
        )
    from sphinx_autogradgraph.runtime.child import execute

    return execute


def _broken(error: BaseException) -> Diagnostic:
    return Diagnostic(
        "execution",
        "torch cannot be imported: {error}",
        {"error": f"{type(error).__name__}: {error}"},
        build_wide=True,
    )


def outcome(execute: Execute | Diagnostic, program: Program) -> dict[str, Any]:
    """What to answer for a program that is run here and now."""
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


# --- serve ----------------------------------------------------------------------------------------


def serve(listener: socket.socket, life: int, limit: int, *, warm: bool) -> None:
    """Answer programs on ``listener``, at most ``limit`` at once, until ``life`` is closed.

    One supervisor stands by for the next program, while there may be one more.
    """
    execute = load()
    if warm and not isinstance(execute, Diagnostic) and not _warm_up():
        cold = ["serve-cold", str(listener.fileno()), str(life), str(limit)]
        os.execv(sys.executable, [sys.executable, "-m", __spec__.name, *cold])  # noqa: S606
    _freeze()
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    standing_by: tuple[int, socket.socket] | None = None
    busy: set[int] = set()
    while True:
        if standing_by is None and len(busy) < limit:
            ours, theirs = socket.socketpair()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                ours.close()
                for descriptor in (life, wake, waker):
                    os.close(descriptor)
                _end_after(partial(stand_by, theirs, execute))
            theirs.close()
            standing_by = pid, ours
        waited: list[int | socket.socket] = [life, wake, *([listener] if standing_by else [])]
        readable, _, _ = select.select(waited, [], [])
        if life in readable:
            shutil.rmtree(os.getcwd(), ignore_errors=True)  # a build that was killed could not
            _exit(0)  # taking torch down takes long
        if wake in readable:
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 4096)
            ended = _reap()
            busy -= ended
            if standing_by is not None and standing_by[0] in ended:
                standing_by[1].close()
                standing_by = None
                time.sleep(0.1)  # whatever ends it, it must not keep us busy
                continue
        if listener in readable and standing_by is not None:
            connection, _ = listener.accept()
            pid, ours = standing_by
            with connection, ours, contextlib.suppress(OSError):
                socket.send_fds(ours, [b"."], [connection.fileno()])
            busy.add(pid)
            standing_by = None


def _warm_up() -> bool:
    """Do once what every program would have done for it; whether forking is safe afterwards.

    That is the first of torch's operations, too, with which its libraries make ready.  They are
    too small for any to be run in parallel: it is the threads of that which a fork would lose.
    """
    is_authors(__file__)
    with contextlib.suppress(ImportError):
        import numpy.random  # noqa: F401 - what seeding imports
    threads = _threads()  # numpy may have some, which mind no fork
    with contextlib.suppress(Exception):  # a torch that cannot do it will tell the program so
        import torch

        torch.set_num_threads(1)  # as programs have it
        x = torch.ones(2, 2, requires_grad=True)
        y = torch.mm(x, x) + torch.normal(0, 1, (2,))
        ((y.view(4) - 1) ** 2 / 2).sum()
    return _threads() == threads


def _threads() -> int:
    """How many threads this process has, also those that Python knows nothing of."""
    return len(os.listdir("/proc/self/task"))


def _freeze() -> None:
    """Have what there is passed over by the collections of children: they would copy all of it."""
    gc.collect()
    gc.freeze()


def _reap() -> set[int]:
    """The children that have ended since."""
    ended = set()
    with contextlib.suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            ended.add(pid)
    return ended


def _end_after(step: Callable[[], object]) -> None:
    """Take the step and leave the process without unwinding what it forked from."""
    try:
        step()
    except BaseException:
        traceback.print_exc()
    finally:
        _exit(0)


def stand_by(server: socket.socket, execute: Execute | Diagnostic) -> None:
    """Have a child ready, take a connection from the server, and answer the program that it brings.

    Ends with the server, before it has a connection; afterwards when that is closed.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what the program leaves behind becomes ours to end
    with contextlib.ExitStack() as stack:
        ready: _Ready | str
        try:
            # In the directory of the runner, who removes it even if we are killed.
            scratch = tempfile.TemporaryDirectory(prefix="program-", dir=os.getcwd())
            stack.enter_context(scratch)
            ready = _Ready(scratch.name, execute, server)
        except OSError as error:
            ready = error.strerror or type(error).__name__
        _, descriptors, _, _ = socket.recv_fds(server, 1, 1)
        server.close()
        if not descriptors:
            _end_descendants()
            return
        connection = socket.socket(fileno=descriptors[0])
        program = Program.from_dict(receive(connection))
        if isinstance(ready, str):
            answer: bytes | None = _without_space(program, ready)
        else:
            answer = ready.run(program, connection)
        if answer is not None:
            connection.sendall(len(answer).to_bytes(8, "big") + answer)


class _Ready:
    """A child that waits for the program which it is to run, with its files in a directory.

    Raises :exc:`OSError` if nothing can be written where temporary files go.
    """

    def __init__(self, scratch: str, execute: Execute | Diagnostic, server: socket.socket) -> None:
        self._answer = os.path.join(scratch, "answer.json")
        self._dump = os.path.join(scratch, "dump")
        reader, self._writer = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(self._writer)
            server.close()
            _end_after(lambda: _child(reader, execute, self._answer, self._dump))
        os.close(reader)

    def run(self, program: Program, connection: socket.socket) -> bytes | None:
        """What to answer for a program; None if nobody waits for it any more."""
        with contextlib.suppress(BrokenPipeError), open(self._writer, "wb") as pipe:
            pipe.write(encode(program.to_dict()))
        ended = _watch(self._child, connection, program.timeout)
        if ended == "timeout" and DUMP_SIGNAL is not None:
            os.kill(self._child, DUMP_SIGNAL)
            _await(self._child, 0.2)
        _end_descendants()
        if ended == "gone":
            return None
        if ended == 0 and os.path.exists(self._answer):
            return Path(self._answer).read_bytes()
        if ended == 0 and os.path.exists(f"{self._answer}.part"):
            return _without_space(program, os.strerror(errno.ENOSPC))
        diagnostic = lost(ended, program, _read_dump(self._dump))
        return json_bytes(Result.of_diagnostic(diagnostic, len(program.targets)).to_dict())


def _without_space(program: Program, reason: str) -> bytes:
    """What to answer for a program whose answer cannot be written."""
    diagnostic = Diagnostic(
        "execution",
        "nothing can be written where temporary files go: {reason}; make room there, or have "
        "TMPDIR name another directory",
        {"reason": reason},
        build_wide=True,
    )
    return json_bytes(Result.of_diagnostic(diagnostic, len(program.targets)).to_dict())


def _watch(child: int, connection: socket.socket, timeout: float) -> Ended | Literal["gone"]:
    """Wait for the child's end: its status, ``timeout``, or ``gone`` when nobody waits for it."""
    deadline = time.monotonic() + timeout
    end = os.pidfd_open(child)
    try:
        left = timeout
        while left > 0:
            waited: list[int | socket.socket] = [end, connection]
            readable, _, _ = select.select(waited, [], [], left)
            if end in readable:
                _, status = os.waitpid(child, 0)
                return os.waitstatus_to_exitcode(status)
            if connection in readable:
                return "gone"
            left = deadline - time.monotonic()
        return "timeout"
    finally:
        os.close(end)


def _await(child: int, seconds: float) -> None:
    """Give a child a moment to write where it is."""
    end = os.pidfd_open(child)
    select.select([end], [], [], seconds)
    os.close(end)


def _end_descendants() -> None:
    """Kill every process that descends from this one, and wait for it.

    The children of what is killed become ours, because we are their subreaper, also those that
    left the process group: so killing our own children until there are none reaches all.
    """
    listing = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    while True:
        for pid in _children(listing):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children(listing: Path) -> list[int]:
    try:
        return [int(pid) for pid in listing.read_text().split()]
    except OSError:  # a kernel without that file
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent = stat.read_text().rpartition(")")[2].split()[1]
                if int(parent) == os.getpid():
                    found.append(int(stat.parent.name))
        return found


def _child(reader: int, execute: Execute | Diagnostic, answer: str, dump: str) -> None:
    """Run the program that comes from ``reader``, and leave the answer in a file."""
    keep, rename, write, close_range = os.open, os.replace, os.write, os.closerange
    most = os.sysconf("SC_OPEN_MAX")
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    with open(reader, "rb") as pipe:
        body = pipe.read()[8:]
    if not body:
        return  # there will be none
    program = Program.from_dict(json.loads(body))
    trail = open(dump, "wb", buffering=0)  # noqa: SIM115
    faulthandler.enable(trail)
    if DUMP_SIGNAL is not None:
        faulthandler.register(DUMP_SIGNAL, trail)
    limit_memory(program.memory)
    body = json_bytes(outcome(execute, program))
    close_range(3, most)  # a program may hold all that there are
    file = keep(f"{answer}.part", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    while body:
        body = body[write(file, body) :]
    rename(f"{answer}.part", answer)


def limit_memory(more: int | None) -> None:
    """Let this process, and each that it starts, have so many MiB more than it has; None for all.

    Where the system has no such limits there is none.
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


def _read_dump(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(100_000).decode(errors="replace")
    except OSError:
        return ""


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(option, value, 0, 0, 0)


# --- once -----------------------------------------------------------------------------------------


def once(answer: str) -> None:
    """Run the program on standard input and leave the answer in a file.

    The standard input stays open as long as somebody waits for the answer.  When the time of the
    program is up, the place where it is goes to ``answer`` with ``.dump`` behind it.
    """
    stdin = sys.stdin.buffer
    program = Program.from_dict(json.loads(stdin.readline()))
    reader = os.dup(stdin.fileno())

    def end_with_the_build() -> None:
        os.read(reader, 1)
        os._exit(1)

    threading.Thread(target=end_with_the_build, daemon=True).start()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    execute = load()
    trail = open(f"{answer}.dump", "wb", buffering=0)  # noqa: SIM115
    faulthandler.enable(trail)
    faulthandler.dump_traceback_later(program.timeout, exit=True, file=trail)
    limit_memory(program.memory)
    body = json_bytes(outcome(execute, program))
    Path(f"{answer}.part").write_bytes(body)
    os.replace(f"{answer}.part", answer)
    _exit(0)


def json_bytes(message: Any) -> bytes:
    """A message as the bytes of its JSON, without the length."""
    return encode(message)[8:]


def main(arguments: list[str]) -> None:
    """``serve SOCKET LIFE LIMIT`` (file descriptors and a count) or ``once FILE``.

    ``serve-cold`` serves without having run an operation, where those have started threads.
    """
    match arguments:
        case ["serve" | "serve-cold" as way, listener, life, limit]:
            sock = socket.socket(fileno=int(listener))
            serve(sock, int(life), int(limit), warm=way == "serve")
        case ["once", answer]:
            once(answer)
        case _:
            raise SystemExit("started by sphinx_autogradgraph.runtime.client, not by hand")


if __name__ == "__main__":
    main(sys.argv[1:])
