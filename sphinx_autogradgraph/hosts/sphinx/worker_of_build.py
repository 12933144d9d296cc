"""The worker of one build: it starts before all that the build needs itself is imported."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx_autogradgraph.hosts.sphinx.attributes import CHECK
from sphinx_autogradgraph.hosts.sphinx.check_builders import purpose_of
from sphinx_autogradgraph.hosts.sphinx.config_values import settings_of
from sphinx_autogradgraph.runtime.cached_client import CachedRunner, runner_of
from sphinx_autogradgraph.runtime.client import runs_code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sphinx.application import Sphinx

IDLE_BUILDERS = frozenset({"changes", "gettext", "linkcheck"})
"""Builders whose output does not depend on what code does: they run none."""


def worker_of_build(app: Sphinx, docnames: Iterable[str]) -> CachedRunner:
    """Return what runs programs; it begins to import torch if a document seems to need it."""
    is_build = purpose_of(app) == "build"
    settings, cache = settings_of(app.config), app.config.autogradgraph_cache
    kept = Path(app.confdir, cache) if cache else Path(app.doctreedir, CHECK)
    # Programs find modules as ``conf.py`` does; what is relative there is so to ``conf.py``.
    path = [os.path.join(app.confdir, entry) for entry in sys.path if entry]
    runner = runner_of(settings, str(app.srcdir), path, kept if is_build else None)
    runs = app.builder.name not in IDLE_BUILDERS and runs_code(
        settings.execution, is_build=is_build
    )
    if runs and any(_mentions_us(Path(app.env.doc2path(docname))) for docname in docnames):
        runner.warm_up()
    return runner


def _mentions_us(path: Path) -> bool:
    try:
        return "autogradgraph" in path.read_text("utf-8", errors="ignore")
    except OSError:  # Sphinx has words for that
        return False
