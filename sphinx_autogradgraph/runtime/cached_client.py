"""Results of Programs: from the cache where they have run before, else by running them."""

from __future__ import annotations

from collections.abc import Sequence

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.cache import Cache
from sphinx_autogradgraph.runtime.client import Pending, Runner, Waiting
from sphinx_autogradgraph.runtime.result import Result


class CachedRunner:
    """Runs programs for one build, and remembers what came of them.

    Without a ``cache`` everything runs.  ``cache_error`` is the error that keeps results from being
    remembered, if there is one; they are good all the same.
    """

    def __init__(self, runner: Runner, cache: Cache | None) -> None:
        self._runner = runner
        self._cache = cache
        self.cache_error: Diagnostic | None = None

    def submit(self, programs: Sequence[Program]) -> Submitted:
        """Hand programs over, and return at once; what has to run runs meanwhile, side by side."""
        found: dict[int, Result] = {}
        if self._cache is not None:
            present = self._cache.present()
            for index, program in enumerate(programs):
                known = self._cache.get(program, present)
                if known is not None:
                    found[index] = known
        missing = [program for index, program in enumerate(programs) if index not in found]
        return Submitted(self, programs, found, self._runner.submit(missing))

    def advance(self, seconds: float) -> None:
        """Take what has arrived; wait at most so long for news."""
        self._runner.advance(seconds)

    def run(self, programs: Sequence[Program], waiting: Waiting | None = None) -> list[Result]:
        """The results of the programs, in order."""
        return self.submit(programs).results(waiting)

    def warm_up(self) -> None:
        """Make ready for programs, unless they may all be remembered."""
        if self._cache is None or self._cache.is_empty():
            self._runner.warm_up()

    def close(self) -> None:
        """End the worker, and keep the cache in bounds."""
        self._runner.close()
        if self._cache is not None:
            self._cache.prune()

    def remember(self, program: Program, result: Result) -> None:
        """Put a result in the cache."""
        if self._cache is None:
            return
        try:
            self._cache.put(program, result)
        except OSError as error:
            self.cache_error = Diagnostic(
                "cache",
                "the cache cannot be written: {reason}; see autogradgraph_cache",
                {"reason": error.strerror or type(error).__name__},
                build_wide=True,
            )


class Submitted:
    """Programs that an :class:`CachedRunner` has taken, until their results are collected."""

    def __init__(
        self,
        executor: CachedRunner,
        programs: Sequence[Program],
        found: dict[int, Result],
        pending: Pending,
    ) -> None:
        self._executor = executor
        self._programs = programs
        self._found = found
        self._pending = pending

    def done(self) -> bool:
        """Whether all results are there; never waits."""
        return self._pending.done()

    def results(self, waiting: Waiting | None = None) -> list[Result]:
        """The results in the order of the programs; waits for them, and remembers what ran."""
        ran = iter(self._pending.results(waiting))
        for index, program in enumerate(self._programs):
            if index not in self._found:
                self._found[index] = next(ran)
                self._executor.remember(program, self._found[index])
        return [self._found[index] for index in range(len(self._programs))]
