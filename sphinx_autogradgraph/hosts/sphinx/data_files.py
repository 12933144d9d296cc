"""Files beside the pages, and the removal of those that no page uses any more.

They hold the data of large Graphs, and the views that folded ones open to.  Sphinx knows nothing of
them: when a figure is gone, or has fewer views, its old ones would stay for ever.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.util.osutil import relative_uri

from sphinx_autogradgraph.core.atomic_files import write_aside
from sphinx_autogradgraph.figures.html_ids import page_slug
from sphinx_autogradgraph.hosts.sphinx.written import AT_ONCE

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

DIRECTORY = "_autogradgraph"
"""Directory of the output for these files."""

_NAME = re.compile(r"(autogradgraph-.+)-\d+(?:\.\d+)?\.js(?:on)?")
"""Name of a file: that of its page, the number of its figure, and perhaps that of the view."""


def write_file(app: Sphinx, docname: str, name: str, text: str) -> str | None:
    """Write a file, and return its URL for a page; an EPUB has no such files."""
    if app.builder.name == "epub":
        return None
    write_aside(Path(app.outdir, DIRECTORY, name), text.encode())
    return relative_uri(app.builder.get_target_uri(docname), f"{DIRECTORY}/{name}")


def setup_data_files(app: Sphinx, written: Set[str]) -> None:
    """Have files removed that belong to a page as it was before this build.

    ``written`` are the pages that the build writes, as of :func:`.setup_written`.
    """
    files = _DataFiles(written)
    app.connect("env-updated", files.begin)
    app.connect("build-finished", files.end)


class _DataFiles:
    """The files as they were before pages are written."""

    def __init__(self, written: Set[str]) -> None:
        self._before: dict[str, tuple[int, int]] = {}
        self._written = written

    def begin(self, app: Sphinx, env: BuildEnvironment) -> list[str]:
        """Note which files there are; no page has to be written for that."""
        self._before = _found(app)
        return []

    def end(self, app: Sphinx, exception: Exception | None) -> None:
        """Remove the files that are as before, if their pages were written or are gone."""
        before, self._before = self._before, {}
        if exception is not None or not before:
            return
        all_at_once = app.builder.name in AT_ONCE and self._written
        written = app.env.all_docs if all_at_once else self._written
        kept = {page_slug(docname) for docname in app.env.all_docs if docname not in written}
        for name, state in _found(app).items():
            match = _NAME.fullmatch(name)
            if match and match[1] not in kept and before.get(name) == state:
                with contextlib.suppress(OSError):  # it harms nobody
                    os.unlink(Path(app.outdir, DIRECTORY, name))


def _found(app: Sphinx) -> dict[str, tuple[int, int]]:
    """Return the files with what differs once one is written again."""
    try:
        with os.scandir(Path(app.outdir, DIRECTORY)) as entries:
            return {
                entry.name: (status.st_mtime_ns, status.st_ino)
                for entry in entries
                for status in [entry.stat(follow_symlinks=False)]
            }
    except OSError:
        return {}
