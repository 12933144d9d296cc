"""Pages that are written again because their figures changed since they were written.

Sphinx writes a page when it has read it in the same build, or when its source is newer than the
page.  A figure may change with a module alone.  Its page would then stay as it was if the build was
killed before it wrote, or if another builder with the same doctrees has read the page since.  So
each builder notes, beside the doctrees, which reading of each page it has written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes

from sphinx_autogradgraph.core.atomic_files import write_aside
from sphinx_autogradgraph.hosts.sphinx.dependencies import with_figures

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

AT_ONCE = frozenset({"singlehtml"})
"""Builders of pages that write all of them in each build."""


def setup_written(app: Sphinx) -> Set[str]:
    """Follow what the builder writes, and have it write what it has missed.

    Return the pages that it writes in a build; they are added as it does.
    """
    written = _Written()
    app.connect("env-updated", written.missed)
    app.connect("doctree-resolved", written.begin)
    app.connect("build-finished", written.end)
    return written.now


class _Written:
    """The readings of pages that one builder has written, each known by its time."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self.now: set[str] = set()

    def missed(self, app: Sphinx, env: BuildEnvironment) -> list[str]:
        """Return the pages that have been read since they were written."""
        self.now.clear()
        if not _writes_pages(app):
            return []
        self._known = _read(_path(app))
        return sorted(
            docname
            for docname in with_figures(env)
            if docname in env.all_docs and self._known.get(docname) != env.all_docs[docname]
        )

    def begin(self, app: Sphinx, document: nodes.document, docname: str) -> None:
        """Note that a page is about to be written."""
        if not self.now and _writes_pages(app):
            with contextlib.suppress(OSError):  # should this build be killed, any may be cut off
                _path(app).unlink(missing_ok=True)
        self.now.add(docname)

    def end(self, app: Sphinx, exception: Exception | None) -> None:
        """Note what has been written, unless the build failed."""
        if exception is not None or not self.now or not _writes_pages(app):
            return
        times = app.env.all_docs
        ours = with_figures(app.env)
        known = {docname: time for docname, time in self._known.items() if docname in ours}
        known |= {docname: times[docname] for docname in self.now & ours if docname in times}
        if known:
            with contextlib.suppress(OSError):  # the pages will be written once more
                write_aside(_path(app), json.dumps(known).encode())


def _writes_pages(app: Sphinx) -> bool:
    """Whether the builder writes a file for each page, and only those that are out of date."""
    return bool(getattr(app.builder, "out_suffix", "")) and app.builder.name not in AT_ONCE


def _read(path: Path) -> dict[str, float]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _path(app: Sphinx) -> Path:
    key = hashlib.sha256(f"{app.builder.name}\n{app.outdir}".encode()).hexdigest()
    return Path(app.doctreedir, f"autogradgraph-written-{key[:16]}.json")
