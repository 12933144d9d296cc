"""Running of each program in a process that imports torch for it, where forking is unsafe."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.crashes import Ended, lost
from sphinx_autogradgraph.runtime.os_processes import end_marked
from sphinx_autogradgraph.runtime.patience import Patience
from sphinx_autogradgraph.runtime.program_process import TEMPORARY
from sphinx_autogradgraph.runtime.result import Result
from sphinx_autogradgraph.runtime.torch_import import never_imported
from sphinx_autogradgraph.runtime.worker_command import START_TIMEOUT, command

LOOK_EVERY = 0.02
"""Polling interval, in seconds: not every system can tell when a process ends."""


class FreshProcesses:
    """Runs programs in processes of their own, up to ``jobs`` at the same time."""

    def __init__(self, jobs: int, environment: Mapping[str, str]) -> None:
        self.room = jobs
        self.importing = None  # each program imports torch in its own time
        self._environment = environment
        self._runs: list[FreshRun] = []

    def start(self, program: Program) -> FreshRun:
        """Start the process of a program."""
        self._runs = [run for run in self._runs if not run.ended]
        run = FreshRun(program, self._environment)
        self._runs.append(run)
        return run

    def wait(self, seconds: float) -> None:
        """Wait a moment, or until a process has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not any(run.is_over() for run in self._runs):
            time.sleep(LOOK_EVERY)

    def warm_up(self) -> None:
        """Do nothing, because the processes share nothing that could be prepared."""

    def release(self) -> None:
        """Do nothing, because each process ends with its program."""

    def close(self) -> None:
        """End the processes that still run."""
        for run in self._runs:
            run.end()


class FreshRun:
    """A program in its own process, with its own directory."""

    def __init__(self, program: Program, environment: Mapping[str, str]) -> None:
        self._program = program
        self.ended = False
        self._scratch = tempfile.mkdtemp(prefix="autogradgraph-")
        self._answer = Path(self._scratch, "answer.json")
        os.mkdir(os.path.join(self._scratch, TEMPORARY), 0o700)
        self._begun = time.monotonic()
        self._seconds = program.timeout + START_TIMEOUT
        self.seconds = 0.0
        self._process = subprocess.Popen(
            command(["once", str(self._answer)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd=self._scratch,  # empty: nothing in it can stand in front of torch
            start_new_session=True,
        )
        self._patience = Patience(self._process.pid)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(program.to_dict()).encode() + b"\n")
            self._process.stdin.flush()

    def is_over(self) -> bool:
        """Whether the process has ended or timed out."""
        if self._process.poll() is not None:
            return True
        return self._patience.is_over(time.monotonic(), self._seconds)

    def poll(self) -> Result | None:
        """Return the result, once the process has ended or timed out."""
        if not self.is_over():
            return None
        self.seconds = time.monotonic() - self._begun
        status = self._process.poll()
        ended: Ended = "timeout" if status is None else status
        self._end_process()
        try:
            if ended == 0 and self._answer.exists():
                return Result.from_dict(json.loads(self._answer.read_bytes()))
            trail = Path(f"{self._answer}.dump")
            if ended == "timeout" and not trail.exists():  # the program has not begun
                diagnostic = never_imported(self._seconds)
                return Result.of_diagnostic(diagnostic, len(self._program.targets))
            dump = trail.read_text(errors="replace") if trail.exists() else ""
        finally:
            self.end()
        if dump.startswith("Timeout"):
            ended = "timeout"
        diagnostic = lost(ended, self._program, dump)
        return Result.of_diagnostic(diagnostic, len(self._program.targets))

    def end(self) -> None:
        """End the process, and remove its directory."""
        if not self.ended:
            self._end_process()
            shutil.rmtree(self._scratch, ignore_errors=True)
            self.ended = True

    def _end_process(self) -> None:
        """Kill the process and its group, and wait for it."""
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        end_marked(os.path.join(self._scratch, TEMPORARY))  # where its temporary files go
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.wait()
