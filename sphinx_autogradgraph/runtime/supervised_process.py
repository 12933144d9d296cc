"""The process of a program where forking is unsafe, as Sphinx sees it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping

from sphinx_autogradgraph.runtime.crashes import Ended
from sphinx_autogradgraph.runtime.os_processes import end_group, end_marked, kill
from sphinx_autogradgraph.runtime.worker_command import TEMPORARY, command


class LoneProcess:
    """A process without a supervisor, for Windows.

    No signal can stop a process there; and killing a supervisor would leave the program running.
    """

    def __init__(self, scratch: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command(["once", scratch]),
            stdin=subprocess.PIPE,  # it ends when this is closed, as by the end of the build
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd=scratch,
        )

    @property
    def pid(self) -> int | None:
        """Id of the process that runs the program, None before there is one."""
        return self._process.pid

    def poll(self) -> Ended | None:
        """Return how the process has ended, None while it runs."""
        return self._process.poll()

    def end(self) -> None:
        """Kill the process, and wait for its end."""
        self._process.kill()
        self._process.communicate()


class SupervisedProcess:
    """A process whose parent is a supervisor of its own (see ``fresh_supervisor``)."""

    def __init__(self, scratch: str, environment: Mapping[str, str]) -> None:
        self._scratch = scratch
        self._said = b""
        # From the start: by this, too, what the import of torch starts is found.
        temporary = {"TMPDIR": os.path.join(scratch, TEMPORARY)}
        run = command(["once", scratch])
        self._supervisor = subprocess.Popen(
            command(["supervise", str(os.getpid()), scratch, *run], options=["-S"]),
            stdin=subprocess.PIPE,  # for the program, which ends when it is closed
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, **temporary},
            cwd=scratch,  # empty of modules: nothing in it can stand in front of torch
            start_new_session=True,
        )
        assert self._supervisor.stdout is not None
        self._output = self._supervisor.stdout.fileno()
        os.set_blocking(self._output, False)

    @property
    def pid(self) -> int | None:
        """Id of the process that runs the program, None before there is one."""
        return next(iter(self._told()), None)

    def poll(self) -> Ended | None:
        """Return how the process has ended, None while it runs."""
        if self._supervisor.returncode is None:
            self._look()
        if self._supervisor.poll() is None:
            return None
        match self._told():
            case [_, status]:
                return status
            case _:
                return "unsupervised"

    def _look(self) -> None:
        """Kill the supervisor if its program has stopped it, since it would never answer."""
        with contextlib.suppress(ChildProcessError):  # somebody else has waited for it
            pid, status = os.waitpid(self._supervisor.pid, os.WNOHANG | os.WUNTRACED)
            if pid and os.WIFSTOPPED(status):
                self._supervisor.kill()
            elif pid:
                self._supervisor.returncode = os.waitstatus_to_exitcode(status)

    def _told(self) -> list[int]:
        """Return what the supervisor has said so far: the process id, and the exit status."""
        with contextlib.suppress(BlockingIOError):
            self._said += os.read(self._output, 64)
        return list(map(int, self._said.split()))

    def end(self) -> None:
        """Kill the process with all that it has started, and the supervisor; wait for its end."""
        match self._told():
            case [program]:  # its supervisor has not seen the end of it
                kill(program)
                end_group(program)
                end_marked(os.path.join(self._scratch, TEMPORARY))
        self._supervisor.kill()
        self._supervisor.communicate()
