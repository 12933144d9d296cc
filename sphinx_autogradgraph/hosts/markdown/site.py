"""Markdown site: its settings, its pipeline and its warnings."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sphinx_autogradgraph.core.diagnostics import Diagnostic, DiagnosticError
from sphinx_autogradgraph.core.settings import Settings, read_settings
from sphinx_autogradgraph.figures.page_figures import PageFigures
from sphinx_autogradgraph.figures.pipeline import Pipeline
from sphinx_autogradgraph.figures.stage_times import StageTimes
from sphinx_autogradgraph.runtime.cached_client import runner_of
from sphinx_autogradgraph.snapshots.policy import Purpose, SnapshotPolicy

E = TypeVar("E")

CACHE = ".cache/autogradgraph"
"""Default directory of the cache, relative to that of the project."""

logger = logging.getLogger("mkdocs.plugins.sphinx_autogradgraph")
"""Logger whose warnings MkDocs and ProperDocs show, and count in strict mode."""


class MarkdownSite:
    """A site with the services that its pages share.

    ``purpose`` is that of the run, ``pages`` the directory of the pages, if it is known: a project
    may have several sites, which do not touch each other's snapshots.  ``opens`` tells whether
    folded drawings can open.
    ``diagnostic`` tells what is wrong with the settings; the defaults are then used.
    """

    def __init__(
        self,
        root: Path,
        purpose: Purpose = "build",
        *,
        pages: Path | None = None,
        opens: bool = True,
    ) -> None:
        self.root = root
        self.purpose = purpose
        self._opens = opens
        self.diagnostic: Diagnostic | None = None
        try:
            self.settings = read_settings(root)
        except DiagnosticError as error:
            self.settings, self.diagnostic = Settings(), error.diagnostic
        name = self.settings.snapshots
        self.snapshots = (
            None if name is None else SnapshotPolicy(str(root / name), name, project=pages)
        )
        self._lock = threading.Lock()  # Zensical converts pages side by side
        self._reported: set[str] = set()

    @cached_property
    def pipeline(self) -> Pipeline:
        """The pipeline of all pages, made with the first of them that has figures."""
        path = [os.path.join(self.root, entry) for entry in self.settings.path]
        cache = self.root / (self.settings.cache or CACHE) if self.purpose == "build" else None
        return Pipeline(
            runner_of(self.settings, str(self.root), path, cache),
            snapshots=self.snapshots,
            purpose=self.purpose,
            opens=self._opens,
        )

    def draw(self, page: PageFigures[E]) -> None:
        """Run the programs of a page and put its figures into it."""
        with self._lock:
            self.pipeline.draw(page)

    def report(self, place: str, diagnostic: Diagnostic) -> str | None:
        """Warn of a diagnostic; return the text of the warning.

        A diagnostic that every figure of the site meets is reported once; later calls return None.
        """
        text = warning_text(place, diagnostic)
        if diagnostic.build_wide:
            if diagnostic.sentence() in self._reported:
                return None
            self._reported.add(diagnostic.sentence())
        logger.warning("%s", text)
        return text

    @property
    def times(self) -> StageTimes:
        """The time that each stage took so far."""
        return self.pipeline.times if "pipeline" in vars(self) else StageTimes()

    def close(self) -> None:
        """End the processes that run programs."""
        if "pipeline" in vars(self):
            self.pipeline.close()


def warning_text(place: str, diagnostic: Diagnostic) -> str:
    """Return the text of a warning at a place, in the form that Sphinx gives its own."""
    return f"{place}: {diagnostic.report()} [autogradgraph.{diagnostic.kind}]"


_sites: dict[tuple[Path, Path | None], MarkdownSite] = {}
_lock = threading.Lock()


def site_at(root: Path, pages: Path | None) -> MarkdownSite:
    """Return the site of a project with these pages; it is kept as long as this process."""
    with _lock:
        site = _sites.get((root, pages))
        if site is None:
            site = _sites[root, pages] = MarkdownSite(root, pages=pages)
            atexit.register(site.close)
        return site
