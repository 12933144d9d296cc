"""Runs Programs by way of the worker: starts it when it is needed, waits, and ends it.

One Runner serves one build, also from the processes that Sphinx forks for ``-j``: they share the
worker, which whoever needs it first starts.  Torch is never imported here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.crashes import Ended, lost
from sphinx_autogradgraph.runtime.protocol import Inbox, encode
from sphinx_autogradgraph.runtime.result import Result

Method = Literal["fork", "fresh"]

START_TIMEOUT = 120.0
"""Seconds that the worker may take to import torch, on top of a program's own timeout."""


WAITING = 5.0
"""Every so many seconds whoever waits is told how far things are."""

TICK = 1.0
"""Seconds without news after which we look whether the build is still there."""

Waiting = Callable[[int, int, float], None]


def default_method() -> Method:
    """``fork`` where a process that has imported torch may be forked, else ``fresh``."""
    return "fork" if sys.platform == "linux" and hasattr(os, "pidfd_open") else "fresh"


@cache
def has_torch() -> bool:
    """Whether torch is installed, without importing it."""
    try:
        return importlib.util.find_spec("torch") is not None
    except (ImportError, ValueError):
        return False


class Runner:
    """Runs programs, each in a process of its own, several at once.

    ``jobs`` is how many programs may run at the same time on this machine.  With ``environment``
    they have of the environment only the variables of these names, and what any program needs.

    Close it when the build ends; should the build be killed, the worker notices and ends by itself.
    """

    def __init__(
        self,
        jobs: int | None = None,
        method: Method | None = None,
        environment: Sequence[str] | None = None,
    ) -> None:
        self._environment = _environment(environment)
        self.jobs = jobs or os.cpu_count() or 1
        self.method: Method = method or default_method()
        self._owner = os.getpid()
        self._directory = tempfile.mkdtemp(prefix="autogradgraph-")
        self._server: subprocess.Popen[bytes] | None = None  # if this process has started it
        self._life, self._alive = os.pipe()  # the write end is closed with the last of the build

    def run(self, programs: Sequence[Program], waiting: Waiting | None = None) -> list[Result]:
        """Run the programs side by side and return their results in order.

        Nothing that a program does raises here: it comes back in its result.  When it
        takes long, ``waiting`` is told now and then how many of how many have ended, after how
        many seconds.
        """
        if not programs:
            return []
        if self.method == "fork":
            return self._ask_the_server(programs, waiting)
        return [self._run_fresh(program) for program in programs]

    def warm_up(self) -> None:
        """Have the worker import torch in the meantime; programs will be asked for soon."""
        if self.method == "fork":
            with self._only_one():
                if self._server is None:
                    self._start()

    def close(self) -> None:
        """End the worker and remove what belongs to it.  Only in the process that made this."""
        if os.getpid() != self._owner or not os.path.exists(self._directory):
            return
        os.close(self._alive)
        os.close(self._life)
        if self._server is not None:
            try:
                self._server.wait(5)
            except subprocess.TimeoutExpired:
                _end(self._server)
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _address(self) -> str:
        return os.path.join(self._directory, "worker")

    # --- fork ---

    def _ask_the_server(self, programs: Sequence[Program], waiting: Waiting | None) -> list[Result]:
        begin = time.monotonic()
        tell = begin + WAITING
        results: dict[int, Result] = {}
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
            for index, program in enumerate(programs):
                connection = stack.enter_context(self._connect())
                connection.setblocking(False)
                exchange = _Exchange(program)
                both = selectors.EVENT_READ | selectors.EVENT_WRITE
                selector.register(connection, both, (index, exchange))
            while len(results) < len(programs):
                selected = selector.select(TICK)
                if not selected:
                    self._end_if_orphaned()
                if waiting is not None and time.monotonic() > tell:
                    waiting(len(results), len(programs), time.monotonic() - begin)
                    tell = time.monotonic() + WAITING
                for key, events in selected:
                    index, exchange = key.data
                    connection = key.fileobj  # type: ignore[assignment]
                    if events & selectors.EVENT_WRITE and exchange.send(connection):
                        selector.modify(connection, selectors.EVENT_READ, key.data)
                    if events & selectors.EVENT_READ:
                        result = exchange.receive(connection)
                        if result is not None:
                            results[index] = result
                            selector.unregister(connection)
        return [results[index] for index in range(len(programs))]

    def _end_if_orphaned(self) -> None:
        """End this process if it reads for a Sphinx that is no more: it would keep the worker."""
        if os.getpid() != self._owner and os.getppid() != self._owner:
            raise SystemExit("the build has ended")

    def _connect(self) -> socket.socket:
        """A connection to the server, which is started if there is none."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(self._address)
        except OSError:
            connection.close()
        else:
            return connection
        with self._only_one():
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(self._address)
            except OSError:
                self._start()
                connection.connect(self._address)
        return connection

    @contextlib.contextmanager
    def _only_one(self) -> Iterator[None]:
        """Keep the other processes of the build from starting a second server."""
        import fcntl

        with open(os.path.join(self._directory, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._address)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with listener:
            listener.bind(self._address)
            listener.listen(4096)
            descriptors = (listener.fileno(), self._life)
            arguments = ["serve", *map(str, descriptors), str(self.jobs)]
            self._server = subprocess.Popen(
                _command(arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=self._environment,
                cwd=self._directory,  # empty: nothing in it can stand in front of torch
                pass_fds=descriptors,
                start_new_session=True,  # Ctrl-C reaches us; the server ends with us
            )

    # --- fresh ---

    def _run_fresh(self, program: Program) -> Result:
        with tempfile.TemporaryDirectory(prefix="autogradgraph-") as scratch:
            answer = Path(scratch, "answer.json")
            process = subprocess.Popen(
                _command(["once", str(answer)]),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._environment,
                cwd=scratch,
                start_new_session=True,
            )
            assert process.stdin is not None
            try:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(json.dumps(program.to_dict()).encode() + b"\n")
                    process.stdin.flush()
                ended: Ended = process.wait(program.timeout + START_TIMEOUT)
            except subprocess.TimeoutExpired:
                ended = "timeout"
            finally:
                _end(process)
            if ended == 0 and answer.exists():
                return Result.from_dict(json.loads(answer.read_bytes()))
            trail = Path(f"{answer}.dump")
            dump = trail.read_text(errors="replace") if trail.exists() else ""
            if dump.startswith("Timeout"):
                ended = "timeout"
            return Result.of_diagnostic(lost(ended, program, dump), len(program.targets))


class _Exchange:
    """A program on its way to the server, and its result on the way back.

    Neither waits for the other: a server that is busy takes the program later, while the results
    of others must be taken from it for it to get on.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._to_send = memoryview(encode(program.to_dict()))
        self._inbox = Inbox()

    def send(self, connection: socket.socket) -> bool:
        """Send what can be sent now; whether that was the rest."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self._to_send = self._to_send[connection.send(self._to_send) :]
        return not self._to_send

    def receive(self, connection: socket.socket) -> Result | None:
        """Take what has arrived; the result once it is complete, None before."""
        try:
            data = connection.recv(1 << 20)
        except BlockingIOError:
            return None
        except ConnectionError:
            data = b""
        if not data:
            diagnostic = Diagnostic(
                "crash", "the process that runs programs has ended unexpectedly"
            )
            return Result.of_diagnostic(diagnostic, len(self._program.targets))
        message = self._inbox.feed(data)
        return None if message is None else Result.from_dict(message)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with its group, and wait for it."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    process.wait()


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "sphinx_autogradgraph.runtime.server", *arguments]


NEEDED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|VIRTUAL_ENV|"
    r"LD_LIBRARY_PATH|DYLD_\w+|(PYTHON|CONDA_|OMP_|MKL_)\w+"
)
"""The variables that programs have in any case: to find programs and libraries, and to speak."""


def _environment(names: Sequence[str] | None) -> dict[str, str]:
    """The environment of the worker: ours, with what it takes to find us and to run alike."""
    package = str(Path(__file__).parents[2])
    path = os.environ.get("PYTHONPATH")
    kept = {
        name: value
        for name, value in os.environ.items()
        if names is None or name in names or NEEDED.fullmatch(name)
    }
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([package, *([path] if path else [])]),
        "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "0"),
        "MPLBACKEND": "agg",
    }
