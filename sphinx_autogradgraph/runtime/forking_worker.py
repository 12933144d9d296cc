"""The client's side of the worker that forks: start it, talk to it, and end it if it is silent.

See :mod:`~sphinx_autogradgraph.runtime.server` for the other side.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from sphinx_autogradgraph.core.descriptors import room_in_descriptors
from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.streams import above_streams, errors_are_heard
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.crashes import died_importing
from sphinx_autogradgraph.runtime.forked_run import ForkedRun
from sphinx_autogradgraph.runtime.lingering import (
    PROJECT_FILE,
    SCRATCH_FILE,
    Linger,
    directory_of,
    discard,
    others_of,
    tell_to_go,
)
from sphinx_autogradgraph.runtime.os_processes import end_marked, kill
from sphinx_autogradgraph.runtime.patience import Patience, is_stopped
from sphinx_autogradgraph.runtime.torch_import import never_imported
from sphinx_autogradgraph.runtime.worker_command import (
    CONTROL,
    NO_LIFE,
    PING,
    SOCKET,
    START_TIMEOUT,
    STOP,
    Terms,
    start_worker,
)
from sphinx_autogradgraph.runtime.worker_directories import (
    PID_FILE,
    bind,
    connect,
    only_one,
    pid_of,
)

MOST_DEATHS = 2
"""Number of workers that may end while they import torch, before that is taken for its fault.

