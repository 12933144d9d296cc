"""Documents that a build was reading when it was killed.

Sphinx writes doctrees while it reads, and the environment after that.  A build that is killed in
between leaves doctrees that the environment does not know of: they may be cut off, or hold figures
of code that has been taken back since.  So the documents that are being read stand in a file beside
the doctrees until the environment is written; those that a killed build has left are read again.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx_autogradgraph.core.atomic_files import write_aside
from sphinx_autogradgraph.hosts.sphinx.dependencies import with_figures

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

NAME = "autogradgraph-reading.json"
"""Name of the file in the directory of the doctrees."""


def setup_unfinished(app: Sphinx) -> None:
    """Note what is read, and have what was not finished read again."""
    app.connect("env-get-outdated", _left)
    app.connect("env-before-read-docs", _begin)
    app.connect("env-check-consistency", _end)  # comes when the environment has been written


def _left(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    try:
        return [name for name in json.loads(_path(app).read_bytes()) if isinstance(name, str)]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def _begin(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    if not with_figures(env).isdisjoint(docnames):
        with contextlib.suppress(OSError):  # Sphinx cannot write there either, and will say so
            write_aside(_path(app), json.dumps(docnames).encode())


def _end(app: Sphinx, env: BuildEnvironment) -> None:
    with contextlib.suppress(OSError):
        _path(app).unlink(missing_ok=True)


def _path(app: Sphinx) -> Path:
    return Path(app.doctreedir, NAME)
