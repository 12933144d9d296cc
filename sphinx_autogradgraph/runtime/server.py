"""The server of the forking worker: the process that has torch imported.

It imports torch, runs no operation that could start a thread, and forks.  (A fork after torch has
run a parallel kernel hangs.)  Each fork is a *supervisor*, as many as programs may run at once.  To
one that is free goes the next connection of a client to the socket; it forks the *child* that runs
the program, and outlives it in any case.  Both are forked in advance, before there is a program.

The server ends with the build: when the processes of the build have closed the pipe that they
hold.  A supervisor ends when its connection is closed.  A lingering server has no such pipe: it
ends when nobody has been connected to its control socket for a number of seconds.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import shutil
import signal
import socket
import sys
import time
from functools import partial
from os import _exit
from typing import NamedTuple, NoReturn

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.runtime.os_processes import (
    CLEANING_TIME,
    Helpers,
    adopt_orphans,
    await_end,
    children,
    collapse_memory,
    end_descendants,
    kill,
    kill_but_helpers,
)
from sphinx_autogradgraph.runtime.program_process import end_after
from sphinx_autogradgraph.runtime.supervisor import FREE, supervise
from sphinx_autogradgraph.runtime.torch_import import Execute, ending_with, load, warm_up
from sphinx_autogradgraph.runtime.worker_command import (
    MARK,
    NO_LIFE,
    PING,
    STOP,
    TUNING,
    Terms,
    command,
)
from sphinx_autogradgraph.runtime.worker_directories import only_one

FEW = 4
"""Number of programs after which it pays to spend a moment on making forks faster."""

LONGEST_END = CLEANING_TIME + 1
"""Maximum seconds that supervisors have for ending their programs when the worker ends."""

LONGEST_IMPORT = 600
"""Maximum seconds for importing torch in a worker without a pipe, before the system ends it."""


def serve(terms: Terms, *, warm: bool) -> None:
    """Import torch and answer programs until no client needs this process any more."""
    # What a program leaves that has killed its supervisor is ours to end, and so is what the import
    # of torch leaves.
    adopt_orphans()
    if terms.life == NO_LIFE:
        signal.alarm(LONGEST_IMPORT)
    with ending_with(terms.life) if terms.life != NO_LIFE else contextlib.nullcontext():
        execute = load()
        if warm and not isinstance(execute, Diagnostic) and not warm_up():
            # Threads that we cannot end: begin anew, without what has started them.
            line = command(["serve-cold", *terms.arguments()])
            os.execv(line[0], line)  # noqa: S606
    signal.alarm(0)
    for name, value in TUNING.items():
        if os.environ.get(name) == value:
            del os.environ[name]  # it is none of the programs' business
    os.environ.pop(MARK, None)  # nor is this
    _Server(terms, execute).run()


class _Supervisor(NamedTuple):
    """A supervisor's process id, and the socket on which it gets connections.

    ``early`` tells that it was forked before it paid to make forks faster.
    """

    pid: int
    channel: socket.socket
    early: bool


class _Server:
    """Hands programs to supervisors, several at the same time.

    One supervisor waits in advance for the next program, unless the maximum is running.  Those that
    have a program are busy until they say that they are free, and then wait for another.
    """

    def __init__(self, terms: Terms, execute: Execute | Diagnostic) -> None:
        self._terms = terms
        self._listener = socket.socket(fileno=terms.listener)
        self._control = socket.socket(fileno=terms.control)
        self._execute = execute
        self._free: list[_Supervisor] = []
        self._busy: dict[socket.socket, _Supervisor] = {}
        self._leaving: set[int] = set()
        self._imported = frozenset(children())  # what torch has started stays as long as we do
        self._helpers = Helpers()
        self._holders: set[socket.socket] = set()
        self._needed = time.monotonic()
        self._stopping = False
        self._retired = False
        self._served = 0
        # A signal that comes before select() waits would be lost: it is written to a pipe.
        self._wake, self._waker = os.pipe()

    def run(self) -> None:
        """Serve until the end."""
        _freeze()
        for end in (self._wake, self._waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            room = len(self._busy) < self._terms.jobs and not self._stopping
            if not self._free and room:
                self._fork()
            readable, _, _ = select.select(self._waited(), [], [], self._time_left())
            if self._terms.life in readable:
                break
            self._serve(set(readable))
        # The build is over, or was killed; then it could not remove what it had.
        self._exit()

    def _waited(self) -> list[int | socket.socket]:
        """Return the descriptors to wait for."""
        waited: list[int | socket.socket] = [self._wake, self._control, *self._holders]
        waited += self._busy
        if self._terms.life != NO_LIFE:
            waited.append(self._terms.life)
        if self._free:
            waited.append(self._listener)
        return waited

    def _serve(self, readable: set[int | socket.socket]) -> None:
        """Handle the descriptors that are ready."""
        if self._wake in readable:
            self._reap()
        for holder in self._holders & readable:
            self._listen_to(holder)
        if self._control in readable:
            self._holders.add(self._control.accept()[0])
        for supervisor in [self._busy[held] for held in self._busy.keys() & readable]:
            self._take_back(supervisor)
        if self._listener in readable and self._free:
            self._hand_over(self._free.pop())
        if self._time_left() == 0:
            self._leave()

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            # The pipe of the wake-up is shared: signals of the child would wake the server.
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # A copy of any of these would keep alive what is to be seen to end.
            for held in (self._listener, self._control, ours, *self._holders, *self._busy):
                held.close()
            for descriptor in (self._wake, self._waker, self._terms.life):
                if descriptor != NO_LIFE:
                    os.close(descriptor)
            end_after(partial(supervise, theirs, self._execute))
        theirs.close()
        self._free.append(_Supervisor(pid, ours, early=self._served < FEW))

    def _hand_over(self, supervisor: _Supervisor) -> None:
        """Pass the next connection to a supervisor that is free."""
        connection, _ = self._listener.accept()
        self._busy[supervisor.channel] = supervisor
        with connection, contextlib.suppress(OSError):  # one that has ended is soon told of
            # Descriptors travel only along with at least one byte.
            socket.send_fds(supervisor.channel, [b"."], [connection.fileno()])
        self._served += 1
        if self._served == FEW:
            collapse_memory()

    def _take_back(self, supervisor: _Supervisor) -> None:
        """Note that a supervisor is free, or let it go if it has ended or another forks faster."""
        del self._busy[supervisor.channel]
        try:
            said = supervisor.channel.recv(1)
        except OSError:
            said = b""
        if said == FREE and not (supervisor.early and self._served >= FEW):
            self._free.append(supervisor)
            return
        self._leaving.add(supervisor.pid)
        supervisor.channel.close()  # by which it ends

    def _reap(self) -> None:
        """Collect supervisors that have ended, and kill the processes that they left."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        ended = set()
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
                if pid == 0:
                    break
                if os.WIFSTOPPED(status):
                    kill(pid)  # by its program: it would never answer
                else:
                    ended.add(pid)
        self._leaving -= ended
        for supervisor in [one for one in self._busy.values() if one.pid in ended]:
            del self._busy[supervisor.channel]
            supervisor.channel.close()
        for supervisor in [one for one in self._free if one.pid in ended]:
            self._free.remove(supervisor)
            supervisor.channel.close()
            time.sleep(0.1)  # whatever ends it, it must not keep us busy
        known = {one.pid for one in (*self._free, *self._busy.values())} | self._leaving
        # The others were left by a program that has killed its supervisor.
        kill_but_helpers(set(children()) - known - ended - self._imported, self._helpers)

    def _listen_to(self, holder: socket.socket) -> None:
        """Answer on a control connection, or drop it when it is closed."""
        try:
            said = holder.recv(1)
        except OSError:
            said = b""
        if said == PING:
            with contextlib.suppress(OSError):
                holder.send(PING, socket.MSG_DONTWAIT)
            return
        if said == STOP:
            self._stopping = True
            self._retire()
        if not said:
            self._holders.discard(holder)
            holder.close()

    def _time_left(self) -> float | None:
        """Return the seconds until this process ends if nobody connects; None if it stays."""
        if self._busy:
            self._needed = time.monotonic()
            return None
        if self._stopping:
            return 0
        if self._terms.life != NO_LIFE:
            return None
        if self._holders:
            self._needed = time.monotonic()
            return None
        return max(0.0, self._needed + self._terms.linger - time.monotonic())

    def _retire(self) -> None:
        """Remove the sockets' names: nobody can connect, and another worker may use them."""
        if self._terms.life == NO_LIFE and not self._retired:
            with contextlib.suppress(OSError), only_one(os.path.dirname(self._terms.directory)):
                shutil.rmtree(self._terms.directory, ignore_errors=True)
        self._retired = True

    def _leave(self) -> None:
        """End this lingering worker, unless a client is connecting at this moment."""
        self._retire()
        if select.select([self._control], [], [], 0)[0]:
            return  # somebody was faster, and is served
        self._exit()

    def _exit(self) -> NoReturn:
        """End the supervisors, then this process; each supervisor ends its own program first."""
        for channel in self._busy:
            channel.close()
        deadline = time.monotonic() + LONGEST_END
        for pid in (*(supervisor.pid for supervisor in self._busy.values()), *self._leaving):
            await_end(pid, max(0.0, deadline - time.monotonic()))
        # As long as there is one, it may write to the directory, which then could not be removed.
        end_descendants()
        shutil.rmtree(os.getcwd(), ignore_errors=True)
        _exit(0)  # taking torch down takes long


def _freeze() -> None:
    """Exempt present objects from garbage collection in forks, so that their memory stays shared.

    A collection writes to every object it visits, and a written page is copied.  So does a program
    that forgets what the finders of modules know: they forget it here.
    """
    sys.path_importer_cache.clear()
    gc.freeze()