It is less than the attempts that a program has, whose end says less.
"""

PING_EVERY = 5.0
"""Seconds after which a worker from which nothing comes is asked whether it is there."""

SILENCE = 30.0
"""Seconds without an answer after which a worker that has answered before is given up."""

MOST_CONNECTIONS = 64
"""Maximum number of programs sent to the worker at once, so that it is never idle."""

_LINGERING: list[subprocess.Popen[bytes]] = []
"""Workers that linger, held so that Python neither waits for them at its end nor warns."""


class ForkingWorker:
    """The worker of one build, shared by the processes that the build forks."""

    def __init__(
        self, jobs: int, environment: Mapping[str, str], linger: Linger | None = None
    ) -> None:
        self._jobs = jobs
        self._environment = environment
        self._process = os.getpid()
        self._linger = linger
        if linger is None:
            name = f"autogradgraph-{secrets.token_hex(8)}"
            self.directory = self._lock = os.path.join(tempfile.gettempdir(), name)
        else:
            self.directory = directory_of(linger, environment)
            self._lock = os.path.dirname(self.directory)
        self._server: subprocess.Popen[bytes] | None = None  # if this process has started it
        # The write end is closed with the last process of the build.
        self._life, self._alive = map(above_streams, os.pipe())
        self._control: socket.socket | None = None
        self._runs: list[ForkedRun] = []
        self._heard = 0.0
        self._asked: float | None = None  # when it was asked what it has not answered yet
        self._patience = Patience(lambda: None)
        self._has_answered = False
        self._launched: float | None = None
        self.importing: float | None = None
        self._broken: Diagnostic | None = None
        self._deaths = 0
        self._closed = self._released = False

    @property
    def pid(self) -> int | None:
        """Process id of the worker, None before there is one."""
        return pid_of(self.directory)

    @property
    def room(self) -> int:
        """Return the number of connections that may be open at once, fewer than the limit."""
        return room_in_descriptors(MOST_CONNECTIONS, each=16)

    def start(self, program: Program) -> ForkedRun | None:
        """Send a program to the worker; start the worker if there is none."""
        if os.getpid() != self._process:
            self._process = os.getpid()
            if self._control is not None:
                self._control.close()  # our copy: the parent keeps its own
            self._control, self._runs, self._server = None, [], None
        run = ForkedRun(self.connect, program)
        if self._settles(run):
            return run
        try:
            run.connect()
        except OSError as error:
            if self._settles(run):
                return run
            if error.errno in (errno.EMFILE, errno.ENFILE) and self._runs:
                return None
            raise
        self._runs.append(run)
        return run

    def _settles(self, run: ForkedRun) -> bool:
        """Whether no worker can be had, which is then the result."""
        if self._broken is None:
            return False
        run.settle(self._broken)
        return True

    def wait(self, seconds: float) -> None:
        """Wait until something comes from the worker, and see whether it is still there."""
        self._runs = [run for run in self._runs if run.result is None]
        if not self._runs:
            return
        poll = select.poll()
        for run in self._runs:
            poll.register(run.connection, run.interest)
        if self._control is not None:
            poll.register(self._control, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(seconds * 1000)}
        if self._control is not None and self._control.fileno() in ready:
            self._hear()
        waiting = [run for run in self._runs if not run.has_begun]
        for run in self._runs:
            if run.connection.fileno() in ready:
                self._heard = time.monotonic()
                run.exchange()
        if any(run.has_begun for run in waiting):
            for run in waiting:
                run.forget_attempts()
        now = time.monotonic()
        for run in self._runs:
            run.check_time(now)
        self._check_silence(now)

    def _hear(self) -> None:
        assert self._control is not None
        try:
            said = self._control.recv(64)
        except OSError:
            said = b""
        if said:
            self._heard, self._asked, self._has_answered = time.monotonic(), None, True
            if self._launched is not None and self.importing is None:
                self.importing = self._heard - self._launched
            self._deaths = 0
        else:  # it has ended; programs that have not begun begin on another
            self._drop()

    def _drop(self) -> None:
        """Close the connection to a worker that has ended; give up if none lives to be ready."""
        if self._control is None:
            return
        self._control.close()
        self._control = None
        if not self._has_answered and self._broken is None:
            self._deaths += 1
            if self._deaths == MOST_DEATHS:
                self._give_up(died_importing(self._status()))

    def _status(self) -> int | None:
        """Return the exit status of the worker if this process has started it."""
        if self._server is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._server.wait(1)
        return None

    def _give_up(self, diagnostic: Diagnostic) -> None:
        """Make a diagnostic the result of all programs, also of those to come."""
        self._broken = diagnostic
        for run in self._runs:
            run.settle(diagnostic)

    def _check_silence(self, now: float) -> None:
        """Ask a silent worker whether it is there, and give it up if it does not answer."""
        if self._control is None:
            return
        if self._asked is None and now - self._heard > PING_EVERY:
            self._ask()
        if self._asked is None:
            return
        if now - self._asked >= PING_EVERY and is_stopped(self.pid):
            self._kill()  # programs that have not begun begin on another
            return
        if self._has_answered:
            # Not since it was heard last: we may not have listened for long.
            if now - self._asked >= SILENCE:
                self._kill()
            return
        longest = max((run.program.timeout for run in self._runs), default=0.0)
        if self._patience.is_over(now, START_TIMEOUT + longest):
            self._give_up(never_imported(START_TIMEOUT + longest))
            self._kill()

    def _ask(self) -> None:
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(PING, socket.MSG_DONTWAIT)
            self._asked = time.monotonic()

    def _kill(self) -> None:
        if self.pid is not None:
            kill(self.pid)
            if not self._has_answered:
                end_marked(self.directory)  # it cannot end what the import of torch has started
        self._drop()

    def release(self) -> None:
        """Tell the worker to end, unless it lingers; should a program come, another is started."""
        if self._linger is None and self._server is not None and self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(STOP, socket.MSG_DONTWAIT)
            self._control.close()
            self._control = None
            self._released = True

    def connect(self) -> socket.socket:
        """Return a connection for a program; start the worker if there is none."""
        if self._released:
            self._end_server()
            self._released = False
        self._hold()
        try:
            return connect(self.directory, SOCKET)
        except (FileNotFoundError, ConnectionRefusedError):
            self._drop()
            if self._broken is not None:
                raise
            self._hold()
            return connect(self.directory, SOCKET)

    def warm_up(self) -> None:
        """Have the worker import torch in the meantime."""
        with contextlib.suppress(OSError):
            self._hold()

    def _hold(self) -> None:
        """Open the control connection to the worker; start the worker if there is none."""
        if self._control is not None:
            return
        launched = False
        if self._linger is None:  # not before: a build that is killed without a worker leaves it
            with contextlib.suppress(FileExistsError):
                os.mkdir(self.directory, 0o700)
        with only_one(self._lock):
            try:
                self._control = connect(self.directory, CONTROL)
            except (FileNotFoundError, ConnectionRefusedError):
                launched = True
                self._launch()
                self._control = connect(self.directory, CONTROL)
        if launched and self._linger is not None:
            # Another torch, another setting: nobody will ask for these any more.
            for other in others_of(self.directory):
                tell_to_go(other)
        self._heard, self._has_answered = time.monotonic(), False
        self._patience = Patience(lambda: self.pid)
        self._ask()  # what it can answer once torch is imported

    def _launch(self) -> None:
        self._launched = time.monotonic()
        scratch = self.directory
        if self._linger is not None:
            discard(self.directory)
            os.mkdir(self.directory, 0o700)
            scratch = tempfile.mkdtemp(prefix="autogradgraph-")
            Path(self.directory, SCRATCH_FILE).write_text(scratch, "utf-8")
            project = os.path.realpath(self._linger.project)
            Path(self.directory, PROJECT_FILE).write_text(project, "utf-8")
        with bind(self.directory, SOCKET) as listener, bind(self.directory, CONTROL) as control:
            descriptors = above_streams(listener.detach()), above_streams(control.detach())
        try:
            self._server = self._popen(descriptors, scratch)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        Path(self.directory, PID_FILE).write_text(str(self._server.pid))
        if self._linger is not None:
            _LINGERING.append(self._server)

    def _popen(self, sockets: tuple[int, int], scratch: str) -> subprocess.Popen[bytes]:
        life = self._life if self._linger is None else NO_LIFE
        seconds = 0 if self._linger is None else self._linger.seconds
        terms = Terms(*sockets, life, self._jobs, seconds, self.directory)
        # Whoever waits for the end of what Sphinx writes must not wait for a worker that lingers.
        heard = self._linger is None and errors_are_heard()
        return start_worker(terms, self._environment, scratch, heard=heard)

    def close(self) -> None:
        """End the worker, unless it lingers, and remove what belongs to it."""
        if self._closed:
            return
        self._closed = True
        os.close(self._alive)
        os.close(self._life)
        if self._control is not None:
            self._control.close()
        if self._linger is not None:
            return
        self._end_server()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _end_server(self) -> None:
        """Wait for the worker, which is told to end, and kill it if that takes long."""
        if self._server is not None:
            try:
                self._server.wait(5)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            if self._server.returncode:
                end_marked(self.directory)
