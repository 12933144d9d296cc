"""A Markdown site: its settings, who runs its programs, and what is kept of their graphs."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.settings import Settings, read_settings
from sphinx_autogradgraph.program.program import Program
from sphinx_autogradgraph.runtime.cache import Cache
from sphinx_autogradgraph.runtime.cached_client import CachedRunner
from sphinx_autogradgraph.runtime.client import Runner, has_torch
from sphinx_autogradgraph.runtime.result import Result
from sphinx_autogradgraph.snapshots.policy import Purpose, SnapshotPolicy

CACHE = ".cache/autogradgraph"
"""The directory of the cache, from that of the project, where the settings name none."""

logger = logging.getLogger("mkdocs.plugins.sphinx_autogradgraph")
"""What MkDocs and ProperDocs show, and count in strict mode."""


class MarkdownSite:
    """What the pages of a site share.

    ``purpose`` is what its graphs are made for.  ``diagnostic`` is what is wrong with its settings,
    which are then the defaults.
    """

    def __init__(self, root: Path, purpose: Purpose = "build") -> None:
        self.root = root
        self.purpose = purpose
        self.diagnostic: Diagnostic | None = None
        try:
            self.settings = read_settings(root)
        except DiagnosticError as error:
            self.settings, self.diagnostic = Settings(), error.diagnostic
        name = self.settings.snapshots
        self.keeper = None if name is None else SnapshotPolicy(str(root / name), name)
        self._executor: CachedRunner | None = None
        self._lock = threading.Lock()  # Zensical converts pages side by side
        self._reported: set[str] = set()

    @property
    def runs(self) -> bool:
        """Whether code is run, or figures drawn from snapshots alone."""
        mode = self.settings.execution
        return self.purpose != "build" or mode == "always" or (mode == "auto" and has_torch())

    def run(self, programs: Sequence[Program]) -> list[Result]:
        """The results of the programs of a page."""
        settings = self.settings
        path = tuple(os.path.join(self.root, entry) for entry in settings.path)
        with self._lock:
            if self._executor is None:
                # A check wants to know what the code does, not what it did.
                cache = Cache(self.root / (settings.cache or CACHE))
                runner = Runner(environment=settings.environment)
                self._executor = CachedRunner(runner, cache if self.purpose == "build" else None)
            return self._executor.run(
                [replace(program, path=path, memory=settings.memory) for program in programs]
            )

    @property
    def cache_error(self) -> Diagnostic | None:
        """What keeps results from being remembered."""
        return None if self._executor is None else self._executor.cache_error

    def report(self, place: str, diagnostic: Diagnostic) -> str | None:
        """Warn of a diagnostic; the text of the warning.

        What any figure of the site would meet is reported once: None for the others.
        """
        text = f"{place}: {diagnostic.report()} [autogradgraph.{diagnostic.kind}]"
        if diagnostic.build_wide:
            if diagnostic.sentence() in self._reported:
                return None
            self._reported.add(diagnostic.sentence())
        logger.warning("%s", text)
        return text

    def close(self) -> None:
        """End what runs programs."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None


_sites: dict[Path, MarkdownSite] = {}
_lock = threading.Lock()


def site_at(root: Path) -> MarkdownSite:
    """The site of a project, which lives as long as this process."""
    with _lock:
        if root not in _sites:
            _sites[root] = MarkdownSite(root)
            atexit.register(_sites[root].close)
        return _sites[root]
