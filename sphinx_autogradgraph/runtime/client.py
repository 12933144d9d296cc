"""Client of the worker: hands Programs over and collects their results.

One Runner serves one build, also from the processes that Sphinx forks for ``-j``: they share one
worker, which the first of them to need it starts.  Torch is never imported here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal, Protocol

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.processors import processors
from sphinx_autogradgraph.core.settings import Mode
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.forking_worker import ForkingWorker
from sphinx_autogradgraph.runtime.fresh_processes import FreshProcesses
from sphinx_autogradgraph.runtime.lingering import Linger
from sphinx_autogradgraph.runtime.result import Result
from sphinx_autogradgraph.runtime.worker_command import environment as environment_of

Method = Literal["fork", "fresh"]

METHOD_VARIABLE = "AUTOGRADGRAPH_METHOD"
"""Environment variable with which tests select the method of another operating system."""

TICK = 1.0
"""Seconds without news after which the client checks that the build still exists."""


def default_method() -> Method:
    """Return ``fork`` where a process that has imported torch may be forked, else ``fresh``."""
    if os.environ.get(METHOD_VARIABLE) == "fresh":
        return "fresh"
    return "fork" if sys.platform == "linux" and hasattr(os, "pidfd_open") else "fresh"


@cache
def has_torch() -> bool:
    """Whether torch is installed, without importing it."""
    try:
        return importlib.util.find_spec("torch") is not None
    except (ImportError, ValueError):
        return False


def runs_code(mode: Mode, *, is_build: bool) -> bool:
    """Whether code is run, or figures are drawn from snapshots alone.

    With ``auto`` a build does without where torch is not installed; a check has to tell of that.
    """
    if mode == "auto":
        return not is_build or has_torch()
    return mode == "always"


def _forking_worker(
    jobs: int, variables: Mapping[str, str], linger: Linger | None
) -> ForkingWorker:
    """Return a worker; it lingers if that is asked for and the user has a private directory."""
    if linger is not None and linger.seconds > 0:
        with contextlib.suppress(OSError):
            return ForkingWorker(jobs, variables, linger)
    return ForkingWorker(jobs, variables)


class Run(Protocol):
    """A program that has been started."""

    @property
    def seconds(self) -> float:
        """Seconds that the program took, once it has ended."""

    def poll(self) -> Result | None:
        """Return the result of the program if it is there, without waiting."""


class Worker(Protocol):
    """The interface of a way to run programs."""

    @property
    def importing(self) -> float | None:
        """Seconds until the worker had imported torch; None if that was not seen."""

    @property
    def room(self) -> int:
        """Maximum number of programs that may be started and not yet have results."""

    def start(self, program: Program) -> Run | None:
        """Start a program; return None if another must end first."""

    def wait(self, seconds: float) -> None:
        """Wait at most so many seconds for a program to make progress."""

    def warm_up(self) -> None:
        """Prepare for programs that will soon come."""

    def release(self) -> None:
        """Free what only programs need, since probably none will come."""

    def close(self) -> None:
        """End all that was started; only in the process that made this object."""


class Pending:
    """Submitted programs, until their results are collected."""

    def __init__(self, runner: Runner, programs: Sequence[Program]) -> None:
        self._runner = runner
        self._found: list[Result | None] = [None] * len(programs)
        self.seconds: list[float] = []

    def done(self) -> bool:
        """Whether all results have been taken (see :meth:`Runner.advance`)."""
        return None not in self._found

    def results(self) -> list[Result]:
        """Wait for the results, and return them in the order of the programs."""
        self._runner.advance()
        while None in self._found:
            self._runner.advance(TICK)
        return [result for result in self._found if result is not None]

    def settle(self, index: int, result: Result) -> None:
        """Store the result of one of the programs."""
        self._found[index] = result


class Runner:
    """Runs programs, each in a process of its own, several at once.

    ``jobs`` is how many programs may run at the same time on this machine.  With ``environment``
    they have of the environment only the variables of these names, and what any program needs.
    With ``linger`` the worker may stay for a later build of the same project, or is one that has.

    Close it when the build ends; should the build be killed, the worker notices and ends by itself.
    """

    def __init__(
        self,
        jobs: int | None = None,
        method: Method | None = None,
        environment: Sequence[str] | None = None,
        linger: Linger | None = None,
    ) -> None:
        self.jobs = jobs or processors()
        self.method: Method = method or default_method()
        self._owner = self._process = os.getpid()
        self._queue: deque[tuple[Pending, int, Program]] = deque()
        self._active: list[tuple[Pending, int, Run]] = []
        variables = environment_of(environment)
        self.worker: Worker
        if self.method == "fresh":
            self.worker = FreshProcesses(self.jobs, variables)
        else:
            self.worker = _forking_worker(self.jobs, variables, linger)

    def submit(self, programs: Sequence[Program]) -> Pending:
        """Submit programs and return at once; they run in the background.

        Errors of a program never raise here: they are part of its result.
        """
        self._forget_the_parents()
        pending = Pending(self, programs)
        self._queue.extend((pending, index, program) for index, program in enumerate(programs))
        self.advance()
        return pending

    def run(self, programs: Sequence[Program]) -> list[Result]:
        """Run the programs side by side and return their results in order."""
        return self.submit(programs).results()

    def advance(self, seconds: float = 0) -> None:
        """Start waiting programs and take results; wait at most so many seconds for news."""
        self._start()
        if not self._active:
            return
        self.worker.wait(seconds)
        active, self._active = self._active, []
        for pending, index, run in active:
            result = run.poll()
            if result is None:
                self._active.append((pending, index, run))
            else:
                pending.settle(index, result)
                pending.seconds.append(run.seconds)
        self._end_if_orphaned()
        self._start()

    def _start(self) -> None:
        """Start programs as long as the worker has room."""
        while self._queue and len(self._active) < self.worker.room:
            pending, index, program = self._queue[0]
            try:
                run = self.worker.start(program)
            except OSError as error:
                diagnostic = Diagnostic(
                    "execution",
                    "the process that runs programs cannot be started: {reason}",
                    {"reason": error.strerror or type(error).__name__},
                    build_wide=True,
                )
                pending.settle(index, Result.of_diagnostic(diagnostic, len(program.targets)))
            else:
                if run is None and self._active:
                    return
                if run is None:
                    time.sleep(0.01)
                    continue
                self._active.append((pending, index, run))
            self._queue.popleft()

    def warm_up(self) -> None:
        """Let the worker import torch in advance; programs will be submitted soon."""
        self.worker.warm_up()

    def release(self) -> None:
        """Let the worker end while the build does other things; programs can still be submitted."""
        if os.getpid() == self._owner and not self._queue and not self._active:
            self.worker.release()

    def close(self) -> None:
        """End the worker and remove its files; only in the process that made this object."""
        if os.getpid() == self._owner:
            self.worker.close()

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _forget_the_parents(self) -> None:
        """Drop, in a forked process, the programs that its parent waits for."""
        if os.getpid() != self._process:
            self._process = os.getpid()
            self._queue.clear()
            self._active.clear()

    def _end_if_orphaned(self) -> None:
        """End this forked reading process if its build is gone: it would keep the worker alive."""
        if os.getpid() != self._owner and os.getppid() != self._owner:
            raise SystemExit("the build has ended")
