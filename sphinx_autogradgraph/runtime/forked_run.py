"""One program at the forking worker: sending it, and receiving its result."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.crashes import lost
from sphinx_autogradgraph.runtime.os_processes import kill
from sphinx_autogradgraph.runtime.protocol import Inbox, encode
from sphinx_autogradgraph.runtime.result import Result

ATTEMPTS = 3
"""Maximum number of workers to which a program is sent while no program begins on any."""

GRACE = 10.0
"""Seconds beyond a program's timeout that its supervisor, or its own timer, has to end it."""


class ForkedRun:
    """A program that is sent to the worker, and its result once that is received.

    Sending and receiving never block: a busy worker takes the program later, and can only go on if
    the results of other programs are read meanwhile.
    """

    def __init__(self, connect: Callable[[], socket.socket], program: Program) -> None:
        self.program = program
        self.result: Result | None = None
        self.connection: socket.socket
        self._connect = connect
        self._attempts = 0
        self._supervisor: int | None = None
        self._deadline = float("inf")
        self._begun = time.monotonic()
        self.seconds = 0.0

    def connect(self) -> None:
        """Connect to the worker, or again to another one."""
        self.connection = self._connect()
        self.connection.setblocking(False)
        self._attempts += 1
        self._to_send = memoryview(encode(self.program.to_dict()))
        self._inbox = Inbox()

    @property
    def interest(self) -> int:
        """Return the events to wait for on the connection."""
        return select.POLLIN | (select.POLLOUT if self._to_send else 0)

    @property
    def has_begun(self) -> bool:
        """Whether a supervisor has taken the program."""
        return self._supervisor is not None

    def forget_attempts(self) -> None:
        """Allow all attempts again, since programs begin: only some end the worker."""
        self._attempts = 1

    def poll(self) -> Result | None:
        """Return the result, once it is there."""
        return self.result

    def exchange(self) -> None:
        """Send and receive as much as is possible without waiting."""
        if self._to_send:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                self._to_send = self._to_send[self.connection.send(self._to_send) :]
        try:
            data = self.connection.recv(1 << 20)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self._begin_anew()
            return
        for message in self._inbox.feed(data):
            if "supervisor" in message:
                self._supervisor = message["supervisor"]
                self._begun = time.monotonic()
                self._deadline = self._begun + self.program.timeout + GRACE
            else:
                self.seconds = time.monotonic() - self._begun
                self.result = Result.from_dict(message)
                self.connection.close()

    def _begin_anew(self) -> None:
        """Connect to another worker, if this one has ended before the program began."""
        self.connection.close()
        if not self.has_begun and self._attempts < ATTEMPTS:
            with contextlib.suppress(OSError):
                self.connect()
                return
        self.settle(lost("unsupervised", self.program))

    def check_time(self, now: float) -> None:
        """Kill a supervisor that is overdue, since its program may have stopped it."""
        if self.result is not None or now < self._deadline or self._supervisor is None:
            return
        kill(self._supervisor)
        self.settle(lost("timeout", self.program))

    def settle(self, diagnostic: Diagnostic) -> None:
        """Make a diagnostic the result, unless there is a result."""
        if self.result is None:
            self.result = Result.of_diagnostic(diagnostic, len(self.program.targets))
            if self._attempts:
                self.connection.close()
