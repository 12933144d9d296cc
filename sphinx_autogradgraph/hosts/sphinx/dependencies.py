"""The files that documents depend on, by content: Sphinx compares time stamps alone.

A file whose content has changed under an old time stamp is noticed; one that was only touched
has nothing read again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from sphinx_autogradgraph.core.atomic_files import digest
from sphinx_autogradgraph.hosts.sphinx.document_store import Store

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_files: Store[tuple[str, str | None]] = Store("dependencies")
"""The path and the digest of each file, None for one that was not there."""


def note(env: BuildEnvironment, docname: str, paths: Iterable[str]) -> None:
    """Have a document read again when one of the files has another content."""
    for path in dict.fromkeys(paths):
        _files.add(env, docname, (path, digest(path)))


def setup_dependencies(app: Sphinx) -> None:
    """Tell Sphinx which documents have to be read again."""
    _files.setup(app)
    app.connect("env-get-outdated", _outdated)


def _outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    now = cache(digest)  # many documents depend on the same file
    return [
        docname
        for docname, files in _files.of(env).items()
        if any(now(path) != known for path, known in files)
    ]
