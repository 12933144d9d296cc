"""Dependencies of documents by content; Sphinx itself compares time stamps alone.

A file whose content has changed under an old time stamp is noticed.  A file that was only touched
causes no reading.  The content that was read counts, so that saving a file while its page's program
runs is a change.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sphinx_autogradgraph.hosts.sphinx.document_store import Store
from sphinx_autogradgraph.program.installed import flags, versions
from sphinx_autogradgraph.program.observations import Kind, Observation, Present
from sphinx_autogradgraph.runtime.worker_command import environment as environment_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_observed: Store[tuple[Kind, str, str, str | None]] = Store("dependencies")
"""Observations of each document, as plain data."""

_SURROUNDINGS = "autogradgraph_surroundings"
"""Attribute of the environment: versions, flags and module path with which documents were read."""


def note(env: BuildEnvironment, docname: str, paths: Iterable[str]) -> None:
    """Have a document read again when the content of one of the files changes."""
    note_observed(env, docname, map(Observation.of_file, dict.fromkeys(paths)))


def note_observed(env: BuildEnvironment, docname: str, observations: Iterable[Observation]) -> None:
    """Have a document read again when one of the observations no longer holds."""
    for found in observations:
        _observed.add(env, docname, (found.kind, found.path, found.name, found.value))


def with_figures(env: BuildEnvironment) -> set[str]:
    """Return the documents that were read and have figures, or may have some."""
    return set(_observed.of(env))


def setup_dependencies(app: Sphinx) -> None:
    """Tell Sphinx in each build which documents have to be read again."""
    _observed.setup(app)
    app.connect("env-get-outdated", _outdated)
    app.connect("source-read", _note_source)


def _note_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Note a document's content as it is read: Sphinx notes its time after programs have run."""
    if "autogradgraph" in source[0]:
        note(app.env, docname, [str(app.env.doc2path(docname))])


def _outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    now = (*versions(), *flags(), *_module_path())
    before = getattr(env, _SURROUNDINGS, None)
    setattr(env, _SURROUNDINGS, now)
    present = Present(environment_of(app.config.autogradgraph_environment))
    return [
        docname
        for docname, found in _observed.of(env).items()
        if before != now or not present.holds(map(Observation.of, found))
    ]


def _module_path() -> list[str]:
    """Return where modules are searched, but for what depends on how the build was started.

    ``python -m sphinx`` adds the working directory, ``sphinx-build`` its own one: a change from one
    to the other is no reason to read every document again.
    """
    starting = {os.getcwd(), os.path.dirname(os.path.abspath(sys.argv[0]))}
    return [entry for entry in sys.path if entry and entry not in starting]
