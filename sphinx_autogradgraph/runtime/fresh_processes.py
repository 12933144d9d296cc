"""Running of each program in a process that imports torch for it, where forking is unsafe."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sphinx_autogradgraph.core.descriptors import room_in_descriptors
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.crashes import Ended, died_importing
from sphinx_autogradgraph.runtime.forked_run import GRACE
from sphinx_autogradgraph.runtime.outcome import outcome, without_space
from sphinx_autogradgraph.runtime.patience import Patience
from sphinx_autogradgraph.runtime.result import Result
from sphinx_autogradgraph.runtime.supervised_process import LoneProcess, SupervisedProcess
from sphinx_autogradgraph.runtime.torch_import import never_imported
from sphinx_autogradgraph.runtime.worker_command import DUMP, PROGRAM, START_TIMEOUT, TEMPORARY

LOOK_EVERY = 0.02
"""Polling interval, in seconds: not every system can tell when a process ends."""


class FreshProcesses:
    """Runs programs in processes of their own, up to ``jobs`` at the same time."""

    def __init__(self, jobs: int, environment: Mapping[str, str]) -> None:
        self.room = room_in_descriptors(jobs, each=16)
        self.importing = None  # each program imports torch in its own time
        self._environment = environment
        self._runs: list[FreshRun] = []

    def start(self, program: Program) -> FreshRun | FailedRun:
        """Start the process of a program."""
        self._runs = [run for run in self._runs if not run.ended]
        try:
            scratch = _new_scratch(program)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return FailedRun(Result.from_dict(json.loads(without_space(program, reason))))
        run = FreshRun(program, scratch, self._environment)
        self._runs.append(run)
        return run

    def wait(self, seconds: float) -> None:
        """Wait a moment, or until a process has ended."""
        self._runs = [run for run in self._runs if not run.ended]
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

    def __init__(self, program: Program, scratch: str, environment: Mapping[str, str]) -> None:
        self._program = program
        self._scratch = scratch
        self.ended = False
        self._begun = time.monotonic()
        self._seconds = program.timeout + START_TIMEOUT
        self._running: float | None = None  # since when, if torch has been imported
        self.seconds = 0.0
        self._process: SupervisedProcess | LoneProcess
        try:
            start = SupervisedProcess if os.name == "posix" else LoneProcess
            self._process = start(scratch, environment)
        except OSError:
            self._remove()
            raise
        self._patience = Patience(lambda: self._process.pid)

    def is_over(self) -> bool:
        """Whether the process has ended or timed out."""
        if self._process.poll() is not None:
            return True
        now = time.monotonic()
        if self._running is None and self._has_begun():
            self._running = now
        if self._running is not None:
            # It has a timer of its own; but it may have been stopped, and the timer with it.
            return now - self._running >= self._program.timeout + GRACE
        return self._patience.is_over(now, self._seconds)

    def poll(self) -> Result | None:
        """Return the result, once the process has ended or timed out."""
        if not self.is_over():
            return None
        self.seconds = time.monotonic() - self._begun
        ended = self._process.poll()
        self._process.end()
        try:
            return self._result(ended)
        finally:
            self._remove()

    def end(self) -> None:
        """End the process, and remove its directory."""
        if not self.ended:
            self._process.end()
            self._remove()

    def _result(self, ended: Ended | None) -> Result:
        """Return the result; ``ended`` is None for a process that was killed after its time."""
        if not self._has_begun():
            diagnostic = never_imported(self._seconds) if ended is None else died_importing(ended)
            return Result.of_diagnostic(diagnostic, len(self._program.targets))
        answer = outcome(self._scratch, "timeout" if ended is None else ended, self._program)
        return Result.from_dict(json.loads(answer))

    def _has_begun(self) -> bool:
        """Whether torch has been imported, and the program is running or has run."""
        return os.path.exists(os.path.join(self._scratch, DUMP))

    def _remove(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)
        self.ended = True


@dataclass
class FailedRun:
    """A program for which there is no directory, with the result that says so."""

    result: Result
    seconds: float = 0.0

    def poll(self) -> Result:
        """Return the result."""
        return self.result


def _new_scratch(program: Program) -> str:
    """Make the directory of a run, with the program in it.

    Raises :exc:`OSError` if nothing can be written there, and then leaves nothing.
    """
    scratch = tempfile.mkdtemp(prefix="autogradgraph-")
    try:
        os.mkdir(os.path.join(scratch, TEMPORARY), 0o700)
        Path(scratch, PROGRAM).write_text(json.dumps(program.to_dict()), "utf-8")
    except OSError:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return scratch
