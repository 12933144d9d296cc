"""The supervisor: answers programs one after the other, each from a child of its own.

It is a fork of the server, and the child is a fork of it, made before there is a program.  It runs
nothing of a program itself, so that it can serve the next.  Processes that a program leaves running
become its children, and it ends them with the program.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import tempfile
import time
from typing import Literal

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.crashes import Ended
from sphinx_autogradgraph.runtime.os_processes import (
    adopt_orphans,
    await_end,
    end_descendants,
)
from sphinx_autogradgraph.runtime.outcome import outcome, without_space
from sphinx_autogradgraph.runtime.program_process import DUMP_SIGNAL, end_after, run_forked
from sphinx_autogradgraph.runtime.protocol import encode, receive
from sphinx_autogradgraph.runtime.torch_import import Execute
from sphinx_autogradgraph.runtime.worker_command import TEMPORARY

FREE = b"f"
"""Byte by which a supervisor tells the server that it can take the next program."""


def supervise(server: socket.socket, execute: Execute | Diagnostic) -> None:
    """Answer the programs on connections that the server passes on, until the server ends."""
    adopt_orphans()  # what a program leaves behind becomes ours to end
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while _serve_next(server, execute):
            server.sendall(FREE)


def _serve_next(server: socket.socket, execute: Execute | Diagnostic) -> bool:
    """Prepare a child, and have it run the next program; return False if the server has ended.

    While the program runs the supervisor ends it if the connection is closed.
    """
    scratch = ""
    ready: _Ready | str = ""
    try:
        try:
            # In the directory of the server, which is removed even if we are killed.
            scratch = tempfile.mkdtemp(prefix="p", dir=os.getcwd())
            os.mkdir(os.path.join(scratch, TEMPORARY), 0o700)
            ready = _Ready(scratch, execute, server)
        except OSError as error:
            ready = error.strerror or type(error).__name__
        _, descriptors, _, _ = socket.recv_fds(server, 1, 1)
        if not descriptors:
            return False
        with (
            socket.socket(fileno=descriptors[0]) as connection,
            contextlib.suppress(OSError, EOFError),  # the client is gone
        ):
            _answer(ready, connection)
        return True
    finally:
        if isinstance(ready, _Ready):
            ready.discard()
        end_descendants()
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def _answer(ready: _Ready | str, connection: socket.socket) -> None:
    """Receive a program, run it, and send its answer; ``ready`` may be why it cannot run."""
    # From now on the time of the program counts; and whoever waits for it knows us.
    connection.sendall(encode({"supervisor": os.getpid()}))
    program = Program.from_dict(receive(connection))
    if isinstance(ready, str):
        answer: bytes | None = without_space(program, ready)
    else:
        answer = ready.run(program, connection)
    if answer is not None:
        connection.sendall(len(answer).to_bytes(8, "big") + answer)


class _Ready:
    """A child process that waits for the program to run, with its files in a directory.

    Raises :exc:`OSError` if nothing can be written to the directory for temporary files.
    """

    def __init__(self, scratch: str, execute: Execute | Diagnostic, server: socket.socket) -> None:
        self._scratch = scratch
        reader, writer = os.pipe()
        self._pipe = open(writer, "wb")  # noqa: SIM115
        try:
            self._child = os.fork()
            if self._child == 0:
                self._pipe.close()
                server.close()
                end_after(lambda: run_forked(reader, execute, scratch))
        except OSError:
            self._pipe.close()
            raise
        finally:
            os.close(reader)

    def discard(self) -> None:
        """Close the pipe to the child, which ends if it has no program yet."""
        with contextlib.suppress(BrokenPipeError):
            self._pipe.close()

    def run(self, program: Program, connection: socket.socket) -> bytes | None:
        """Run a program and return its answer; None if the client is gone."""
        with contextlib.suppress(BrokenPipeError), self._pipe:
            self._pipe.write(encode(program.to_dict()))
        ended = _watch(self._child, connection, program.timeout)
        if ended == "timeout" and DUMP_SIGNAL is not None:
            os.kill(self._child, DUMP_SIGNAL)
            await_end(self._child, 0.2)  # it writes where it is, and does not end by that
        end_descendants()
        if ended == "gone":
            return None
        return outcome(self._scratch, ended, program)


def _watch(child: int, connection: socket.socket, timeout: float) -> Ended | Literal["gone"]:
    """Wait for the child's end; return its status, ``timeout``, or ``gone`` for the client."""
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
