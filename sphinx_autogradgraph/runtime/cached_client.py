"""Results of Programs: from the cache where they have run before, else by running them."""

from __future__ import annotations

from collections.abc import Sequence

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.cache import Cache
from sphinx_autogradgraph.runtime.client import Runner, Waiting
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

    def run(self, programs: Sequence[Program], waiting: Waiting | None = None) -> list[Result]:
        """The results of the programs, in order; what has to run runs side by side."""
        results: dict[int, Result] = {}
        if self._cache is not None:
            for index, program in enumerate(programs):
                found = self._cache.get(program)
                if found is not None:
                    results[index] = found
        missing = [index for index in range(len(programs)) if index not in results]
        ran = self._runner.run([programs[index] for index in missing], waiting)
        for index, result in zip(missing, ran, strict=True):
            results[index] = result
            self._remember(programs[index], result)
        return [results[index] for index in range(len(programs))]

    def warm_up(self) -> None:
        """Make ready for programs, unless they may all be remembered."""
        if self._cache is None or self._cache.is_empty():
            self._runner.warm_up()

    def close(self) -> None:
        """End the worker, and keep the cache in bounds."""
        self._runner.close()
        if self._cache is not None:
            self._cache.prune()

    def _remember(self, program: Program, result: Result) -> None:
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
