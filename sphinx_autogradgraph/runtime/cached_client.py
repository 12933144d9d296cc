"""Results of Programs, from the cache or else by running them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from sphinx_autogradgraph.core.diagnostics import Diagnostic
from sphinx_autogradgraph.core.settings import Settings
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.cache import Cache
from sphinx_autogradgraph.runtime.client import Pending, Runner
from sphinx_autogradgraph.runtime.lingering import Linger
from sphinx_autogradgraph.runtime.result import Result


def runner_of(
    settings: Settings, project: str, path: Sequence[str], cache: Path | None
) -> CachedRunner:
    """Return the runner of a build.

    ``project`` is its directory, by which a worker that lingers is found.  ``path`` is where
    programs find modules.  ``cache`` is the directory of the cache, None for a check or an update,
    which are about what the code does now.
    """
    linger = Linger(settings.linger, project, [asdict(settings), tuple(path)])
    runner = Runner(environment=settings.environment, linger=linger)
    kept = None if cache is None else Cache(cache, settings.environment)
    return CachedRunner(runner, kept, settings, path)


class CachedRunner:
    """Runs the programs of one build, and caches their results.

    Without a ``cache`` everything runs.
    """

    def __init__(
        self, runner: Runner, cache: Cache | None, settings: Settings, path: Sequence[str]
    ) -> None:
        self.settings = settings
        self._runner = runner
        self._cache = cache
        self._path = tuple(path)
        self._cache_error: Diagnostic | None = None

    def submit(self, programs: Sequence[Program]) -> Submitted:
        """Submit programs and return at once; those that are not cached run in the background.

        They find modules, and get memory, as the settings of the build say.
        """
        memory = self.settings.memory
        programs = [replace(program, path=self._path, memory=memory) for program in programs]
        found: dict[int, Result] = {}
        if self._cache is not None:
            present = self._cache.present()
            for index, program in enumerate(programs):
                known = self._cache.get(program, present)
                if known is not None:
                    found[index] = known
        missing = [program for index, program in enumerate(programs) if index not in found]
        return Submitted(self, programs, found, self._runner.submit(missing))

    def advance(self, seconds: float = 0) -> None:
        """Take results that have arrived; wait at most so many seconds for news."""
        self._runner.advance(seconds)

    @property
    def importing(self) -> float | None:
        """Seconds until the worker had imported torch; None if that was not seen."""
        return self._runner.worker.importing

    def warm_up(self) -> None:
        """Start importing torch, unless a cache exists that may hold all results."""
        if self._cache is None or self._cache.is_empty():
            self._runner.warm_up()

    def release(self) -> None:
        """Let the worker end, since probably no programs will come."""
        self._runner.release()

    def close(self) -> None:
        """End the worker, and keep the cache in bounds."""
        self._runner.close()
        if self._cache is not None:
            self._cache.prune()

    def take_cache_error(self) -> Diagnostic | None:
        """Return, once, why the cache could not be written; the results themselves are valid."""
        error, self._cache_error = self._cache_error, None
        return error

    def remember(self, program: Program, result: Result) -> None:
        """Put a result in the cache."""
        if self._cache is None:
            return
        try:
            self._cache.put(program, result)
        except OSError as error:
            self._cache_error = Diagnostic(
                "cache",
                "the cache cannot be written: {reason}; see autogradgraph_cache",
                {"reason": error.strerror or type(error).__name__},
                build_wide=True,
            )


class Submitted:
    """Programs submitted to a :class:`CachedRunner`, until their results are collected."""

    def __init__(
        self,
        runner: CachedRunner,
        programs: Sequence[Program],
        found: dict[int, Result],
        pending: Pending,
    ) -> None:
        self._runner = runner
        self._programs = programs
        self._found = found
        self._pending = pending
        self.cached = len(found)

    @property
    def seconds(self) -> list[float]:
        """Seconds that each program took which has run."""
        return self._pending.seconds

    def done(self) -> bool:
        """Whether all results have been taken (see :meth:`CachedRunner.advance`)."""
        return self._pending.done()

    def results(self) -> list[Result]:
        """Wait for the results, cache those of programs that ran, and return all in order."""
        ran = iter(self._pending.results())
        for index, program in enumerate(self._programs):
            if index not in self._found:
                self._found[index] = next(ran)
                self._runner.remember(program, self._found[index])
        return [self._found[index] for index in range(len(self._programs))]
